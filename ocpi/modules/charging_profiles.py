"""ChargingProfiles (§mod_charging_profiles_module): an eMSP or SCSP limits the power of a session that goes on.

Receiver: set, clear and ask for the profile of a Session of ours. GET and DELETE carry what they say in the query.
Sender: the `response_url`s of what we asked for, one per kind of result, and news of profiles we have set.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path

from ocpi import ports
from ocpi.api.schema import Message
from ocpi.api.views import FunctionalView, refuse
from ocpi.errors import NotFound
from ocpi.modules import paths
from ocpi.modules.commanding import DRIVERS, CommandedView, ResultView, understood
from ocpi.ports import Command, Verdict
from ocpi.store.documents import Document
from ocpi.types import validation
from ocpi.types.scalars import Url, Wire
from ocpi.v221.charging_profiles import (
    ActiveChargingProfile,
    ActiveChargingProfileResult,
    ChargingProfileResponse,
    ChargingProfileResponseType,
    ChargingProfileResult,
    ClearProfileResult,
    SetChargingProfile,
)
from ocpi.v221.common import Role
from ocpi.v221.versions import InterfaceRole, ModuleID

MODULE = ModuleID.CHARGING_PROFILES

# The path segment of our response_urls, and what comes there.
RESULTS: dict[str, tuple[Command, type[Wire]]] = {
    "active": (Command.ACTIVE_CHARGING_PROFILE, ActiveChargingProfileResult),
    "set": (Command.SET_CHARGING_PROFILE, ChargingProfileResult),
    "clear": (Command.CLEAR_CHARGING_PROFILE, ClearProfileResult),
}
_LONGEST_DURATION = 9  # digits


class ClearQuery(Wire):
    """§mod_charging_profiles_msp_delete_request_parameters"""

    response_url: Url


class ActiveQuery(Wire):
    """§mod_charging_profiles_msp_get_request_parameters; seconds"""

    response_url: Url
    duration: int


SHAPES: dict[Command, type[Wire]] = {
    Command.ACTIVE_CHARGING_PROFILE: ActiveQuery,
    Command.SET_CHARGING_PROFILE: SetChargingProfile,
    Command.CLEAR_CHARGING_PROFILE: ClearQuery,
}
_URL = ("response_url", {"type": "string", "format": "uri"})


class ReceiverView(CommandedView):
    """§mod_charging_profiles_cpo_interface"""

    module = MODULE
    commanders = DRIVERS | {Role.SCSP}
    http_method_names = ["get", "put", "delete"]  # no HEAD: this GET asks a charge point
    messages = {
        "get": Message(data=ChargingProfileResponse, query=(("duration", {"type": "integer"}), _URL)),
        "put": Message(body=SetChargingProfile, data=ChargingProfileResponse),
        "delete": Message(data=ChargingProfileResponse, query=(_URL,)),
    }

    def get(self, request: HttpRequest, *, session_id: str) -> HttpResponse:
        return self._answered(Command.ACTIVE_CHARGING_PROFILE, session_id, self._asked())

    def put(self, request: HttpRequest, *, session_id: str) -> HttpResponse:
        return self._answered(Command.SET_CHARGING_PROFILE, session_id, self.document())

    def delete(self, request: HttpRequest, *, session_id: str) -> HttpResponse:
        return self._answered(Command.CLEAR_CHARGING_PROFILE, session_id, self._asked())

    def _asked(self) -> Document:
        """What the query says, as a document; a duration that is no number stays text and is refused as such."""
        asked: dict[str, Any] = dict(self.params)
        text = asked.get("duration", "")
        if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_DURATION:
            asked["duration"] = int(text)
        return asked

    def _answered(self, command: Command, session_id: str, document: Document) -> HttpResponse:
        understood(document, SHAPES[command])
        owner, session, refusal = self.session(session_id)
        verdict = self.command(command, {"session_id": session_id, **document}, owner, refusal, session=session)
        return self.answer(_response(verdict))


class ResultsView(ResultView):
    """§mod_charging_profiles_msp_post_method"""

    module = MODULE
    messages = {"post": Message(body=tuple(shape for _, shape in RESULTS.values()))}

    def post(self, request: HttpRequest, *, kind: str, uid: str) -> HttpResponse:
        if kind not in RESULTS:
            raise NotFound(f"no such kind of result; there are {', '.join(RESULTS)}")
        command, shape = RESULTS[kind]
        self.take(command, uid, shape)
        return self.answer()


class SenderView(FunctionalView):
    """§mod_charging_profiles_msp_put_method: what applies now to a Session that we have set a profile on."""

    module, interface = MODULE, InterfaceRole.SENDER
    messages = {"put": Message(body=ActiveChargingProfile)}

    def put(self, request: HttpRequest, *, session_id: str) -> HttpResponse:
        profile = self.document()
        refuse(validation.check(profile, ActiveChargingProfile))
        speaker = self.admitted.reply.to
        new = ports.commands().take_active_profile(self.caller.platform_id, speaker, session_id, profile)
        return self.answer(created=new)


def _response(verdict: Verdict) -> ChargingProfileResponse:
    return ChargingProfileResponse(result=ChargingProfileResponseType(verdict.result), timeout=verdict.timeout)


urlpatterns: list[URLPattern] = [
    re_path(rf"^{paths.RECEIVER}/chargingprofiles/(?P<session_id>{paths.ID})/?$", ReceiverView.as_view()),
    re_path(
        rf"^{paths.SENDER}/chargingprofiles/results/(?P<kind>{paths.ID})/(?P<uid>{paths.ID})/?$", ResultsView.as_view()
    ),
    re_path(rf"^{paths.SENDER}/chargingprofiles/(?P<session_id>{paths.ID})/?$", SenderView.as_view()),
]
