"""What an entry of the exchange log is: made of a transcript after the message has gone its way."""

import re
from typing import Any
from urllib.parse import unquote

from ocpi.ids import VERSION
from ocpi.transport.transcripts import Direction, Transcript
from roaming.directory import Peer, Picture
from roaming.exchange_models import Exchange
from roaming.exchanges.masking import Mask, without_credentials

_OURS = re.compile(rf"/ocpi/(?:{re.escape(VERSION)}/)?(?:(sender|receiver)/)?([^/?#]*)(.*)", re.DOTALL)
_LONGEST_URL = 4000
_LONGEST_TEXT = 2000

COLUMNS = (
    "at",
    "direction",
    "platform_id",
    "platform_name",
    "from_party",
    "to_party",
    "module",
    "interface",
    "method",
    "url",
    "http_status",
    "status_code",
    "milliseconds",
    "request_id",
    "correlation_id",
    "route",
    "reason",
    "error",
    "request_body",
    "request_size",
    "response_body",
    "response_size",
)


def row(transcript: Transcript, picture: Picture, *, masked: bool) -> tuple[Any, ...]:
    """The values of COLUMNS; with `masked` nothing in them names a driver."""
    peer = picture.peers.get(transcript.platform_id or 0)
    module, interface, below = _place(transcript, peer)
    url, error, token = transcript.url, transcript.error, transcript.token
    if error:
        error = without_credentials(error, token)
    request, response = _body(transcript.request, token), _body(transcript.response, token)
    reason = transcript.reason or (error if transcript.route else "")
    if masked:
        mask = Mask(module)
        url, request, response = mask.url(url, below), mask.body(request), mask.body(response)
        error, reason = mask.message(error), mask.message(reason)
    ids, routing = transcript.ids, transcript.routing
    return (
        transcript.at,
        transcript.direction.value,
        transcript.platform_id,
        peer.name if peer else "",
        routing.from_ or "",
        routing.to or "",
        _text(module, 40),
        interface,
        _text(transcript.method, 10),
        _text(url, _LONGEST_URL),
        _small(transcript.http_status),
        _small(transcript.status_code),
        round(transcript.seconds * 1000),
        _text(ids.request_id, 128),
        _text(ids.correlation_id, 128),
        transcript.route,
        _text(reason, _LONGEST_TEXT),
        _text(error, _LONGEST_TEXT),
        _text(request),
        transcript.request_size,
        _text(response),
        transcript.response_size,
    )


def _place(transcript: Transcript, peer: Peer | None) -> tuple[str, str, str]:
    """Module, interface, and the part of the URL below the module's endpoint; empty where that is not known."""
    url = transcript.url
    if transcript.direction is Direction.IN:
        match = _OURS.match(url)
        interface, module, below = match.groups(default="") if match else ("", "", "")
        return ("versions" if module in ("", VERSION) else unquote(module)), interface.upper(), below
    found, longest = ("", "", ""), 0
    for (module, interface), endpoint in (peer.endpoints if peer else {}).items():
        base = endpoint.rstrip("/")
        if url.startswith(base) and len(base) > longest and url[len(base) :][:1] in "/?":
            found, longest = (module, str(interface), url[len(base) :]), len(base)
    return found


def _body(body: bytes, token: str) -> str:
    return without_credentials(body.decode(errors="replace"), token) if body else ""


def _text(text: str, length: int | None = None) -> str:
    """As a column takes it: PostgreSQL knows no NUL."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:length] if text else text


def _small(number: int | None) -> int | None:
    """A status, whatever number a partner has put in its place."""
    return number if number is None or 0 <= number < 2**15 else 0


assert {field.attname for field in Exchange._meta.concrete_fields} == {"id", *COLUMNS}
