"""Commands of ours (§mod_commands_cpo_post_method, §mod_charging_profiles_cpo_interface).

A command is a row before it is a request. It is sent once and never again: a command that comes late is worse than
none. Its result comes to a response_url that only the commanded platform can know.
"""

import secrets
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.utils import timezone

from ocpi.client.http import OcpiClient
from ocpi.client.messages import PartnerError
from ocpi.ids import VERSION, PartyId
from ocpi.models import Session
from ocpi.modules import charging_profiles, commands
from ocpi.modules.commanding import DRIVERS
from ocpi.ports import Command
from ocpi.store.documents import Document
from ocpi.transport.headers import MessageIds, RoutingHeaders
from ocpi.types import codec, validation
from ocpi.types.scalars import Wire
from ocpi.v221.charging_profiles import ChargingProfileResponse
from ocpi.v221.commands import CommandResponse, CommandResponseType
from ocpi.v221.common import Role
from ocpi.v221.versions import InterfaceRole, ModuleID
from roaming import breaker
from roaming.command_models import SentCommand
from roaming.commands.subjects import PROFILES, subject
from roaming.directory import Peer, Picture, directory
from roaming.reaching import reach

State = SentCommand.State
SHAPES = commands.SHAPES | charging_profiles.SHAPES
_RESULT_KINDS = {command: kind for kind, (command, _) in charging_profiles.RESULTS.items()}
_LONGEST_TIMEOUT = 24 * 3600  # seconds; a partner that promises a result for later is not waited for
_LONGEST_ID = 36
_RESPONSE_SHAPES: dict[bool, type[Wire]] = {True: ChargingProfileResponse, False: CommandResponse}


class NotSent(Exception):
    """The command cannot be sent; the message says why."""


class _Message(NamedTuple):
    """The request that carries a command."""

    method: str
    url: str
    body: Document | None
    params: dict[str, str]


def send(command: Command, party: PartyId, document: Document, by: str = "") -> SentCommand:
    """Send a command to a party and wait for the answer; raises NotSent.

    `document` is the body without its response_url; for a charging profile also `session_id`, and `duration` in
    seconds when the active one is asked for. What became of it is in the row.
    """
    row = prepare(command, party, document, by)
    row.save()
    dispatch(row)
    return row


def request_active_profile(party: PartyId, session_id: str, duration: int, by: str = "") -> SentCommand:
    """Ask a CPO for the profile of a Session over so many seconds (§mod_charging_profiles_cpo_get_method)."""
    return send(Command.ACTIVE_CHARGING_PROFILE, party, {"session_id": session_id, "duration": duration}, by)


def set_profile(party: PartyId, session_id: str, profile: Document, by: str = "") -> SentCommand:
    """Set a ChargingProfile on a CPO's Session (§mod_charging_profiles_cpo_put_method)."""
    return send(Command.SET_CHARGING_PROFILE, party, {"session_id": session_id, "charging_profile": profile}, by)


def clear_profile(party: PartyId, session_id: str, by: str = "") -> SentCommand:
    """Clear the profile that was set on a CPO's Session (§mod_charging_profiles_cpo_delete_method)."""
    return send(Command.CLEAR_CHARGING_PROFILE, party, {"session_id": session_id}, by)


def prepare(command: Command, party: PartyId, document: Document, by: str = "") -> SentCommand:
    """The row of a command, to be saved and then sent by `dispatch`; raises NotSent."""
    picture = directory.picture()
    peer = _peer(picture, party)
    _endpoint(peer, command)
    if command in PROFILES and not 0 < len(str(document.get("session_id", ""))) <= _LONGEST_ID:
        raise NotSent("/session_id is required, of at most 36 characters")
    uid = secrets.token_urlsafe(32)
    document = {**document, "response_url": _response_url(command, uid)}
    if wrong := validation.check(document, SHAPES[command]):
        raise NotSent("; ".join(f"{violation.pointer or '/'} {violation.message}" for violation in wrong))
    return SentCommand(
        uid=uid,
        platform_id=peer.id,
        command=command,
        commander=_commander(picture, command, party, document),
        party=party,
        subject=subject(command, document),
        document=codec.encode_text(document),
        correlation_id=MessageIds().correlation_id,
        ordered_by=by,
    )


