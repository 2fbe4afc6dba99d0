"""Turns a command of a partner into a CALL to a charger, in the transaction that writes the command down."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from cpo_backend.commanding import queue
from cpo_backend.models import Bill, Charger, OcppCommand, RemoteCommand, RemoteStart, Transaction
from cpo_backend.remote import answering, starts
from cpo_backend.remote.places import Target
from cpo_backend.tokens import aliases
from cpo_backend.transactions import permits
from ocpi.ports import Command, CommandRequest, Verdict
from ocpi.store.documents import Document
from ocpi.types import codec
from ocpi.v221.commands import CommandResponseType
from ocpi.v221.common import TokenType

TIMEOUT = 30
ACCEPTED = Verdict(CommandResponseType.ACCEPTED, timeout=TIMEOUT)
_PURPOSE = OcppCommand.Purpose.REMOTE


def rejected(message: str) -> Verdict:
    return Verdict(CommandResponseType.REJECTED, message=message)


def order(
    command_id: int,
    command: Command,
    charger: Charger,
    action: str,
    payload: Mapping[str, Any],
    subject_id: int | None = None,
) -> Verdict:
    """Have the charger asked, and say so. A charger that is not connected fails at once: nothing is kept for later."""
    send(command_id, command, charger, action, payload, subject_id)
    return ACCEPTED


def send(
    command_id: int,
    command: Command,
    charger: Charger,
    action: str,
    payload: Mapping[str, Any],
    subject_id: int | None = None,
) -> OcppCommand:
    """The same; returns the CALL."""
    call = queue.put(charger, action, payload, purpose=_PURPOSE, timeout=TIMEOUT)
    row = RemoteCommand(ocpp_command=call, command=command, command_id=command_id, subject_id=subject_id)
    row.save(force_insert=True)
    if call.status == OcppCommand.Status.OFFLINE:
        transaction.on_commit(lambda: answering.take(call))
    return call


def start(command_id: int, request: CommandRequest, target: Target) -> Verdict:
    """RemoteStartTransaction, or RequestStartTransaction (§mod_commands_startsession_object)."""
    charger, token, now = target.charger, request.document["token"], timezone.now()
    is_v16 = charger.version == "1.6"
    row = RemoteStart.objects.create(
        charger=charger,
        number=target.number,
        connector=target.connector,
        id_tag=aliases.tag(token["uid"], token["type"]) if is_v16 else token["uid"],
        cdr_token=codec.encode_text(permits.cdr_token(token)),
        authorization_reference=request.document.get("authorization_reference") or "",
        session_id=uuid4().hex,
        created_at=now,
        expires_at=now + timedelta(seconds=TIMEOUT) + starts.patience(charger),
    )
    if is_v16:
        payload = {"idTag": row.id_tag, "connectorId": row.number}
        return order(command_id, request.command, charger, "RemoteStartTransaction", payload, row.pk)
    payload = {"idToken": id_token(token), "remoteStartId": row.pk, "evseId": row.number} | group_of(token)
    return order(command_id, request.command, charger, "RequestStartTransaction", payload, row.pk)


def id_token(token: Document) -> Document:
    """A Token as OCPP 2.0.1 writes it."""
    kind = "ISO14443" if token["type"] == TokenType.RFID else "Central"
    return {"idToken": token["uid"], "type": kind}


def group_of(token: Document) -> Document:
    group = token.get("group_id")
    return {"groupIdToken": {"idToken": group, "type": "Central"}} if group else {}


def stop(command_id: int, request: CommandRequest) -> Verdict:
    """RemoteStopTransaction, or RequestStopTransaction (§mod_commands_stopsession_object)."""
    found = running(request.session)
    if found is None:
        return rejected("the Session does not go on at a charge point")
    if found.charger.version == "1.6":
        payload: Document = {"transactionId": found.pk}
        return order(command_id, request.command, found.charger, "RemoteStopTransaction", payload)
    payload = {"transactionId": found.ocpp_id}
    return order(command_id, request.command, found.charger, "RequestStopTransaction", payload)


def running(session: Document | None) -> Transaction | None:
    """The transaction of a Session, while it goes on."""
    known = Bill.objects.filter(session_id=(session or {}).get("id", ""), transaction__closed_by="")
    bill = known.select_related("transaction__charger").first()
    return bill.transaction if bill else None


def unlock(command_id: int, request: CommandRequest, target: Target) -> Verdict:
    """UnlockConnector (§mod_commands_unlockconnector_object)."""
    if target.charger.version == "1.6":
        payload = {"connectorId": target.number}
    else:
        payload = {"evseId": target.number, "connectorId": target.connector}
    return order(command_id, request.command, target.charger, "UnlockConnector", payload)
