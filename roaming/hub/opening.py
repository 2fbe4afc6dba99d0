"""Open Routing: whom a message without receiver is for, by its content (§transport_and_format_open_routing_request).

What an owner pushes is broadcast; what is read is what the hub holds; what asks one party to do something goes to the
owner of the Location, Session or Token that it is about. Where that leaves a doubt, the sender is asked to name the
party: a guess would start somebody else's charge point.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec

from ocpi.errors import InvalidParameters, NotFound, OcpiError
from ocpi.ids import PartyId
from ocpi.models import Location, Session, Token
from ocpi.ports import Command
from ocpi.status import OcpiStatus
from ocpi.store.tokens import token_key
from ocpi.v221.common import TokenType
from ocpi.v221.versions import InterfaceRole, ModuleID
from roaming.hub.addresses import Place
from roaming.hub.routing import Asked, Kind, Route
from roaming.hub_models import Callback

_AT_PLACES = frozenset({Command.START_SESSION, Command.RESERVE_NOW, Command.UNLOCK_CONNECTOR})


def is_plain(asked: Asked) -> bool:
    """Whether nothing has to be looked up: the hub itself stores it, or shows what it holds."""
    return asked.is_push or (asked.is_read and asked.module != ModuleID.CHARGING_PROFILES)


def route(asked: Asked, place: Place, query: str, body: bytes) -> Route:
    """The party that a message is for; a refusal says what is missing."""
    try:
        what, found = _owner(place, query, body, asked.speaker)
    except OcpiError as error:
        return Route(Kind.REFUSE, error.message, error=error)
    return Route(Kind.DIRECT, f"Open Routing: {what} is of {found}", found)


def _owner(place: Place, query: str, body: bytes, speaker: PartyId | None) -> tuple[str, PartyId]:
    id, *below = map(unquote, place.below.strip("/").split("/"))
    match place.interface, place.module, below:
        case InterfaceRole.SENDER, ModuleID.TOKENS, ["authorize"]:
            type = parse_qs(query).get("type", [TokenType.RFID])[0]
            return f"the Token {id}", _of_token(id, type)
        case InterfaceRole.SENDER, ModuleID.SESSIONS, ["charging_preferences"]:
            return f"the Session {id}", _of_session(id, "owner")
        case InterfaceRole.RECEIVER, ModuleID.CHARGING_PROFILES, []:
            return f"the Session {id}", _of_session(id, "owner")
        case InterfaceRole.SENDER, ModuleID.CHARGING_PROFILES, []:
            return f"the driver of Session {id}", _of_session(id, "token_owner")
        case InterfaceRole.RECEIVER, ModuleID.COMMANDS, []:
            return _of_command(id, _document(body), speaker)
    raise InvalidParameters(f"OCPI-to-*: the hub cannot tell whom this is for: name the receiver ({place.module})")


def _of_command(command: str, document: dict[str, Any], speaker: PartyId | None) -> tuple[str, PartyId]:
    if command in _AT_PLACES:
        id = _text(document, "location_id")
        owners = Location.objects.filter(key=id.lower()).values_list("owner", flat=True)
        return f"the Location {id}", _the(owners, f"Location {id}", OcpiStatus.UNKNOWN_LOCATION)
    if command == Command.STOP_SESSION:
        id = _text(document, "session_id")
        return f"the Session {id}", _of_session(id, "owner")
    if command == Command.CANCEL_RESERVATION:
        id = _text(document, "reservation_id")
        made = Callback.objects.filter(what=Command.RESERVE_NOW, subject=id.lower(), requester_party=speaker or "")
        return f"the reservation {id}", _the(made.values_list("receiver_party", flat=True), f"reservation {id}")
    raise NotFound(f"no such command: {command}")


def _of_token(uid: str, type: str) -> PartyId:
    owners = Token.objects.filter(key=token_key(uid, type)).values_list("owner", flat=True)
    return _the(owners, f"Token {uid} of type {type}", OcpiStatus.UNKNOWN_TOKEN)


def _of_session(id: str, whose: str) -> PartyId:
    return _the(Session.objects.filter(key=id.lower()).values_list(whose, flat=True), f"Session {id}")


def _the(owners: Iterable[str], what: str, unknown: OcpiStatus = OcpiStatus.CLIENT_ERROR) -> PartyId:
    """The only one; raises NotFound for none, and InvalidParameters for several."""
    match sorted(set(owners)):
        case [owner]:
            return PartyId(owner)
        case []:
            raise NotFound(f"this hub holds no {what}: name the receiver in OCPI-to-*", status=unknown)
        case several:
            raise InvalidParameters(f"OCPI-to-*: {', '.join(several)} have a {what}: name the one that is meant")


def _document(body: bytes) -> dict[str, Any]:
    document = msgspec.json.decode(body)
    if not isinstance(document, dict):
        raise InvalidParameters("the body must be a JSON object")
    return document


def _text(document: dict[str, Any], name: str) -> str:
    found = document.get(name)
    if not isinstance(found, str):
        raise InvalidParameters(f"/{name}: is required")
    return found
