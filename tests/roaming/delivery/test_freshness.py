"""How far behind a platform is: what it has not acknowledged, since when, and when that is an alarm."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from structlog.testing import capture_logs

from ocpi.ids import PartyId
from ocpi.models import Location
from ocpi.store.locations import Path, locations
from ocpi.store.objects import Arrival
from ocpi.store.sessions import sessions
from ocpi.types import codec
from roaming import directory, tasks
from roaming.delivery import alarms, desk
from roaming.delivery.freshness import Standing, percentile, standings
from roaming.delivery.lateness import late_from, limits
from roaming.delivery.streams import Stream
from roaming.delivery_models import Delivery, DeliveryHour, FeedCursor
from roaming.models import Endpoint, Party, Platform
from tests.kit.lanes import drain, settle, wait_out
from tests.kit.objects import cdr_token, evse, location, minutes_after_noon, session
from tests.kit.peer import FakePeer, answers, enveloped, hangs_up
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATE = timedelta(hours=2)
HERE = "https://partner.example/receiver"


@pytest.fixture
def peer(fake_peer: Callable[..., FakePeer]) -> FakePeer:
    """A connected eMSP that holds one Location."""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    register("EMSP:DE*MSP", name="eMSP", endpoints=peer.endpoints(), outbound_token=peer.token)
    settle()
    put("LOC-1")
    drain()
    return peer


def put(*ids: str, source: int | None = None, **changes: Any) -> None:
    evses = [evse(uid=f"E-{number}") for number in range(3)]
    locations.put_many([Arrival(location(id=id, evses=evses, **changes)) for id in ids], source)


def set_status(uid: str, status: str, minute: int) -> None:
    changes = {"status": status, "last_updated": minutes_after_noon(minute)}
    locations.patch_part(Path(PartyId("NL*OCP"), "LOC-1", uid), changes, None, lambda document: [])


def age(by: timedelta = LATE) -> datetime:
    """Let all Locations have been written so long ago; the moment."""
    moment = timezone.now() - by
    Location.objects.update(received_at=moment)
    return moment


def of(stream: Stream = Stream.LOCATIONS) -> Standing:
    return next(standing for standing in standings() if standing.stream is stream)


def sound() -> list[tuple[str, str, str]]:
    """What the alarm says."""
    with capture_logs() as lines:
        alarms.sound()
    return [(line["log_level"], line["platform"], line["stream"]) for line in lines]


# --- the rule -------------------------------------------------------------------------------------------------------


def test_a_stream_is_late_when_a_change_has_waited_for_longer_than_its_limit() -> None:
    allowed = limits("statuses=60, cdrs=0")
    assert late_from(Stream.STATUSES, NOON, False, allowed) == NOON + timedelta(seconds=60)
    assert late_from(Stream.STATUSES, None, False, allowed) is None, "nothing waits"
    assert late_from(Stream.STATUSES, NOON, True, allowed) is None, "paused by staff"
    assert late_from(Stream.CDRS, NOON, False, allowed) is None, "0 is no limit"
    assert late_from(Stream.TOKENS, NOON, False, allowed) is None, "left out"


@pytest.mark.parametrize("text", ["statuses", "statuses=soon", "evses=5", "statuses=-1"])
def test_limits_that_cannot_be_read_are_refused_with_what_is_wrong(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=text):
        limits(text)


@pytest.mark.parametrize(
    ("counts", "bound"),
    [
        ((0,) * 7, None),
        ((95, 5, 0, 0, 0, 0, 0), 0.5),
        ((94, 6, 0, 0, 0, 0, 0), 1),
        ((0, 0, 0, 0, 1, 0, 0), 30),
        ((1, 0, 0, 0, 0, 0, 1), float("inf")),
        ((), None),
    ],
)
def test_the_p95_is_the_bound_that_95_percent_kept(counts: tuple[int, ...], bound: float | None) -> None:
    assert percentile(counts) == bound


# --- what is not acknowledged ---------------------------------------------------------------------------------------


def test_who_has_acknowledged_everything_is_not_behind(peer: FakePeer) -> None:
    found = of()
    assert (found.unacknowledged, found.oldest_at, found.is_late) == (0, None, False)
    assert found.p95 is not None and found.last_success_at is not None


def test_objects_behind_the_cursor_are_counted_from_the_oldest_change_on(peer: FakePeer) -> None:
    put("A", "B")
    moment = age()
    put("B", name="newer")
    found = of()
    assert (found.unacknowledged, found.oldest_at, found.is_late) == (2, moment, True)
    drain()
    assert of().unacknowledged == 0


def test_evses_are_counted_in_the_stream_of_statuses(peer: FakePeer) -> None:
    set_status("E-0", "CHARGING", 1)
    set_status("E-1", "CHARGING", 2)
    set_status("E-1", "BLOCKED", 3)
    assert (of(Stream.STATUSES).unacknowledged, of().unacknowledged) == (2, 0)


def test_a_platform_that_nothing_was_brought_to_yet_is_behind_from_the_first_change_on() -> None:
    put("A")
    register("EMSP:DE*MSP", endpoints={("locations", "RECEIVER"): HERE})
    register("CPO:DE*CPO", endpoints={("locations", "RECEIVER"): HERE})
    (found,) = standings()
    assert (found.stream, found.unacknowledged, found.cursor) == (Stream.LOCATIONS, 1, None)


def test_what_came_from_the_platform_itself_is_not_missing_there() -> None:
    Party.objects.create(party="NL*HUB", role="HUB", name="Hub")
    endpoints = {("locations", "RECEIVER"): HERE}
    one = register("EMSP:DE*ONE", endpoints=endpoints).platform
    other = register("EMSP:DE*TWO", "CPO:DE*TWO", endpoints=endpoints).platform
    put("A", source=one.pk, country_code="FR", party_id="CPO")
    put("B", "C", source=other.pk, country_code="DE", party_id="TWO")
    put("D")
    assert {found.peer.id: found.unacknowledged for found in standings()} == {one.pk: 3, other.pk: 2}


def test_sessions_of_other_drivers_do_not_count() -> None:
    register("EMSP:DE*MSP", endpoints={("sessions", "RECEIVER"): HERE})
    for number, party_id in enumerate(["MSP", "MSP", "ALL"]):
        token = cdr_token(country_code="DE", party_id=party_id)
        sessions.put(Arrival(session(id=f"S-{number}", cdr_token=token)), None)
    assert of(Stream.SESSIONS).unacknowledged == 2


def test_an_object_that_is_refused_is_missing_until_it_is_acknowledged(peer: FakePeer) -> None:
    peer.misbehave(answers(enveloped(code=2001)), path="BAD")
    put("BAD", "GOOD")
    moment = age()
    drain()
    assert (of().unacknowledged, of().given_up, of().oldest_at, of().is_late) == (1, 0, moment, True)
    age(timedelta())
    wait_out()
    drain()
    assert of().oldest_at == moment, "since the first change that it did not acknowledge"
    peer.behave()
    wait_out()
    drain()
    assert (of().unacknowledged, of().oldest_at) == (0, None)


def test_what_was_given_up_is_missing_and_a_task_but_not_late(peer: FakePeer) -> None:
    FeedCursor.objects.update(ladder="1", nights=0)
    peer.misbehave(answers(enveloped(code=2001)), path="BAD")
    put("BAD")
    moment = age()
    for _ in range(2):
        drain()
        wait_out()
    found = of()
    assert (found.unacknowledged, found.given_up, found.oldest_at, found.is_late) == (1, 1, moment, False)
    desk.skip(Delivery.objects.all())
    assert (of().unacknowledged, of().oldest_at) == (0, None)


def test_an_object_that_changes_again_and_again_does_not_make_a_platform_less_late(peer: FakePeer) -> None:
    set_status("E-0", "CHARGING", 1)
    moment = age(timedelta(minutes=5))
    sound()
    set_status("E-0", "BLOCKED", 2)
    assert of(Stream.STATUSES).oldest_at == moment
    drain()
    set_status("E-0", "CHARGING", 3)
    assert of(Stream.STATUSES).oldest_at != moment


def test_what_an_open_transaction_holds_back_is_missing(threaded_db: None) -> None:
    """Lanes must not read it yet; that is no reason to call the platform up to date."""
    put("A")
    register("EMSP:DE*MSP", endpoints={("locations", "RECEIVER"): HERE})
    settle()
    forgotten = connection.copy()
    try:
        forgotten.set_autocommit(False)
        forgotten.cursor().execute("SELECT pg_current_xact_id()")
        put("B")
        assert of().unacknowledged == 2
    finally:
        forgotten.close()


def test_a_thousand_platforms_cost_as_many_queries_as_one(django_assert_max_num_queries: Any) -> None:
    Party.objects.create(party="NL*HUB", role="HUB", name="Hub")
    put("A", "B")
    platforms = Platform.objects.bulk_create(
        Platform(name=f"P {number}", state=Platform.State.CONNECTED, connected_at=timezone.now())
        for number in range(1000)
    )
    Party.objects.bulk_create(
        Party(platform=platform, party=f"D{number // 100}*A{number % 100:02}", role="EMSP", name="eMSP")
        for number, platform in enumerate(platforms)
    )
    Endpoint.objects.bulk_create(
        Endpoint(platform=platform, module="locations", role="RECEIVER", url=HERE) for platform in platforms
    )
    directory.changed()
    with django_assert_max_num_queries(10):
        found = standings()
    assert [standing.unacknowledged for standing in found] == [2] * 1000


# --- the alarm ------------------------------------------------------------------------------------------------------


def test_one_warning_when_lateness_begins_and_one_line_when_it_ends(peer: FakePeer) -> None:
    peer.misbehave(hangs_up())
    put("A")
    moment = age()
    drain()
    assert sound() == [("warning", "eMSP", "locations")]
    assert sound() == []
    assert FeedCursor.objects.get(stream="locations").late_since == moment + timedelta(hours=1)
    peer.behave()
    wait_out()
    drain()
    assert sound() == [("info", "eMSP", "locations")]
    assert sound() == []
    cursor = FeedCursor.objects.get(stream="locations")
    assert (cursor.late_since, cursor.behind_since) == (None, None)


def test_a_pause_by_staff_ends_an_alarm(peer: FakePeer) -> None:
    put("A")
    age()
    sound()
    FeedCursor.objects.update(is_paused=True)
    assert sound() == [("info", "eMSP", "locations")]
    assert of().is_paused and not of().is_late


def test_a_platform_that_is_connected_no_more_is_not_late(peer: FakePeer) -> None:
    put("A")
    age()
    sound()
    Platform.objects.update(state=Platform.State.SUSPENDED)
    directory.changed()
    assert sound() == [("info", "eMSP", "locations")]
    cursor = FeedCursor.objects.get(stream="locations")
    assert (cursor.late_since, cursor.behind_since) == (None, None)


def test_what_is_late_without_a_limit_is_no_alarm(peer: FakePeer, settings: Any) -> None:
    settings.NODE_FRESHNESS = "statuses=60"
    put("A")
    age()
    assert sound() == []


# --- figures --------------------------------------------------------------------------------------------------------


def test_totals_of_a_stream_are_kept_beside_those_of_the_hours(peer: FakePeer) -> None:
    peer.misbehave(answers(enveloped(code=2001)), path="BAD")
    put("BAD", "GOOD")
    drain()
    cursor = FeedCursor.objects.get(stream="locations")
    assert (cursor.sent, cursor.requests, cursor.refused, cursor.failures) == (2, 3, 1, 0)


def test_figures_of_hours_are_kept_for_a_month(peer: FakePeer) -> None:
    kept = DeliveryHour.objects.count()
    old = timezone.now() - timedelta(days=31)
    DeliveryHour.objects.create(platform=Platform.objects.get(), stream="cdrs", hour=old)
    tasks.prune_delivery_hours()
    assert DeliveryHour.objects.count() == kept


# --- the command ----------------------------------------------------------------------------------------------------


def freshness(capsys: Any, code: int) -> Any:
    if code:
        with pytest.raises(SystemExit) as ended:
            call_command("freshness", json=True)
        assert ended.value.code == code
    else:
        call_command("freshness", json=True)
    return codec.decode(capsys.readouterr().out.encode())


def test_the_command_tells_what_is_delivered_and_ends_with_3_when_something_is_late(
    peer: FakePeer, capsys: pytest.CaptureFixture[str]
) -> None:
    told = freshness(capsys, 0)
    assert told["late"] == 0 and told["sources"] == []
    put("A")
    age()
    told = freshness(capsys, 3)
    (late,) = [entry for entry in told["delivered"] if entry["late"]]
    assert (late["platform"], late["stream"], late["unacknowledged"]) == ("eMSP", "locations", 1)
    with pytest.raises(SystemExit):
        call_command("freshness")
    assert "to eMSP locations: LATE, 1 not acknowledged, the oldest of 2" in capsys.readouterr().out
