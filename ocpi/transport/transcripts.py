"""What went over the wire in one request and its answer, for the exchange log (`ocpi.ports.ExchangeLog`)."""

import time
from typing import Literal

from msgspec import Struct, field

from ocpi.transport.headers import MessageIds, RoutingHeaders

_NOBODY = RoutingHeaders()


class Transcript(Struct, eq=False):
    """One request, in or out, and what is known of its answer by now.

    `route` and `reason` are the decision where a routed request belongs, `error` says what went wrong. `token` is
    the credentials token that we presented: it must not be written down wherever it turns up, and stays out of `repr`.
    `module` and `interface` are there when it is known where the message belongs; of others the URL tells.
    `onward` is the same message as it was passed on to another platform, and what came of that. `at` is in seconds
    since 1970, UTC.
    """

    direction: Literal["IN", "OUT"]
    method: str
    url: str
    ids: MessageIds
    routing: RoutingHeaders = _NOBODY
    platform_id: int | None = None
    token: str = ""
    module: str = ""
    interface: str = ""
    request: bytes = b""
    request_size: int = 0
    http_status: int | None = None
    status_code: int | None = None
    response: bytes = b""
    response_size: int = 0
    route: str = ""
    reason: str = ""
    error: str = ""
    onward: "Transcript | None" = None
    at: float = field(default_factory=time.time)
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    def __repr__(self) -> str:
        return f"<Transcript {self.direction} {self.method} {self.url} {self.http_status} {self.status_code}>"

    @property
    def legs(self) -> tuple["Transcript", ...]:
        """The message as it came, and as it was passed on if it was."""
        return (self, self.onward) if self.onward else (self,)

    def asked(self, body: bytes) -> None:
        """The body of the request."""
        self.request, self.request_size = body, len(body)

    def answered(self, http_status: int, body: bytes, status_code: int | None = None) -> None:
        """The answer as it came; its OCPI status may be learnt later."""
        self.http_status, self.status_code = http_status, status_code
        self.response, self.response_size = body, len(body)

    def end(self) -> None:
        """The exchange is over."""
        self.seconds = time.perf_counter() - self.started
