"""While talks go on, whoever waits for them has something to do."""

import time

import pytest

from ocpi.client.messages import Presented
from ocpi.client.sending import Ask, Request, hold
from ocpi.transport.headers import MessageIds, RoutingHeaders
from tests.kit.peer import FakePeer, slow


def talk(peer: FakePeer):
    async def ask_once(ask: Ask) -> None:
        await ask(Request("GET", peer.versions_url, RoutingHeaders()))

    return ask_once


def test_it_is_done_again_and_again_until_the_last_has_ended(fake_peer):
    peer, done = fake_peer(), []
    peer.misbehave(slow(0.3))
    assert hold([talk(peer)], Presented(peer.token), MessageIds(), 1, meanwhile=lambda: done.append(1), every=0.05) == [
        None
    ]
    assert len(done) > 1


def test_when_it_fails_no_further_talk_is_begun(fake_peer):
    class Lost(Exception): ...

    def lose() -> None:
        raise Lost

    peer = fake_peer()
    peer.misbehave(slow(0.3))
    with pytest.raises(Lost):
        hold([talk(peer)] * 5, Presented(peer.token), MessageIds(), 1, meanwhile=lose, every=0.05)
    time.sleep(0.5)
    assert len(peer.requests) == 1
