"""Puts commands into their table and takes them out: one at a time for each charger, in the order they were put in.

What we ask by ourselves lets that pass for which somebody waits: a charger that does not answer would hold it up.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Q, When
from django.utils import timezone

from cpo_backend.commanding import bus
from cpo_backend.models import Charger, OcppCommand
from cpo_backend.ocpp import fencing
from ocpi.types import codec

TIMEOUT = 30.0
_AT_ONCE = 200
Status, Purpose = OcppCommand.Status, OcppCommand.Purpose
_OURS = Q(
    purpose__in=(
        Purpose.CONFIGURATION,
        Purpose.STATUS,
        Purpose.TRANSACTION,
        Purpose.PROFILE,
        Purpose.LOCAL_LIST,
        Purpose.COST,
    )
)


def put(
    charger: Charger,
    action: str,
    payload: Mapping[str, Any],
    *,
    purpose: str = Purpose.STAFF,
    timeout: float = TIMEOUT,
    delay: float = 0,
) -> OcppCommand:
    """A command that is sent after the commit, and not before `delay` seconds; offline at once without a connection.

    `timeout`: seconds the charger may take, counted from now or from the end of the delay.
    """
    now = timezone.now()
    due_at = now + timedelta(seconds=delay)
    is_online = Charger.objects.filter(fencing.online(), pk=charger.pk).exists()
    outcome = {} if is_online else {"status": Status.OFFLINE, "answered_at": now}
    command = OcppCommand.objects.create(
        charger=charger,
        action=action,
        payload=codec.encode_text(payload),
        purpose=purpose,
        timeout=timeout,
        created_at=now,
        due_at=due_at,
        expires_at=due_at + timedelta(seconds=timeout),
        **outcome,
    )
    if is_online and not delay:
        transaction.on_commit(bus.wake)
    return command


class Claimed(NamedTuple):
    """A command that this process now has to send."""

    id: int
    charger_id: int
    action: str
    payload: str
    seconds: float


def claim(node: UUID, held: Mapping[int, UUID], busy: Collection[int]) -> list[Claimed]:
    """Take the next command of each charger that this process holds (by generation) and that is not `busy`."""
    now = timezone.now()
    waiting = (
        OcppCommand.objects.filter(status=Status.QUEUED, due_at__lte=now, charger__connection__node=node)
        .exclude(charger__in=busy)
        .order_by(Case(When(_OURS, then=1), default=0), "pk")
        .values_list("pk", "charger_id", "action", "payload", "expires_at", "charger__connection__generation")
    )
    claimed: dict[int, Claimed] = {}
    for id, charger_id, action, payload, expires_at, generation in waiting[:_AT_ONCE]:
        if charger_id in claimed or held.get(charger_id) != generation or expires_at <= now:
            continue
        if OcppCommand.objects.filter(pk=id, status=Status.QUEUED).update(status=Status.SENT, sent_at=now):
            seconds = (expires_at - now).total_seconds()
            claimed[charger_id] = Claimed(id, charger_id, action, payload, seconds)
    return list(claimed.values())
