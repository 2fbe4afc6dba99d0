"""Message ids and routing headers, the only way this project reads or writes them.

A request carries X-Request-ID and X-Correlation-ID; its response repeats both, errors included. A forwarded request
has a new request id and the same correlation id (§transport_and_format_unique_messageg_ids). The four routing headers
belong to functional modules only; the response swaps them (§transport_and_format_message_routing).
"""

import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import count
from typing import Any

from msgspec import Struct, field

from ocpi.errors import InvalidParameters
from ocpi.ids import PartyId

REQUEST_ID = "X-Request-ID"
CORRELATION_ID = "X-Correlation-ID"
_TO = ("OCPI-to-country-code", "OCPI-to-party-id")
_FROM = ("OCPI-from-country-code", "OCPI-from-party-id")
ROUTING = tuple(name.lower().encode() for name in (*_TO, *_FROM))
"""The names of the routing headers as ASGI has them."""

_LONGEST_ID = 128


@cache
def _meta_name(name: str) -> str:
    return f"HTTP_{name.upper().replace('-', '_')}"


class ReceivedHeaders(Mapping[str, str]):
    """The headers of a WSGI environ, read where they are; Django's own mapping copies all of them first."""

    def __init__(self, meta: Mapping[str, Any]) -> None:
        self._meta = meta

    def __getitem__(self, name: str) -> str:
        return str(self._meta[_meta_name(name)])

    def get(self, name: str, default: Any = None) -> Any:
        return self._meta.get(_meta_name(name), default)

    def __iter__(self) -> Iterator[str]:
        return (key[5:].replace("_", "-").title() for key in self._meta if key.startswith("HTTP_"))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Ids:
    """The first twelve digits of the ids of a process number them, from the milliseconds since 1970 at its start on;
    the others are the process's own.

    Ids of about the same time are neighbours in an index, where those at random would touch a page each. Unique, not
    secret: to ask the system for randomness would cost a relayed message more than all its headers.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin anew, as every process must for itself."""
        self.numbers = count(time.time_ns() // 1_000_000)
        digits = f"{secrets.randbits(72):018x}"
        self.own = f"4{digits[:3]}-a{digits[3:6]}-{digits[6:]}"


_ids = _Ids()
os.register_at_fork(after_in_child=_ids.begin)


def new_id() -> str:
    """A new message id, a UUID of version 4."""
    number = next(_ids.numbers)
    return f"{number >> 16:08x}-{number & 0xFFFF:04x}-{_ids.own}"


def _sane(value: str | None) -> str:
    """A received id as we repeat it: printable ASCII of bounded length, or a new one."""
    if value and len(value) <= _LONGEST_ID and value.isascii() and value.isprintable():
        return value
    return new_id()


class MessageIds(Struct, frozen=True):
    """The ids of one request, repeated in its response."""

    request_id: str = field(default_factory=new_id)
    correlation_id: str = field(default_factory=new_id)

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> "MessageIds":
        """The caller's ids; a missing or unprintable one is replaced, so that every answer has both."""
        return cls(_sane(headers.get(REQUEST_ID)), _sane(headers.get(CORRELATION_ID)))

    def next_hop(self) -> "MessageIds":
        """Ids for a request caused by this one: new request id, same correlation id."""
        return MessageIds(new_id(), self.correlation_id)

    def headers(self) -> dict[str, str]:
        return {REQUEST_ID: self.request_id, CORRELATION_ID: self.correlation_id}

    @property
    def lines(self) -> str:
        """The headers as they go over the wire."""
        return f"{REQUEST_ID}: {self.request_id}\r\n{CORRELATION_ID}: {self.correlation_id}\r\n"

    def encoded(self) -> list[tuple[bytes, bytes]]:
        """The headers as ASGI has them."""
        return [(b"x-request-id", self.request_id.encode()), (b"x-correlation-id", self.correlation_id.encode())]


def _party(country_code: str, party_id: str, names: tuple[str, str]) -> PartyId | None:
    country_code, party_id = country_code.strip(), party_id.strip()
    if not country_code and not party_id:
        return None
    try:
        return PartyId.parse(f"{country_code}*{party_id}")
    except ValueError:
        raise InvalidParameters(f"{names[0]} and {names[1]} must both be given, two and three characters") from None


@dataclass(frozen=True, slots=True)
class RoutingHeaders:
    """To whom a message goes and from whom it comes; either may be absent (Open Routing, single-party peers)."""

    to: PartyId | None = None
    from_: PartyId | None = None

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> "RoutingHeaders":
        """Raises InvalidParameters when only half of a party is given."""
        get = headers.get
        return _routing(get(_TO[0], ""), get(_TO[1], ""), get(_FROM[0], ""), get(_FROM[1], ""))

    def reply(self) -> "RoutingHeaders":
        """The headers of the response: sender and receiver change places."""
        return RoutingHeaders(to=self.from_, from_=self.to)

    def headers(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for party, names in ((self.to, _TO), (self.from_, _FROM)):
            if party:
                found[names[0]], found[names[1]] = party.country_code, party.party_id
        return found


@lru_cache(4096)  # every message names the same few parties
def _routing(to_country: str, to_party: str, from_country: str, from_party: str) -> RoutingHeaders:
    return RoutingHeaders(_party(to_country, to_party, _TO), _party(from_country, from_party, _FROM))
