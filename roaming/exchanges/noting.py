"""What an entry of the exchange log is: made of a transcript after the message has gone its way."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from ocpi.ids import VERSION
from ocpi.transport.transcripts import Transcript
from roaming.directory import Peer, Picture
from roaming.exchange_models import Exchange
from roaming.exchanges.masking import Mask, without_credentials

_OURS = re.compile(rf"/ocpi/(?:{re.escape(VERSION)}/)?(?:(sender|receiver)/)?([^/?#]*)(.*)", re.DOTALL)
_ENDS = ("", "/", "?")
_LONGEST_MODULE, _LONGEST_METHOD, _LONGEST_URL, _LONGEST_ID, _LONGEST_TEXT = 40, 10, 4000, 128, 2000

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


def row(transcript: Transcript, picture: Picture, *, masked: bool) -> list[Any]:
    """The values of COLUMNS, the first in microseconds since 1970; with `masked` nothing in them names a driver."""
    peer = picture.peers.get(transcript.platform_id or 0)
    module, interface, below = _subject(transcript, peer, masked=masked)
    url, reason, error, request, response = _texts(transcript, Mask(module) if masked else None, below)
    ids, routing = transcript.ids, transcript.routing
    values = [
        round(transcript.at * 1_000_000),
        transcript.direction,
        transcript.platform_id,
        peer.name if peer else "",
        routing.from_ or "",
        routing.to or "",
        module[:_LONGEST_MODULE],
        interface,
        transcript.method[:_LONGEST_METHOD],
        url[:_LONGEST_URL],
        _small(transcript.http_status),
        _small(transcript.status_code),
        round(transcript.seconds * 1000),
        ids.request_id[:_LONGEST_ID],
        ids.correlation_id[:_LONGEST_ID],
        transcript.route,
        reason[:_LONGEST_TEXT],
        error[:_LONGEST_TEXT],
        request,
        transcript.request_size,
        response,
        transcript.response_size,
    ]
    if "\x00" in "".join((module, transcript.method, url, ids.request_id, reason, error, request, response)):
        return list(map(_without_nul, values))
    return values


def _subject(transcript: Transcript, peer: Peer | None, *, masked: bool) -> tuple[str, str, str]:
    """Module, interface, and the part of the URL below the module's endpoint, which is told only when it is masked."""
    module, interface = transcript.module, transcript.interface
    if module and not masked:
        return module, interface, ""
    url = transcript.url
    told, told_interface, below = _received_at(url) if transcript.direction == "IN" else _sent_to(url, peer)
    return module or told, interface or told_interface, below


def _texts(transcript: Transcript, mask: Mask | None, below: str) -> tuple[str, str, str, str, str]:
    """URL, reason, error, request and response without credentials, and masked if they are to be."""
    url, error, token = transcript.url, transcript.error, transcript.token
    if error:
        error = without_credentials(error, token)
    request, response = _body(transcript.request, token), _body(transcript.response, token)
    reason = transcript.reason or (error if transcript.route else "")
    if mask:
        url, request, response = mask.url(url, below), mask.body(request), mask.body(response)
        error, reason = mask.message(error), mask.message(reason)
    return url, reason, error, request, response


def _received_at(url: str) -> tuple[str, str, str]:
    """The same of a URL of ours; empty where that is not known."""
    match = _OURS.match(url)
    return (*_named(match[1], match[2][: 3 * _LONGEST_MODULE]), match[3]) if match else ("versions", "", "")


@lru_cache(1024)
def _named(interface: str | None, module: str) -> tuple[str, str]:
    return ("versions" if module in ("", VERSION) else unquote(module)), (interface or "").upper()


def _sent_to(url: str, peer: Peer | None) -> tuple[str, str, str]:
    """And of a URL of a partner's."""
    for base, module, interface in peer.bases if peer else ():
        if url.startswith(base) and url[len(base) : len(base) + 1] in _ENDS:
            return module, interface, url[len(base) :]
    return "", "", ""


def _body(body: bytes, token: str) -> str:
    return without_credentials(body.decode("utf-8", "replace"), token) if body else ""


def _without_nul(value: Any) -> Any:
    """PostgreSQL knows none."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value


def _small(number: int | None) -> int | None:
    """A status, whatever number a partner has put in its place."""
    return number if number is None or 0 <= number < 2**15 else 0


assert {field.attname for field in Exchange._meta.concrete_fields} == {"id", *COLUMNS}
