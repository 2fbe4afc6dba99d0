"""Closing a month of an owner: once, for good. Who comes second finds what the first has made."""

from datetime import datetime

import structlog
from django.db import transaction

from cpo_backend.models import ChargePointOwner, OwnerStatement
from cpo_backend.owning import building, choosing
from cpo_backend.owning.choosing import NotOpen
from cpo_backend.reporting import following
from ocpi.accounts.months import Month

log = structlog.get_logger(__name__)

_LAST_CLOCK = "Etc/GMT+12"  # where every month is over last


def close(owner: ChargePointOwner, month: Month, now: datetime, by: str = "") -> OwnerStatement | None:
    """The closed statement of a month, drawn up one last time; None when there is nothing to state.

    Raises `NotOpen`: the month is not over everywhere, one before it is open still, or it was passed over.
    """
    following.follow()
    with transaction.atomic():
        row = building.locked(owner, month)
        if row.state == OwnerStatement.State.CLOSED:
            return row
        days = choosing.span(owner, month)
        if now < (over := month.ends(_LAST_CLOCK)):
            raise NotOpen(f"{month} is not over: its sites may have CDRs until {over:%Y-%m-%d %H:%M} UTC")
        if (before := choosing.earlier(owner, days)) is not None:
            raise NotOpen(f"{owner}: close {before} first, which is not stated")
        if not building.build(row, days, now):
            row.delete()
            return None
        row.cdrs.filter(fault="").update(is_final=True)
        row.state, row.closed_at, row.closed_by = OwnerStatement.State.CLOSED, now, by
        row.save()
    log.info("statement closed", owner=owner.pk, month=str(month), cdrs=row.cdr_count, sha256=row.sha256)
    return row
