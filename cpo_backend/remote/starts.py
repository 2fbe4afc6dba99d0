"""Brings a remote start and the transaction that follows together: each start is taken once.

OCPP 2.0.1 names the start; a charger of 1.6 begins at that connector with that tag. A transaction that begins after
nobody waited for it any more is real all the same: it keeps what authorized it, in a Session of its own.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import uuid4

import structlog
from django.db import transaction as database
from django.db.models import Q, QuerySet
from django.utils import timezone

from cpo_backend import pruning
from cpo_backend.models import Charger, RemoteStart
from cpo_backend.remote import sessions
from cpo_backend.remote.sessions import Prospect
from cpo_backend.transactions.facts import Event, Permit, Start
from ocpi.types import codec
from ocpi.v221.cdrs import AuthMethod
from ocpi.v221.sessions import SessionStatus
from ocpi.v221.tokens import AllowedType

log = structlog.get_logger(__name__)

State = RemoteStart.State
OPEN = (State.WAITING, State.ACCEPTED)
# For so long a START_SESSION authorizes its token (§mod_commands_startsession_object).
AUTHORIZED = timedelta(minutes=15)
# From the acceptance until a car must be plugged in, where the charger has not told us, and what it may be late.
_PLUG_IN_SECONDS = 120
_SLACK_SECONDS = 60
_LONGEST_PLUG_IN = 3600
_PLUG_IN_SETTINGS = ("ConnectionTimeOut", "TxCtrlr.EVConnectionTimeOut")


def patience(charger: Charger) -> timedelta:
    """How long after it was accepted a start may take."""
    known = codec.decode(charger.configuration.encode()) if charger.configuration else {}
    told = next((str(known[name][0]) for name in _PLUG_IN_SETTINGS if known.get(name)), "")
    seconds = min(int(told), _LONGEST_PLUG_IN) if told.isascii() and told.isdecimal() else _PLUG_IN_SECONDS
    return timedelta(seconds=seconds + _SLACK_SECONDS)


def awaited(charger_id: int, tag: str) -> RemoteStart | None:
    """The remote start with this tag that the charger has not begun: its token is authorized."""
    return _authorized(charger_id).filter(id_tag__iexact=tag, state__in=OPEN).order_by("-pk").first()


def permit_of_start(charger_id: int, start: Start, by: str) -> Permit | None:
    """The permit of a transaction of OCPP 1.6 that was started remotely, which `by` names."""
    found = _authorized(charger_id).filter(id_tag__iexact=start.id_tag, number=start.number)
    return _take(found.order_by("-pk"), by)


def permit_of_event(charger_id: int, event: Event, by: str) -> Permit | None:
    """The same for an event of OCPP 2.0.1."""
    found = RemoteStart.objects.filter(charger=charger_id, pk=event.remote_start_id or 0)
    if event.remote_start_id is None:
        found = _authorized(charger_id).filter(Q(taken_by=by) | Q(number=event.number), id_tag__iexact=event.id_tag)
    return _take(found.order_by("-pk"), by)


def _authorized(charger_id: int) -> "QuerySet[RemoteStart]":
    now = timezone.now()
    valid = Q(created_at__gt=now - AUTHORIZED) | Q(expires_at__gt=now)
    return RemoteStart.objects.filter(valid, charger=charger_id)


@database.atomic
def _take(candidates: "QuerySet[RemoteStart]", by: str) -> Permit | None:
    rows = list(candidates.select_for_update())
    row = _fitting(rows, by)
    if row is None:
        return None
    if row.state == State.EXPIRED:
        log.info("a remote start came late", remote_start=row.pk)
        row.session_id = uuid4().hex
    row.state, row.taken_by = State.TAKEN, by
    row.save(update_fields=["state", "taken_by", "session_id"])
    return Permit(
        allowed=AllowedType.ALLOWED,
        cdr_token=row.cdr_token,
        auth_method=str(AuthMethod.COMMAND),
        reference=row.authorization_reference,
        session_id=row.session_id,
    )


def _fitting(rows: Iterable[RemoteStart], by: str) -> RemoteStart | None:
    """The one that this transaction has taken already, else the newest that none has."""
    rows = list(rows)
    taken = next((row for row in rows if row.state == State.TAKEN and row.taken_by == by), None)
    return taken or next((row for row in rows if row.state in (*OPEN, State.EXPIRED)), None)


@database.atomic
def answered(start_id: int, *, is_accepted: bool) -> None:
    """The charger has answered, maybe after the transaction began."""
    row = RemoteStart.objects.select_for_update().select_related("charger").get(pk=start_id)
    if row.state != State.WAITING:
        return
    if not is_accepted:
        row.state = State.REFUSED
    else:
        row.state, row.expires_at = State.ACCEPTED, timezone.now() + patience(row.charger)
        row.is_told = sessions.announce(prospect(row), SessionStatus.PENDING)
    row.save(update_fields=["state", "expires_at", "is_told"])


def prospect(row: RemoteStart) -> Prospect:
    return Prospect(
        session_id=row.session_id,
        charger=row.charger,
        number=row.number,
        connector=row.connector,
        cdr_token=row.cdr_token,
        reference=row.authorization_reference,
        since=row.created_at,
    )


def sweep() -> int:
    """Give up starts that no transaction followed, and tell their eMSPs; returns how many."""
    overdue = RemoteStart.objects.filter(state__in=OPEN, expires_at__lt=timezone.now())
    return sum(_expire(pk) for pk in list(overdue.values_list("pk", flat=True)))


@database.atomic
def _expire(pk: int) -> bool:
    row = RemoteStart.objects.select_for_update().select_related("charger").get(pk=pk)
    if row.state not in OPEN or row.expires_at > timezone.now():
        return False
    row.state = State.EXPIRED
    row.save(update_fields=["state"])
    if row.is_told:
        sessions.withdraw(row.charger.party, row.session_id)
    return True


def prune(days: int = 90) -> int:
    """Forget starts of long ago."""
    return pruning.delete(RemoteStart.objects.filter(expires_at__lt=timezone.now() - timedelta(days=days)))
