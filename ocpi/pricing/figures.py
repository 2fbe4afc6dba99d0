"""Exact sums become figures: rounding happens here, once, by a policy that is stored with the result.

The specification leaves the rounding of prices to laws and contracts (§mod_tariffs_tariff_object, note), so the policy
is an object: a contract can set it and a dispute can replay it. Ours rounds once, half away from zero.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import NamedTuple

from ocpi.pricing import kinds, limits
from ocpi.pricing.engine import Priced, cost_of
from ocpi.pricing.exact import HOUR, ONE, ZERO, money, percent, plain, rounded
from ocpi.pricing.limits import Money

WIRE_PLACES = 4  # §types_number_type

_MINOR_UNITS = {
    code: decimals
    for decimals, codes in (
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
    )
    for code in codes.split()
}


class Stage(StrEnum):
    """What is rounded before it is summed."""

    TOTAL = "total"
    BUCKET = "bucket"
    PERIOD = "period"
    SEGMENT = "segment"


class Mode(StrEnum):
    """How a digit is dropped; half up means away from zero."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    DOWN = "down"


_ROUNDING = {Mode.HALF_UP: ROUND_HALF_UP, Mode.HALF_EVEN: ROUND_HALF_EVEN, Mode.DOWN: ROUND_DOWN}


@dataclass(frozen=True, slots=True)
class Rounding:
    """A policy. With `rounds_tax` the gross amount of each part is rounded, too; else tax comes from the net sum."""

    mode: Mode = Mode.HALF_UP
    stage: Stage = Stage.TOTAL
    places: int = WIRE_PLACES
    rounds_tax: bool = False

    def round(self, value: Decimal) -> Decimal:
        return rounded(value, self.places, _ROUNDING[self.mode])


ONCE = Rounding()


_NOTHING = Money(ZERO, ZERO)


class Amount(NamedTuple):
    """A figure without and with VAT; `incl` is None when nothing is known of VAT."""

    excl: Decimal
    incl: Decimal | None

    def negated(self) -> "Amount":
        return Amount(-self.excl, None if self.incl is None else -self.incl)

    def document(self) -> dict[str, Decimal]:
        """A Price; without `incl_vat` when nothing is known of VAT (§types_price_class)."""
        found = {"excl_vat": plain(self.excl)}
        return found if self.incl is None else found | {"incl_vat": plain(self.incl)}


_ZERO = Amount(ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class Figures:
    """The costs of a CDR in the currency, rounded."""

    total: Amount
    costs: tuple[Amount, ...]
    """In the order of `kinds.COSTS`."""


def minor_unit(currency: str | None) -> int:
    """Decimals of the currency (ISO 4217)."""
    return _MINOR_UNITS.get((currency or "").upper(), 2)


def figures(priced: Priced, policy: Rounding = ONCE) -> Figures:
    """Total and costs by the policy. Costs stay as computed when a limit changes the total."""
    costs = [_NOTHING] * len(kinds.COSTS)
    for cost, part in _parts(priced, policy, Stage.TOTAL if policy.stage is Stage.PERIOD else policy.stage):
        costs[cost] = _plus(costs[cost], part)
    total = priced.total
    if policy.stage is not Stage.TOTAL:
        before = _NOTHING
        for _, part in _parts(priced, policy, policy.stage):
            before = _plus(before, part)
        total = limits.total(before, priced.limit_again(before))
    return Figures(_amount(priced, total, policy), tuple(_amount(priced, part, policy) for part in costs))


def _parts(priced: Priced, policy: Rounding, stage: Stage) -> Iterator[tuple[int, Money]]:
    """What is rounded before it is summed, in 3600ths, and its place among the costs (none by period)."""
    if stage is Stage.TOTAL:
        for (kind, rate), quantity in priced.by_rate.items():
            yield kinds.COST[kind], cost_of(rate, quantity, priced.course.readings.vat)
        return
    sums: defaultdict[tuple[int, int, Decimal | None], Money] = defaultdict(lambda: _NOTHING)
    for index, (stretch, kind, rate, _) in enumerate(priced.segments):
        place = kinds.COST[kind]
        key = {Stage.SEGMENT: (index, place), Stage.PERIOD: (stretch, 0), Stage.BUCKET: (0, place)}[stage]
        sums[*key, rate.vat] = _plus(sums[*key, rate.vat], priced.cost(index))
    for (_, cost, vat), exact in sums.items():
        excl = policy.round(money(exact.excl)) * HOUR
        incl = policy.round(money(exact.incl)) * HOUR if policy.rounds_tax else excl * (ONE + percent(vat or ZERO))
        yield cost, Money(excl, incl)


def _plus(one: Money, other: Money) -> Money:
    return Money(one.excl + other.excl, one.incl + other.incl)


def _amount(priced: Priced, exact: Money, policy: Rounding) -> Amount:
    if exact is _NOTHING:
        return _ZERO if priced.course.knows_tax else Amount(ZERO, None)
    incl = policy.round(money(exact.incl)) if priced.course.knows_tax else None
    return Amount(policy.round(money(exact.excl)), incl)
