"""VAT by rate: lines that add up exactly to what the gross total has beyond the net one.

No rate (`null`) and a rate of 0 are two lines of the same amount: not taxable, and taxed at nothing.
"""

from decimal import Decimal
from typing import NamedTuple

from ocpi.pricing.engine import Priced, cost_of
from ocpi.pricing.exact import ZERO
from ocpi.pricing.figures import Amount, Rounding
from ocpi.pricing.limits import Money


class TaxLine(NamedTuple):
    """Tax at one rate on its base; `limit` names the price limit that a line without a rate comes from."""

    rate: Decimal | None
    base: Decimal
    tax: Decimal
    limit: str | None = None


def lines(priced: Priced, total: Amount, policy: Rounding) -> list[TaxLine]:
    """One line per rate, and one for what limits change; the last line takes up what rounding leaves."""
    if total.incl is None:
        return []
    sums: dict[Decimal | None, Money] = {}
    for (_, rate), quantity in priced.by_rate.items():
        cost, before = cost_of(rate, quantity, priced.course.readings.vat), sums.get(rate.vat, Money(ZERO, ZERO))
        sums[rate.vat] = Money(before.excl + cost.excl, before.incl + cost.incl)
    found = [
        TaxLine(rate, policy.figure(part.excl), policy.figure(part.incl - part.excl)) for rate, part in sums.items()
    ]
    base = total.excl - sum((line.base for line in found), ZERO)
    tax = total.incl - total.excl - sum((line.tax for line in found), ZERO)
    if priced.limited:
        found.append(TaxLine(None, base, tax, priced.limited[-1].name))
    elif found:
        last = found[-1]
        found[-1] = last._replace(base=last.base + base, tax=last.tax + tax)
    return found
