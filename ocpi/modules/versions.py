"""Versions and version details (§versions_module): where a connection starts.

The endpoints are generated from the mounted modules, so discovery cannot disagree with reality.
"""

from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path

from ocpi import ports
from ocpi.api.schema import Message
from ocpi.api.views import OcpiView
from ocpi.ids import VERSION
from ocpi.modules.paths import VERSION_PATH
from ocpi.v221.versions import Endpoint, InterfaceRole, ModuleID, Version, VersionDetails, VersionNumber

# A mounted interface: module, interface role, path below the version.
Mounted = tuple[ModuleID, InterfaceRole, str]
_OURS = VersionNumber(VERSION)
_OF_A_HUB = (ModuleID.HUB_CLIENT_INFO, InterfaceRole.SENDER)  # other nodes have nothing to tell


class VersionsView(OcpiView):
    """§version_information_endpoint_version_information_endpoint"""

    messages = {"get": Message(data=list[Version])}
    accepts_bootstrap_token = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.answer([Version(version=_OURS, url=f"{settings.NODE_URL}/ocpi/{VERSION}")])


class VersionDetailsView(OcpiView):
    """§version_information_endpoint_version_details_endpoint"""

    messages = {"get": Message(data=VersionDetails)}
    accepts_bootstrap_token = True
    endpoints: Iterable[Mounted] = ()

    def get(self, request: HttpRequest) -> HttpResponse:
        base = f"{settings.NODE_URL}/ocpi/{VERSION}/"
        endpoints = [
            Endpoint(identifier=module, role=role, url=base + path)
            for module, role, path in self.endpoints
            if (module, role) != _OF_A_HUB or ports.is_hub()
        ]
        return self.answer(VersionDetails(version=_OURS, endpoints=endpoints))


def urlpatterns(endpoints: Iterable[Mounted]) -> list[URLPattern]:
    """The two discovery URLs; `endpoints` are (module, interface role, path below the version) of what is mounted."""
    return [
        re_path(r"^versions/?$", VersionsView.as_view()),
        re_path(rf"^{VERSION_PATH}/?$", VersionDetailsView.as_view(endpoints=tuple(endpoints))),
    ]
