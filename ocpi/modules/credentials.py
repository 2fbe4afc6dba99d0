"""Credentials (§credentials_credentials_endpoint): registration, rotation, unregistration.

The view decides who may ask for what; the registrar port does the work, including the callback to the caller's
versions endpoint, before the answer is given.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path

from ocpi import ports
from ocpi.api.schema import Message
from ocpi.api.views import OcpiView, refuse
from ocpi.errors import MethodNotAllowed
from ocpi.modules.paths import VERSION_PATH
from ocpi.types import validation
from ocpi.v221.credentials import Credentials
from ocpi.v221.versions import ModuleID

MODULE = ModuleID.CREDENTIALS


class CredentialsView(OcpiView):
    """§credentials_credentials_endpoint"""

    tag = MODULE
    messages = {
        "get": Message(data=Credentials),
        "post": Message(body=Credentials, data=Credentials),
        "put": Message(body=Credentials, data=Credentials),
    }
    accepts_bootstrap_token = True

    def get(self, request: HttpRequest) -> HttpResponse:
        """§credentials_get_method: we keep only a hash of the caller's token, so the one presented is returned."""
        return self.answer(_ours(self.caller.token))

    def post(self, request: HttpRequest) -> HttpResponse:
        """§credentials_post_method"""
        if self.caller.registered:
            raise MethodNotAllowed("already registered; use PUT", allowed=("GET", "PUT", "DELETE"))
        return self.answer(_ours(ports.registrar().register(self.caller, self._credentials())))

    def put(self, request: HttpRequest) -> HttpResponse:
        """§credentials_put_method"""
        self._must_be_registered()
        return self.answer(_ours(ports.registrar().update(self.caller, self._credentials())))

    def delete(self, request: HttpRequest) -> HttpResponse:
        """§credentials_delete_method"""
        self._must_be_registered()
        ports.registrar().unregister(self.caller)
        return self.answer()

    def _must_be_registered(self) -> None:
        if not self.caller.registered:
            raise MethodNotAllowed("not registered yet; use POST", allowed=("GET", "POST"))

    def _credentials(self) -> dict[str, Any]:
        document = self.document()
        refuse(validation.check(document, Credentials))
        return document


def _ours(token: str) -> dict[str, Any]:
    return {"token": token, "url": f"{settings.NODE_URL}/ocpi/versions", "roles": ports.directory().roles()}


urlpatterns: list[URLPattern] = [re_path(rf"^{VERSION_PATH}/credentials/?$", CredentialsView.as_view())]
