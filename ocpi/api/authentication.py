"""Authentication of partners' platforms by their credentials token."""

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from ocpi import ports
from ocpi.errors import Unauthenticated
from ocpi.ports import Caller
from ocpi.transport import authorization


class PlatformAuthentication(BaseAuthentication):
    """The caller is whom the token names; every failure is HTTP 401 (§transport_and_format_authorization_header)."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        return authenticate(request._request), None

    def authenticate_header(self, request: Request) -> str:
        return "Token"


def authenticate(request: HttpRequest) -> Caller:
    """The platform calling; raises Unauthenticated."""
    for token in authorization.decode(request.META.get("HTTP_AUTHORIZATION")):
        if caller := ports.directory().authenticate(token):
            return caller
    raise Unauthenticated("no valid credentials token in the Authorization header")
