"""Everything below `/ocpi/` is an enveloped OCPI answer with message ids, whatever happened to the request.

The outermost middleware: it gives the request its ids, binds them to the log, and repeats them on the response. An
answer that did not come from an OCPI view (Django's own 400, 404 or 500 page) is replaced by an envelope.
"""

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from ocpi.status import OcpiStatus
from ocpi.transport import envelope
from ocpi.transport.headers import MessageIds, ReceivedHeaders

PREFIX = "/ocpi/"
JSON = "application/json"


def is_ocpi(request: HttpRequest) -> bool:
    """Whether the request is for the protocol, not for staff."""
    return request.path_info.startswith(PREFIX)


class MessageMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_ocpi(request):
            return self.get_response(request)
        ids = request.message_ids = MessageIds.read(ReceivedHeaders(request.META))  # type: ignore[attr-defined]
        structlog.contextvars.bind_contextvars(correlation_id=ids.correlation_id, request_id=ids.request_id)
        try:
            response = self.get_response(request)
        finally:
            structlog.contextvars.unbind_contextvars("correlation_id", "request_id")
        if response.headers.get("Content-Type") != JSON:
            response = _enveloped(response)
        for name, value in ids.headers().items():
            response.headers[name] = value
        return response


def _enveloped(response: HttpResponseBase) -> HttpResponse:
    status = OcpiStatus.SERVER_ERROR if response.status_code >= 500 else OcpiStatus.CLIENT_ERROR
    body = envelope.wrap(status=status, message=response.reason_phrase)
    return HttpResponse(body, status=response.status_code, content_type=JSON)
