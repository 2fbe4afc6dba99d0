"""Brings the lists of chargers up to date, one CALL after the other: what its version is, then what differs.

A list that is not ours, or that a charger will not change, is replaced as a whole. A message holds as many entries as
the charger takes; what is left follows each answer.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cpo_backend.commanding import queue
from cpo_backend.local_lists import limits, wanting
from cpo_backend.models import Charger, LocalList, OcppCommand
from cpo_backend.ocpp import fencing
from ocpi import ports
from ocpi.ids import PartyId
from ocpi.ports import OfflineToken
from ocpi.store.documents import Document
from ocpi.types import codec

log = structlog.get_logger(__name__)

State, Standing = LocalList.State, LocalList.Standing

# Agreements and Tokens may end without anybody writing: so often each list is looked at anyway.
_EVERY = timedelta(hours=1)
_RETRY = timedelta(minutes=15)
_TIMEOUT = 60.0
_HIGHEST = 2**31 - 2**20
_VERSION, _SEND = "GetLocalListVersion", "SendLocalList"
_REFUSALS = frozenset({"NotSupported", "NotImplemented"})


def configured(charger: Charger) -> None:
    """The configuration has been read: whoever can have a list gets one."""
    if limits.of(charger) is not None:
        LocalList.objects.get_or_create(charger=charger, defaults={"due_at": timezone.now()})
        LocalList.objects.filter(charger=charger, state=State.REFUSED).update(
            state=State.IDLE, standing=Standing.UNKNOWN, due_at=timezone.now()
        )


def booted(charger: Charger) -> None:
    """What it has may have gone with its memory: it is asked for the version."""
    rows = LocalList.objects.filter(charger=charger).exclude(state=State.REFUSED)
    rows.update(standing=Standing.UNKNOWN, due_at=timezone.now())


def anew(pks: Sequence[int]) -> None:
    """Replace these lists as a whole, also where they were refused."""
    rows = LocalList.objects.filter(pk__in=pks).exclude(state=State.ASKED)
    rows.update(state=State.IDLE, standing=Standing.FOREIGN, due_at=timezone.now(), detail="")


def push_due(limit: int = 200) -> int:
    """Take the next step with the lists that are due at connected chargers; returns how many those are."""
    online = Charger.objects.filter(fencing.online(), state=Charger.State.ACCEPTED)
    due = LocalList.objects.filter(state=State.IDLE, due_at__lte=timezone.now(), charger__in=online)
    found = list(due.order_by("due_at").values_list("pk", flat=True)[:limit])
    known: dict[str, Sequence[OfflineToken]] = {}
    for pk in found:
        _step(pk, known)
    return len(found)


@transaction.atomic
def _step(pk: int, known: dict[str, Sequence[OfflineToken]]) -> None:
    rows = LocalList.objects.select_for_update(of=("self",)).select_related("charger")
    row = rows.filter(pk=pk, state=State.IDLE, due_at__lte=timezone.now()).first()
    if row is None:
        return
    room = limits.of(row.charger)
    if row.standing == Standing.UNKNOWN:
        _ask(row, _VERSION, {})
    elif room is None:
        row.due_at = None
    else:
        held = {} if row.standing == Standing.FOREIGN else codec.decode(row.held.encode())
        changes = wanting.difference(held, _wanted(row, room.entries, known))
        row.changes = codec.encode_text(changes)
        if changes or row.standing == Standing.FOREIGN:
            _send(row)
        else:
            row.due_at = timezone.now() + _EVERY
    row.save()


def _wanted(row: LocalList, most: int, known: dict[str, Sequence[OfflineToken]]) -> Document:
    """Nothing where lists are not used."""
    charger = row.charger
    if not (settings.OCPP_LOCAL_LISTS and row.is_wanted and charger.party):
        return {}
    if charger.party not in known:
        known[charger.party] = ports.authorizer().offline(PartyId(charger.party), limits.MOST)
    return wanting.entries(charger, known[charger.party], most)


def _send(row: LocalList) -> None:
    """The first of the changes, as many as fit."""
    room, changes = limits.of(row.charger), codec.decode(row.changes.encode())
    is_full = row.standing == Standing.FOREIGN or row.version == 0
    row.sent_version += 1
    first = changes[: room.at_once if room else 1]
    _ask(row, _SEND, wanting.request(row.charger.version, row.sent_version, first, is_full=is_full))


def _ask(row: LocalList, action: str, payload: Document) -> None:
    purpose = OcppCommand.Purpose.LOCAL_LIST
    command = queue.put(row.charger, action, payload, purpose=purpose, timeout=_TIMEOUT)
    if command.status != OcppCommand.Status.OFFLINE:  # else it is due when the charger is back
        row.state = State.ASKED


def take(command: OcppCommand) -> None:
    """The outcome of what was asked here. Without an answer nobody knows what the charger has."""
    rows = LocalList.objects.select_for_update(of=("self",)).select_related("charger")
    row = rows.filter(charger=command.charger_id, state=State.ASKED).first()
    if row is None:
        return
    row.state = State.IDLE
    if command.status == OcppCommand.Status.ERROR and command.error_code in _REFUSALS:
        _refused(row, command.error_code)
    elif command.status != OcppCommand.Status.OK:
        told = f"{command.get_status_display()} {command.error_code}".strip()
        _later(row, Standing.UNKNOWN, told)
    else:
        told = codec.decode(command.result.encode())
        if command.action == _VERSION:
            _is_version(row, told["listVersion" if row.charger.version == "1.6" else "versionNumber"])
        else:
            _is_sent(row, codec.decode(command.payload.encode()), str(told.get("status")))
    row.save()


def _is_version(row: LocalList, version: int) -> None:
    """-1 is how OCPP 1.6 says that there are no lists; an empty one needs no replacing."""
    row.due_at, row.detail = timezone.now(), ""
    if version < 0:
        _refused(row, "it has no local list")
    elif version == 0:
        row.standing, row.version, row.held, row.count = Standing.KNOWN, 0, "{}", 0
    elif version == row.version:
        row.standing = Standing.KNOWN
    else:
        row.standing = Standing.FOREIGN
        row.sent_version = max(row.sent_version, version if version < _HIGHEST else 0)


def _is_sent(row: LocalList, request: Document, status: str) -> None:
    if status != "Accepted":
        _not_taken(row, status, is_full=request["updateType"] == "Full")
        return
    changes = codec.decode(row.changes.encode())
    count = len(request.get("localAuthorizationList", ()))
    held = {} if request["updateType"] == "Full" else codec.decode(row.held.encode())
    for tag, entry in changes[:count]:
        if entry is None:
            held.pop(tag, None)
        else:
            held[tag] = entry
    row.held, row.count, row.changes = codec.encode_text(held), len(held), codec.encode_text(changes[count:])
    row.version, row.standing = row.sent_version, Standing.KNOWN
    row.changed_at, row.detail, row.due_at = timezone.now(), "", timezone.now() + _EVERY
    if changes[count:]:
        row.due_at = timezone.now()
        _send(row)


def _not_taken(row: LocalList, status: str, *, is_full: bool) -> None:
    """Whoever does not take a change gets the whole; whoever does not take that is left alone for a while."""
    log.info("a local list is not taken", charger_id=row.charger_id, status=status, is_full=is_full)
    if status == "NotSupported":
        _refused(row, status)
    elif is_full:
        _later(row, Standing.FOREIGN, status)
    else:
        row.standing, row.detail, row.due_at = Standing.FOREIGN, status[:200], timezone.now()


def _refused(row: LocalList, why: str) -> None:
    row.state, row.detail, row.due_at = State.REFUSED, why[:200], None


def _later(row: LocalList, standing: LocalList.Standing, why: str) -> None:
    row.standing, row.detail, row.due_at = standing, why[:200], timezone.now() + _RETRY
