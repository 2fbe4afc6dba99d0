"""Draws up a month of every pair, without anybody asking."""

from datetime import datetime

import structlog

from ocpi.accounts.months import Month
from roaming.settling import building, choosing
from roaming.settling.choosing import NotOpen

log = structlog.get_logger(__name__)


def draft_last_month(now: datetime) -> int:
    """Draw up the month before this one (UTC) of every pair; returns of how many there is something to settle."""
    return draft_all(Month.of(now, "UTC").previous, now)


def draft_all(month: Month, now: datetime, party: str | None = None) -> int:
    """Draw up a month of every pair, or of those that `party` is part of; months that are over stay as they are."""
    count = 0
    for cpo, emsp in choosing.pairs(month):
        if party is not None and party not in (cpo, emsp):
            continue
        try:
            count += building.draft(cpo, emsp, month, now) is not None
        except NotOpen as refusal:
            log.info("settlement not drawn up", month=str(month), reason=str(refusal))
    return count
