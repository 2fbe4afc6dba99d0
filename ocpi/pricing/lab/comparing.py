"""One CDR as it was billed, and as it would be by the draft."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ocpi.pricing.case import Case
from ocpi.pricing.faults import BadInput
from ocpi.pricing.figures import ONCE
from ocpi.pricing.reading import read
from ocpi.pricing.readings import Readings
from ocpi.pricing.scalars import number
from ocpi.pricing.selection import Offer
from ocpi.pricing.tariffs import Tariff
from ocpi.pricing.zones import place_of

# The periods of the CDR were cut where its own tariff changes prices, not where the draft does.
_READINGS = Readings(interpolated=True)


@dataclass(frozen=True, slots=True)
class Compared:
    """Totals without VAT, to four decimals. `is_estimate`: usage within a period was taken as linear."""

    before: Decimal
    after: Decimal
    hour: int
    """Of the local day in which the session began."""
    is_estimate: bool

    @property
    def change(self) -> Decimal:
        return self.after - self.before


def compare(document: Mapping[str, Any], draft: Tariff, zone: str | None) -> Compared:
    """The CDR by the draft, which stands in for every tariff in it; a credit CDR takes back what it would cost.

    Raises `BadInput`: it has no total, is in another currency, or cannot be priced.
    """
    currency = document.get("currency")
    if isinstance(currency, str) and draft.currency and currency.upper() != draft.currency.upper():
        raise BadInput(f"is not {draft.currency}", "currency")
    usage = read(document)
    case = Case(usage, Offer((draft,), True), place_of(usage, zone), _READINGS, ONCE)
    after = case.total.excl
    stretches = case.priced.course.stretches
    return Compared(
        before=_claimed(document),
        after=-after if usage.is_credit else after,
        hour=case.clock.shown(usage.start).hour,
        is_estimate=len(stretches.starts) > len(usage.starts),
    )


def _claimed(document: Mapping[str, Any]) -> Decimal:
    total = document.get("total_cost")
    if isinstance(total, Mapping):
        total = total.get("excl_vat")
    try:
        return number(total)
    except BadInput as fault:
        raise fault.below("total_cost") from None


def uses(document: Mapping[str, Any], tariff_id: str) -> bool:
    """Whether the CDR was priced by a Tariff of this id, as its periods or else its tariffs say."""
    for name, member in (("charging_periods", "tariff_id"), ("tariffs", "id")):
        items = document.get(name)
        ids = {item.get(member) for item in items if isinstance(item, Mapping)} if isinstance(items, list) else set()
        if named := {id.casefold() for id in ids if isinstance(id, str) and id}:
            return tariff_id.casefold() in named
    return False
