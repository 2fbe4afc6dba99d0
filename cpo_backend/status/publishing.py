"""Judges the EVSEs of a charger and writes their status to the object store, from where partners get it.

The first change goes out at once; those that follow within `WINDOW` wait for its end, and only the last of them goes
out: a stop is Finishing and Available within a moment. What waits is `due_at`, a row; whoever has the rounds takes it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from cpo_backend.alarms import sounding
from cpo_backend.models import Alarm, Charger, ChargerEvse, ReportedStatus, Reservation, Transaction
from cpo_backend.status.judging import Facts, Patience, Reported, Use, Verdict, is_in_use, judge
from ocpi.errors import UnknownLocation
from ocpi.ids import PartyId
from ocpi.models import EvseStatus
from ocpi.store.documents import Document
from ocpi.store.locations import Path, locations
from ocpi.types import times, validation
from ocpi.types.validation import Violation
from ocpi.v221.locations import Location, Status

log = structlog.get_logger(__name__)

WINDOW = timedelta(seconds=1.5)
_EVER = datetime(1, 1, 1, tzinfo=UTC)


def judge_due(limit: int = 500, *, overdue: timedelta = timedelta(0)) -> int:
    """Judge every EVSE whose time came `overdue` ago; returns of how many chargers."""
    late = ChargerEvse.objects.filter(due_at__lte=timezone.now() - overdue)
    due = late.values_list("charger_id", flat=True).distinct()
    chargers = list(due[:limit])
    for charger_id in chargers:
        judge_charger(charger_id)
    return len(chargers)


@transaction.atomic
def judge_charger(charger_id: int) -> None:
    """Judge all EVSEs of a charger, and publish what changed."""
    charger = Charger.objects.select_for_update().filter(pk=charger_id).first()
    if charger is not None:
        judge_locked(charger, timezone.now())


def judge_after_commit(charger_id: int) -> None:
    """The same once what has just been written counts; what fails then undoes nothing."""
    transaction.on_commit(partial(judge_charger, charger_id), robust=True)


def judge_locked(charger: Charger, now: datetime) -> set[int]:
    """The same for who holds the charger's lock; returns the numbers that stand for an EVSE."""
    _go_stale(charger, now)
    evses = list(ChargerEvse.objects.filter(charger=charger).order_by("number"))
    reports = list(ReportedStatus.objects.filter(charger=charger).order_by("connector"))
    for evse in evses:
        _settle(charger, evse, judge(_facts(charger, evse, evses, reports), _patience(), now), now)
    return {evse.number for evse in evses}


def _patience() -> Patience:
    return Patience(timedelta(seconds=settings.OCPP_OFFLINE_GRACE), timedelta(seconds=settings.OCPP_PLUGGED_WAIT))


def _go_stale(charger: Charger, now: datetime) -> None:
    """What a charger said before it was away for longer than the grace is never published again."""
    if charger.offline_since is not None and charger.offline_since + _patience().offline <= now:
        ReportedStatus.objects.filter(charger=charger, stale=False).update(stale=True)
        sounding.sound_once(charger.pk, Alarm.Kind.OFFLINE, text=f"away since {charger.offline_since:%F %T} UTC")


def _facts(
    charger: Charger, evse: ChargerEvse, evses: Sequence[ChargerEvse], reports: Sequence[ReportedStatus]
) -> Facts:
    siblings = {
        other.number
        for other in evses
        if evse.shared_power_group and other.shared_power_group == evse.shared_power_group and other is not evse
    }
    connectors = _reported(reports, {evse.number})
    use = _use(charger, evse.number, connectors)
    was_heard = any(report.number == evse.number for report in reports)
    return Facts(
        override=_override(charger, evse),
        offline_since=charger.offline_since,
        station=next(iter(_reported(reports, {0})), None),
        connectors=connectors,
        is_stale=not connectors and (was_heard or (use is Use.NONE and bool(evse.published_status))),
        use=use,
        is_reserved=_is_reserved(evse),
        sibling_in_use=is_in_use(_reported(reports, siblings)),
    )


def _is_reserved(evse: ChargerEvse) -> bool:
    """Whether we hold a reservation for it, whatever the charger says."""
    mine = Reservation.objects.filter(charger=evse.charger_id, number=evse.number, state=Reservation.State.ACTIVE)
    return mine.filter(expires_at__gt=timezone.now()).exists()


def _use(charger: Charger, number: int, connectors: Sequence[Reported]) -> Use:
    """Whether a transaction goes on at the EVSE, or has ended there since the car was plugged in.

    Of what is not in use a transaction counts that began since: the charger has yet to say so.
    """
    transactions = Transaction.objects.filter(charger=charger, number=number)
    opened = transactions.filter(closed_by="")
    if not is_in_use(connectors):
        began_at = Coalesce("start_told_at", "start_received_at")
        since = max((connector.since for connector in connectors), default=_EVER)
        is_begun = opened.annotate(began_at=began_at).filter(began_at__gt=since, free_since=None).exists()
        return Use.ACTIVE if is_begun else Use.NONE
    if opened.exists():
        return Use.ACTIVE
    plugged_at = min(connector.since for connector in connectors)
    return Use.ENDED if transactions.filter(closed_at__gte=plugged_at).exists() else Use.NONE


def _reported(reports: Sequence[ReportedStatus], numbers: set[int]) -> list[Reported]:
    """What connectors of these numbers said, as far as it counts."""
    counted = (report for report in reports if report.number in numbers and not report.stale)
    return [Reported(report.word, report.received_at) for report in counted]


def _override(charger: Charger, evse: ChargerEvse) -> Status | None:
    if evse.override:
        return Status(evse.override)
    return Status.PLANNED if charger.state == Charger.State.PLANNED else None


def _settle(charger: Charger, evse: ChargerEvse, verdict: Verdict, now: datetime) -> None:
    """Publish the verdict, or say when to judge again."""
    due_at, published = verdict.until, evse.published_status
    if verdict.status is not None and verdict.status != evse.published_status:
        free_at = evse.published_at + WINDOW if evse.published_at else now
        if free_at > now:
            due_at = free_at
        else:
            _publish(charger, evse, verdict.status)
            evse.published_status, evse.published_at = str(verdict.status), now
    if (due_at, published) != (evse.due_at, evse.published_status):
        evse.due_at = due_at
        evse.save(update_fields=["due_at", "published_status", "published_at"])


def write_status(owner: PartyId, location_id: str, evse_uid: str, status: Status) -> None:
    """REMOVED is final, and what the store says already is not said again; raises UnknownLocation."""
    of_location = EvseStatus.objects.filter(location__owner=owner, location__key=location_id.lower())
    stored = of_location.filter(key=evse_uid.lower()).values_list("status", flat=True).first()
    if stored not in (Status.REMOVED, status):
        changes = {"status": str(status), "last_updated": times.now()}
        locations.patch_part(Path(owner, location_id, evse_uid), changes, None, _defects)


def _publish(charger: Charger, evse: ChargerEvse, status: Status) -> None:
    try:
        write_status(PartyId(charger.party), charger.location_id, evse.evse_uid, status)
    except UnknownLocation as error:
        sounding.sound_once(charger.pk, Alarm.Kind.UNKNOWN_EVSE, evse.evse_uid, error.message)
    else:
        sounding.clear(charger.pk, Alarm.Kind.UNKNOWN_EVSE, subject=evse.evse_uid)


def _defects(location: Document) -> list[Violation]:
    return validation.check(location, Location)
