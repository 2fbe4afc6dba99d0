"""What an owner gets, line by line: a percentage of the revenue, amounts per kWh, session and month.

Each line is rounded once. A credit CDR takes its part of the revenue, its energy and its session back. An amount per
month is due by the days of the month on which it was agreed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from cpo_backend.models import RevenueShare
from cpo_backend.owning.choosing import Span
from ocpi.accounts.sums import Json, Sums
from ocpi.pricing.exact import ZERO, arithmetic, percent, plain, ratio
from ocpi.pricing.figures import Rounding, minor_unit

ROUNDING = "half up, once for each line and for its VAT, to the smallest unit of the currency"
_DAY = timedelta(days=1)


@dataclass(slots=True)
class Shares:
    """An owner's shares, and what the CDRs of each come to; `nobodys` are CDRs of days without a share."""

    agreed: list[RevenueShare]
    sums: dict[int, Sums] = field(default_factory=dict)
    nobodys: int = 0

    def on(self, day: date) -> Sums | None:
        """Where a CDR of this day is added; None when no share was agreed for it, which is counted."""
        for share in self.agreed:
            if share.first_day <= day and (share.last_day is None or day <= share.last_day):
                return self.sums.setdefault(share.pk, Sums())
        self.nobodys += 1
        return None

    def lines(self, days: Span) -> list[Json]:
        """The lines of a statement of these days."""
        with arithmetic():
            return [line for share in self.agreed for line in _lines(share, self.sums.get(share.pk, Sums()), days)]


def totals(lines: Iterable[Json]) -> list[Json]:
    """What the lines come to, by currency; a line without VAT adds none."""
    found: dict[str, list[Decimal]] = {}
    for line in lines:
        total = found.setdefault(line["currency"], [ZERO, ZERO])
        total[0] += line["excl_vat"]
        total[1] += line["vat"] or ZERO
    return [
        {"currency": currency, "excl_vat": net, "vat": tax, "incl_vat": net + tax}
        for currency, (net, tax) in sorted(found.items())
    ]


def _lines(share: RevenueShare, sums: Sums, days: Span) -> Iterator[Json]:
    if share.percent:
        for currency in sums.currencies:
            net = sums.net(currency)
            yield _line(share, "percent", currency, net, f"{currency} revenue", net * percent(share.percent))
    if share.per_kwh and sums.totals:
        yield _line(share, "per_kwh", share.currency, sums.energy, "kWh", sums.energy * share.per_kwh)
    if share.per_session and sums.totals:
        sessions = Decimal(sums.sessions)
        yield _line(share, "per_session", share.currency, sessions, "sessions", sessions * share.per_session)
    held, whole = _days(share, days), Decimal((days.ends - days.begins).days)
    if share.per_month and held:
        yield _line(
            share, "per_month", share.currency, held, f"of {whole} days", ratio(share.per_month * held, whole)
        )  # fmt: skip


def _days(share: RevenueShare, days: Span) -> Decimal:
    """The days of the month on which a share holds."""
    last = share.last_day
    ends = last + _DAY if last is not None and last < days.ends else days.ends
    return Decimal(max((ends - max(days.begins, share.first_day)).days, 0))


def _line(share: RevenueShare, kind: str, currency: str, quantity: Decimal, unit: str, exact: Decimal) -> Json:
    coin = Rounding(places=minor_unit(currency))
    net = coin.round(exact)
    tax = None if share.vat_rate is None else coin.round(net * percent(share.vat_rate))
    return {
        "share": kind,
        "agreed_from": share.first_day.isoformat(),
        "quantity": plain(quantity),
        "unit": unit,
        "rate": plain(getattr(share, kind)),
        "currency": currency,
        "excl_vat": net,
        "vat_rate": share.vat_rate,
        "vat": tax,
        "incl_vat": net if tax is None else net + tax,
    }
