"""Commands for charge points of ours (§mod_commands_cpo_interface, §mod_charging_profiles_cpo_interface).

A command is a row before a charge point hears of it, in one transaction with whatever the charge points write. The
first result is the only one, whoever is first: the charge point or the clock. The cancellation of a reservation is
the one thing that may follow, after an ACCEPTED ReserveNow.
"""

from dataclasses import replace
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ocpi import ports
from ocpi.events import command_resolved
from ocpi.ids import PartyId
from ocpi.ports import Command, CommandRequest, Origin, Verdict
from ocpi.store.documents import Document
from ocpi.types import codec
from ocpi.v221.charging_profiles import ChargingProfileResultType
from ocpi.v221.commands import CommandResponseType, CommandResult, CommandResultType
from ocpi.v221.common import DisplayText
from roaming.command_models import CommandOutcome, ProfileFollower, ReceivedCommand
from roaming.commands.subjects import PROFILES, subject
from roaming.sync import wake

log = structlog.get_logger(__name__)

# From the charge point's last moment until the partner has the TIMEOUT: a sweep and a POST.
DELIVERY = timedelta(seconds=5)


@transaction.atomic
def receive(request: CommandRequest, origin: Origin, verdict: Verdict | None) -> Verdict:
    """Implements `ocpi.ports.Commands.receive`."""
    row = ReceivedCommand.objects.create(
        platform_id=origin.platform_id,
        command=request.command,
        commander=request.commander,
        party=request.party,
        subject=subject(request.command, request.document),
        document=codec.encode_text(request.document),
        response_url=origin.response_url,
        correlation_id=origin.correlation_id,
    )
    answer = verdict or ports.charge_points().command(row.pk, request)
    if answer.result == CommandResponseType.ACCEPTED:
        row.deadline = timezone.now() + timedelta(seconds=answer.timeout)
        answer = replace(answer, timeout=answer.timeout + int(DELIVERY.total_seconds()))
    else:
        answer = replace(answer, timeout=0)  # nothing will come
    row.response, row.response_message, row.timeout = answer.result, answer.message, answer.timeout
    row.save(update_fields=["response", "response_message", "timeout", "deadline"])
    return answer


@transaction.atomic
def resolve(command_id: int, result: str, message: str = "", profile: Document | None = None) -> bool:
    """Implements `ocpi.ports.Commands.resolve`; raises ValueError for a result that the command cannot have."""
    row = ReceivedCommand.objects.select_for_update().filter(pk=command_id).first()
    rank = _rank(row, result) if row else None
    if row is None or rank is None:
        log.info("result not sent: the command awaits none", command_id=command_id, result=result)
        return False
    now = timezone.now()
    document = _document(Command(row.command), result, message, profile)
    CommandOutcome.objects.create(command=row, rank=rank, result=result, document=document, due_at=now)
    row.result, row.resolved_at, row.deadline = result, now, None
    row.save(update_fields=["result", "resolved_at", "deadline"])
    if row.command == Command.SET_CHARGING_PROFILE and result == ChargingProfileResultType.ACCEPTED:
        ProfileFollower.objects.get_or_create(
            platform_id=row.platform_id, party=row.commander, owner=row.party, session_key=row.subject.lower()
        )
    sent = {"command_id": row.pk, "platform_id": row.platform_id, "result": result}
    transaction.on_commit(lambda: command_resolved.send(sender=ReceivedCommand, **sent) and None)
    return True


def silence(command: Command) -> str:
    """The result of a command whose charge point did not answer; charging profiles know no TIMEOUT."""
    return ChargingProfileResultType.REJECTED if command in PROFILES else CommandResultType.TIMEOUT


@transaction.atomic
def push_active_profile(owner: PartyId, session_id: str, profile: Document) -> int:
    """Implements `ocpi.ports.Commands.push_active_profile` (§mod_charging_profiles_msp_put_method)."""
    followers = ProfileFollower.objects.filter(owner=owner, session_key=session_id.lower())
    platforms = set(followers.values_list("platform_id", flat=True))
    told = followers.update(
        session_id=session_id,
        document=codec.encode_text(profile),
        revision=F("revision") + 1,
        due_at=timezone.now(),
        attempts=0,
    )
    for platform_id in platforms:
        transaction.on_commit(lambda platform_id=platform_id: wake.resolved(platform_id))  # type: ignore[misc]
    return told


def _rank(row: ReceivedCommand, result: str) -> int | None:
    """The place of a result among those of its command; None when it may have no more."""
    if row.response != CommandResponseType.ACCEPTED:
        return None
    if not row.result:
        return 0
    canceled = result == CommandResultType.CANCELED_RESERVATION and row.result == CommandResultType.ACCEPTED
    return 1 if canceled and row.command == Command.RESERVE_NOW else None


def _document(command: Command, result: str, message: str, profile: Document | None) -> str:
    """The CommandResult, ActiveChargingProfileResult, ChargingProfileResult or ClearProfileResult."""
    if command not in PROFILES:
        if not CommandResultType(result).is_known:
            raise ValueError(f"{result} is no CommandResultType")
        texts = [DisplayText(language="en", text=message[:512])] if message else None
        return codec.encode_text(CommandResult(result=CommandResultType(result), message=texts))
    if not ChargingProfileResultType(result).is_known:
        raise ValueError(f"{result} is no ChargingProfileResultType")
    asked = command is Command.ACTIVE_CHARGING_PROFILE and result == ChargingProfileResultType.ACCEPTED
    if asked != (profile is not None):
        raise ValueError("a profile belongs to an ACCEPTED ActiveChargingProfileResult, and to nothing else")
    return codec.encode_text({"result": result} | ({"profile": profile} if asked else {}))
