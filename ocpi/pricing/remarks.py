"""The notes of a priced case: derived from the result, in an order that reads from the document to the total."""

from collections.abc import Iterator
from dataclasses import replace

from ocpi.pricing import kinds, selection
from ocpi.pricing.case import Case
from ocpi.pricing.claims import claimed_energy
from ocpi.pricing.course import Course
from ocpi.pricing.engine import Priced, fee_phases
from ocpi.pricing.exact import arithmetic
from ocpi.pricing.explain import Outcome, straddles, tried
from ocpi.pricing.notes import Code, Note
from ocpi.pricing.scalars import written
from ocpi.pricing.tariffs import Rate


def notes(case: Case) -> list[Note]:
    """What a person should know about the price of this case."""
    with arithmetic():
        return [
            *case.usage.notes,
            *_of_document(case),
            *selection.notes(case.usage, case.offer, case.selected),
            *_of_tariffs(case),
            *_of_usage(case),
            *_of_gauges(case),
            *_of_fees(case),
            *_of_changes(case),
            *_of_limits(case),
        ]


def _of_document(case: Case) -> Iterator[Note]:
    usage = case.usage
    if usage.is_credit:
        yield Note(Code.CREDIT_CDR, "/credit")
    if usage.is_running:
        yield Note(Code.RUNNING_SESSION, "/end_date_time", {"until": written(usage.end)})
    if usage.end < usage.start:
        yield Note(Code.END_BEFORE_START, "/end_date_time")
    for period, start in enumerate(usage.starts):
        if not usage.start <= start < max(usage.end, usage.start + 1):
            yield Note(Code.PERIOD_OUTSIDE_SESSION, f"{usage.at(period)}/start_date_time")
    if case.priced.course.is_expired:
        yield Note(Code.RESERVATION_EXPIRED, "/charging_periods")
    if not case.priced.course.knows_tax:
        yield Note(Code.TAX_UNKNOWN)


def _of_tariffs(case: Case) -> Iterator[Note]:
    used = case.selected.distinct
    for tariff in used:
        at = case.pointer(tariff)
        yield from (note._replace(at=at + note.at) for note in tariff.notes)
        if tariff.minimum and tariff.maximum and tariff.minimum.excl > tariff.maximum.excl:
            yield Note(Code.LIMITS_CROSS, f"{at}/min_price")
    if case.place.source == "assumed" and any(tariff.needs_clock for tariff in used):
        yield Note(Code.TIME_ZONE_ASSUMED, "", {"time_zone": case.place.zone})


def _of_usage(case: Case) -> Iterator[Note]:
    """Quantities that are odd, missing, or free."""
    course, usage = case.priced.course, case.usage
    for kind, column in usage.volumes.items():
        for period, volume in enumerate(column):
            if volume is not None and volume < 0:
                code = Code.NEGATIVE_ENERGY if kind == kinds.ENERGY else Code.NEGATIVE_TIME
                yield Note(code, f"{usage.at(period)}/dimensions", {"dimension": kinds.VOLUME[kind]})
    for kind, periods in _unreported(case).items():
        detail = {"dimension": kinds.VOLUME[kind], "periods": periods}
        yield Note(Code.DIMENSION_NOT_REPORTED, "/charging_periods", detail)
    free: dict[tuple[Code, int], list[int]] = {}
    for at, kind, _ in case.priced.free:
        if (tariff := course.selected.tariffs[at]) is not None:
            is_gratis = kind == kinds.RESERVATION_TIME and not tariff.prices(kind)
            code = Code.RESERVATION_FREE if is_gratis else Code.NO_PRICE_COMPONENT
            free.setdefault((code, kind), []).append(_index(course, at))
    for (code, kind), indices in free.items():
        yield Note(code, "/charging_periods", {"dimension": kinds.VOLUME[kind], "periods": indices})


def _unreported(case: Case) -> dict[int, list[int]]:
    """What the tariff prices and periods are silent about: never made up from the clock."""
    course, usage = case.priced.course, case.usage
    found = {
        kinds.TIME: [
            usage.indices[period]
            for period, tariff in enumerate(case.selected.tariffs)
            if tariff is not None
            and tariff.prices(kinds.TIME)
            and usage.lengths[period]
            and all(usage.volumes[kind][period] is None for kind in kinds.CLOCKED)
        ]
    }
    is_silent = all(volume is None for volume in usage.volumes[kinds.ENERGY])
    if is_silent and claimed_energy(usage) and any(tariff.prices(kinds.ENERGY) for tariff in course.selected.distinct):
        found[kinds.ENERGY] = list(usage.indices)
    return {kind: periods for kind, periods in found.items() if periods}


