"""Django's and the admin's middleware, for staff URLs only.

Each class is its parent with one difference: a request below `/ocpi/` goes straight on. Partners carry no session
and no CSRF token, must never be redirected (a redirected PUT loses its body), and pay for none of it.
"""

from auditlog.middleware import AuditlogMiddleware
from axes.middleware import AxesMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware

from ocpi.api.middleware import is_ocpi


class StaffOnly:
    """Mixin: the middleware runs for every URL but those of OCPI."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_ocpi(request):
            return self.get_response(request)  # type: ignore[attr-defined,no-any-return]
        return super().__call__(request)  # type: ignore[misc,no-any-return]


class StaffWhiteNoise(StaffOnly, WhiteNoiseMiddleware): ...


class StaffSession(StaffOnly, SessionMiddleware): ...


class StaffLocale(StaffOnly, LocaleMiddleware): ...


class StaffCommon(StaffOnly, CommonMiddleware): ...


class StaffCsrf(StaffOnly, CsrfViewMiddleware):
    def process_view(self, request, callback, callback_args, callback_kwargs):  # type: ignore[no-untyped-def]
        return None if is_ocpi(request) else super().process_view(request, callback, callback_args, callback_kwargs)


class StaffAuthentication(StaffOnly, AuthenticationMiddleware): ...


class StaffMessages(StaffOnly, MessageMiddleware): ...


class StaffFrameOptions(StaffOnly, XFrameOptionsMiddleware): ...


class StaffAuditlog(StaffOnly, AuditlogMiddleware): ...


class StaffAxes(StaffOnly, AxesMiddleware): ...
