"""HubClientInfo (§mod_hub_client_info_module): which parties are behind a hub, and whether they can be reached.

Sender: a hub lists the parties connected to it. Receiver: the hubs we are connected to tell us of theirs. This is a
configuration module: nothing is routed, and no message carries routing headers.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path

from ocpi import ports
from ocpi.api.schema import Message
from ocpi.api.views import OcpiView, refuse
from ocpi.errors import NotFound
from ocpi.ids import PartyId
from ocpi.modules import paths
from ocpi.modules.owned import owner_members, same_ids
from ocpi.store.client_infos import client_infos as store
from ocpi.store.objects import Arrival
from ocpi.transport import envelope
from ocpi.types import validation
from ocpi.v221.hub_client_info import ClientInfo
from ocpi.v221.versions import ModuleID

MODULE = ModuleID.HUB_CLIENT_INFO


class SenderView(OcpiView):
    """§mod_hub_client_info_hub_interface"""

    tag = MODULE
    messages = {"get": Message(data=list[ClientInfo])}

    def get(self, request: HttpRequest) -> HttpResponse:
        if not ports.is_hub():
            raise NotFound("this node is no hub")
        return self.page(store.page, ports.gateway().clients(self.caller))


class ReceiverView(OcpiView):
    """§mod_hub_client_info_client_interface: every hub reads and writes what it says itself."""

    tag = MODULE
    messages = {"get": Message(data=ClientInfo), "put": Message(body=ClientInfo)}

    def initial(self, request: HttpRequest, **kwargs: Any) -> None:
        super().initial(request, **kwargs)
        if not self.caller.is_hub:
            raise NotFound("only a hub tells of the parties behind it")
        self.party = PartyId.of(kwargs["country_code"], kwargs["party_id"])

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        text = store.find_from(self.caller.platform_id, self.party)
        if text is None:
            raise NotFound(f"nothing is known of {self.party}")
        return self.answer(envelope.raw(text))

    def put(self, request: HttpRequest, **_: Any) -> HttpResponse:
        document = self.document()
        defects = refuse(validation.check(document, ClientInfo))
        same_ids(document, **owner_members(self.party))
        return self.answer(created=store.put(Arrival(document, defects), self.caller.platform_id))


urlpatterns: list[URLPattern] = [
    re_path(rf"^{paths.SENDER}/hubclientinfo/?$", SenderView.as_view()),
    re_path(rf"^{paths.RECEIVER}/hubclientinfo/{paths.OWNER}/?$", ReceiverView.as_view()),
]
