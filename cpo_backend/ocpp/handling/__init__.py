"""What is done about each message of a charger: a table for each version, `action -> Handling`.

A handler is `on_…(station, request, received) -> answer`. It raises `frames.Fault` to answer with an error.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import Raw

from cpo_backend.ocpp.rooms import Room
from cpo_backend.ocpp.station import Station
from cpo_backend.ocpp.wire.messages import Message


class Received(NamedTuple):
    """A message as it came: when, its id, and the payload before it was decoded."""

    at: datetime
    id: str
    payload: Raw


class Work(NamedTuple):
    """A message, and from whom: what a handler is given."""

    station: Station
    request: Any
    received: Received


Handler = Callable[[Station, Any, Received], Message]
ManyHandler = Callable[[Sequence[Work]], Sequence[Message | None]]


@dataclass(frozen=True, slots=True)
class Handling:
    """`before_acceptance`: whether a charger that waits for acceptance is served. `asks`: which requests of an action
    may wait for partners, where not all of them do. `many`: works on the messages of many chargers at once; those that
    it has no answer to are `function`'s.
    """

    function: Handler
    room: Room = Room.DATABASE
    before_acceptance: bool = False
    asks: Callable[[Any], bool] | None = None
    many: ManyHandler | None = None

    def room_of(self, request: Any) -> Room:
        return self.room if self.asks is None or self.asks(request) else Room.DATABASE
