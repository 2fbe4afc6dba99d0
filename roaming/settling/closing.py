"""Closing a month of a CPO and an eMSP: once, for good. Who comes second finds what the first has made."""

from datetime import datetime

import structlog
from django.db import transaction

from ocpi.accounts.months import Month
from roaming.settlement_models import Settlement
from roaming.settling import building, choosing
from roaming.settling.choosing import NotOpen
from roaming.settling.terms import agreed

log = structlog.get_logger(__name__)


@transaction.atomic
def close(cpo: str, emsp: str, month: Month, now: datetime, by: str = "") -> Settlement | None:
    """The closed settlement of a month, drawn up one last time; None when there is nothing to settle.

    Raises `NotOpen`: the month is not over, one before it is open still, or it was passed over by closing later ones.
    """
    row = building.locked(cpo, emsp, month)
    if row.state == Settlement.State.CLOSED:
        return row
    terms = agreed(cpo, emsp, month)
    span = choosing.span(cpo, emsp, month, terms.zone)
    if now < span.ends:
        raise NotOpen(f"{month} is not over: it ends at {span.ends:%Y-%m-%d %H:%M} UTC")
    if (oldest := choosing.earlier(cpo, emsp, span)) is not None:
        last = choosing.last_closed(cpo, emsp)
        before = Month.parse(last.month).next if last else Month.of(oldest, terms.zone)
        raise NotOpen(f"{cpo} to {emsp}: close {before} first, which has CDRs that are not settled")
    building.build(row, span, terms, now)
    if not (row.cdr_count or row.held_count):
        row.delete()
        return None
    row.cdrs.filter(held="").update(is_final=True)
    row.state, row.closed_at, row.closed_by = Settlement.State.CLOSED, now, by
    row.save()
    log.info("settlement closed", cpo=cpo, emsp=emsp, month=str(month), cdrs=row.cdr_count, sha256=row.sha256)
    return row
