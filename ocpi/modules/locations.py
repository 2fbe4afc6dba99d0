"""Locations (§mod_locations_locations_module): a CPO's charging sites.

Sender: pages and single objects of our own parties (of everybody, at a hub). Receiver: partners push Locations, EVSEs
and Connectors of the parties they speak for.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path

from ocpi.api.schema import Message
from ocpi.api.views import FunctionalView, refuse
from ocpi.errors import NotFound
from ocpi.modules import paths
from ocpi.modules.owned import OwnerView, owner_members, same_ids
from ocpi.status import OcpiStatus
from ocpi.store.locations import Path
from ocpi.store.locations import locations as store
from ocpi.store.objects import Arrival
from ocpi.transport import envelope
from ocpi.types import validation
from ocpi.types.scalars import Wire
from ocpi.types.validation import Violation
from ocpi.v221.locations import Connector, Evse, Location
from ocpi.v221.versions import InterfaceRole, ModuleID

MODULE = ModuleID.LOCATIONS


class SenderView(FunctionalView):
    """§mod_locations_cpo_interface"""

    module, interface = MODULE, InterfaceRole.SENDER

    @classmethod
    def message(cls, method: str, path: str) -> Message:
        return Message(data=_shape(path) if "{" in path else list[Location])

    def get(
        self,
        request: HttpRequest,
        location_id: str | None = None,
        evse_uid: str | None = None,
        connector_id: str | None = None,
    ) -> HttpResponse:
        if location_id is None:
            return self.page(store.page, self.admitted.scope)
        text = store.find_any(self.admitted.scope, location_id, evse_uid, connector_id)
        if text is None:
            ids = "/".join(filter(None, (location_id, evse_uid, connector_id)))
            raise NotFound(f"no such object: {ids}", status=OcpiStatus.UNKNOWN_LOCATION)
        return self.answer(envelope.raw(text))


class ReceiverView(OwnerView):
    """§mod_locations_emsp_interface"""

    module = MODULE

    @classmethod
    def message(cls, method: str, path: str) -> Message:
        shape = _shape(path)
        return Message(data=shape) if method == "get" else Message(body=shape, partial=method == "patch")

    def initial(self, request: HttpRequest, **kwargs: Any) -> None:
        super().initial(request, **kwargs)
        del kwargs["country_code"], kwargs["party_id"]
        self.path = Path(self.owner, **kwargs)

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        text = store.find_part(self.path)
        if text is None:
            raise NotFound("no such object here", status=OcpiStatus.UNKNOWN_LOCATION)
        return self.answer(envelope.raw(text))

    def put(self, request: HttpRequest, **_: Any) -> HttpResponse:
        document, path, source = self.document(), self.path, self.caller.platform_id
        if path.evse_uid is None:
            defects = refuse(validation.check(document, Location))
            same_ids(document, **owner_members(path.owner), id=path.location_id)
            return self.answer(created=store.put(Arrival(document, defects), source))
        refuse(validation.check(document, Connector if path.connector_id else Evse))
        same_ids(document, **({"id": path.connector_id} if path.connector_id else {"uid": path.evse_uid}))
        return self.answer(created=store.put_part(path, document, source, _defects))

    def patch(self, request: HttpRequest, **_: Any) -> HttpResponse:
        changes, path = self.document(), self.path
        shape = Connector if path.connector_id else Evse if path.evse_uid else Location
        refuse(validation.check_patch(changes, shape))
        identity = {**owner_members(path.owner), "id": path.location_id}
        if path.connector_id:
            identity = {"id": path.connector_id}
        elif path.evse_uid:
            identity = {"uid": path.evse_uid}
        same_ids(changes, **{name: value for name, value in identity.items() if name in changes})
        store.patch_part(path, changes, self.caller.platform_id, _defects)
        return self.answer()


def _shape(template: str) -> type[Wire]:
    return Connector if "{connector_id}" in template else Evse if "{evse_uid}" in template else Location


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
