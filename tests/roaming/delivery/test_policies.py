"""When to try again: the ladder, the nights, and the person in the end."""

from datetime import UTC, datetime, timedelta

import pytest

from roaming.delivery import pacing, policies
from roaming.delivery.policies import Policy
from roaming.delivery.streams import Stream
from roaming.delivery_models import FeedCursor

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def pauses(policy: Policy) -> list[timedelta]:
    """What lies between the failures until a person is called."""
    found, now, failures = [], NOON, 1
    while (following := policy.next_attempt(failures, now, jitter=lambda: 0.5)) is not None:
        found.append(following - now)
        now, failures = following, failures + 1
    return found


def test_a_cdr_is_tried_for_some_hours_and_then_a_week_of_nights() -> None:
    """field.md: CDRs are sent again every night for a week."""
    ladder = [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120)]
    found = pauses(policies.DEFAULTS[Stream.CDRS])
    assert found[:4] == ladder
    assert len(found[4:]) == 7 and set(found[5:]) == {timedelta(days=1)}


@pytest.mark.parametrize("stream", [stream for stream in Stream if stream is not Stream.CDRS])
def test_everything_else_is_left_to_a_person_or_its_next_change_after_some_hours(stream: Stream) -> None:
    assert sum(pauses(policies.DEFAULTS[stream]), timedelta()) < timedelta(hours=3)


def test_nights_begin_at_night_and_not_all_at_once() -> None:
    policy = Policy((), nights=1)
    first, last = (policy.next_attempt(1, NOON, jitter=lambda at=at: at) for at in (0.0, 1.0))
    assert first == datetime(2026, 3, 2, 2, tzinfo=UTC)
    assert last == datetime(2026, 3, 2, 5, tzinfo=UTC)


def test_staff_may_set_another_ladder_for_a_platform() -> None:
    cursor = FeedCursor(stream=Stream.CDRS.value, ladder="2 4", nights=0)
    assert pauses(policies.policy(cursor)) == [timedelta(minutes=2), timedelta(minutes=4)]
    assert policies.policy(FeedCursor(stream=Stream.CDRS.value)) == policies.DEFAULTS[Stream.CDRS]


# --- pace -----------------------------------------------------------------------------------------------------------


def test_a_rhythm_lets_a_second_of_requests_pass_at_once_and_then_keeps_to_its_rate() -> None:
    now = [100.0]
    rhythm = pacing.Rhythm(5, clock=lambda: now[0])
    waits = [round(rhythm.take(), 3) for _ in range(8)]
    assert [wait <= 0 for wait in waits] == [True] * 5 + [False] * 3
    assert waits[5:] == [0.2, 0.4, 0.6]
    now[0] += 60
    assert [rhythm.take() <= 0 for _ in range(6)] == [True] * 5 + [False]


def test_a_platform_that_names_a_pause_gets_it() -> None:
    assert pacing.pause(7, 1, jitter=lambda: 0.0) == timedelta(seconds=7)
    assert pacing.pause(1e9, 1, jitter=lambda: 0.0) == timedelta(hours=1)


def test_a_platform_that_names_none_gets_one_that_doubles() -> None:
    found = [pacing.pause(None, times, jitter=lambda: 0.5).total_seconds() - 0.5 for times in (1, 2, 3, 100)]
    assert found == [1, 2, 4, 3600]
