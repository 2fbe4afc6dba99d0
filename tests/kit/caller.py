"""A partner as client: OCPI requests into the node over Django's test client. Every answer is checked on arrival."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.test import Client

from ocpi.ids import PartyId
from ocpi.transport import authorization
from ocpi.transport.headers import CORRELATION_ID, REQUEST_ID, RoutingHeaders
from ocpi.types import codec, times

VERSIONS = "/ocpi/versions"
DETAILS = "/ocpi/2.2.1"
CREDENTIALS = "/ocpi/2.2.1/credentials"
SENDER_LOCATIONS = "/ocpi/2.2.1/sender/locations"
RECEIVER_LOCATIONS = "/ocpi/2.2.1/receiver/locations"
SENDER = "/ocpi/2.2.1/sender"
RECEIVER = "/ocpi/2.2.1/receiver"

_NOTHING = object()


@dataclass(frozen=True)
class Answer:
    """An answer of the node; `envelope` has exact decimals."""

    http: int
    headers: Mapping[str, str]
    body: bytes
    envelope: dict[str, Any]

    @property
    def status(self) -> int:
        code: int = self.envelope["status_code"]
        return code

    @property
    def codes(self) -> tuple[int, int]:
        """HTTP and OCPI status at once: most tests ask for both."""
        return self.http, self.status

    @property
    def message(self) -> str:
        return str(self.envelope["status_message"])

    @property
    def data(self) -> Any:
        return self.envelope["data"]

    @property
    def next_url(self) -> str | None:
        link = self.headers.get("Link")
        return link[link.index("<") + 1 : link.index(">")] if link else None

    @property
    def routing(self) -> RoutingHeaders:
        return RoutingHeaders.read(self.headers)


class PartnerClient:
    """Calls the node with `token`; `to` and `from_` are the routing headers of every request.

    Django is called directly, or, `at` the URL of a front door (tests/kit/front_door.py), the node as partners see it.
    """

    def __init__(self, token: str = "", to: str | None = None, from_: str | None = None, at: str = "") -> None:
        self.token, self._at = token, at
        self._client = Client(raise_request_exception=False)
        self.routing = RoutingHeaders(PartyId.parse(to) if to else None, PartyId.parse(from_) if from_ else None)

    def get(self, path: str, params: Mapping[str, Any] | None = None, **options: Any) -> Answer:
        return self.request("GET", path, params=params, **options)

    def put(self, path: str, body: Any = _NOTHING, **options: Any) -> Answer:
        return self.request("PUT", path, body, **options)

    def patch(self, path: str, body: Any = _NOTHING, **options: Any) -> Answer:
        return self.request("PATCH", path, body, **options)

    def post(self, path: str, body: Any = _NOTHING, **options: Any) -> Answer:
        return self.request("POST", path, body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.request("DELETE", path, **options)

    def request(
        self,
        method: str,
        path: str,
        body: Any = _NOTHING,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        environ: Mapping[str, Any] | None = None,
    ) -> Answer:
        """One exchange. `bytes` bodies go out as they are; `headers` replace ours, the value None removes one.

        `environ` sets WSGI variables as a server would, for requests that no client library lets through.
        """
        sent: dict[str, str | None] = {
            REQUEST_ID: str(uuid.uuid4()),
            CORRELATION_ID: str(uuid.uuid4()),
            "Authorization": authorization.encode(self.token) if self.token else None,
            "Content-Type": None if body is _NOTHING else "application/json",
            **self.routing.headers(),
            **(headers or {}),
        }
        raw = b"" if body is _NOTHING else body if isinstance(body, bytes) else codec.encode(body)
        received = {name: value for name, value in sent.items() if value is not None}
        path = path.removeprefix(settings.NODE_URL)
        response: Any
        if self._at:
            response = httpx.request(method, self._at + path, content=raw, params=params, headers=received, timeout=30)
        else:
            response = self._client.generic(
                method,
                path,
                raw,
                query_params=params,
                headers=received,
                **{"CONTENT_TYPE": sent.get("Content-Type") or "", **(environ or {})},
            )
        content = response.content
        if method == "HEAD":
            return Answer(response.status_code, response.headers, content, {})
        answer = Answer(response.status_code, response.headers, content, _envelope(response.headers, content))
        for name in (REQUEST_ID, CORRELATION_ID):
            value = sent[name]
            if value and value.isascii() and value.isprintable() and len(value) <= 128:
                assert answer.headers[name] == value, f"{name} is not repeated"
            assert answer.headers[name]
        return answer


def _envelope(headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
    """The body, which is an envelope whatever happened (§transport_and_format_response_format)."""
    assert headers["Content-Type"] == "application/json", f"{headers['Content-Type']}: {content[:200]!r}"
    envelope = codec.decode(content)
    assert envelope.keys() <= {"data", "status_code", "status_message", "timestamp"}
    assert isinstance(envelope["status_code"], int) and 1000 <= envelope["status_code"] <= 4999
    assert envelope["timestamp"].endswith("Z") and times.parse(envelope["timestamp"])
    return dict(envelope)


def path_of(url: str) -> str:
    """The path and query of an absolute URL."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
