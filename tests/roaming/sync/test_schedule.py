"""When platforms are pulled from, and that what staff ask for is not lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from config.celery import app
from ocpi.types import times
from ocpi.v221.versions import ModuleID
from roaming import tasks
from roaming.delivery import lanes
from roaming.models import Platform
from roaming.pull_models import PullCursor, SyncRun
from roaming.sync import cursors, pull, schedule
from tests.kit.objects import location, session
from tests.kit.peer import FakePeer, fails

LOCATIONS, SESSIONS = ModuleID.LOCATIONS, ModuleID.SESSIONS
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MANY = range(1, 200)


def cursor(platform_id: int = 1, module: str = "locations", **changes: Any) -> PullCursor:
    return PullCursor(platform_id=platform_id, module=module, **changes)


# --- the rule -------------------------------------------------------------------------------------------------------


def test_deltas_keep_their_phase_in_the_interval() -> None:
    first = schedule.next_delta(cursor(), NOW)
    assert timedelta(minutes=2.5) <= first - NOW <= timedelta(minutes=7.5)
    assert schedule.next_delta(cursor(), first + timedelta(seconds=9)) - first == timedelta(minutes=5)


def test_platforms_and_modules_are_not_called_at_the_same_second() -> None:
    moments = {schedule.next_delta(cursor(number, module), NOW) for number in MANY for module in ("tokens", "cdrs")}
    assert len(moments) == 2 * len(MANY)
    seconds = sorted((moment - NOW).total_seconds() for moment in moments)
    assert max(after - before for before, after in pairwise(seconds)) < 20


def test_no_interval_is_below_a_minute() -> None:
    """Operational facts: the floor of a delta pull."""
    first = schedule.next_delta(cursor(interval=0), NOW)
    assert schedule.next_delta(cursor(interval=0), first) - first == timedelta(minutes=1)


def test_everything_is_pulled_at_night_at_a_minute_of_the_platforms_own() -> None:
    nights = {schedule.next_reconcile(cursor(number), NOW) for number in MANY}
    assert {moment.date() for moment in nights} == {NOW.date() + timedelta(days=1)}
    assert {moment.hour for moment in nights} == set(schedule.NIGHT)
    assert len({moment.minute for moment in nights}) > 40


def test_staff_may_choose_the_hour() -> None:
    chosen = schedule.next_reconcile(cursor(nightly_hour=22), NOW)
    assert (chosen.date(), chosen.hour) == (NOW.date(), 22)
    assert schedule.next_reconcile(cursor(nightly_hour=22), chosen) - chosen == timedelta(days=1)


# --- in use ---------------------------------------------------------------------------------------------------------

pytestmark = pytest.mark.django_db(transaction=True)


def far_away(**changes: Any) -> None:
    """Nothing is due."""
    soon = timezone.now() + timedelta(hours=2)
    PullCursor.objects.update(**({"next_run_at": soon, "next_reconcile_at": soon} | changes))


@pytest.fixture
def pulled(cpo_peer: FakePeer, cpo_platform: Platform) -> Platform:
    """A platform from which everything was pulled."""
    tasks.pull_platform(cpo_platform.pk)
    return cpo_platform


def test_a_module_is_due_at_once_and_again_when_its_time_has_come(pulled: Platform) -> None:
    assert pull.due(pulled) == []
    assert SyncRun.objects.filter(full=True).count() == 4, "what was never pulled is pulled whole"
    far_away()
    PullCursor.objects.filter(module="tariffs").update(next_run_at=timezone.now())
    assert pull.due(pulled) == [ModuleID.TARIFFS]


def test_a_run_says_when_the_next_will_be(pulled: Platform) -> None:
    done = SyncRun.objects.get(module="locations")
    found = PullCursor.objects.get(module="locations")
    assert done.next_run_at == found.next_run_at > timezone.now()
    assert found.next_reconcile_at >= timezone.now() + schedule.REST - timedelta(minutes=1)


def test_the_nightly_run_asks_for_everything(pulled: Platform) -> None:
    far_away(next_reconcile_at=timezone.now())
    done = pull.pull(pulled, LOCATIONS)
    assert done.full and PullCursor.objects.get(module="locations").next_reconcile_at > timezone.now()


def test_of_sessions_and_cdrs_the_nightly_run_asks_for_a_month(cpo_peer: FakePeer, pulled: Platform) -> None:
    """They pile up for years; whoever wants all of them asks for a full resync."""
    far_away(next_reconcile_at=timezone.now())
    old = session(country_code="DE", party_id="CPO", last_updated=times.format(timezone.now() - timedelta(days=29)))
    cpo_peer.objects["sessions"] = [old]
    done = pull.pull(pulled, SESSIONS)
    assert (done.full, done.created) == (False, 1)
    assert PullCursor.objects.get(module="sessions").next_reconcile_at > timezone.now()


def test_a_nightly_run_that_fails_stays_due_but_not_at_once(cpo_peer: FakePeer, pulled: Platform) -> None:
    far_away(next_reconcile_at=timezone.now())
    cpo_peer.misbehave(fails(500), path="locations")
    failed = pull.pull(pulled, LOCATIONS)
    found = PullCursor.objects.get(module="locations")
    assert found.next_reconcile_at == failed.next_run_at > timezone.now()


def test_while_a_module_is_being_pulled_no_other_of_the_platform_is_begun(pulled: Platform) -> None:
    """In order: Locations name Tariffs, Sessions name Locations."""
    PullCursor.objects.update(next_run_at=None)
    PullCursor.objects.filter(module="cdrs").update(claimed_until=timezone.now() + timedelta(minutes=1))
    assert pull.due(pulled) == []


def test_what_is_disabled_is_pulled_only_when_staff_ask(cpo_peer: FakePeer, pulled: Platform) -> None:
    PullCursor.objects.update(enabled=False, next_run_at=None)
    assert pull.due(pulled) == []
    cursors.request(PullCursor.objects.get(module="locations"))
    tasks.pull_platform(pulled.pk)
    assert SyncRun.objects.filter(full=False).get().module == "locations"
    assert pull.due(pulled) == [] and not PullCursor.objects.get(module="locations").enabled


def test_everything_that_staff_ask_for_is_a_row_before_it_is_a_task(cpo_peer: FakePeer, pulled: Platform) -> None:
    """DESIGN section 2.5: also when it is asked for while a run is under way."""
    far_away()
    cpo_peer.objects["locations"] = [location(country_code="DE", party_id="CPO")]

    def ask(done: int, total: int) -> None:
        cursors.request(PullCursor.objects.get(module="locations"), full=True)

    assert pull.pull(pulled, LOCATIONS, full=True, progress=ask).error == ""
    assert pull.due(pulled) == [LOCATIONS]
    tasks.pull_platform(pulled.pk)
    assert SyncRun.objects.filter(module="locations").latest("pk").full and pull.due(pulled) == []


@pytest.fixture
def eager_tasks() -> Iterator[None]:
    """Tasks are done where they are sent."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def test_a_platform_is_not_asked_while_it_still_takes_our_handshake_in(
    cpo_platform: Platform, eager_tasks: None
) -> None:
    """It answers that it does not know us until it has stored what we answered."""
    tasks.pull_due()
    assert not SyncRun.objects.exists()
    Platform.objects.update(connected_at=timezone.now() - lanes.SETTLING)
    tasks.pull_due()
    assert SyncRun.objects.count() == 4
