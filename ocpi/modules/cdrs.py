"""CDRs (§mod_cdrs_cdrs_module): the final account of a session.

Sender: CDRs of our own parties, each for the eMSP that has to pay. Receiver: a CPO posts a CDR once and learns where
it can be read again. Nothing changes or removes a CDR: it is credited, by another one.
"""

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path

from ocpi import ports
from ocpi.api.schema import Message
from ocpi.api.views import FunctionalView, refuse
from ocpi.errors import NotFound
from ocpi.ids import VERSION
from ocpi.modules import paths
from ocpi.modules.owned import ListView, OwnerView
from ocpi.store.cdrs import cdrs as store
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival
from ocpi.transport import envelope
from ocpi.types import validation
from ocpi.v221.cdrs import Cdr
from ocpi.v221.versions import InterfaceRole, ModuleID

MODULE = ModuleID.CDRS


class SenderView(ListView):
    """§mod_cdrs_cpo_interface"""

    module, store = MODULE, store


class PostView(FunctionalView):
    """§mod_cdrs_post_method: the owner is named in the CDR, not in the URL."""

    module, interface = MODULE, InterfaceRole.RECEIVER
    messages = {"post": Message(body=Cdr)}

    def post(self, request: HttpRequest) -> HttpResponse:
        document = self.document()
        arrival = Arrival(document, refuse(validation.check(document, Cdr)))
        if not ports.directory().may_write(self.caller, arrival.owner):
            raise NotFound(f"{arrival.owner} is not a party of the calling platform")
        response = self.answer(created=store.add(arrival, self.caller.platform_id))
        response.headers["Location"] = _url(document)
        return response


class ReceivedView(OwnerView):
    """§mod_cdrs_msp_get_method: a CDR that we received, at the URL we answered with."""

    module = MODULE
    messages = {"get": Message(data=Cdr)}

    def get(self, request: HttpRequest, *, object_id: str, **_: Any) -> HttpResponse:
        text = store.find_for(self.caller.platform_id, self.caller.parties, self.owner, object_id)
        if text is None:
            raise NotFound("no such CDR here")
        return self.answer(envelope.raw(text))


def _url(document: Document) -> str:
    names = (document["country_code"], document["party_id"], document["id"])
    return "/".join([f"{settings.NODE_URL}/ocpi/{VERSION}/receiver/cdrs", *(quote(name, safe="") for name in names)])


# The id of a CDR stands in no URL but ours, so that unlike other ids it may hold a slash.
_ID = "[ -~]{1,255}?"

urlpatterns: list[URLPattern] = [
    re_path(rf"^{paths.SENDER}/cdrs/?$", SenderView.as_view()),
    re_path(rf"^{paths.RECEIVER}/cdrs/?$", PostView.as_view()),
    re_path(rf"^{paths.RECEIVER}/cdrs/{paths.OWNER}/(?P<object_id>{_ID})/?$", ReceivedView.as_view()),
]
