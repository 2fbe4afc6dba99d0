"""What is mounted below `/ocpi/`, and thereby what we advertise.

Adding a module: one file beside this one, one line per interface in `INTERFACES`, its patterns in `_MODULES`.
"""

import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern

from ocpi.api.middleware import PREFIX, is_ocpi
from ocpi.api.views import OcpiView
from ocpi.errors import NotFound
from ocpi.modules import (
    cdrs,
    charging_profiles,
    commands,
    credentials,
    hub_client_info,
    locations,
    sessions,
    tariffs,
    tokens,
    versions,
)
from ocpi.modules.versions import Mounted
from ocpi.v221.versions import InterfaceRole, ModuleID

# The role of credentials has no meaning; SENDER is advised.
INTERFACES: tuple[Mounted, ...] = (
    (ModuleID.CREDENTIALS, InterfaceRole.SENDER, "credentials"),
    (ModuleID.LOCATIONS, InterfaceRole.SENDER, "sender/locations"),
    (ModuleID.LOCATIONS, InterfaceRole.RECEIVER, "receiver/locations"),
    (ModuleID.SESSIONS, InterfaceRole.SENDER, "sender/sessions"),
    (ModuleID.SESSIONS, InterfaceRole.RECEIVER, "receiver/sessions"),
    (ModuleID.CDRS, InterfaceRole.SENDER, "sender/cdrs"),
    (ModuleID.CDRS, InterfaceRole.RECEIVER, "receiver/cdrs"),
    (ModuleID.TARIFFS, InterfaceRole.SENDER, "sender/tariffs"),
    (ModuleID.TARIFFS, InterfaceRole.RECEIVER, "receiver/tariffs"),
    (ModuleID.TOKENS, InterfaceRole.SENDER, "sender/tokens"),
    (ModuleID.TOKENS, InterfaceRole.RECEIVER, "receiver/tokens"),
    (ModuleID.HUB_CLIENT_INFO, InterfaceRole.SENDER, "sender/hubclientinfo"),
    (ModuleID.HUB_CLIENT_INFO, InterfaceRole.RECEIVER, "receiver/hubclientinfo"),
    (ModuleID.COMMANDS, InterfaceRole.SENDER, "sender/commands"),
    (ModuleID.COMMANDS, InterfaceRole.RECEIVER, "receiver/commands"),
    (ModuleID.CHARGING_PROFILES, InterfaceRole.SENDER, "sender/chargingprofiles"),
    (ModuleID.CHARGING_PROFILES, InterfaceRole.RECEIVER, "receiver/chargingprofiles"),
)
_MODULES = (credentials, locations, sessions, cdrs, tariffs, tokens, hub_client_info, commands, charging_profiles)


class UnknownView(OcpiView):
    """Any other URL below `/ocpi/`: 401 without a valid token, 404 with one."""

    def initial(self, request: HttpRequest, **_: Any) -> None:
        raise NotFound("no such OCPI endpoint; see /ocpi/versions")


urlpatterns: list[URLPattern] = [
    *versions.urlpatterns(INTERFACES),
    *(pattern for module in _MODULES for pattern in module.urlpatterns),
]
_VIEWS: list[tuple[re.Pattern[str], Callable[..., HttpResponseBase]]] = [
    (pattern.pattern.regex, pattern.callback) for pattern in urlpatterns
]
_unknown = UnknownView.as_view()


class OcpiMiddleware:
    """Answers what is below `/ocpi/` and hands on the rest.

    A partner has neither session nor CSRF token, must never be redirected (a redirected PUT loses its body), and does
    not pay for what only staff need: their middleware, and a resolver that looks through their URLs first.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_ocpi(request):
            return self.get_response(request)
        path = request.path_info.removeprefix(PREFIX)
        for regex, view in _VIEWS:
            if match := regex.fullmatch(path):
                given = {name: value for name, value in match.groupdict().items() if value is not None}
                return view(request, **given)
        return _unknown(request)
