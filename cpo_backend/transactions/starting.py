"""Begins transactions of OCPP 1.6. The same start gets the same answer, however often it comes."""

from dataclasses import dataclass
from typing import Any

import structlog
from django.db import transaction as database

from cpo_backend.billing import dues
from cpo_backend.models import Charger, Transaction
from cpo_backend.power import waking
from cpo_backend.status import publishing
from cpo_backend.transactions import lost, metering, orphans
from cpo_backend.transactions.facts import Arrival, Permit, Start
from ocpi.v221.tokens import AllowedType

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Started:
    """The number of a transaction, and what was decided of its token."""

    transaction_id: int
    allowed: AllowedType


def known(arrival: Arrival, start: Start) -> Started | None:
    """The answer to a start that was answered before."""
    row = Transaction.objects.filter(**_key(arrival, start)).first()
    return Started(row.pk, AllowedType(row.allowed)) if row else None


def begin(arrival: Arrival, start: Start, permit: Permit) -> Started:
    """Begin a transaction, whoever the token is of: a charger that was offline may have charged already.

    Where that fails for whatever reason, it is kept for a person to look at, and has its number all the same.
    """
    try:
        return _begin(arrival, start, permit)
    except Exception as error:
        log.exception("a start is kept without its effect", charger_id=arrival.charger_id)
        return _begin_bare(arrival, start, permit, f"{type(error).__name__}: {error}")


@database.atomic
def _begin(arrival: Arrival, start: Start, permit: Permit) -> Started:
    charger = Charger.objects.select_for_update().get(pk=arrival.charger_id)
    if found := known(arrival, start):
        return found
    began_at = start.told_at or arrival.received_at
    has_room = lost.make_room(charger, start.number, began_at, start.meter)
    made = Transaction(
        **_key(arrival, start),
        start_told_at=start.told_at,
        start_received_at=arrival.received_at,
        heard_at=arrival.received_at,
        clock_offset=arrival.offset_seconds,
        reservation_id=start.reservation_id,
        **columns(permit),
    )
    if not has_room:
        made.closed_by = Transaction.ClosedBy.SYSTEM
    made.save()
    metering.keep(arrival, made)
    dues.opened(made, permit.session_id)
    if not has_room:
        lost.close(made, lost.NEXT)
    orphans.adopt(made, start)
    publishing.judge_after_commit(charger.pk)
    waking.after_commit([charger.pk])
    return Started(made.pk, permit.allowed)


@database.atomic
def _begin_bare(arrival: Arrival, start: Start, permit: Permit, why: str) -> Started:
    """The transaction and nothing else: at no connector and with a Session of its own, it is in nobody's way."""
    made = Transaction.objects.create(
        **_key(arrival, start) | {"number": None},
        start_told_at=start.told_at,
        start_received_at=arrival.received_at,
        heard_at=arrival.received_at,
        **columns(permit),
    )
    dues.opened(made)
    metering.keep(arrival, made, why)
    return Started(made.pk, permit.allowed)


def columns(permit: Permit) -> dict[str, Any]:
    """What was decided of the token, as a transaction keeps it."""
    return {
        "allowed": str(permit.allowed),
        "cdr_token": permit.cdr_token,
        "auth_method": permit.auth_method,
        "authorization_reference": permit.reference[:36],
        "reserved_since": permit.reserved_since,
    }


def _key(arrival: Arrival, start: Start) -> dict[str, Any]:
    """What makes a start the same."""
    return {
        "charger_id": arrival.charger_id,
        "told_id": None,
        "number": start.number,
        "id_tag": start.id_tag[:255],
        "start_told": start.told[:64],
        "meter_start": start.meter,
    }
