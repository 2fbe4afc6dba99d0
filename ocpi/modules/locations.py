"""Locations (§mod_locations_locations_module): a CPO's charging sites.

Sender: pages and single objects of our own parties (of everybody, at a hub). Receiver: partners push Locations, EVSEs
and Connectors of the parties they speak for.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path

from ocpi import ports
from ocpi.api.views import FunctionalView, refuse
from ocpi.errors import InvalidParameters, NotFound
from ocpi.ids import PartyId
from ocpi.modules import paths
from ocpi.status import OcpiStatus
from ocpi.store import locations as store
from ocpi.store.locations import Arrival, Path
from ocpi.transport import envelope
from ocpi.types import validation
from ocpi.types.validation import Violation
from ocpi.v221.locations import Connector, Evse, Location
from ocpi.v221.versions import InterfaceRole, ModuleID

MODULE = ModuleID.LOCATIONS


class SenderView(FunctionalView):
    """§mod_locations_cpo_interface"""

    module, interface = MODULE, InterfaceRole.SENDER

    def get(
        self,
        request: HttpRequest,
        location_id: str | None = None,
        evse_uid: str | None = None,
        connector_id: str | None = None,
    ) -> HttpResponse:
        if location_id is None:
            return self.page(store.page)
        text = store.find_any(self.admitted.scope, location_id, evse_uid, connector_id)
        if text is None:
            ids = "/".join(filter(None, (location_id, evse_uid, connector_id)))
            raise NotFound(f"no such object: {ids}", status=OcpiStatus.UNKNOWN_LOCATION)
        return self.answer(envelope.raw(text))


class ReceiverView(FunctionalView):
    """§mod_locations_emsp_interface"""

    module, interface = MODULE, InterfaceRole.RECEIVER

    def initial(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.path = Path(PartyId.of(kwargs.pop("country_code"), kwargs.pop("party_id")), **kwargs)
        if not ports.directory().may_write(self.caller, self.path.owner):
            raise NotFound(f"{self.path.owner} is not a party of the calling platform")

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        text = store.find(self.path)
        if text is None:
            raise NotFound("no such object here", status=OcpiStatus.UNKNOWN_LOCATION)
        return self.answer(envelope.raw(text))

    def put(self, request: HttpRequest, **_: Any) -> HttpResponse:
        document, path, source = self.document(), self.path, self.caller.platform_id
        if path.evse_uid is None:
            defects = refuse(validation.check(document, Location))
            self._same_ids(document, country_code=path.owner.country_code, party_id=path.owner.party_id)
            self._same_ids(document, id=path.location_id)
            return self.answer(created=store.put(Arrival(document, defects), source))
        refuse(validation.check(document, Connector if path.connector_id else Evse))
        self._same_ids(document, **({"id": path.connector_id} if path.connector_id else {"uid": path.evse_uid}))
        return self.answer(created=store.put_part(path, document, source, _defects))

    def patch(self, request: HttpRequest, **_: Any) -> HttpResponse:
        changes, path = self.document(), self.path
        shape = Connector if path.connector_id else Evse if path.evse_uid else Location
        refuse(validation.check_patch(changes, shape))
        identity = {
            "country_code": path.owner.country_code,
            "party_id": path.owner.party_id,
            "id": path.location_id,
        }
        if path.connector_id:
            identity = {"id": path.connector_id}
        elif path.evse_uid:
            identity = {"uid": path.evse_uid}
        self._same_ids(changes, **{name: value for name, value in identity.items() if name in changes})
        store.patch(path, changes, self.caller.platform_id, _defects)
        return self.answer()

    @staticmethod
    def _same_ids(document: dict[str, Any], **expected: str | None) -> None:
        for name, value in expected.items():
            if str(document[name]).lower() != str(value).lower():
                raise InvalidParameters(f"/{name}: {document[name]!r} differs from {value!r} in the URL")


def _defects(location: dict[str, Any]) -> list[Violation]:
    """The defects of a Location after a part of it changed; raises InvalidParameters when it became unusable."""
    violations = validation.check(location, Location)
    refuse([violation for violation in violations if violation.fatal])
    return violations


_PART = rf"(?:/(?P<evse_uid>{paths.ID})(?:/(?P<connector_id>{paths.ID}))?)?"

urlpatterns: list[URLPattern] = [
    re_path(rf"^{paths.SENDER}/locations(?:/(?P<location_id>{paths.ID}){_PART})?/?$", SenderView.as_view()),
    re_path(
        rf"^{paths.RECEIVER}/locations/{paths.OWNER}/(?P<location_id>{paths.ID}){_PART}/?$", ReceiverView.as_view()
    ),
]
