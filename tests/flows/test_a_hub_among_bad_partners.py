"""Twenty partners behind one hub, each wrong in its own way: every message is accounted for, and the sound ones never
notice.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from roaming.delivery.lanes import Drained
from roaming.delivery_models import FeedCursor, Lane
from tests.kit.caller import RECEIVER, PartnerClient
from tests.kit.lanes import drain, settle
from tests.kit.objects import location, minutes_after_noon
from tests.kit.peer import (
    Behaviour,
    FakePeer,
    Reply,
    answers,
    drips,
    enveloped,
    fails,
    garbage,
    hangs_up,
    redirects,
    slow,
)
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)

OK = b'"timestamp":"2026-03-01T12:00:00Z"}'
SOUND: Behaviour = lambda peer, request: peer.answer(request)  # noqa: E731
# How a partner misbehaves; what the sender of a direct message is told; what becomes of a broadcast at its lane.
DELIVERED, REFUSED, PAUSED = "delivered", "refused", "paused"
PARTNERS: dict[str, tuple[Behaviour, int, str]] = {
    "sound": (SOUND, 1000, DELIVERED),
    "sound, too": (SOUND, 1000, DELIVERED),
    "slow": (slow(5), 4002, PAUSED),
    "drips": (drips(0.5), 4002, PAUSED),
    "hangs up": (hangs_up(), 4003, PAUSED),
    "no JSON": (garbage(), 4000, REFUSED),
    "half an envelope": (garbage(b'{"status_code":1000,"data":['), 4000, REFUSED),
    "NaN": (garbage(b'{"status_code":NaN}'), 4000, REFUSED),
    "an array": (garbage(b"[1000]"), 4000, REFUSED),
    "nothing": (garbage(b""), 4000, REFUSED),
    "a status in words": (garbage(b'{"status_code":"1000",' + OK), 4000, REFUSED),
    "500": (fails(500), 4000, PAUSED),
    "502": (fails(502), 4000, PAUSED),
    "429": (fails(429, Retry_After="1"), 4000, PAUSED),
    "401": (answers(enveloped(code=2000, http=401)), 4000, PAUSED),
    "redirects": (redirects(), 4000, REFUSED),
    "refuses": (answers(enveloped(code=2001)), 2001, REFUSED),
    "fails by OCPI": (answers(enveloped(code=3000)), 3000, REFUSED),
    "wrong ids": (answers(enveloped(X_Request_ID="somebody-elses")), 1000, DELIVERED),
    "lying headers": (
        answers(Reply(200, b'{"status_code":1000,' + OK, {"OCPI-from-country-code": "XX", "Link": "<"}, "text/plain")),
        1000,
        DELIVERED,
    ),
    "huge": (answers(Reply(200, b'{"data":"' + b"y" * 2_000_000 + b'","status_code":1000,' + OK)), 1000, REFUSED),
}


@pytest.fixture
def partners(fake_peer: Callable[..., FakePeer]) -> dict[str, FakePeer]:
    found = {}
    for number, (name, (behaviour, _, _)) in enumerate(PARTNERS.items()):
        peer = found[name] = fake_peer(party=f"DE*M{number:02}", role="EMSP")
        register(f"EMSP:{peer.party}", name=name, endpoints=peer.endpoints(), outbound_token=peer.token)
        peer.misbehave(behaviour)
    settle()
    return found


def test_a_direct_message_to_each_is_answered_with_the_truth(hub: str, partners: dict[str, FakePeer]) -> None:
    """R8.1, R8.2, R8.8: all at the same time, and nobody waits for anybody else."""
    cpo = register("CPO:DE*CPO")

    def send(name: str) -> int:
        client = PartnerClient(cpo.token, to=partners[name].party, from_="DE*CPO", at=hub)
        return client.put(f"{RECEIVER}/locations/DE/CPO/L", location(country_code="DE", party_id="CPO", id="L")).status

    with ThreadPoolExecutor(len(partners)) as pool:
        told = dict(zip(partners, pool.map(send, partners), strict=True))
    assert told == {name: expected for name, (_, expected, _) in PARTNERS.items()}
    for name, peer in partners.items():  # to one that hangs up on a kept connection a PUT may go twice
        assert 1 <= len(peer.requested("PUT")) <= (2 if name == "hangs up" else 1), name


def test_a_broadcast_to_all_is_delivered_refused_or_waits(hub: str, partners: dict[str, FakePeer]) -> None:
    """R8.8, R7.8: the sender has its answer at once; then every partner's standing is known."""
    cpo = register("CPO:DE*CPO").client(to="NL*HUB", from_="DE*CPO", at=hub)
    document = location(country_code="DE", party_id="CPO", id="L", last_updated=minutes_after_noon(1))
    answer = cpo.put(f"{RECEIVER}/locations/DE/CPO/L", document)
    assert (answer.codes, answer.routing.from_) == ((201, 1000), "NL*HUB")

    drained = drain()
    standing = {name: _standing(name, drained[name]) for name in partners}
    assert standing == {name: expected for name, (_, _, expected) in PARTNERS.items()}
    for name in ("sound", "sound, too"):
        assert partners[name].received["locations/DE/CPO/L"] == document


def _standing(name: str, drained: Drained) -> str:
    """Where a partner stands after its lane was visited, as the database has it."""
    if drained.refused:
        return REFUSED
    lane = Lane.objects.get(platform__name=name)
    if (drained.error and lane.retry_at) or FeedCursor.objects.filter(platform=lane.pk, slow_downs=1).exists():
        return PAUSED
    return DELIVERED if drained.sent == 1 else f"unknown: {drained}"
