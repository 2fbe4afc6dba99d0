"""What is used of each kind, with the rates it is used at: columns by stretch, and the segments they stand for."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from ocpi.pricing.exact import ZERO
from ocpi.pricing.tariffs import Rate


class Segment(NamedTuple):
    """What is billed of a kind in a stretch: kWh, seconds, or one fee."""

    stretch: int
    kind: int
    rate: Rate
    quantity: Decimal


class Free(NamedTuple):
    """What no element prices, of a kind in a stretch."""

    stretch: int
    kind: int
    quantity: Decimal


class Last(Struct, frozen=True, order=True):
    """Where a kind was last paid for, the sum of what was, and the last rate."""

    stretch: int
    kind: int
    total: Decimal
    rate: Rate


class Use(Struct, frozen=True):
    """Quantities of a kind and the rates for it, by stretch."""

    kind: int
    rates: Sequence[Rate | None]
    quantities: Sequence[Decimal]

    def billed(self) -> Iterator[Segment]:
        """The segments, in order."""
        for at, (rate, quantity) in enumerate(zip(self.rates, self.quantities, strict=True)):
            if quantity and rate is not None:
                yield Segment(at, self.kind, rate, quantity)

    def free(self) -> Iterator[Free]:
        """What is free, in order."""
        for at, (rate, quantity) in enumerate(zip(self.rates, self.quantities, strict=True)):
            if quantity and rate is None:
                yield Free(at, self.kind, quantity)

    def bill(self, by_rate: dict[tuple[int, Rate], Decimal]) -> Last | None:
        """Puts down what is billed, by kind and rate in the order of their first use; None if it is nothing."""
        kind, rates, quantities = self.kind, self.rates, self.quantities
        if (steady := rates[0]) is not None and rates.count(steady) == len(rates):
            total = by_rate[kind, steady] = sum(quantities, ZERO)
        else:
            found: dict[Rate, Decimal] = {}
            for rate, quantity in zip(rates, quantities, strict=True):
                if quantity and rate is not None:
                    found[rate] = found.get(rate, ZERO) + quantity
            if not found:
                return None
            by_rate |= {(kind, rate): quantity for rate, quantity in found.items()}
            total = sum(found.values(), ZERO)
        at = len(rates) - 1
        while (last := rates[at]) is None or not quantities[at]:
            at -= 1
        return Last(at, kind, total, last)
