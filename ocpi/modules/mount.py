"""What is mounted below `/ocpi/`, and thereby what we advertise.

Adding a module: one file beside this one, one line per interface in `INTERFACES`, its patterns in `_MODULES`.
"""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, re_path

from ocpi.api.authentication import authenticate
from ocpi.api.middleware import JSON
from ocpi.errors import NotFound, OcpiError
from ocpi.ids import VERSION
from ocpi.modules import credentials, locations, versions
from ocpi.transport import envelope
from ocpi.v221.versions import InterfaceRole, ModuleID

# (module, interface role, path below the version). The role of credentials has no meaning; SENDER is advised.
INTERFACES: tuple[tuple[ModuleID, InterfaceRole, str], ...] = (
    (ModuleID.CREDENTIALS, InterfaceRole.SENDER, "credentials"),
    (ModuleID.LOCATIONS, InterfaceRole.SENDER, "sender/locations"),
    (ModuleID.LOCATIONS, InterfaceRole.RECEIVER, "receiver/locations"),
)
_MODULES = (credentials, locations)


def unknown(request: HttpRequest) -> HttpResponse:
    """Any other URL below `/ocpi/`: 401 without a valid token, 404 with one, both enveloped."""
    try:
        authenticate(request)
        raise NotFound("no such OCPI endpoint; see /ocpi/versions")
    except OcpiError as error:
        return HttpResponse(envelope.wrap_error(error), status=error.http_status, content_type=JSON)


_version: list[URLPattern] = [pattern for module in _MODULES for pattern in module.urlpatterns]

urlpatterns: list[URLPattern | URLResolver] = [
    *versions.urlpatterns(INTERFACES),
    re_path(rf"^{VERSION}/", include(_version)),
    re_path(r"", unknown),
]
