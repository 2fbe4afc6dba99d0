"""The status tables, as pure facts and verdicts."""

from datetime import UTC, datetime, timedelta

import pytest

from cpo_backend.status.judging import Facts, Patience, Reported, Use, Verdict, judge
from ocpi.v221.locations import Status

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENCE = Patience(offline=timedelta(seconds=90), plugged=timedelta(seconds=180))


def reported(*words: str, seconds_ago: float = 10) -> tuple[Reported, ...]:
    return tuple(Reported(word, NOW - timedelta(seconds=seconds_ago)) for word in words)


def status(**facts: object) -> Status | None:
    return judge(Facts(**facts), PATIENCE, NOW).status  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Available", "AVAILABLE"),
        ("Preparing", "AVAILABLE"),
        ("Charging", "CHARGING"),
        ("SuspendedEV", "CHARGING"),
        ("SuspendedEVSE", "CHARGING"),
        ("Finishing", "BLOCKED"),
        ("Reserved", "RESERVED"),
        ("Unavailable", "INOPERATIVE"),
        ("Faulted", "OUTOFORDER"),
        ("Occupied", "AVAILABLE"),
    ],
)
def test_each_word_has_a_status(word: str, expected: str) -> None:
    assert status(connectors=reported(word)) == expected


@pytest.mark.parametrize("word", ["Preparing", "Occupied"])
@pytest.mark.parametrize(
    ("use", "expected"), [(Use.NONE, "AVAILABLE"), (Use.ACTIVE, "CHARGING"), (Use.ENDED, "BLOCKED")]
)
def test_a_car_that_is_plugged_in_is_judged_by_its_transaction(word: str, use: Use, expected: str) -> None:
    assert status(connectors=reported(word), use=use) == expected


@pytest.mark.parametrize("word", ["Available", None])
def test_where_a_transaction_has_begun_it_is_charging(word: str | None) -> None:
    assert status(connectors=reported(word) if word else (), use=Use.ACTIVE) == Status.CHARGING


@pytest.mark.parametrize("word", ["Finishing", "Reserved", "Unavailable", "Faulted"])
def test_what_a_connector_says_besides_wins_over_its_transaction(word: str) -> None:
    assert status(connectors=reported(word), use=Use.ACTIVE) == status(connectors=reported(word))


def test_a_car_that_is_plugged_in_and_does_not_start_blocks_after_a_while() -> None:
    plugged = reported("Preparing", seconds_ago=100)
    assert judge(Facts(connectors=plugged), PATIENCE, NOW) == Verdict(
        Status.AVAILABLE, until=NOW + timedelta(seconds=80)
    )
    assert status(connectors=reported("Preparing", seconds_ago=180)) == Status.BLOCKED


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("Available", "Charging"), "CHARGING"),
        (("Available", "Reserved"), "RESERVED"),
        (("Faulted", "Available"), "AVAILABLE"),
        (("Faulted", "Unavailable"), "INOPERATIVE"),
        (("Faulted", "Faulted"), "OUTOFORDER"),
    ],
)
def test_of_several_connectors_the_one_that_matters_most_counts(words: tuple[str, ...], expected: str) -> None:
    assert status(connectors=reported(*words)) == expected


def test_nothing_reported_changes_nothing() -> None:
    assert judge(Facts(), PATIENCE, NOW) == Verdict(None)


def test_what_does_not_count_any_more_is_unknown() -> None:
    assert status(is_stale=True) == Status.UNKNOWN


@pytest.mark.parametrize(("word", "expected"), [("Unavailable", "INOPERATIVE"), ("Faulted", "OUTOFORDER")])
def test_the_station_wins_over_its_connectors(word: str, expected: str) -> None:
    assert status(station=reported(word)[0], connectors=reported("Available")) == expected


def test_an_available_station_makes_no_connector_available() -> None:
    station = reported("Available")[0]
    assert status(station=station, connectors=reported("Faulted")) == Status.OUTOFORDER
    assert status(station=station) is None


def test_a_charger_that_is_away_is_unknown_after_the_grace() -> None:
    gone = NOW - timedelta(seconds=30)
    facts = Facts(offline_since=gone, connectors=reported("Available"))
    assert judge(facts, PATIENCE, NOW) == Verdict(None, until=gone + PATIENCE.offline)
    assert judge(facts, PATIENCE, gone + PATIENCE.offline) == Verdict(Status.UNKNOWN)


@pytest.mark.parametrize("override", [Status.PLANNED, Status.REMOVED, Status.INOPERATIVE])
def test_staff_win_over_everything(override: Status) -> None:
    facts = {"connectors": reported("Charging"), "offline_since": NOW - timedelta(days=1)}
    assert status(override=override, **facts) == override


def test_a_reservation_holds_what_is_available_and_nothing_else() -> None:
    assert status(connectors=reported("Available"), is_reserved=True) == Status.RESERVED
    assert status(connectors=reported("Charging"), is_reserved=True) == Status.CHARGING


def test_a_neighbour_on_the_same_power_blocks_what_is_available_and_nothing_else() -> None:
    assert status(connectors=reported("Available"), sibling_in_use=True) == Status.BLOCKED
    assert status(connectors=reported("Faulted"), sibling_in_use=True) == Status.OUTOFORDER
