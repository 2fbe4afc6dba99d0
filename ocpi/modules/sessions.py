"""Sessions (§mod_sessions_sessions_module): charging while it happens.

Sender: Sessions of our own parties, each for the eMSP whose driver charges; that eMSP sets charging preferences.
Receiver: CPOs push the Sessions of our drivers. A PATCH adds its charging periods to those there are.
"""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path

from ocpi import ports
from ocpi.api.schema import Message
from ocpi.api.views import FunctionalView, refuse
from ocpi.errors import InvalidParameters, NotFound
from ocpi.ids import PartyId
from ocpi.modules import paths
from ocpi.modules.owned import ListView, ObjectView
from ocpi.status import OcpiStatus
from ocpi.store import documents
from ocpi.store.documents import Document
from ocpi.store.locations import Path, locations
from ocpi.store.sessions import sessions as store
from ocpi.types import codec, validation
from ocpi.v221.locations import Capability
from ocpi.v221.sessions import ChargingPreferences, ChargingPreferencesResponse, SessionStatus
from ocpi.v221.versions import InterfaceRole, ModuleID

MODULE = ModuleID.SESSIONS
_OVER = (SessionStatus.COMPLETED, SessionStatus.INVALID)


class SenderView(ListView):
    """§mod_sessions_cpo_interface; a caller may leave out `date_from` (errata E8)."""

    module, store = MODULE, store


class PreferencesView(FunctionalView):
    """§mod_sessions_cpo_put_method: what the driver wants of smart charging."""

    module, interface = MODULE, InterfaceRole.SENDER
    messages = {"put": Message(body=ChargingPreferences, data=ChargingPreferencesResponse)}

    def put(self, request: HttpRequest, *, object_id: str) -> HttpResponse:
        preferences = self.document()
        refuse(validation.check(preferences, ChargingPreferences))
        # Only what happens at our own charge points is ours to influence.
        found = store.find_within(replace(self.admitted.scope, local=True), object_id)
        if found is None:
            raise NotFound(f"no such Session: {object_id}")
        owner, session = found[0], codec.decode(found[1].encode())
        if session["status"] in _OVER:
            raise InvalidParameters(f"the Session is {session['status']}: preferences are for one that goes on")
        if Capability.CHARGING_PREFERENCES_CAPABLE not in _capabilities(owner, session):
            # §mod_sessions_charging_preferences_response_enum: both at once, although the resource exists
            raise NotFound("the EVSE is not capable of charging preferences", status=OcpiStatus.INVALID_PARAMETERS)
        return self.answer(ports.charge_points().charging_preferences(owner, session, preferences))


class ReceiverView(ObjectView):
    """§mod_sessions_emsp_interface"""

    module, store = MODULE, store

    def patch(self, request: HttpRequest, *, object_id: str, **_: Any) -> HttpResponse:
        return self.patched(object_id)


def _capabilities(owner: PartyId, session: Document) -> list[Any]:
    text = locations.find_part(Path(owner, session["location_id"], session["evse_uid"]))
    return documents.items(codec.decode(text.encode()), "capabilities") if text else []


urlpatterns: list[URLPattern] = [
    re_path(rf"^{paths.SENDER}/sessions/?$", SenderView.as_view()),
    re_path(rf"^{paths.SENDER}/sessions/(?P<object_id>{paths.ID})/charging_preferences/?$", PreferencesView.as_view()),
    re_path(rf"^{paths.RECEIVER}/sessions/{paths.OWNER}/(?P<object_id>{paths.ID})/?$", ReceiverView.as_view()),
]
