"""When a platform counts as OFFLINE, what that stops, and how it ends: roaming/breaker.py, probing.py, sightings.py."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from ocpi.client.messages import NotOcpi, PartnerError, Refused, TimedOut, Unreachable
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.transport import authorization
from ocpi.v221.versions import ModuleID
from roaming import breaker, directory, probing, registration
from roaming.breaker import STRIKES, WINDOW, Strikes
from roaming.commands import delivering
from roaming.delivery import lanes
from roaming.delivery_models import Delivery, FeedCursor
from roaming.models import Platform
from roaming.sightings import RESOLUTION, Sightings
from roaming.sync import pull
from tests.kit import peer as misbehaviour
from tests.kit.lanes import drain, wait_out
from tests.kit.objects import location
from tests.kit.peer import FakePeer, enveloped
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., FakePeer]
LONG_AGO = timedelta(hours=1)


@pytest.fixture
def peer(fake_peer: Start) -> FakePeer:
    return fake_peer(party="DE*MSP", role="EMSP")


@pytest.fixture
def platform(peer: FakePeer) -> Platform:
    """The peer, connected an hour ago and heard of lately."""
    found = register(
        "EMSP:DE*MSP", endpoints=peer.endpoints(), outbound_token=peer.token, versions_url=peer.versions_url
    ).platform
    Platform.objects.update(connected_at=timezone.now() - LONG_AGO, last_seen_at=timezone.now())
    return fresh(found)


def fresh(platform: Platform) -> Platform:
    directory.changed()
    return Platform.objects.get(pk=platform.pk)


def is_offline(platform: Platform) -> bool:
    return Platform.objects.get(pk=platform.pk).offline_since is not None


def quiet(platform: Platform) -> None:
    Platform.objects.filter(pk=platform.pk).update(last_seen_at=timezone.now() - LONG_AGO)


def probe_now(platform: Platform) -> None:
    Platform.objects.filter(pk=platform.pk).update(probe_at=None)
    assert probing.probe_due() == 1


# --- what counts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (Unreachable("no connection"), True),
        (TimedOut("no answer"), True),
        (NotOcpi(500, "an error page"), True),
        (NotOcpi(503, "maintenance"), True),
        (NotOcpi(404, "no such page"), False),
        (NotOcpi(200, "garbage"), False),
        (Refused(200, 2001, "no"), False),
        (Refused(500, 3000, "broken, but it is there"), False),
        (Refused(401, 2000, "our token"), False),
        (PartnerError("circular links"), False),
    ],
)
def test_only_failures_of_transport_count(error: PartnerError, counts: bool) -> None:
    """R8.9, R8.2: who refuses is there."""
    assert breaker.is_transport_failure(error) is counts


def test_a_url_of_anybody_elses_says_nothing_of_a_platform(platform: Platform, peer: FakePeer) -> None:
    """R8.6: a response_url may lead anywhere."""
    known = directory.directory.picture(fresh=True).peers[platform.pk]
    assert breaker.concerns(known, f"{peer.url}/commands/results/1")
    assert not breaker.concerns(known, "http://127.0.0.1:1/results/1")


A, F = "answered", "failed"


@pytest.mark.parametrize(
    ("events", "seconds_between", "opens"),
    [
        ([F] * STRIKES, 1, True),
        ([F] * (STRIKES - 1), 1, False),
        ([F] * (STRIKES - 1) + [A] + [F] * (STRIKES - 1), 1, False),
        ([A, A] + [F] * STRIKES, 1, True),
        ([F] * STRIKES, WINDOW, False),
        ([F] * 10 * STRIKES, WINDOW, False),
    ],
)
def test_failures_in_a_row_open_the_breaker(events: list[str], seconds_between: float, opens: bool) -> None:
    """R8.8"""
    now = 0.0
    strikes, opened = Strikes(lambda: now), False
    for event in events:
        now += seconds_between
        if event == A:
            strikes.answered(1)
        else:
            opened = strikes.failed(1)
    assert opened is opens
    assert not strikes.failed(2)  # each platform for itself


# --- how it opens and closes ----------------------------------------------------------------------------------------


def opened(platform: Platform) -> None:
    breaker.trip(platform.pk, "five failures")


@pytest.mark.parametrize("is_quiet", [False, True])
@pytest.mark.parametrize("was_offline", [False, True])
@pytest.mark.parametrize(
    ("behaviour", "is_there"),
    [
        (None, True),
        (misbehaviour.answers(enveloped(code=2000, http=401)), True),
        (misbehaviour.garbage(), True),
        (misbehaviour.fails(503), False),
        (misbehaviour.hangs_up(), False),
    ],
)
def test_what_a_probe_makes_of_a_platform(
    platform: Platform, peer: FakePeer, behaviour: Any, is_there: bool, was_offline: bool, is_quiet: bool
) -> None:
    """R8.9, R9.19: asked only when quiet or OFFLINE; the answer decides."""
    if was_offline:
        opened(platform)
    if is_quiet:
        quiet(platform)
    if behaviour:
        peer.misbehave(behaviour)
    Platform.objects.update(probe_at=None)
    assert probing.probe_due() == (was_offline or is_quiet)
    assert len(peer.requested("GET", "/versions")) == (was_offline or is_quiet)
    assert is_offline(platform) is ((was_offline or is_quiet) and not is_there)


def test_who_hangs_at_a_probe_is_offline(platform: Platform, peer: FakePeer, settings: Any) -> None:
    """R8.9"""
    settings.NODE_PARTNER_TIMEOUT = 0.2
    peer.misbehave(misbehaviour.slow(5))
    quiet(platform)
    probe_now(platform)
    assert is_offline(platform)


def test_a_probe_carries_our_token_and_no_routing(platform: Platform, peer: FakePeer) -> None:
    """R8.9, R7.2"""
    quiet(platform)
    probe_now(platform)
    (request,) = peer.requested("GET", "/versions")
    assert peer.token in authorization.decode(request.headers["Authorization"])
    assert request.routing.to is None and request.routing.from_ is None


def test_who_answered_a_probe_is_not_asked_again_for_a_while(platform: Platform, peer: FakePeer) -> None:
    """R8.9: a probe counts as a sign of life."""
    quiet(platform)
    assert [probing.probe_due() for _ in range(3)] == [1, 0, 0]


def test_an_offline_platform_is_probed_at_intervals(platform: Platform, peer: FakePeer) -> None:
    """R8.9"""
    peer.misbehave(misbehaviour.fails(502))
    opened(platform)
    assert probing.probe_due() == 0
    probe_now(platform)
    assert probing.probe_due() == 0 and is_offline(platform)


@pytest.mark.parametrize("state", [Platform.State.PLANNED, Platform.State.SUSPENDED])
def test_who_is_not_connected_is_neither_probed_nor_offline(
    platform: Platform, peer: FakePeer, state: Platform.State
) -> None:
    """R9.19"""
    quiet(platform)
    Platform.objects.update(state=state)
    assert probing.probe_due() == 0 and not peer.requests
    assert not breaker.trip(platform.pk, "failures") and not is_offline(platform)


def test_opening_twice_changes_nothing(platform: Platform) -> None:
    """R9.19: OFFLINE since the first time."""
    assert breaker.trip(platform.pk, "first")
    since = Platform.objects.get(pk=platform.pk).offline_since
    assert not breaker.trip(platform.pk, "second")
    assert Platform.objects.get(pk=platform.pk).offline_since == since


def test_a_handshake_ends_offline(platform: Platform, peer: FakePeer) -> None:
    """R9.19: the platform was just spoken to."""
    opened(platform)
    registration.renew(fresh(platform))
    assert not is_offline(platform)


# --- signs of life --------------------------------------------------------------------------------------------------


def test_signs_of_life_are_written_seldom(platform: Platform) -> None:
    """R8.9: any message is one."""
    now = timezone.now().timestamp()
    sightings = Sightings(lambda: now)
    due = []
    for _ in range(5):
        due.append(sightings.note(platform.pk))
        now += RESOLUTION / 4
    assert due == [True, False, False, False, True]
    quiet(platform)
    sightings.write()
    seen = Platform.objects.get(pk=platform.pk).last_seen_at
    assert seen and timezone.now() - seen < timedelta(minutes=1)
    assert probing.probe_due() == 0


def test_who_calls_while_offline_is_probed_soon_and_not_trusted(platform: Platform, peer: FakePeer) -> None:
    """R9.19: its client lives; whether its server does is asked."""
    peer.misbehave(misbehaviour.fails(503))
    opened(platform)
    sightings = Sightings()
    sightings.note(platform.pk)
    sightings.write()
    assert is_offline(platform)
    assert probing.probe_due() == 1 and is_offline(platform)
    sightings.note(platform.pk)
    sightings.write()
    peer.behave()
    assert probing.probe_due() == 1 and not is_offline(platform)


# --- what it stops --------------------------------------------------------------------------------------------------


def own_location(**changes: Any) -> None:
    locations.put(Arrival(location(country_code="NL", party_id="OCP", **changes)), None)


def test_lanes_that_meet_nobody_open_it_and_then_send_the_difference(platform: Platform, peer: FakePeer) -> None:
    """R8.8, R9.19; DESIGN section 2.4: state, not messages."""
    peer.misbehave(misbehaviour.fails(503), method="PUT")
    own_location(name="first")
    for _ in range(STRIKES):
        wait_out()
        drain()
    assert is_offline(platform)
    calls = len(peer.requests)
    own_location(name="last")
    wait_out()
    drain()
    lanes.drain(platform.pk)
    assert len(peer.requests) == calls
    peer.behave()
    probe_now(platform)
    assert not is_offline(platform)
    wait_out()
    drain()
    assert [request.document["name"] for request in peer.requested("PUT")[calls:]] == ["last"]


def test_refusals_never_open_it(platform: Platform, peer: FakePeer) -> None:
    """R8.1"""
    peer.misbehave(misbehaviour.answers(enveloped(code=2001)), method="PUT")
    for number in range(2 * STRIKES):
        own_location(id=f"LOC-{number}")
        drain()
    assert len(peer.requested("PUT")) == 2 * STRIKES and not is_offline(platform)


def test_who_wants_us_to_slow_down_is_neither_offline_nor_refusing(platform: Platform, peer: FakePeer) -> None:
    """HTTP 429 with an envelope, as this node answers it: the stream pauses."""
    peer.misbehave(misbehaviour.answers(enveloped(code=2000, http=429)), method="PUT")
    own_location()
    drain()
    cursor = FeedCursor.objects.get(stream="locations")
    assert cursor.retry_at and not Delivery.objects.exists() and not is_offline(platform)


def test_an_offline_platform_is_not_pulled_from(platform: Platform, peer: FakePeer) -> None:
    """R8.8"""
    assert pull.may_pull(platform, ModuleID.TOKENS)
    opened(platform)
    assert not pull.may_pull(platform, ModuleID.TOKENS)
    assert "OFFLINE" in pull.pull(platform, ModuleID.TOKENS).error
    assert not peer.requests


def test_nothing_is_delivered_to_an_offline_platform(platform: Platform, peer: FakePeer) -> None:
    """R8.8; that results are delivered afterwards: tests/roaming/commands."""
    opened(platform)
    assert delivering.deliver(platform.pk) == 0 and not peer.requests
