"""Commands (§mod_commands_commands_module): an eMSP has a charge point do something.

Receiver: commands for charge points of ours, answered at once; the charge point's answer follows to `response_url`.
Sender: the `response_url`s of the commands that we sent. Both are one path segment deeper than the endpoint (E13).
"""

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path

from ocpi.api.schema import Message
from ocpi.errors import InvalidParameters, NotFound, UnknownLocation
from ocpi.ids import PartyId
from ocpi.modules import paths
from ocpi.modules.commanding import CommandedView, ResultView, understood
from ocpi.ports import Command, Verdict
from ocpi.store import documents
from ocpi.store.documents import Document
from ocpi.store.locations import locations
from ocpi.types import codec
from ocpi.types.scalars import Wire
from ocpi.v221 import commands as wire
from ocpi.v221.commands import CommandResponse, CommandResponseType, CommandResult
from ocpi.v221.common import DisplayText
from ocpi.v221.locations import Capability
from ocpi.v221.versions import ModuleID

MODULE = ModuleID.COMMANDS

SHAPES: dict[Command, type[Wire]] = {
    Command.CANCEL_RESERVATION: wire.CancelReservation,
    Command.RESERVE_NOW: wire.ReserveNow,
    Command.START_SESSION: wire.StartSession,
    Command.STOP_SESSION: wire.StopSession,
    Command.UNLOCK_CONNECTOR: wire.UnlockConnector,
}


class Place(NamedTuple):
    """Where a command is to be carried out."""

    owner: PartyId
    location: Document
    evse: Document | None


class ReceiverView(CommandedView):
    """§mod_commands_cpo_interface"""

    module = MODULE
    messages = {"post": Message(body=tuple(SHAPES.values()), data=CommandResponse)}

    def post(self, request: HttpRequest, *, command: str) -> HttpResponse:
        which = _known(command)
        document = understood(self.document(), SHAPES[which])
        match which:
            case Command.STOP_SESSION:
                owner, session, refusal = self.session(document["session_id"])
                verdict = self.command(which, document, owner, refusal, session=session)
            case Command.CANCEL_RESERVATION:
                verdict = self.command(which, document)
            case _:
                place = self._place(which, document)
                verdict = self.command(which, document, place.owner, location=place.location, evse=place.evse)
        return self.answer(response(verdict))

    def _place(self, command: Command, document: Document) -> Place:
        """The Location of ours and the EVSE in it.

        Raises UnknownLocation with a CommandResponse (digest 9.6) when there is none, InvalidParameters when the
        EVSE needs a Connector and none is named (§mod_commands_startsession_object).
        """
        found = locations.find_within(self.ours, document["location_id"])
        if found is None:
            raise _nowhere(f"no Location {document['location_id']} here")
        owner, location = found[0], codec.decode(found[1].encode())
        evse_uid, connector_id = document.get("evse_uid"), document.get("connector_id")
        if evse_uid is None:
            return Place(owner, location, None)
        evse = documents.child(location, "evses", "uid", evse_uid)
        if evse is None:
            raise _nowhere(f"no EVSE {evse_uid} at Location {location['id']}")
        if connector_id is not None and documents.child(evse, "connectors", "id", connector_id) is None:
            raise _nowhere(f"no Connector {connector_id} at EVSE {evse['uid']}")
        needs_connector = Capability.START_SESSION_CONNECTOR_REQUIRED in documents.items(evse, "capabilities")
        if command is Command.START_SESSION and needs_connector and connector_id is None:
            raise InvalidParameters(f"/connector_id: is required at EVSE {evse['uid']}")
        return Place(owner, location, evse)


class SenderView(ResultView):
    """§mod_commands_emsp_interface"""

    module = MODULE
    messages = {"post": Message(body=CommandResult)}

    def post(self, request: HttpRequest, *, command: str, uid: str) -> HttpResponse:
        self.take(_known(command), uid, CommandResult)
        return self.answer()


def response(verdict: Verdict) -> CommandResponse:
    """The CommandResponse of a verdict; its message is a list (errata E29)."""
    message = [DisplayText(language="en", text=verdict.message)] if verdict.message else None
    return CommandResponse(result=CommandResponseType(verdict.result), timeout=verdict.timeout, message=message)


def _known(name: str) -> Command:
    """Names of commands are enum values: compared with regard to case."""
    try:
        command = Command(name)
        SHAPES[command]
    except (ValueError, KeyError):
        raise NotFound(f"no such command; there are {', '.join(SHAPES)}") from None
    return command


def _nowhere(message: str) -> UnknownLocation:
    return UnknownLocation(message, data=response(Verdict(CommandResponseType.REJECTED, message=message)))


urlpatterns: list[URLPattern] = [
    re_path(rf"^{paths.RECEIVER}/commands/(?P<command>{paths.ID})/?$", ReceiverView.as_view()),
    re_path(rf"^{paths.SENDER}/commands/(?P<command>{paths.ID})/(?P<uid>{paths.ID})/?$", SenderView.as_view()),
]
