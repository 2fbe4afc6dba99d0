"""Tariffs (§mod_tariffs_tariffs_module): what charging costs.

Sender: the Tariffs of our own parties. Receiver: CPOs put theirs, and delete those that are in use no more.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path

from ocpi.errors import NotFound
from ocpi.modules import paths
from ocpi.modules.owned import ListView, ObjectView
from ocpi.store.tariffs import tariffs as store
from ocpi.v221.versions import ModuleID

MODULE = ModuleID.TARIFFS


class SenderView(ListView):
    """§mod_tariffs_cpo_interface"""

    module, store = MODULE, store


class ReceiverView(ObjectView):
    """§mod_tariffs_emsp_interface"""

    module, store = MODULE, store

    def delete(self, request: HttpRequest, *, object_id: str, **_: Any) -> HttpResponse:
        """§mod_tariffs_delete_method: whoever asks again learns that there is none."""
        if not store.delete(self.owner, object_id, self.caller.platform_id):
            raise NotFound("no such Tariff here")
        return self.answer()


urlpatterns: list[URLPattern] = [
    re_path(rf"^{paths.SENDER}/tariffs/?$", SenderView.as_view()),
    re_path(rf"^{paths.RECEIVER}/tariffs/{paths.OWNER}/(?P<object_id>{paths.ID})/?$", ReceiverView.as_view()),
]
