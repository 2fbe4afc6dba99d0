"""Why each got what it got: kept with the decision, and alarms about what nobody can limit."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from cpo_backend.alarms import sounding
from cpo_backend.models import Alarm, PowerDecision, PowerSite
from cpo_backend.power.planning import Plan
from ocpi.types import codec

# So many decisions of a site are kept.
KEPT = 200
_RESERVES = "reserves"


def note(site: PowerSite, plans: list[Plan], now: datetime) -> None:
    """Keep the decision if it is another than the one before."""
    rows = codec.encode_text([row(one) for one in plans])
    latest = PowerDecision.objects.filter(site=site).order_by("-pk")
    last = latest.first()
    if last is None or (last.rows, last.limit) != (rows, site.limit):
        PowerDecision.objects.create(site=site, decided_at=now, limit=site.limit, rows=rows)
        oldest = latest.values_list("pk", flat=True)[KEPT : KEPT + 1].first()
        if oldest is not None:
            PowerDecision.objects.filter(site=site, pk__lte=oldest).delete()
    _alarms(site, plans)


def row(one: Plan) -> dict[str, Any]:
    """An EVSE in a decision; all in W."""
    going_on = one.seat.transaction
    return {
        "evse": one.seat.evse_uid,
        "charger": one.seat.charger.identity,
        "session": going_on.bill.session_id if going_on else None,
        "wanted": _number(one.wanted) if one.share is not None else None,
        "share": _number(one.share) if one.share is not None else None,
        "committed": _number(one.seat.committed),
        "why": _why(one),
    }


def _number(watts: Decimal) -> int | Decimal:
    return int(watts) if watts == watts.to_integral_value() else watts


def _why(one: Plan) -> str:
    seat = one.seat
    if seat.share.default_watts is None and not seat.defaults_sent:
        return "has taken no limit: counts with all that its Connector can deliver"
    if not seat.is_online:
        return "not connected: keeps what it was granted"
    if seat.transaction is None:
        return "kept for a car that comes"
    if one.share is None:
        return "did not take its last share: tried again later"
    if one.waits:
        return "waits until others have answered that they draw less"
    return _of_share(one, one.share)


def _of_share(one: Plan, share: Decimal) -> str:
    if one.wanted < one.minimum:
        return "its profile lets no car charge now"
    if not share:
        return "paused until its turn: there is not enough for another minimum"
    if share >= one.wanted:
        return "all that it can take"
    if one.seat.site.way == PowerSite.Way.FAIR:
        return "an equal share"
    return "a share by priority"


def _alarms(site: PowerSite, plans: list[Plan]) -> None:
    for one in plans:
        share, subject = one.seat.share, str(one.seat.share.number)
        if share.default_watts is None and (share.default_failures or not one.seat.is_online):
            sounding.sound_once(one.seat.charger.pk, Alarm.Kind.POWER, subject, f"counts with {one.seat.full:f} W")
        elif share.default_watts is not None:
            sounding.clear(one.seat.charger.pk, Alarm.Kind.POWER, subject=subject)
    if plans:
        _alarm_of_reserves(site, plans, plans[0].seat.charger.pk)


def _alarm_of_reserves(site: PowerSite, plans: list[Plan], charger_id: int) -> None:
    """At the first of its chargers: an alarm is that of a charger."""
    reserves = sum((one.seat.reserve for one in plans), Decimal(0))
    if reserves > site.limit:
        told = f"{site}: the reserves come to {reserves:f} W of {site.limit:f} W; cars wait for their share"
        sounding.sound_once(charger_id, Alarm.Kind.POWER, _RESERVES, told)
    else:
        sounding.clear(charger_id, Alarm.Kind.POWER, subject=_RESERVES)