def _of_gauges(case: Case) -> Iterator[Note]:
    """Restrictions on current and power: not measured, inferred, or crossed within the period."""
    course = case.priced.course
    found: dict[tuple[Code, str], None] = {}
    if not any(check.unit for tariff in course.selected.distinct for check in tariff.checks):
        return
    for at in course.places:
        moment, place = course.moments.rows[at], f"/charging_periods/{_index(course, at)}"
        for kind, _ in course.stretches.used(at):
            for considered in tried(course, at, kind):
                for outcome in considered.outcomes:
                    if straddles(outcome, moment):
                        yield _spans(kind, place, considered.rate, case)
                    elif outcome.check.unit and moment.infers(outcome.check.unit):
                        found[_unmeasured(outcome), place] = None
    yield from (Note(code, place) for code, place in found)


def _unmeasured(outcome: Outcome) -> Code:
    if outcome.check.unit == "CURRENT":
        return Code.CURRENT_NOT_MEASURED
    return Code.POWER_NOT_MEASURED if outcome.seen is None else Code.POWER_INFERRED


def _of_fees(case: Case) -> Iterator[Note]:
    priced, course = case.priced, case.priced.course
    billed = {kind: rate for _, kind, rate, _ in priced.segments if kinds.DIMENSION[kind] == "FLAT"}
    named = set(billed.values())
    for at in course.places if billed else ():
        for kind in fee_phases(course, at):
            rate = course.rates(kind)[at]
            if rate and kind in billed and rate not in named:
                named.add(rate)
                detail = {
                    "component": _pointer(case, rate),
                    "price": rate.price,
                    "billed": _pointer(case, billed[kind]),
                    "alternative": "flat_each",
                }
                yield Note(Code.FLAT_SUPPRESSED, f"/charging_periods/{_index(course, at)}", detail)
    if kinds.FLAT in billed and not course.stretches.total(kinds.ENERGY) and not claimed_energy(case.usage):
        yield Note(Code.FLAT_WITHOUT_ENERGY)


def _of_changes(case: Case) -> Iterator[Note]:
    """Changes of price within a period: where the parts of the period, cut there, are priced differently."""
    if case.readings.interpolated or not any(tariff.checks for tariff in case.selected.distinct):
        return
    cut = case.under(replace(case.readings, interpolated=True))
    before: dict[tuple[int, int], Rate | None] = {}
    for at, kind, rate in sorted(_priced_or_free(cut), key=lambda part: part[0]):
        period = _index(cut.course, at)
        key = period, kind
        if key in before and before[key] is not rate:
            detail = {
                "dimension": kinds.VOLUME[kind],
                "instant": written(cut.course.stretches.starts[at]),
                "from": _pointer(case, before[key]),
                "to": _pointer(case, rate),
                "alternative": "interpolated",
            }
            yield Note(Code.PERIOD_SPANS_PRICE_CHANGE, f"/charging_periods/{period}", detail)
        before[key] = rate


def _priced_or_free(priced: Priced) -> Iterator[tuple[int, int, Rate | None]]:
    for at, kind, rate, _ in priced.segments:
        if kinds.VOLUME[kind]:
            yield at, kind, rate
    for at, kind, _ in priced.free:
        yield at, kind, None


def _index(course: Course, at: int) -> int:
    """The place in the document of the period a stretch belongs to."""
    return course.usage.indices[course.stretches.periods[at]]


def _spans(kind: int, at: str, rate: Rate, case: Case) -> Note:
    detail = {"dimension": kinds.VOLUME[kind], "component": _pointer(case, rate), "instant": None}
    return Note(Code.PERIOD_SPANS_PRICE_CHANGE, at, detail)


def _of_limits(case: Case) -> Iterator[Note]:
    tariffs = case.selected.distinct
    if len(tariffs) > 1 and any(tariff.minimum or tariff.maximum for tariff in tariffs):
        yield Note(Code.LIMIT_OF_FIRST_TARIFF)
    for limited in case.priced.limited:
        yield Note(Code.MIN_PRICE_APPLIED if limited.name == "min_price" else Code.MAX_PRICE_APPLIED)
        if not limited.is_attributed:
            yield Note(Code.UNATTRIBUTED_TAX, limited.name)


def _pointer(case: Case, rate: Rate | None) -> str | None:
    return None if rate is None else case.pointer(case.tariff_of(rate)) + rate.at
