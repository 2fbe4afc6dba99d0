"""What CDRs come to: by currency, by VAT rate. Amounts of two currencies never meet. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ocpi.accounts.shares import NOT_TOLD, Share
from ocpi.pricing.exact import ZERO, arithmetic, plain

Json = dict[str, Any]


@dataclass(slots=True)
class Sum:
    """CDRs, and what they come to."""

    cdrs: int = 0
    net: Decimal = ZERO
    tax: Decimal = ZERO
    energy: Decimal = ZERO


@dataclass(slots=True)
class Sums:
    """A few numbers, however many CDRs there are."""

    lines: dict[tuple[str, bool, str], Sum] = field(default_factory=dict)  # currency, is credit, rate
    totals: dict[tuple[str, bool], Sum] = field(default_factory=dict)

    def add(self, currency: str, is_credit: bool, energy: Decimal, found: Iterable[Share]) -> None:
        """Add a CDR; `energy` in kWh, negative where a credit CDR gives it back."""
        with arithmetic():
            total = self.totals.setdefault((currency, is_credit), Sum())
            total.cdrs += 1
            total.energy += energy
            for share in found:
                line = self.lines.setdefault((currency, is_credit, share.rate), Sum())
                line.cdrs += 1
                for sum_ in (line, total):
                    sum_.net += share.net
                    sum_.tax += share.tax or ZERO

    @property
    def currencies(self) -> list[str]:
        return sorted({currency for currency, _ in self.totals})

    def net(self, currency: str) -> Decimal:
        """All of a currency without VAT, credits taken off."""
        with arithmetic():
            return sum((found.net for (of, _), found in self.totals.items() if of == currency), ZERO)

    @property
    def energy(self) -> Decimal:
        with arithmetic():
            return sum((found.energy for found in self.totals.values()), ZERO)

    @property
    def sessions(self) -> int:
        """CDRs less those that were taken back."""
        return sum(-found.cdrs if is_credit else found.cdrs for (_, is_credit), found in self.totals.items())

    def total_lines(self) -> list[Json]:
        """A line for each currency; without an amount with VAT when some CDR does not tell it."""
        with arithmetic():
            return [self._total(currency) for currency in self.currencies]

    def vat_lines(self) -> list[Json]:
        """A line for each currency and rate; credits apart."""
        with arithmetic():
            return [
                {
                    "currency": currency,
                    "kind": "credit" if is_credit else "charge",
                    "rate": rate,
                    "cdrs": found.cdrs,
                    **_amounts(found.net, found.tax, is_told=rate != NOT_TOLD),
                }
                for (currency, is_credit, rate), found in sorted(self.lines.items())
            ]

    def _total(self, currency: str) -> Json:
        charged, credited = (self.totals.get((currency, is_credit), Sum()) for is_credit in (False, True))
        is_told = not any(of == currency and rate == NOT_TOLD for of, _, rate in self.lines)
        return {
            "currency": currency,
            "cdrs": charged.cdrs,
            "credits": credited.cdrs,
            "kwh": plain(charged.energy + credited.energy),
            **_amounts(charged.net + credited.net, charged.tax + credited.tax, is_told=is_told),
        }


def _amounts(net: Decimal, tax: Decimal, *, is_told: bool) -> Json:
    return {
        "excl_vat": plain(net),
        "vat": plain(tax) if is_told else None,
        "incl_vat": plain(net + tax) if is_told else None,
    }
