"""Tokens (§mod_tokens_tokens_module): who may charge.

Sender: the Tokens of our own parties, and whether one may charge right now. Receiver: eMSPs put and patch theirs.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path

from ocpi import ports
from ocpi.api.schema import TOKEN_TYPE, Message
from ocpi.api.views import FunctionalView, refuse
from ocpi.errors import InvalidParameters, NotFound
from ocpi.ids import PartyId
from ocpi.modules import paths
from ocpi.modules.owned import ListView, ObjectView
from ocpi.ports import AuthorizationRequest
from ocpi.status import OcpiStatus
from ocpi.store.documents import Document
from ocpi.store.tokens import token_key
from ocpi.store.tokens import tokens as store
from ocpi.transport.headers import ReceivedHeaders, RoutingHeaders
from ocpi.types import codec, validation
from ocpi.v221.common import Role, TokenType
from ocpi.v221.tokens import AuthorizationInfo, LocationReferences
from ocpi.v221.versions import InterfaceRole, ModuleID

MODULE = ModuleID.TOKENS


class SenderView(ListView):
    """§mod_tokens_emsp_interface"""

    module, store = MODULE, store


class AuthorizeView(FunctionalView):
    """§mod_tokens_post_method: whether a Token of ours may charge, asked when a driver stands there."""

    module, interface = MODULE, InterfaceRole.SENDER
    messages = {"post": Message(LocationReferences, AuthorizationInfo, query=(TOKEN_TYPE,), optional=True)}

    def post(self, request: HttpRequest, *, object_id: str) -> HttpResponse:
        place = self._place()
        key = token_key(object_id, _type(self.params) or TokenType.RFID)
        issued = store.find_issued(self.admitted.scope, key)
        if issued is None:
            # Both at once, and no data (errata E4).
            raise NotFound("no such Token", status=OcpiStatus.UNKNOWN_TOKEN)
        asked = AuthorizationRequest(
            owner=issued.owner,
            token=codec.decode(issued.text.encode()),
            terms=issued.terms,
            platform_id=self.caller.platform_id,
            cpo=self._asking(),
            correlation_id=request.message_ids.correlation_id,  # type: ignore[attr-defined]
            place=place,
        )
        return self.answer(ports.authorizer().answer(asked))

    def _asking(self) -> PartyId | None:
        """The CPO that speaks; where nobody says who does, the platform's only one."""
        if RoutingHeaders.read(ReceivedHeaders(self.request.META)).from_:
            return self.admitted.reply.to
        cpos = [party for role, party in self.caller.roles if role == Role.CPO]
        return cpos[0] if len(cpos) == 1 else None

    def _place(self) -> Document | None:
        """The LocationReferences, if any: the body may be left out."""
        if not self.request.META.get("CONTENT_LENGTH", "0").strip("0"):
            return None
        place = self.document()
        refuse(validation.check(place, LocationReferences))
        return place


class ReceiverView(ObjectView):
    """§mod_tokens_cpo_interface: a Token is known by uid and type, which is RFID unless the query says otherwise."""

    module, store, missing = MODULE, store, OcpiStatus.UNKNOWN_TOKEN

    @classmethod
    def message(cls, method: str, path: str) -> Message:
        found = super().message(method, path)
        return Message(found.body, found.data, found.partial, (TOKEN_TYPE,))

    def key(self, object_id: str) -> str:
        return token_key(object_id, _type(self.params) or TokenType.RFID)

    def identity(self, object_id: str) -> dict[str, str]:
        """A whole Token says itself of which type it is; the query must agree only where it says something."""
        type = _type(self.params) or (TokenType.RFID if self.request.method == "PATCH" else "")
        return {"uid": object_id, **({"type": type} if type else {})}

    def patch(self, request: HttpRequest, *, object_id: str, **_: Any) -> HttpResponse:
        return self.patched(object_id)


def _type(params: Mapping[str, str]) -> str:
    """The Token's type as the query says it, empty when it does not; raises InvalidParameters for what can be none."""
    given = params.get("type", "")
    if not (given.isascii() and given.isprintable()):
        raise InvalidParameters("type: must be printable ASCII")
    return given


urlpatterns: list[URLPattern] = [
    re_path(rf"^{paths.SENDER}/tokens/?$", SenderView.as_view()),
    re_path(rf"^{paths.SENDER}/tokens/(?P<object_id>{paths.ID})/authorize/?$", AuthorizeView.as_view()),
    re_path(rf"^{paths.RECEIVER}/tokens/{paths.OWNER}/(?P<object_id>{paths.ID})/?$", ReceiverView.as_view()),
]
