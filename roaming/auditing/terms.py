"""What two parties have agreed on for CDRs: how much may be wrong, and how amounts are rounded."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ocpi.ids import PartyId
from ocpi.pricing.figures import ONCE, Rounding, Stage
from roaming.agreement_models import Agreement

ROUNDINGS = {
    Agreement.Rounding.ONCE: ONCE,
    Agreement.Rounding.BUCKETS: Rounding(stage=Stage.BUCKET, places=2),
    Agreement.Rounding.PERIODS: Rounding(stage=Stage.PERIOD, places=2),
    Agreement.Rounding.SEGMENTS: Rounding(stage=Stage.SEGMENT, places=2),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """`tolerance` is in the currency of the CDR, without VAT."""

    tolerance: Decimal = Decimal(0)
    rounding: Rounding = ONCE


@dataclass(frozen=True, slots=True)
class _Agreed:
    parties: frozenset[str]
    begins: datetime
    ends: datetime | None
    terms: Terms


class AllTerms:
    """The terms of all agreements, as they are when it is made."""

    def __init__(self, agreements: Iterable[Agreement] | None = None) -> None:
        rows = Agreement.objects.all() if agreements is None else agreements
        self._agreed = [
            _Agreed(
                frozenset({row.party_a, row.party_b}),
                row.valid_from,
                row.valid_to,
                Terms(row.cdr_tolerance, ROUNDINGS[Agreement.Rounding(row.cdr_rounding)]),
            )
            for row in rows
        ]

    def between(self, one: PartyId, other: PartyId, at: datetime) -> Terms:
        """What the two had agreed on at that moment; without an agreement nothing is tolerated."""
        parties = frozenset({str(one), str(other)})
        return next(
            (
                agreed.terms
                for agreed in self._agreed
                if agreed.parties == parties and agreed.begins <= at and (agreed.ends is None or at < agreed.ends)
            ),
            Terms(),
        )
