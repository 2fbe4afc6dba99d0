"""Our Locations as reports see them: what they are called, which clock they have, and their EVSEs."""

from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from django.db.models import QuerySet

from ocpi.models import EvseStatus, Location
from ocpi.pricing import zones
from ocpi.pricing.countries import ZONES
from ocpi.pricing.faults import BadInput

UTC = ZoneInfo("UTC")

Place = tuple[str, str]
"""The owner of a Location, and its key."""


class Site(NamedTuple):
    """A Location; `zone` is None where neither it nor its country tells the clock."""

    id: str
    name: str
    zone: ZoneInfo | None


class _Face(msgspec.Struct):
    id: Any = ""
    name: Any = None
    address: Any = None
    city: Any = None
    time_zone: Any = None
    country: Any = None


_face = msgspec.json.Decoder(_Face, float_hook=Decimal).decode


def known(keys: Iterable[str] | None = None) -> dict[Place, Site]:
    """Our Locations, or those of them with one of these keys."""
    rows = own()
    if keys is not None:
        rows = rows.filter(key__in=set(keys))
    listed = rows.values_list("owner", "key", "document").iterator(chunk_size=500)
    return {(owner, key): _site(document) for owner, key, document in listed}


def own() -> QuerySet[Location]:
    """The Locations that are ours."""
    return Location.objects.filter(source=None)


def evses(owner: str = "", location_key: str = "") -> list[tuple[str, str, str]]:
    """The EVSEs our Locations have now: owner, key of the Location, key of the EVSE."""
    rows = EvseStatus.objects.filter(location__source=None).exclude(status="REMOVED")
    if owner:
        rows = rows.filter(location__owner=owner)
    if location_key:
        rows = rows.filter(location__key=location_key)
    return list(rows.values_list("location__owner", "location__key", "key"))


def clock(time_zone: Any, country: Any) -> ZoneInfo | None:
    """The clock of a place: as it says, else that of its country if it has but one."""
    if isinstance(time_zone, str):
        with suppress(BadInput):
            return ZoneInfo(zones.place_named(time_zone).zone)
    if isinstance(country, str) and (zone := ZONES.get(country.upper())):
        return ZoneInfo(zone)
    return None


def _site(document: str) -> Site:
    face = _face(document)
    name = face.name or ", ".join(str(part) for part in (face.address, face.city) if part)
    return Site(str(face.id), str(name), clock(face.time_zone, face.country))
