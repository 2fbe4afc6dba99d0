"""Writes down what sources say, and publishes what follows: by the rules that hold for chargers of ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cpo_backend.ingest import items, judging, sources
from cpo_backend.ingest.items import Fault, Item
from cpo_backend.models import ChargerEvse, FedStatus, StatusSource
from cpo_backend.status import publishing
from cpo_backend.status.judging import Patience
from ocpi.errors import UnknownLocation
from ocpi.ids import PartyId
from ocpi.models import EvseStatus
from ocpi.store.documents import Document
from ocpi.v221.locations import Status

_AT_ONCE = 1000


class Result(StrEnum):
    TAKEN = "taken"
    OUTDATED = "outdated"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch, of each item in its place."""

    results: Sequence[Document]

    def count(self, result: Result) -> int:
        return sum(one["result"] == result for one in self.results)

    def document(self) -> dict[str, Any]:
        return {**{str(result): self.count(result) for result in Result}, "results": list(self.results)}


def take(source: StatusSource, raw: list[Any]) -> Receipt:
    """Take a batch in; whatever is in it, the source lives."""
    now = timezone.now()
    sources.heard(source)
    return Receipt([_one(source, index, found) for index, found in enumerate(items.read(raw, now))])


def _one(source: StatusSource, index: int, found: Item | Fault) -> Document:
    if isinstance(found, Item):
        taken = _take(source, index, found)
        if not isinstance(taken, Fault):
            return {"index": index, "result": str(taken)}
        found = taken
    return {"index": index, "result": str(Result.REJECTED), "pointer": found.pointer, "message": found.message}


@transaction.atomic
def _take(source: StatusSource, index: int, item: Item) -> Result | Fault:
    location_id = _location(source, item)
    if location_id is None:
        named = "location_id" if item.location_id else "evse_uid"
        return Fault(f"/{index}/{named}", f"{source.party} has no such EVSE, or several: name its Location, too")
    place = f"{source.party}/{location_id}/{item.evse_uid}".lower()
    if ChargerEvse.objects.filter(place=place).exists():
        return Fault(f"/{index}/evse_uid", "a charger that is connected here tells the status of this EVSE")
    now = timezone.now()
    row = FedStatus.objects.select_for_update().filter(place=place).first()
    if row is None:
        row = FedStatus(source=source, location_id=location_id, evse_uid=item.evse_uid, place=place, since=now)
    elif row.source_id != source.pk:
        return Fault(f"/{index}/evse_uid", f"{row.source} tells the status of this EVSE")
    elif item.told_at is not None and row.told_at is not None and item.told_at < row.told_at:
        return Result.OUTDATED
    if row.word != item.word or row.is_stale:
        row.since = now
    row.word, row.told_at, row.is_stale = item.word, item.told_at or row.told_at, False
    _publish(row)
    return Result.TAKEN


def _location(source: StatusSource, item: Item) -> str | None:
    """The id of the Location with this EVSE, if there is exactly one."""
    evses = EvseStatus.objects.filter(location__owner=source.party, key=item.evse_uid.lower())
    if item.location_id:
        evses = evses.filter(location__key=item.location_id.lower())
    found = list(evses.values_list("location__key", flat=True)[:2])
    return found[0] if len(found) == 1 else None


def _publish(row: FedStatus) -> None:
    """Judge and write; the caller holds the row's lock."""
    if row.is_stale:
        row.due_at = None
        row.save(update_fields=["due_at"])
        _write(row, Status.UNKNOWN)
        return
    patience = Patience(timedelta(0), timedelta(seconds=settings.OCPP_PLUGGED_WAIT))
    verdict = judging.judge(row.word, row.since, patience, timezone.now())
    row.due_at = verdict.until
    row.save()
    _write(row, verdict.status)


def _write(row: FedStatus, status: Status | None) -> None:
    """An EVSE that has gone meanwhile has no status."""
    if status is None:
        return
    try:
        publishing.write_status(PartyId(row.source.party), row.location_id, row.evse_uid, status)
    except UnknownLocation:
        row.delete()


def sweep() -> int:
    """Judge again what is due, and believe no source that is silent; returns how many EVSEs that were."""
    now = timezone.now()
    for source in StatusSource.objects.filter(is_away=False, last_seen_at__isnull=False):
        if source.last_seen_at is not None and source.last_seen_at + timedelta(seconds=source.grace) < now:
            _away(source)
    due = FedStatus.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
    return sum(_judge(pk) for pk in list(due.values_list("pk", flat=True)[:_AT_ONCE]))


@transaction.atomic
def _away(source: StatusSource) -> None:
    """All it said is over."""
    locked = StatusSource.objects.select_for_update().get(pk=source.pk)
    if locked.last_seen_at != source.last_seen_at:
        return
    locked.is_away = True
    locked.save(update_fields=["is_away"])
    FedStatus.objects.filter(source=source).update(is_stale=True, due_at=timezone.now())


@transaction.atomic
def _judge(pk: int) -> bool:
    row = FedStatus.objects.select_for_update(of=("self",)).select_related("source").filter(pk=pk).first()
    if row is None:
        return False
    _publish(row)
    return True
