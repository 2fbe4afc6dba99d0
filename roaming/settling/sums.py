"""What CDRs come to: by currency, by VAT rate, with the fees. Amounts of two currencies never meet. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ocpi.pricing.exact import ZERO, arithmetic, percent, plain
from ocpi.pricing.figures import Rounding, minor_unit
from roaming.settling.shares import NOT_TOLD, Share
from roaming.settling.terms import Terms

Json = dict[str, Any]

ROUNDING = "half up, once for each line, to the smallest unit of the currency"


@dataclass(slots=True)
class _Sum:
    cdrs: int = 0
    net: Decimal = ZERO
    tax: Decimal = ZERO
    energy: Decimal = ZERO


@dataclass(slots=True)
class Sums:
    """The sums of the CDRs that count, and of those held back; a few numbers, however many CDRs there are."""

    lines: dict[tuple[str, bool, str], _Sum] = field(default_factory=dict)  # currency, is credit, rate
    totals: dict[tuple[str, bool], _Sum] = field(default_factory=dict)
    held: dict[str, _Sum] = field(default_factory=dict)

    def add(self, currency: str, is_credit: bool, energy: Decimal, shares: Iterable[Share]) -> None:
        """Add a CDR; `energy` in kWh, what a credit CDR repeats counts as given back."""
        with arithmetic():
            total = self.totals.setdefault((currency, is_credit), _Sum())
            total.cdrs += 1
            total.energy += -energy if is_credit else energy
            for share in shares:
                line = self.lines.setdefault((currency, is_credit, share.rate), _Sum())
                line.cdrs += 1
                for found in (line, total):
                    found.net += share.net
                    found.tax += share.tax or ZERO

    def hold(self, currency: str, net: Decimal) -> None:
        """Count a CDR that is held back; `currency` is empty when it is unreadable."""
        with arithmetic():
            held = self.held.setdefault(currency, _Sum())
            held.cdrs += 1
            held.net += net

    def statement(self, terms: Terms) -> Json:
        """The figures of a statement."""
        with arithmetic():
            return {
                "totals": [self._total(currency) for currency in self.currencies],
                "vat": [self._line(*key, found) for key, found in sorted(self.lines.items())],
                "fees": [*self._session_fee(terms), *self._percent_fees(terms)],
                "fee_rounding": ROUNDING,
                "held": [
                    {"currency": currency, "cdrs": found.cdrs, "excl_vat": plain(found.net)}
                    for currency, found in sorted(self.held.items())
                ],
            }

    @property
    def currencies(self) -> list[str]:
        return sorted({currency for currency, _ in self.totals})

    def _total(self, currency: str) -> Json:
        """All of a currency; without an amount with VAT when some CDR does not tell it."""
        charged, credited = (self.totals.get((currency, is_credit), _Sum()) for is_credit in (False, True))
        net, tax = charged.net + credited.net, charged.tax + credited.tax
        is_told = not any(key[0] == currency and key[2] == NOT_TOLD for key in self.lines)
        return {
            "currency": currency,
            "cdrs": charged.cdrs,
            "credits": credited.cdrs,
            "kwh": plain(charged.energy + credited.energy),
            "excl_vat": plain(net),
            "vat": plain(tax) if is_told else None,
            "incl_vat": plain(net + tax) if is_told else None,
            "invoice": self._invoice(currency),
        }

    def _invoice(self, currency: str) -> Json:
        """Net and tax of each rate in the smallest unit of the currency, and their sums."""
        by_rate: dict[str, _Sum] = {}
        for (found, _, rate), line in self.lines.items():
            if found == currency:
                part = by_rate.setdefault(rate, _Sum())
                part.net += line.net
                part.tax += line.tax
        coin = Rounding(places=minor_unit(currency))
        net = {rate: coin.round(part.net) for rate, part in sorted(by_rate.items())}
        tax = {rate: coin.round(part.tax) for rate, part in by_rate.items() if rate != NOT_TOLD}
        total = sum(net.values(), ZERO)
        return {
            "rates": [{"rate": rate, "excl_vat": amount, "vat": tax.get(rate)} for rate, amount in net.items()],
            "excl_vat": total,
            "incl_vat": None if NOT_TOLD in by_rate else total + sum(tax.values(), ZERO),
        }

    def _line(self, currency: str, is_credit: bool, rate: str, found: _Sum) -> Json:
        is_told = rate != NOT_TOLD
        return {
            "currency": currency,
            "kind": "credit" if is_credit else "charge",
            "rate": rate,
            "cdrs": found.cdrs,
            "excl_vat": plain(found.net),
            "vat": plain(found.tax) if is_told else None,
            "incl_vat": plain(found.net + found.tax) if is_told else None,
        }

    def _session_fee(self, terms: Terms) -> list[Json]:
        """A credit CDR takes a session back, and its fee."""
        sessions = sum(found.cdrs * (-1 if is_credit else 1) for (_, is_credit), found in self.totals.items())
        if not terms.fee_per_session or not sessions:
            return []
        return [_fee("per session", terms.fee_currency, sessions, terms.fee_per_session, terms, ZERO)]

    def _percent_fees(self, terms: Terms) -> list[Json]:
        found = []
        for currency in self.currencies if terms.fee_percent else ():
            base = sum((line.net for (of, _), line in self.totals.items() if of == currency), ZERO)
            found.append(_fee("percent", currency, None, terms.fee_percent, terms, base))
        return found


def _fee(kind: str, currency: str, sessions: int | None, price: Decimal, terms: Terms, base: Decimal) -> Json:
    """A fee line: the price of each session, or percent of `base`."""
    coin = Rounding(places=minor_unit(currency))
    net = coin.round(base * percent(price) if sessions is None else price * sessions)
    tax = coin.round(net * percent(terms.fee_vat)) if terms.fee_vat is not None else None
    return {
        "kind": kind,
        "currency": currency,
        "sessions": sessions,
        "base": plain(base) if sessions is None else None,
        "price": price,
        "excl_vat": net,
        "vat_rate": terms.fee_vat,
        "vat": tax,
        "incl_vat": None if tax is None else net + tax,
    }
