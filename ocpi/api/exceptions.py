"""From exception to OCPI answer, in one place (the HTTP-versus-OCPI rule is in ocpi/errors.py)."""

from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

from ocpi.errors import (
    BodyTooLarge,
    MalformedBody,
    MethodNotAllowed,
    NotFound,
    OcpiError,
    ServerError,
    Unauthenticated,
)
from ocpi.transport import envelope

log = structlog.get_logger(__name__)


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler for OCPI views: every exception, also our own defects, becomes an envelope."""
    answer = _translate(error)
    if isinstance(answer, ServerError):
        log.exception("request failed", path=context["request"].path, exc_info=error)
    response = Response(envelope.wrap_error(answer), status=answer.http_status)
    if isinstance(answer, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Token"
    if isinstance(answer, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(answer.allowed)
    return response


def _translate(error: Exception) -> OcpiError:
    match error:
        case OcpiError():
            return error
        case Http404():
            return NotFound()
        case exceptions.MethodNotAllowed():
            return MethodNotAllowed("method not allowed")
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed() | PermissionDenied():
            return Unauthenticated()
        case RequestDataTooBig():
            return BodyTooLarge()
        case UnreadablePostError():
            return MalformedBody("the body did not arrive")
        case _:
            return ServerError()
