"""Django's and the admin's middleware, for staff URLs only.

A request below `/ocpi/` goes straight on: partners carry no session and no CSRF token, must never be redirected (a
redirected PUT loses its body), and pay for none of it.
"""

from collections.abc import Callable
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string

from ocpi.api.middleware import is_ocpi

STAFF = (
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
    "axes.middleware.AxesMiddleware",
)


class StaffMiddleware:
    """The whole staff chain as one middleware that OCPI requests pass by in one step."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._straight = get_response
        handler: Any = get_response
        self._view_hooks: list[Callable[..., Any]] = []
        for path in reversed(STAFF):
            layer = import_string(path)(handler)
            if hasattr(layer, "process_view"):
                self._view_hooks.insert(0, layer.process_view)
            handler = convert_exception_to_response(layer)
        self._staff = handler

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._straight(request) if is_ocpi(request) else self._staff(request)

    def process_view(self, request: HttpRequest, *view: Any) -> Any:
        """Django calls this hook of listed middleware only, so those of the chain are called here."""
        if not is_ocpi(request):
            for hook in self._view_hooks:
                if response := hook(request, *view):
                    return response
        return None
