"""What went over the wire in one request and its answer, for the exchange log (`ocpi.ports.ExchangeLog`)."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial

from ocpi.transport.headers import MessageIds, RoutingHeaders

_NOBODY = RoutingHeaders()


class Direction(StrEnum):
    IN = "IN"
    OUT = "OUT"


@dataclass(eq=False)
class Transcript:
    """One request, in or out, and what is known of its answer by now.

    `route` and `reason` are the decision where a routed request belongs, `error` says what went wrong. `token` is
    the credentials token that we presented: it must not be written down wherever it turns up, and stays out of `repr`.
    `onward` is the same message as it was passed on to another platform, and what came of that. What is not known yet
    costs nothing: those fields are the class's own until they are set.
    """

    direction: Direction
    method: str
    url: str
    ids: MessageIds
    routing: RoutingHeaders = _NOBODY
    platform_id: int | None = None
    token: str = field(default="", repr=False)
    request: bytes = field(default=b"", init=False, repr=False)
    request_size: int = field(default=0, init=False)
    http_status: int | None = field(default=None, init=False)
    status_code: int | None = field(default=None, init=False)
    response: bytes = field(default=b"", init=False, repr=False)
    response_size: int = field(default=0, init=False)
    route: str = field(default="", init=False)
    reason: str = field(default="", init=False)
    error: str = field(default="", init=False)
    onward: "Transcript | None" = field(default=None, init=False, repr=False)
    at: datetime = field(default_factory=partial(datetime.now, UTC), init=False)
    started: float = field(default_factory=time.perf_counter, init=False)
    seconds: float = field(default=0.0, init=False)

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
