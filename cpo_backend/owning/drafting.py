"""Draws up a month of every owner, without anybody asking."""

from datetime import datetime

import structlog

from cpo_backend.models import ChargePointOwner
from cpo_backend.owning import building
from cpo_backend.owning.choosing import NotOpen
from ocpi.accounts.months import Month

log = structlog.get_logger(__name__)


def draft_last_month(now: datetime) -> int:
    """Draw up the month before this one (UTC) of every owner; returns of how many there is something to state."""
    return draft_all(Month.of(now, "UTC").previous, now)


def draft_all(month: Month, now: datetime) -> int:
    """Draw up a month of every owner; months that are over stay as they are."""
    count = 0
    for owner in ChargePointOwner.objects.order_by("name"):
        try:
            count += building.draft(owner, month, now) is not None
        except NotOpen as refusal:
            log.info("statement not drawn up", month=str(month), reason=str(refusal))
    return count
