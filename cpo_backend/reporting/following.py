"""Keeps the figures of our own CDRs, by reading their feed: what stores a CDR knows nothing of it.

The feed ends before the oldest transaction still running, so no CDR is passed over; who reads holds the row of the
progress, so none is read twice.
"""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.db import transaction

from cpo_backend.models import CdrFigures, FiguresProgress
from cpo_backend.reporting import figures, sites
from cpo_backend.reporting.figures import Figures, Whole
from cpo_backend.reporting.sites import Place, Site
from ocpi.accounts.shares import Unreadable
from ocpi.models import Cdr
from ocpi.store import revisions, writing
from ocpi.store.objects import short
from ocpi.store.revisions import Position
from ocpi.store.scope import Scope

BATCH = 200
_OURS = Scope(owners=(), inverted=True, local=True)


def follow(*, wait: bool = True) -> int:
    """Read the CDRs that have come since; returns how many. Unless it shall `wait`, somebody else at it will do."""
    done = 0
    while count := _batch(wait):
        done += count
    return done


@transaction.atomic
def start_over() -> None:
    """Have every CDR read once more: a site has got another clock."""
    FiguresProgress.objects.select_for_update().update(xid=0, revision=0)
    CdrFigures.objects.all().delete()


@transaction.atomic
def _batch(wait: bool) -> int:
    FiguresProgress.objects.get_or_create(pk=1)
    place = FiguresProgress.objects.select_for_update(skip_locked=not wait).first()
    if place is None:
        return 0
    changes = revisions.changes(Cdr, _OURS, Position(place.xid, place.revision), BATCH)
    if not changes:
        return 0
    _note(list(Cdr.objects.filter(pk__in=[change.id for change in changes]).defer("defects").order_by("pk")))
    place.xid, place.revision = changes[-1].position
    place.save()
    return len(changes)


def _note(rows: list[Cdr]) -> None:
    """Write the figures of these CDRs."""
    faces = {row.pk: _face(row.document) for row in rows}
    places = sites.known(_location_key(face) for face in faces.values())
    found = [entry for row in rows for entry in _entries(row, faces[row.pk], places)]
    CdrFigures.objects.filter(cdr__in=rows).delete()
    writing.upsert(CdrFigures, ("cdr_id", "day"), found)  # the ORM takes ten times as long


def _entries(row: Cdr, cdr: Whole, places: dict[Place, Site]) -> list[dict[str, Any]]:
    """The rows of a CDR: of each day, or the one that says why there are none."""
    site = places.get((row.owner, _location_key(cdr)))
    zone = (site and site.zone) or sites.clock(None, _location(cdr).get("country")) or sites.UTC
    common = {
        "cdr_id": row.pk,
        "owner": row.owner,
        "partner": row.token_owner,
        "location_key": _location_key(cdr),
        "evse_key": short(_location(cdr).get("evse_uid"), 36).lower(),
    }
    try:
        if not common["location_key"]:
            raise Unreadable("/cdr_location/id: it has none")
        return _days(common, figures.read(cdr, zone))
    except Unreadable as error:
        return [{**common, **_NOTHING, "day": _last_day(row, zone), "is_last": True, "fault": str(error)[:200]}]


_NOTHING: dict[str, Any] = {
    "occupied": 0, "charging": 0, "hour": None, "sessions": 0, "duration": 0, "energy": 0, "currency": "",
    "net": None, "gross": None, "fault": "",
}  # fmt: skip


def _days(common: dict[str, Any], found: Figures) -> list[dict[str, Any]]:
    rows = [
        {**common, **_NOTHING, "day": time.day.isoformat(), "is_last": False, **_seconds(time)} for time in found.days
    ]
    names = ("hour", "sessions", "duration", "energy", "currency", "net", "gross")
    rows[-1] |= {"is_last": True, **{name: getattr(found, name) for name in names}}
    return rows


def _seconds(time: figures.Time) -> dict[str, int]:
    return {"occupied": time.occupied, "charging": time.charging}


def _last_day(row: Cdr, zone: ZoneInfo) -> str:
    """The day it is settled on, as far as that can be told."""
    ended = row.ended_at or row.last_updated
    return ended.astimezone(zone if 1 < ended.year < 9999 else sites.UTC).date().isoformat()


def _face(document: str) -> Whole:
    try:
        return figures.face(document)
    except (msgspec.DecodeError, ArithmeticError):  # not even that; its figures will say so
        return Whole()


def _location(cdr: Whole) -> dict[str, Any]:
    return cdr.cdr_location if isinstance(cdr.cdr_location, dict) else {}


def _location_key(cdr: Whole) -> str:
    return short(_location(cdr).get("id"), 36).lower()
