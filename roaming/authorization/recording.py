"""Writes decisions down, in one statement."""

from functools import cache
from typing import Any

from django.db import connection
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.store import writing
from ocpi.store.documents import Document
from ocpi.types import codec
from roaming.authorization_models import Authorization

# A driver waits, so the disk need not have it when we answer: a power failure may cost the last half second of
# answers. Nothing hangs on them: Sessions and CDRs carry what an answer said. Not within a transaction, which would
# lose its durability as a whole.
_LATER = "WITH quick AS (SELECT set_config('synchronous_commit', 'off', true)) "


def record(
    side: Authorization.Side,
    *,
    platform_id: int | None,
    cpo: PartyId | None,
    emsp: PartyId | None,
    uid: str,
    type: str,
    place: Document | None,
    allowed: str,
    source: str,
    reason: str,
    reference: str,
    seconds: float,
    correlation_id: str,
) -> None:
    """Keep one decision; `seconds` went by from the question to it."""
    place = place or {}
    values: dict[str, Any] = {
        "side": side,
        "decided_at": writing.adapted(timezone.now()),
        "platform_id": platform_id,
        "cpo": cpo or "",
        "emsp": emsp or "",
        "uid": uid.lower(),
        "type": type,
        "location_id": place.get("location_id", ""),
        "evse_uids": codec.encode_text(place["evse_uids"]) if place.get("evse_uids") else "",
        "allowed": allowed,
        "source": source,
        "reason": reason,
        "reference": reference,
        "milliseconds": round(seconds * 1000),
        "correlation_id": correlation_id,
    }
    # Enum members and ids as the plain text they are: the driver knows nothing else.
    plain = [str(value) if isinstance(value, str) else value for value in values.values()]
    later = connection.vendor == "postgresql" and not connection.in_atomic_block
    writing.execute(_statement(tuple(values), later=later), plain)


@cache
def _statement(columns: tuple[str, ...], *, later: bool) -> str:
    marks = ", ".join(["%s"] * len(columns))
    insert = f"INSERT INTO {Authorization._meta.db_table} ({', '.join(columns)})"
    return f"{_LATER}{insert} SELECT {marks} FROM quick" if later else f"{insert} VALUES ({marks})"  # noqa: S608
