"""From exception to OCPI answer, in one place (the HTTP-versus-OCPI rule is in ocpi/errors.py)."""

import structlog
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError

from ocpi.api.middleware import JSON
from ocpi.errors import (
    MalformedBody,
    MethodNotAllowed,
    NotFound,
    OcpiError,
    ServerError,
    Unauthenticated,
)
from ocpi.transport import envelope

log = structlog.get_logger(__name__)


def answer(error: Exception, request: HttpRequest) -> HttpResponse:
    """Every exception that left an OCPI view, also our own defects, as an envelope."""
    translated = _translate(error)
    if isinstance(translated, ServerError):
        log.exception("request failed", path=request.path, exc_info=error)
    response = HttpResponse(envelope.wrap_error(translated), status=translated.http_status, content_type=JSON)
    if isinstance(translated, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Token"
    if isinstance(translated, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(translated.allowed)
    return response


def _translate(error: Exception) -> OcpiError:
    match error:
        case OcpiError():
            return error
        case Http404():
            return NotFound()
        case UnreadablePostError():
            return MalformedBody("the body did not arrive")
        case _:
            return ServerError()
