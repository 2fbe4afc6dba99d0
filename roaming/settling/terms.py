"""What two parties have agreed on for their settlements: fees, the clock of a month, and what disputes are to it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q

from ocpi.accounts.months import Month
from roaming.agreement_models import Agreement


@dataclass(frozen=True, slots=True)
class Terms:
    """`fee_percent` and `fee_vat` are percent; without an agreement there are no fees and months are UTC's."""

    zone: str = "UTC"
    disputed: bool = False  # disputed CDRs are settled all the same
    fee_per_session: Decimal = Decimal(0)
    fee_currency: str = "EUR"
    fee_percent: Decimal = Decimal(0)
    fee_vat: Decimal | None = None
    agreement: int | None = None

    def document(self) -> dict[str, Any]:
        """As a statement has them."""
        return {name: getattr(self, name) for name in self.__slots__}


def agreed(cpo: str, emsp: str, month: Month) -> Terms:
    """The terms of the agreement that was in force last in this month."""
    begins, ends = month.begins("UTC"), month.ends("UTC")
    row = (
        Agreement.objects.filter(Q(party_a=cpo, party_b=emsp) | Q(party_a=emsp, party_b=cpo))
        .filter(Q(valid_to=None) | Q(valid_to__gt=begins), valid_from__lt=ends)
        .order_by("-valid_from", "-pk")
        .first()
    )
    if row is None:
        return Terms()
    return Terms(
        row.settle_zone,
        row.settle_disputed,
        row.fee_per_session,
        row.fee_currency,
        row.fee_percent,
        row.fee_vat,
        row.pk,
    )
