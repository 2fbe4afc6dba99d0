"""min_price and max_price: net and gross each within their own limit (§mod_tariffs_tariff_object)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from ocpi.pricing.course import Course
from ocpi.pricing.exact import ZERO, ratio
from ocpi.pricing.readings import Readings
from ocpi.pricing.tariffs import Limit, Tariff


class Money(Struct, frozen=True, gc=False):
    """An amount without and with VAT, in 3600ths."""

    excl: Decimal
    incl: Decimal

    def plus(self, other: "Money") -> "Money":
        if self is NOTHING:
            return other
        return Money(self.excl + other.excl, self.incl + other.incl)


NOTHING = Money(ZERO, ZERO)
"""No amount at all, which is something else than one that adds up to zero."""


class Limited(NamedTuple):
    """The amount a limit made of another. `is_attributed`: the tax follows from the rates of the session."""

    name: str
    limit: Limit
    before: Money
    after: Money
    is_attributed: bool


def apply(amount: Money, course: Course) -> list[Limited]:
    """The limits that change the amount, in the order of their application: the maximum has the last word.

    The maximum caps the reservation, too; the minimum is the price of a charging session, so there is none without.
    """
    steps: list[Limited] = []
    tariff, readings = limiting(course), course.readings
    if tariff is None or (tariff.minimum is None and tariff.maximum is None) or readings.limits_ignored:
        return steps
    for name, limit in (("min_price", tariff.minimum), ("max_price", tariff.maximum)):
        if limit is None or (name == "min_price" and not course.is_session):
            continue
        before = steps[-1].after if steps else amount
        after, is_attributed = _limited(before, limit, tariff, is_least=name == "min_price", readings=readings)
        if after != before:
            steps.append(Limited(name, limit, before, after, is_attributed))
    return steps


def limiting(course: Course) -> Tariff | None:
    """The tariff whose limits count: that of the first charging period, else the first there is."""
    selected = course.selected
    if selected.throughout is not None:
        return selected.throughout
    charging = (tariff for at, tariff in enumerate(selected.tariffs) if tariff and course.stretches.is_charging(at))
    return next(charging, None) or next(iter(selected.distinct), None)


def total(amount: Money, limited: Sequence[Limited]) -> Money:
    """The amount after its limits."""
    return limited[-1].after if limited else amount


def _limited(before: Money, limit: Limit, tariff: Tariff, *, is_least: bool, readings: Readings) -> tuple[Money, bool]:
    clamp = max if is_least else min
    excl = clamp(before.excl, limit.excl)
    follows = _with_tax(excl, before, tariff)
    if limit.incl is None or readings.limit_tax_on_base:
        incl = before.incl if excl == before.excl else follows
        return Money(excl, incl), True
    incl = clamp(before.incl, limit.incl)
    return Money(excl, incl), incl == follows


def _with_tax(excl: Decimal, before: Money, tariff: Tariff) -> Decimal:
    """The net amount with tax at the blended rate of the session, or at the one rate of the tariff."""
    if before.excl:
        return ratio(excl * before.incl, before.excl)
    rates = {rate.vat for table in tariff.tables for ladder in table.ladders for rate in ladder.rates}
    if len(rates) == 1 and (vat := rates.pop()) is not None:
        return excl + ratio(excl * vat, Decimal(100))
    return excl + ZERO
