"""Which CDRs belong to a month of a CPO and an eMSP, and which of them are held back.

A CDR belongs to the month that its `end_date_time` is in, by the clock that was agreed on. Months are closed in their
order; a CDR that comes after its month was closed is late, and belongs to the month after the last closed one. So
does a CDR that was held back. A closed settlement is final, so no CDR is in two of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from ocpi.accounts.months import Month
from ocpi.models import Cdr
from roaming.audit_models import CdrAudit
from roaming.dispute_models import Dispute
from roaming.settlement_models import SettledCdr, Settlement
from roaming.settling.terms import Terms

BATCH = 1000
_DOUBTFUL = (CdrAudit.Verdict.DISPUTE, CdrAudit.Verdict.HOLD)


class NotOpen(ValueError):
    """Why a month cannot be drawn up, or not be closed; in words for staff."""


@dataclass(frozen=True, slots=True)
class Span:
    """A month of a pair that is not closed. One that follows the last closed one `takes_late`."""

    begins: datetime
    ends: datetime
    takes_late: bool


def span(cpo: str, emsp: str, month: Month, zone: str) -> Span:
    """When an open month begins and ends; raises `NotOpen` for one before the last that was closed."""
    last = last_closed(cpo, emsp)
    if last is None:
        return Span(month.begins(zone), month.ends(zone), False)
    closed = Month.parse(last.month)
    if month <= closed:
        raise NotOpen(f"{cpo} to {emsp}: the months up to {closed} are closed")
    follows = month == closed.next
    return Span(last.ends_at if follows else month.begins(zone), month.ends(zone), follows)


def last_closed(cpo: str, emsp: str) -> Settlement | None:
    """The last month of a pair that was closed."""
    rows = Settlement.objects.filter(cpo=cpo, emsp=emsp, state=Settlement.State.CLOSED)
    return rows.defer("statement").order_by("-month").first()


def unsettled(**which: Any) -> QuerySet[Cdr]:
    """CDRs that count in no closed settlement."""
    final = SettledCdr.objects.filter(cdr=OuterRef("pk"), is_final=True)
    return Cdr.objects.filter(~Exists(final), **which)


def pairs(month: Month) -> list[tuple[str, str]]:
    """The CPOs and eMSPs that may have something to settle in a month."""
    open_ones = unsettled(ended_at__lt=month.next.ends("UTC")).exclude(token_owner="")
    found = set(open_ones.values_list("owner", "token_owner").distinct())
    return sorted(found.union(Settlement.objects.filter(month=str(month)).values_list("cpo", "emsp")))


def batches(cpo: str, emsp: str, open_month: Span) -> Iterator[list[Cdr]]:
    """The CDRs of an open month by the end of their sessions, a thousand at a time."""
    rows = unsettled(owner=cpo, token_owner=emsp, ended_at__lt=open_month.ends).order_by("ended_at", "pk")
    rows = rows.only("owner", "key", "document", "is_credit", "ended_at")
    if not open_month.takes_late:
        rows = rows.filter(ended_at__gte=open_month.begins)
    batch = list(rows[:BATCH])
    while batch:
        yield batch
        last = batch[-1]
        after = Q(ended_at__gt=last.ended_at) | Q(ended_at=last.ended_at, pk__gt=last.pk)
        batch = list(rows.filter(after, ended_at__gte=last.ended_at)[:BATCH])


def earlier(cpo: str, emsp: str, open_month: Span) -> datetime | None:
    """When the oldest session ended that is to be settled before this month can be closed; None when there is none."""
    if open_month.takes_late:
        return None
    rows = unsettled(owner=cpo, token_owner=emsp, ended_at__lt=open_month.begins).order_by("ended_at", "pk")
    return rows.values_list("ended_at", flat=True).first()


def held(rows: Sequence[Cdr], terms: Terms) -> dict[int, str]:
    """Which of these CDRs are held back, and why: in dispute, or doubted by the audit and not released.

    The latest dispute decides over the audit. One that was credited is not held back: both together are nothing.
    """
    if terms.disputed or not rows:
        return {}
    ids = [row.pk for row in rows]
    disputes = {
        cdr: (number, state)
        for number, cdr, state in Dispute.objects.filter(cdr__in=ids).order_by("pk").values_list("pk", "cdr", "state")
    }
    audits = CdrAudit.objects.filter(pk__in=ids, verdict__in=_DOUBTFUL, released_at=None)
    found = {pk: CdrAudit.Verdict(verdict).label for pk, verdict in audits.values_list("pk", "verdict")}
    for cdr, (number, state) in disputes.items():
        found.pop(cdr, None)
        if state in Dispute.UNDECIDED:
            found[cdr] = f"dispute {number} is {Dispute.State(state).label}"
    credited = _credited([row for row in rows if row.pk in found])
    return {pk: why for pk, why in found.items() if pk not in credited}


def _credited(rows: Sequence[Cdr]) -> set[int]:
    """Those that were taken back, by credit CDRs that nothing is wrong with."""
    if not rows:
        return set()
    credits = Cdr.objects.filter(owner__in={row.owner for row in rows}, credits__in=[row.key for row in rows])
    good = credits.exclude(audit__verdict__in=_DOUBTFUL, audit__released_at=None)
    taken_back = set(good.values_list("owner", "credits"))
    return {row.pk for row in rows if (row.owner, row.key) in taken_back}
