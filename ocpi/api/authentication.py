"""Authentication of partners' platforms by their credentials token."""

from django.http import HttpRequest

from ocpi import ports
from ocpi.api.middleware import transcript
from ocpi.errors import Unauthenticated
from ocpi.ports import Caller


def authenticate(request: HttpRequest) -> Caller:
    """The platform that the token names; raises Unauthenticated (§transport_and_format_authorization_header)."""
    if caller := ports.directory().caller(request.META.get("HTTP_AUTHORIZATION", "")):
        transcript(request).platform_id = caller.platform_id
        return caller
    raise Unauthenticated("no valid credentials token in the Authorization header")
