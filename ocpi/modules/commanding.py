"""What Commands and ChargingProfiles share: who may command our charge points, what about, and results.

A command is carried out, not stored: whatever is wrong with it is refused. Only oddities in what it passes on, its
Token, are let through.
"""

from dataclasses import replace
from typing import Any, ClassVar

import msgspec
from django.http import HttpRequest

from ocpi import ports
from ocpi.api.views import FunctionalView, refuse
from ocpi.client import url_policy
from ocpi.errors import InvalidParameters, OcpiError
from ocpi.ids import PartyId
from ocpi.ports import Command, CommandRequest, Origin, Verdict
from ocpi.store.documents import Document
from ocpi.store.scope import Scope
from ocpi.store.sessions import sessions
from ocpi.types import codec, validation
from ocpi.types.scalars import Wire
from ocpi.v221.commands import CommandResponseType
from ocpi.v221.common import Role
from ocpi.v221.versions import InterfaceRole

DRIVERS = frozenset({Role.EMSP, Role.NSP, Role.OTHER})  # roles that act for drivers
_PASSED_ON = "/token/"


class CommandedView(FunctionalView):
    """A URL of a Receiver, by which others command charge points of ours."""

    interface = InterfaceRole.RECEIVER
    commanders: ClassVar[frozenset[Role]] = DRIVERS

    def initial(self, request: HttpRequest, **kwargs: Any) -> None:
        super().initial(request, **kwargs)
        if not (self.caller.is_hub or self.commanders & {role for role, _ in self.caller.roles}):
            raise OcpiError(f"only {', '.join(sorted(self.commanders))} and hubs may command charge points")

    @property
    def ours(self) -> Scope:
        """What can be commanded: the objects of our own parties, of the one addressed if any."""
        return replace(self.admitted.scope, local=True)

    def session(self, session_id: str) -> tuple[PartyId | None, Document | None, Verdict | None]:
        """The owner and the Session of ours, and what must be answered without asking a charge point.

        Of another eMSP's Session we say REJECTED, as §mod_commands_commandresponsetype_enum suggests, in both modules.
        """
        found = sessions.find_within(self.ours, session_id)
        if found is None:
            return None, None, Verdict(CommandResponseType.UNKNOWN_SESSION, message="no such Session")
        owner, session = found[0], codec.decode(found[1].encode())
        token = session["cdr_token"]
        if PartyId.of(str(token["country_code"]), str(token["party_id"])) not in self._commanding():
            return owner, None, Verdict(CommandResponseType.REJECTED, message="the Session is not of your driver")
        return owner, session, None

    def _commanding(self) -> frozenset[PartyId | None]:
        """The parties that command: those of the platform; behind a hub, the one that speaks."""
        return frozenset({self.admitted.reply.to}) if self.caller.is_hub else self.caller.parties

    def command(
        self,
        command: Command,
        document: Document,
        owner: PartyId | None = None,
        verdict: Verdict | None = None,
        **about: Document | None,
    ) -> Verdict:
        """Write the command down and say what is to be answered; `about` are objects of ours."""
        reply = self.admitted.reply
        party = owner or reply.from_
        if party is None or reply.to is None:
            raise OcpiError("a command needs a party that sends it and one that receives it")
        request = CommandRequest(command, party, reply.to, document, **about)
        correlation_id: str = self.request.message_ids.correlation_id  # type: ignore[attr-defined]
        origin = Origin(self.caller.platform_id, correlation_id, document["response_url"])
        return ports.commands().receive(request, origin, verdict)


class ResultView(FunctionalView):
    """A response_url of ours, to which the result of a command that we sent comes."""

    interface = InterfaceRole.SENDER

    def take(self, command: Command, uid: str, shape: type[Wire]) -> None:
        """Store the result in the body, with whatever oddities it has besides: it comes only once."""
        document = self.document()
        refuse([violation for violation in validation.check(document, shape) if violation.fatal])
        ports.commands().take_result(self.caller.platform_id, command, uid, document)


def understood(document: Document, shape: type[Wire]) -> Document:
    """The command, if nothing is wrong with it and we are willing to call its response_url; else InvalidParameters."""
    found = validation.check(document, shape)
    refuse([msgspec.structs.replace(v, fatal=v.fatal or not v.pointer.startswith(_PASSED_ON)) for v in found])
    try:
        url_policy.check_url(document["response_url"])
    except url_policy.ForbiddenUrl as error:
        raise InvalidParameters(f"/response_url: {error}") from None
    return document
