"""What we send to a partner and what its answer means, without any network.

PartnerError                 the call did not succeed; `str()` says why
├── Unreachable              no connection, TLS trouble, forbidden URL
├── TimedOut                 connected, but no complete answer in time
├── NotOcpi                  an answer that is no OCPI envelope (carries the HTTP status)
│   └── SlowDown             HTTP 429 (carries the pause that was asked for)
└── Refused                  an OCPI answer other than 1xxx (carries HTTP and OCPI status)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ocpi.status import OcpiStatus
from ocpi.transport import authorization
from ocpi.transport.headers import MessageIds, RoutingHeaders
from ocpi.types import codec


class PartnerError(Exception):
    """A call to a partner that did not succeed. The message may quote the partner: bounded and printable."""

    def __init__(self, message: str) -> None:
        super().__init__("".join(sign if sign.isprintable() else "�" for sign in message[:1000]))


class Unreachable(PartnerError): ...


class TimedOut(PartnerError): ...


class NotOcpi(PartnerError):
    def __init__(self, http_status: int, message: str) -> None:
        super().__init__(message)
        self.http_status = http_status


class SlowDown(NotOcpi):
    """`retry_after` is in seconds; None when the partner did not say."""

    def __init__(self, retry_after: float | None) -> None:
        super().__init__(429, f"HTTP 429: asked to pause{'' if retry_after is None else f' for {retry_after:.0f} s'}")
        self.retry_after = retry_after


class Refused(PartnerError):
    def __init__(self, http_status: int, status_code: int, message: str) -> None:
        super().__init__(f"{status_code} {message} (HTTP {http_status})")
        self.http_status, self.status_code = http_status, status_code


@dataclass(frozen=True, slots=True)
class Presented:
    """The credentials token we present, how the partner wants it written, and which platform that is.

    The token is kept out of `repr`.
    """

    token: str
    plain: bool = False
    platform_id: int | None = None

    def __repr__(self) -> str:
        return "Presented(***)"

    def header(self) -> str:
        return f"Token {self.token}" if self.plain else authorization.encode(self.token)


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer."""

    http_status: int
    headers: Mapping[str, str]
    data: Any
    status_code: int = int(OcpiStatus.SUCCESS)


def request_headers(presented: Presented, ids: MessageIds, routing: RoutingHeaders, *, body: bool) -> dict[str, str]:
    """All headers of one request."""
    found = {"Authorization": presented.header(), "Accept": "application/json", **ids.headers(), **routing.headers()}
    if body:
        found["Content-Type"] = "application/json"
    return found


def interpret(http_status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer in an HTTP response; raises NotOcpi, SlowDown or Refused.

    `headers` ignores the case of names, or has them in lower case. Only the OCPI status tells success: whether the
    HTTP status is 200 or 201 means nothing (errata E25), and an envelope over HTTP 404 is an OCPI refusal, not a
    transport failure.
    """
    if http_status == 429:
        raise SlowDown(_pause(headers.get("retry-after", "")))
    try:
        envelope = codec.decode(body)
    except codec.MalformedJson:
        raise NotOcpi(http_status, f"HTTP {http_status} with a body that is not JSON") from None
    if not isinstance(envelope, dict) or not isinstance(envelope.get("status_code"), int):
        raise NotOcpi(http_status, f"HTTP {http_status} with JSON that is no OCPI envelope")
    code = envelope["status_code"]
    if not 1000 <= code < 2000:
        raise Refused(http_status, code, str(envelope.get("status_message") or "")[:500])
    if http_status >= 400:
        raise NotOcpi(http_status, f"HTTP {http_status} with OCPI status {code}")
    return Answer(http_status, headers, envelope.get("data"), code)


def _pause(retry_after: str) -> float | None:
    """The seconds in a Retry-After header, which holds a number or a date."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