def dispatch(row: SentCommand) -> None:
    """Send a command that is saved, outside any transaction: its result may arrive before the answer."""
    command, platform = Command(row.command), row.platform
    try:
        message = _message(command, _endpoint(_peer(directory.picture(), PartyId(row.party)), command), row)
        client = OcpiClient(
            platform.presented,
            RoutingHeaders(PartyId(row.party), PartyId(row.commander)),
            MessageIds(correlation_id=row.correlation_id),
        )
        with breaker.watched(platform.pk), client:
            answer = client.request(message.method, message.url, message.body, message.params)
        _answered(row, answer.data)
    except (PartnerError, NotSent) as error:
        SentCommand.objects.filter(pk=row.pk).update(error=str(error))
        _settle(row, State.FAILED)
    row.refresh_from_db()


def _peer(picture: Picture, party: PartyId) -> Peer:
    """Where a command for a CPO goes; raises NotSent."""
    peer = reach(picture, party, Role.CPO)
    if peer is None:
        raise NotSent(f"{party} is not connected")
    return peer


def _endpoint(peer: Peer, command: Command) -> str:
    module = ModuleID.CHARGING_PROFILES if command in PROFILES else ModuleID.COMMANDS
    url = peer.endpoint(module, InterfaceRole.RECEIVER)
    if url is None:
        raise NotSent(f"{peer.name} has no Receiver endpoint of {module}")
    return url.rstrip("/")


def _response_url(command: Command, uid: str) -> str:
    below = f"chargingprofiles/results/{_RESULT_KINDS[command]}" if command in PROFILES else f"commands/{command}"
    return f"{settings.NODE_URL}/ocpi/{VERSION}/sender/{below}/{uid}"


def _commander(picture: Picture, command: Command, party: PartyId, document: Document) -> PartyId:
    """The party of ours in whose name the command goes out: the one whose driver it is for; raises NotSent."""
    if "token" in document:
        owner = PartyId.of(document["token"]["country_code"], document["token"]["party_id"])
        if owner not in picture.own_parties:
            raise NotSent(f"the Token is of {owner}: only Tokens of our own may be used")
        return owner
    key = str(document.get("session_id", "")).lower()
    drivers = Session.objects.filter(owner=party, key=key).values_list("token_owner", flat=True)
    if (driver := PartyId(drivers.first() or "")) in picture.own_parties:
        return driver
    ours = picture.own_party(*DRIVERS) or (picture.own_party(Role.SCSP) if command in PROFILES else None)
    if ours is None:
        raise NotSent("no party of ours may send this: it takes an eMSP")
    return ours


def _message(command: Command, base: str, row: SentCommand) -> _Message:
    """Exactly one slash after the endpoint (errata E13)."""
    document = codec.decode(row.document.encode())
    if command not in PROFILES:
        return _Message("POST", f"{base}/{command}", document, {})
    url = f"{base}/{quote(document.pop('session_id'), safe='')}"
    if command is Command.SET_CHARGING_PROFILE:
        return _Message("PUT", url, document, {})
    method = "GET" if command is Command.ACTIVE_CHARGING_PROFILE else "DELETE"
    return _Message(method, url, None, {name: str(value) for name, value in document.items()})


def _answered(row: SentCommand, data: object) -> None:
    """Book the CommandResponse or ChargingProfileResponse; raises PartnerError when it is none."""
    shape = _RESPONSE_SHAPES[Command(row.command) in PROFILES]
    if wrong := [v for v in validation.check(data, shape) if v.fatal]:
        raise PartnerError(f"the answer is no {shape.__name__}: {wrong[0].pointer or '/'} {wrong[0].message}")
    assert isinstance(data, dict), "what has no fatal violation is an object"
    accepted = data["result"] == CommandResponseType.ACCEPTED
    timeout = timedelta(seconds=max(0, min(int(data["timeout"]), _LONGEST_TIMEOUT)))
    SentCommand.objects.filter(pk=row.pk).update(
        response=data["result"][:40],
        response_document=codec.encode_text(data),
        deadline=timezone.now() + timeout if accepted else None,
    )
    _settle(row, State.WAITING if accepted else State.REFUSED)


def _settle(row: SentCommand, state: SentCommand.State) -> None:
    """What follows from the answer, unless the result was faster."""
    SentCommand.objects.filter(pk=row.pk, state=State.SENDING).update(state=state)
