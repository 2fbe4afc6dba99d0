"""Reads a batch of statuses: each by itself, so that nothing good is lost because of something bad beside it. Pure."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cpo_backend.ingest import judging
from cpo_backend.ocpp.wire import times
from ocpi.types import codec

MOST = 5000  # in a batch
# How far ahead of ours the clock of a source may be.
_AHEAD = timedelta(minutes=5)
_LONGEST = 36


@dataclass(frozen=True, slots=True)
class Item:
    """A status; `told_at` is by the clock of its source. Without `location_id` the EVSE's uid must be enough."""

    evse_uid: str
    word: str
    location_id: str = ""
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: a JSON Pointer into the batch."""

    pointer: str
    message: str


class Unreadable(ValueError):
    """Not a batch at all, in words."""


def of_json(raw: bytes) -> list[Any]:
    """The items of a JSON list, or of an object with `items`; raises Unreadable."""
    try:
        document = codec.decode(raw)
    except codec.MalformedJson as error:
        raise Unreadable(f"no JSON: {error}") from None
    found = document.get("items") if isinstance(document, dict) else document
    if not isinstance(found, list):
        raise Unreadable("neither a list nor an object with a list of items")
    return found


def of_csv(text: str) -> list[Any]:
    """The lines of a CSV file, by the names in its first; raises Unreadable."""
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    if not {"evse_uid", "status"} <= set(reader.fieldnames or ()):
        raise Unreadable("the first line does not name evse_uid and status")
    try:
        return [{name: value for name, value in row.items() if name and value} for row in reader]
    except csv.Error as error:
        raise Unreadable(f"no CSV: {error}") from None


def read(raw: list[Any], now: datetime) -> Iterator[Item | Fault]:
    """Each in its place."""
    for index, one in enumerate(raw):
        yield _read(one, f"/{index}", now)


def _read(raw: Any, at: str, now: datetime) -> Item | Fault:
    if not isinstance(raw, Mapping):
        return Fault(at, "is not an object")
    for name in ("evse_uid", "status"):
        if not isinstance(raw.get(name), str) or not raw[name].strip():
            return Fault(f"{at}/{name}", "is required, a text")
    uid, location_id = raw["evse_uid"].strip(), raw.get("location_id") or ""
    if len(uid) > _LONGEST:
        return Fault(f"{at}/evse_uid", f"has more than {_LONGEST} characters")
    if not isinstance(location_id, str) or len(location_id) > _LONGEST:
        return Fault(f"{at}/location_id", f"is no text of at most {_LONGEST} characters")
    word = judging.understood(raw["status"].strip())
    if word is None:
        return Fault(f"{at}/status", "is no status of OCPI or OCPP that a source may tell")
    told_at = None
    if raw.get("timestamp") is not None:
        told_at = times.read(raw["timestamp"]) if isinstance(raw["timestamp"], str) else None
        if told_at is None or told_at > now + _AHEAD:
            return Fault(f"{at}/timestamp", "is no time such as 2026-01-31T12:00:00Z, or one that is yet to come")
    return Item(uid, word, location_id.strip(), told_at)
