"""What is mounted below `/ocpi/`, and thereby what we advertise.

Adding a module: one file beside this one, one line per interface in `INTERFACES`, its patterns in `_MODULES`.
"""

from typing import Any

from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.request import Request

from ocpi.api.views import OcpiView
from ocpi.errors import NotFound
from ocpi.ids import VERSION
from ocpi.modules import credentials, locations, versions
from ocpi.modules.versions import Mounted
from ocpi.v221.versions import InterfaceRole, ModuleID

# The role of credentials has no meaning; SENDER is advised.
INTERFACES: tuple[Mounted, ...] = (
    (ModuleID.CREDENTIALS, InterfaceRole.SENDER, "credentials"),
    (ModuleID.LOCATIONS, InterfaceRole.SENDER, "sender/locations"),
    (ModuleID.LOCATIONS, InterfaceRole.RECEIVER, "receiver/locations"),
)
_MODULES = (credentials, locations)


class UnknownView(OcpiView):
    """Any other URL below `/ocpi/`: 401 without a valid token, 404 with one."""

    accepts_bootstrap_token = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound("no such OCPI endpoint; see /ocpi/versions")


_version: list[URLPattern] = [pattern for module in _MODULES for pattern in module.urlpatterns]

urlpatterns: list[URLPattern | URLResolver] = [
    *versions.urlpatterns(INTERFACES),
    path(f"{VERSION}/", include(_version)),
    re_path(r"", UnknownView.as_view()),
]
