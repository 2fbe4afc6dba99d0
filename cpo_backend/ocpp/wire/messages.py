"""What every message of OCPP is made of.

Chargers add members of their own, send null for what they do not know, exceed lengths and use words of their own: none
of that makes a message unusable, so shapes bound neither texts nor most words. What we build ourselves is valid because
the tests hold it against the JSON schemas of both versions.
"""

from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct
from msgspec.json import Decoder

# What a column can hold; a number beyond is no id, counter or duration of anything.
Int = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
# Of an EVSE or connector; 0 is the station.
Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Message(Struct, kw_only=True, omit_defaults=True):
    """A payload or a part of one; what is None is left out."""


class Empty(Message):
    """The payload of many requests and answers."""


class Action:
    """The shapes of a request and of its answer."""

    __slots__ = ("_read_request", "_read_response", "request", "response")

    def __init__(self, request: type[Message], response: type[Message]) -> None:
        self.request, self.response = request, response
        self._read_request = Decoder(request, float_hook=Decimal).decode
        self._read_response = Decoder(response, float_hook=Decimal).decode

    def read_request(self, payload: Raw | bytes) -> Any:
        """The request; raises what `frames.fault_of` explains."""
        return self._read_request(payload)

    def read_response(self, payload: Raw | bytes) -> Any:
        """The answer; raises what `frames.fault_of` explains."""
        return self._read_response(payload)
