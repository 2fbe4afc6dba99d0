"""What CDRs come to in a settlement: the sums of all accounts, with invoice, fees and what is held back. Pure."""

from dataclasses import dataclass, field
from decimal import Decimal

from ocpi.accounts.shares import NOT_TOLD
from ocpi.accounts.sums import Json, Sum, Sums
from ocpi.pricing.exact import ZERO, arithmetic, percent, plain
from ocpi.pricing.figures import Rounding, minor_unit
from roaming.settling.terms import Terms

ROUNDING = "half up, once for each line, to the smallest unit of the currency"


@dataclass(slots=True)
class Settled(Sums):
    """The sums of the CDRs that count, and of those held back."""

    held: dict[str, Sum] = field(default_factory=dict)

    def hold(self, currency: str, net: Decimal) -> None:
        """Count a CDR that is held back; `currency` is empty when it is unreadable."""
        with arithmetic():
            held = self.held.setdefault(currency, Sum())
            held.cdrs += 1
            held.net += net

    def statement(self, terms: Terms) -> Json:
        """The figures of a statement."""
        with arithmetic():
            return {
                "totals": [{**line, "invoice": self._invoice(line["currency"])} for line in self.total_lines()],
                "vat": self.vat_lines(),
                "fees": [*self._session_fee(terms), *self._percent_fees(terms)],
                "fee_rounding": ROUNDING,
                "held": [
                    {"currency": currency, "cdrs": found.cdrs, "excl_vat": plain(found.net)}
                    for currency, found in sorted(self.held.items())
                ],
            }

    def _invoice(self, currency: str) -> Json:
        """Net and tax of each rate in the smallest unit of the currency, and their sums."""
        by_rate: dict[str, Sum] = {}
        for (found, _, rate), line in self.lines.items():
            if found == currency:
                part = by_rate.setdefault(rate, Sum())
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

    def _session_fee(self, terms: Terms) -> list[Json]:
        """A credit CDR takes a session back, and its fee."""
        if not terms.fee_per_session or not self.sessions:
            return []
        return [_fee("per session", terms.fee_currency, self.sessions, terms.fee_per_session, terms, ZERO)]

    def _percent_fees(self, terms: Terms) -> list[Json]:
        return [
            _fee("percent", currency, None, terms.fee_percent, terms, self.net(currency))
            for currency in (self.currencies if terms.fee_percent else ())
        ]


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
