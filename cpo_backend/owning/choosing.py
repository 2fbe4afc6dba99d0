"""Which CDRs belong to a month of an owner.

A CDR belongs to the owner of its EVSE on the day its session ended, by the clock of the site, and to the month of
that day. Months are closed in their order; a CDR that comes after its month was closed is late, and belongs to the
month after the last closed one. A closed statement is final, so no CDR is in two of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from cpo_backend.models import CdrFigures, ChargePointOwner, Ownership, OwnerStatement, StatedCdr
from ocpi.accounts.months import Month

BATCH = 1000


class NotOpen(ValueError):
    """Why a month cannot be drawn up, or not be closed; in words for staff."""


@dataclass(frozen=True, slots=True)
class Span:
    """The days of a month that is not closed, the last one not included; it `takes_late` after the last closed one."""

    begins: date
    ends: date
    takes_late: bool


def first_day(month: Month) -> date:
    return date(month.year, month.number, 1)


def span(owner: ChargePointOwner, month: Month) -> Span:
    """The days of an open month; raises `NotOpen` for one before the last that was closed."""
    last = last_closed(owner)
    if last is not None and month <= last:
        raise NotOpen(f"{owner}: the months up to {last} are closed")
    return Span(first_day(month), first_day(month.next), last is not None and month == last.next)


def last_closed(owner: ChargePointOwner) -> Month | None:
    """The last month of an owner that was closed."""
    closed = OwnerStatement.objects.filter(owner=owner, state=OwnerStatement.State.CLOSED)
    found = closed.order_by("-month").values_list("month", flat=True).first()
    return Month.parse(found) if found else None


def batches(owner: ChargePointOwner, days: Span) -> Iterator[list[CdrFigures]]:
    """The CDRs of an open month by the day their sessions ended, a thousand at a time; they are chosen at once."""
    chosen = _unstated(owner).filter(day__lt=days.ends)
    if not days.takes_late:
        chosen = chosen.filter(day__gte=days.begins)
    ids = list(chosen.order_by("day", "cdr_id").values_list("pk", flat=True))
    rows = CdrFigures.objects.select_related("cdr").defer("cdr__defects").order_by("day", "cdr_id")
    for start in range(0, len(ids), BATCH):
        yield list(rows.filter(pk__in=ids[start : start + BATCH]))


def earlier(owner: ChargePointOwner, days: Span) -> Month | None:
    """The month that is to be closed before this one can be; None when there is none."""
    if days.takes_late:
        return None
    last = last_closed(owner)
    due = [_unstated(owner).filter(day__lt=days.begins, fault="").order_by("day").values_list("day", flat=True).first()]
    since = first_day(last.next) if last else date.min
    for share in owner.shares.filter(per_month__gt=0, first_day__lt=days.begins):
        if share.last_day is None or share.last_day >= since:
            due.append(max(share.first_day, since))
    waiting = [day for day in due if day is not None]
    if not waiting:
        return None
    return last.next if last else Month(min(waiting).year, min(waiting).month)


def _unstated(owner: ChargePointOwner) -> QuerySet[CdrFigures]:
    """CDRs of the owner's EVSEs that count in no closed statement."""
    place: dict[str, Any] = {"party": OuterRef("owner"), "location_key": OuterRef("location_key")}
    theirs = Ownership.objects.filter(
        Q(evse_key="") | Q(evse_key=OuterRef("evse_key")),
        Q(last_day=None) | Q(last_day__gte=OuterRef("day")),
        owner=owner,
        first_day__lte=OuterRef("day"),
        **place,
    )
    final = StatedCdr.objects.filter(cdr=OuterRef("cdr"), is_final=True)
    sites = owner.ownerships.values("location_key")
    return CdrFigures.objects.filter(Exists(theirs), ~Exists(final), location_key__in=sites, is_last=True)
