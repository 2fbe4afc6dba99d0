"""When things happened, by a clock that may be wrong (notes 3.8)."""

from datetime import UTC, datetime, timedelta

from cpo_backend.transactions.clock import Clock, Stamp

NOON = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def told(hours: float, received: float) -> Stamp:
    return Stamp(NOON + HOUR * hours, NOON + HOUR * received)


def test_a_clock_that_is_right_is_believed() -> None:
    facts = [told(0, 0.001), told(1, 1.002)]
    assert [Clock(facts).at(fact) for fact in facts] == [fact.told_at for fact in facts]


def test_a_charger_that_was_offline_is_believed() -> None:
    facts = [told(0, 5), told(1, 5)]
    assert Clock(facts, timedelta(seconds=3)).at(facts[0]) == NOON


def test_nothing_is_told_before_it_happens() -> None:
    """A clock that is ahead: start and stop move together, so that the duration stays."""
    facts = [told(2, 0), told(3, 1)]
    clock = Clock(facts)
    assert [clock.at(fact) for fact in facts] == [NOON, NOON + HOUR]


def test_a_clock_that_was_measured_to_be_behind_is_put_right() -> None:
    facts = [told(-2, 0), told(-1, 1)]
    clock = Clock(facts, 2 * HOUR)
    assert [clock.at(fact) for fact in facts] == [NOON, NOON + HOUR]


def test_queued_facts_of_a_clock_that_is_ahead_go_by_what_was_measured() -> None:
    facts = [told(2, 9), told(3, 9)]
    assert Clock(facts, -2 * HOUR).at(facts[0]) == NOON


def test_a_measured_offset_never_moves_a_fact_beyond_its_receipt() -> None:
    facts = [told(-1, 0)]
    assert Clock(facts, 3 * HOUR).at(facts[0]) == NOON


def test_a_clock_that_was_never_set_goes_by_when_we_were_told() -> None:
    """Set meanwhile: what was told since then is right."""
    unset = Stamp(datetime(1970, 1, 1, 0, 5, tzinfo=UTC), NOON)
    facts = [unset, told(1, 1)]
    clock = Clock(facts)
    assert [clock.at(fact) for fact in facts] == [NOON, NOON + HOUR]


def test_a_fact_without_a_time_happened_when_it_was_told() -> None:
    assert Clock([]).at(Stamp(None, NOON)) == NOON


def test_a_few_minutes_are_nobodys_fault() -> None:
    facts = [told(0.05, 0)]
    assert Clock(facts).at(facts[0]) == facts[0].told_at
