"""What comes to our response_urls (§mod_commands_emsp_interface, §mod_charging_profiles_emsp_interface).

Only from the platform that was sent the command. The first result counts; a repetition changes nothing; one that
differs is kept beside it, but for CANCELED_RESERVATION, which follows an ACCEPTED ReserveNow.
"""

from django.db import transaction
from django.utils import timezone

from ocpi.errors import NotFound
from ocpi.ids import PartyId
from ocpi.models import Session
from ocpi.ports import Command
from ocpi.store.documents import Document
from ocpi.types import codec
from ocpi.v221.commands import CommandResultType
from roaming.command_models import ActiveProfile, ReturnedResult, SentCommand

State = SentCommand.State
_MOST = 10  # results kept of one command; what a partner sends beyond them is acknowledged and forgotten
_LONGEST = 40


@transaction.atomic
def take_result(platform_id: int, command: Command, uid: str, document: Document) -> None:
    """Implements `ocpi.ports.Commands.take_result`."""
    commands = SentCommand.objects.select_for_update()
    row = commands.filter(uid=uid, command=command, platform_id=platform_id).first()
    if row is None:
        raise NotFound("no such command was sent to the calling platform")
    returned = [codec.decode(known.document.encode()) for known in row.returned.all()]
    if document in returned or len(returned) >= _MOST:
        return
    now = timezone.now()
    result = str(document["result"])[:_LONGEST]
    counts = not row.result or _cancels(row, result)
    late = row.deadline is not None and now > row.deadline and not _cancels(row, result)
    ReturnedResult.objects.create(
        command=row, result=result, document=codec.encode_text(document), counts=counts, late=late
    )
    if not counts:
        return
    row.result, row.state, row.resolved_at, row.late = result, State.RESOLVED, now, late
    row.save(update_fields=["result", "state", "resolved_at", "late"])
    if isinstance(document.get("profile"), dict):
        _remember(platform_id, PartyId(row.party), row.subject, document["profile"])


def take_active_profile(platform_id: int, speaker: PartyId | None, session_id: str, profile: Document) -> bool:
    """Implements `ocpi.ports.Commands.take_active_profile`."""
    owners = Session.objects.filter(key=session_id.lower(), source=platform_id).values_list("owner", flat=True)
    owner = speaker if speaker in owners else owners.first()
    if owner is None:
        raise NotFound(f"the calling platform has sent no Session {session_id}")
    return _remember(platform_id, PartyId(owner), session_id, profile)


def _remember(platform_id: int, owner: PartyId, session_id: str, profile: Document) -> bool:
    _, created = ActiveProfile.objects.update_or_create(
        owner=owner,
        session_key=session_id.lower(),
        defaults={"platform_id": platform_id, "document": codec.encode_text(profile)},
    )
    return created


def _cancels(row: SentCommand, result: str) -> bool:
    """§mod_commands_flow: a CPO may have to cancel what it has reserved."""
    reserved = row.command == Command.RESERVE_NOW and row.result == CommandResultType.ACCEPTED
    return reserved and result == CommandResultType.CANCELED_RESERVATION
