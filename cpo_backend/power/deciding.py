"""Shares the power of a site anew: asks for less at once, and gives more only of what nobody may draw by now.

What a charger may draw changes with its answer, never before: while something is on its way both the old and the new
limit count, and one that is away or does not obey keeps what it has, at the expense of the others.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.db import transaction as database
from django.utils import timezone

from cpo_backend.models import PowerSite
from cpo_backend.power import explaining, seats, sending
from cpo_backend.power.planning import Plan, plan
from cpo_backend.power.sharing import TURN_SECONDS
from ocpi.types import codec

log = structlog.get_logger(__name__)

# Even if nothing has been heard of, a site is looked at so often.
EVERY = timedelta(seconds=60)
_ZERO = Decimal(0)


def decide_due(limit: int = 100, *, overdue: timedelta = timedelta(0)) -> int:
    """Share anew at every site whose time came `overdue` ago; returns at how many."""
    due = PowerSite.objects.filter(due_at__lte=timezone.now() - overdue).order_by("due_at")
    ids = list(due.values_list("pk", flat=True)[:limit])
    for id in ids:
        try:
            decide(id)
        except Exception:
            log.exception("power is not shared", site=id)
            PowerSite.objects.filter(pk=id).update(due_at=timezone.now() + EVERY)
    return len(ids)


@database.atomic
def decide(site_id: int) -> None:
    """Share anew at this site, unless somebody else has just done so."""
    now = timezone.now()
    due = PowerSite.objects.select_for_update(no_key=True).filter(pk=site_id, due_at__lte=now)
    site = due.first()
    if site is None:
        return
    found = seats.of(site)
    turn = int(now.timestamp()) // TURN_SECONDS
    plans = plan(site, found, now, turn)
    _carry_out(site, plans, now)
    explaining.note(site, plans, now)
    site.due_at = min(_looks(plans, now, turn))
    site.save(update_fields=["due_at"])


def _carry_out(site: PowerSite, plans: list[Plan], now: datetime) -> None:
    """What lowers the most that may be drawn goes out at once; what raises it, as far as there is room."""
    free = site.limit - sum((one.seat.committed for one in plans), _ZERO)
    if free < 0:
        _hold_back(plans)
    wanted = [one for one in plans if _is_news(one)]
    raised = sorted((one for one in wanted if _rise(one)), key=lambda one: one.share or _ZERO)
    for one in [one for one in wanted if not _rise(one)]:
        sending.grant(one.seat, one.share or _ZERO, now)
    for one in [one for one in plans if _is_new_reserve(one, now)]:
        rise = max(_ZERO, one.reserve - one.seat.committed)
        if rise <= max(free, _ZERO):
            free -= rise
            sending.welcome(one.seat, one.reserve, now)
    for one in raised:
        if (rise := _rise(one)) <= free:
            free -= rise
            sending.grant(one.seat, one.share or _ZERO, now)
        else:
            one.waits = True


def _hold_back(plans: list[Plan]) -> None:
    """While it is not certain that the limit is kept to, nobody is told more than it certainly has.

    What counts with all that its Connector delivers may in truth draw nothing: less than all would be more than that.
    """
    for one in plans:
        one.reserve = min(one.reserve, one.seat.certain_reserve)
        if one.share is not None and one.share > one.seat.certain:
            one.share, one.waits = one.seat.certain, True


def _rise(one: Plan) -> Decimal:
    """By how much more may be drawn here when the share is sent."""
    return max(_ZERO, (one.share or _ZERO) - one.seat.committed)


def _is_news(one: Plan) -> bool:
    """Whether who charges here is to be told something else than it was. One thing at a time."""
    share = one.seat.share
    if one.share is None or one.seat.sent:
        return False
    if not share.told or share.told_at is None or share.granted != one.share:
        return True
    return one.seat.has_forgotten or share.told != codec.encode_text(
        sending.within(one.seat, one.seat.profile, one.share)
    )


def _is_new_reserve(one: Plan, now: datetime) -> bool:
    share, booted_at = one.seat.share, one.seat.charger.last_boot_at
    if one.seat.defaults_sent or not one.seat.obeys(now):
        return False
    if share.default_watts != one.reserve or share.default_doubt > one.reserve or share.default_at is None:
        return True
    return booted_at is not None and booted_at > share.default_at


def _looks(plans: list[Plan], now: datetime, turn: int) -> Iterator[datetime]:
    """When there may be something new."""
    yield now + EVERY
    for one in plans:
        share = one.seat.share
        yield from (at for at in (share.retry_at, share.default_retry_at) if at is not None and at > now)
        following = one.seat.wanted(now)[1]
        if following is not None:
            yield now + timedelta(seconds=following)
    if any(one.is_paused for one in plans):
        yield datetime.fromtimestamp((turn + 1) * TURN_SECONDS, tz=now.tzinfo)
