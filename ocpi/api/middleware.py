"""Everything below `/ocpi/` is an enveloped OCPI answer with message ids, whatever happened to the request.

The outermost middleware: it gives the request its ids, binds them to the log, and repeats them on the response. An
answer that did not come from an OCPI view (Django's own 400, 404 or 500 page) is replaced by an envelope. The exchange
log learns of both.
"""

import contextlib
from collections.abc import Callable
from typing import cast

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, UnreadablePostError

from ocpi import ports
from ocpi.status import OcpiStatus
from ocpi.transport import envelope
from ocpi.transport.headers import MessageIds, ReceivedHeaders
from ocpi.transport.transcripts import Transcript

PREFIX = "/ocpi/"
JSON = "application/json"


def is_ocpi(request: HttpRequest) -> bool:
    """Whether the request is for the protocol, not for staff."""
    return request.path_info.startswith(PREFIX)


def transcript(request: HttpRequest) -> Transcript:
    """What the exchange log will have of this request."""
    return cast(Transcript, request.transcript)  # type: ignore[attr-defined]


class MessageMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_ocpi(request):
            return self.get_response(request)
        ids = request.message_ids = MessageIds.read(ReceivedHeaders(request.META))  # type: ignore[attr-defined]
        found = request.transcript = Transcript("IN", str(request.method), _url(request), ids)  # type: ignore[attr-defined]
        structlog.contextvars.bind_contextvars(correlation_id=ids.correlation_id, request_id=ids.request_id)
        try:
            response = self.get_response(request)
        finally:
            structlog.contextvars.unbind_contextvars("correlation_id", "request_id")
        if response.headers.get("Content-Type") != JSON:
            response = _enveloped(response)
        for name, value in ids.headers().items():
            response.headers[name] = value
        if found.platform_id is not None and not found.request_size:
            found.asked(_unread(request))
        body = getattr(response, "content", b"")
        found.answered(response.status_code, body, envelope.status_of(body))
        ports.exchange_log().note(found)
        return response


def _url(request: HttpRequest) -> str:
    """Path and query as they came."""
    path, query = request.META.get("RAW_PATH") or request.path, request.META.get("QUERY_STRING")
    return f"{path}?{query}" if query else path


def _unread(request: HttpRequest) -> bytes:
    """The body of a request that was refused without looking at it."""
    with contextlib.suppress(UnreadablePostError):
        return bytes(request.read(settings.NODE_MAX_BODY))
    return b""


def _enveloped(response: HttpResponseBase) -> HttpResponse:
    status = OcpiStatus.SERVER_ERROR if response.status_code >= 500 else OcpiStatus.CLIENT_ERROR
    body = envelope.wrap(status=status, message=response.reason_phrase)
    return HttpResponse(body, status=response.status_code, content_type=JSON)
