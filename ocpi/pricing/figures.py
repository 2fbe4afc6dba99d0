"""Exact sums become figures: rounding happens here, once, by a policy that is stored with the result.

The specification leaves the rounding of prices to laws and contracts (§mod_tariffs_tariff_object, note), so the policy
is an object: a contract can set it and a dispute can replay it. Ours rounds once, half away from zero.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import reduce

from msgspec import Struct

from ocpi.pricing import kinds, limits
from ocpi.pricing.engine import Priced
from ocpi.pricing.exact import HOUR, ONE, ZERO, percent, plain, rounded, rounder
from ocpi.pricing.limits import NOTHING, Money
from ocpi.pricing.once import once

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


_TOTAL = Stage.TOTAL  # to look up the member of an enumeration takes longer than to compare it


class Mode(StrEnum):
    """How a digit is dropped; half up means away from zero."""

    rounding: str

    def __new__(cls, word: str, rounding: str) -> "Mode":
        member = str.__new__(cls, word)
        member._value_, member.rounding = word, rounding
        return member

    HALF_UP = "half_up", ROUND_HALF_UP
    HALF_EVEN = "half_even", ROUND_HALF_EVEN
    DOWN = "down", ROUND_DOWN


@dataclass(frozen=True)
class Rounding:
    """A policy. With `rounds_tax` the gross amount of each part is rounded, too; else tax comes from the net sum."""

    mode: Mode = Mode.HALF_UP
    stage: Stage = Stage.TOTAL
    places: int = WIRE_PLACES
    rounds_tax: bool = False

    def round(self, value: Decimal) -> Decimal:
        return rounded(value, self.places, self.mode.rounding)

    @once
    def figure(self) -> Callable[[Decimal], Decimal]:
        """What makes 3600ths of the currency a rounded amount."""
        return rounder(self.places, self.mode.rounding)


ONCE = Rounding()


class Amount(Struct, frozen=True, gc=False):
    """A figure without and with VAT; `incl` is None when nothing is known of VAT."""

    excl: Decimal
    incl: Decimal | None

    def negated(self) -> "Amount":
        return Amount(-self.excl, None if self.incl is None else -self.incl)

    def document(self) -> dict[str, Decimal]:
        """A Price; without `incl_vat` when nothing is known of VAT (§types_price_class)."""
        found = {"excl_vat": plain(self.excl)}
        return found if self.incl is None else found | {"incl_vat": plain(self.incl)}


_ZERO, _ZERO_NET = Amount(ZERO, ZERO), Amount(ZERO, None)


class Figures(Struct, frozen=True):
    """The costs of a CDR in the currency, rounded."""

    total: Amount
    costs: Sequence[Amount]
    """In the order of `kinds.COSTS`."""


def minor_unit(currency: str | None) -> int:
    """Decimals of the currency (ISO 4217)."""
    return _MINOR_UNITS.get((currency or "").upper(), 2)


def total(priced: Priced, policy: Rounding = ONCE) -> Amount:
    """The total by the policy, for who wants no more: each figure costs a rounding or two."""
    exact = priced.total if policy.stage is _TOTAL else _by_stages(priced, policy)[0]
    return _amount(exact, policy, priced.course.knows_tax)


def figures(priced: Priced, policy: Rounding = ONCE) -> Figures:
    """Total and costs by the policy. Costs stay as computed when a limit changes the total."""
    exact, costs = (priced.total, priced.costs) if policy.stage is _TOTAL else _by_stages(priced, policy)
    knows_tax = priced.course.knows_tax
    return Figures(_amount(exact, policy, knows_tax), [_amount(cost, policy, knows_tax) for cost in costs])


def _amount(exact: Money, policy: Rounding, knows_tax: bool) -> Amount:
    if exact is NOTHING:
        return _ZERO if knows_tax else _ZERO_NET
    figure = policy.figure
    return Amount(figure(exact.excl), figure(exact.incl) if knows_tax else None)


def _by_stages(priced: Priced, policy: Rounding) -> tuple[Money, Sequence[Money]]:
    """Total and costs of a policy that rounds on the way, but for the last rounding."""
    parts, costs = _parts(priced, policy), priced.costs
    if policy.stage is not Stage.PERIOD:
        costs = [_sum(part for place, part in parts if place == cost) for cost in range(len(costs))]
    before = _sum(part for _, part in parts)
    return limits.total(before, priced.limit_again(before)), costs


def _parts(priced: Priced, policy: Rounding) -> list[tuple[int, Money]]:
    """What is rounded before it is summed, rounded, in 3600ths, and its place among the costs (none by period)."""
    sums: defaultdict[tuple[int, int, Decimal | None], Money] = defaultdict(lambda: NOTHING)
    for index, segment in enumerate(priced.segments):
        place, vat = kinds.COST[segment.kind], segment.rate.vat
        key = {Stage.SEGMENT: (index, place), Stage.PERIOD: (segment.stretch, 0), Stage.BUCKET: (0, place)}[
            policy.stage
        ]
        sums[*key, vat] = sums[*key, vat].plus(priced.cost(segment))
    return [(cost, _rounded(exact, policy, vat)) for (_, cost, vat), exact in sums.items()]


def _rounded(exact: Money, policy: Rounding, vat: Decimal | None) -> Money:
    excl = policy.figure(exact.excl) * HOUR
    if policy.rounds_tax:
        return Money(excl, policy.figure(exact.incl) * HOUR)
    return Money(excl, excl * (ONE + percent(vat or ZERO)))


def _sum(parts: Iterable[Money]) -> Money:
    return reduce(Money.plus, parts, NOTHING)
