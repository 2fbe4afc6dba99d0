"""Decisions that are remembered: never longer than what they were made of holds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ocpi.ids import PartyId
from roaming import directory
from roaming.agreements import Agreements, Term, next_change
from roaming.directory import Picture
from roaming.hub.memory import Memory
from roaming.models import CredentialsToken, Endpoint
from tests.kit.caller import RECEIVER
from tests.kit.objects import location
from tests.kit.peer import FakePeer
from tests.kit.platforms import register

ONE, OTHER, THIRD = PartyId("DE*CPO"), PartyId("DE*MSP"), PartyId("FR*MSP")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def agreed(*terms: Term) -> Agreements:
    return Agreements.of((ONE, OTHER, term) for term in terms)


def term(begins: datetime, ends: datetime | None = None) -> Term:
    return Term(frozenset(), begins, ends)


def test_a_decision_is_known_again_to_the_picture_it_was_made_by() -> None:
    picture = Picture()
    assert picture.memory.known("kind", NOW.timestamp()) is None
    picture.memory.keep("kind", "decision", None)
    assert picture.memory.known("kind", (NOW + 1000 * DAY).timestamp()) == "decision"
    assert picture.memory.known("another", NOW.timestamp()) is None
    assert Picture().memory.known("kind", NOW.timestamp()) is None


def test_a_decision_ends_when_an_agreement_does() -> None:
    """R8.2"""
    memory = Memory()
    memory.keep("kind", "decision", NOW + DAY)
    assert memory.known("kind", (NOW + DAY - timedelta(microseconds=1)).timestamp())
    assert memory.known("kind", (NOW + DAY).timestamp()) is None


def test_what_is_remembered_is_bounded() -> None:
    memory = Memory()
    for number in range(25_000):
        memory.keep(number, "decision", None)
    known = [number for number in range(25_000) if memory.known(number, NOW.timestamp())]
    assert known[-1] == 24_999 and len(known) <= 10_000


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([], None),
        ([term(NOW - DAY)], None),
        ([term(NOW - 2 * DAY, NOW - DAY)], None),
        ([term(NOW + DAY)], NOW + DAY),
        ([term(NOW - DAY, NOW + 3 * DAY), term(NOW + 2 * DAY)], NOW + 2 * DAY),
    ],
)
def test_the_next_change_is_the_first_beginning_or_end_to_come(terms: list[Term], expected: datetime | None) -> None:
    agreements = agreed(*terms)
    assert next_change(agreements, [ONE], NOW) == next_change(agreements, [THIRD, OTHER], NOW) == expected
    assert next_change(agreements, [THIRD], NOW) is None


@pytest.mark.django_db(transaction=True)
def test_an_endpoint_that_moves_is_found_at_once(hub: str, fake_peer: Callable[..., FakePeer]) -> None:
    old, new = fake_peer(party="DE*MSP", role="EMSP"), fake_peer(party="DE*MSP", role="EMSP")
    emsp = register("EMSP:DE*MSP", endpoints=old.endpoints(), outbound_token=old.token)
    cpo = register("CPO:DE*CPO").client(to="DE*MSP", from_="DE*CPO", at=hub)
    cpo.put(f"{RECEIVER}/locations/DE/CPO/LOC-1", location())
    for endpoint in Endpoint.objects.filter(platform=emsp.platform):
        endpoint.url = endpoint.url.replace(old.url, new.url)
        endpoint.save()
    directory.changed()
    cpo.put(f"{RECEIVER}/locations/DE/CPO/LOC-1", location())
    assert (len(old.requested("PUT")), len(new.requested("PUT"))) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_withdrawn_token_goes_no_way_any_more(hub: str, fake_peer: Callable[..., FakePeer]) -> None:
    """R2.2"""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    register("EMSP:DE*MSP", endpoints=peer.endpoints(), outbound_token=peer.token)
    registered = register("CPO:DE*CPO")
    cpo = registered.client(to="DE*MSP", from_="DE*CPO", at=hub)
    cpo.put(f"{RECEIVER}/locations/DE/CPO/LOC-1", location())
    CredentialsToken.objects.filter(platform=registered.platform).delete()
    directory.changed()
    assert cpo.put(f"{RECEIVER}/locations/DE/CPO/LOC-1", location()).http == 401
    assert len(peer.requested("PUT")) == 1
