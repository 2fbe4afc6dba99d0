"""The states of a session and the tariffs it goes by, in order and without gaps."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from ocpi.pricing.faults import BadInput
from ocpi.pricing.periods.history import History, State
from ocpi.pricing.scalars import DAY, instant_of
from ocpi.pricing.tariffs import Tariff, compiled
from ocpi.pricing.zones import Clock, Place, clock_of, place_named

T = TypeVar("T")

_LONGEST = 366 * DAY
"""What claims to last longer has a wrong clock."""


class Phase(NamedTuple):
    """A time in one state."""

    start: int
    end: int
    state: State


class Leg(NamedTuple):
    """A time in one state under one tariff."""

    start: int
    end: int
    phase: Phase
    tariff: Tariff


@dataclass(frozen=True, slots=True)
class Timeline:
    """A session from start to end; instants are microseconds."""

    start: int
    end: int
    is_running: bool
    place: Place
    phases: Sequence[Phase]
    legs: Sequence[Leg]
    documents: Sequence[Mapping[str, Any]]
    """The Tariff documents in the order in which they apply."""

    @property
    def clock(self) -> Clock:
        return clock_of(self.place.zone, self.start, self.end)

    @property
    def origin(self) -> int:
        """The start of charging: the end of the reservation, if there was one."""
        return next((phase.start for phase in self.phases if phase.state is not State.RESERVED), self.end)

    @property
    def tariff_ids(self) -> list[str]:
        return [str(document["id"]) for document in self.documents]


def read(history: History, now: datetime | None = None) -> Timeline:
    """The timeline until the end of the session, or until `now` while it goes on.

    Raises `BadInput`: no end, an end before the start or more than a year later, a reservation after charging began, a
    time zone nobody knows, a Tariff that cannot be compiled, has no id or currency, or shares them with another.
    """
    start, end = instant_of(history.start), history.end or now
    if end is None:
        raise BadInput("is missing", "end")
    until = instant_of(end)
    if not 0 <= until - start <= _LONGEST:
        raise BadInput("is before the start" if until < start else "is more than a year after the start", "end")
    phases = _phases(history, start, until)
    switches = [(instant_of(switch.at), switch.tariff) for switch in history.switches]
    spans = list(_spans(history.tariff, switches, start, until))
    ready = _compiled([document for *_, document in spans])
    return Timeline(
        start=start,
        end=until,
        is_running=history.end is None,
        place=place_named(history.zone),
        phases=phases,
        legs=[
            Leg(max(phase.start, since), min(phase.end, to), phase, tariff)
            for phase in phases
            for (since, to, _), tariff in zip(spans, ready, strict=True)
            if max(phase.start, since) < min(phase.end, to) or start == until
        ],
        documents=[tariff.snapshot for tariff in dict.fromkeys(ready)],
    )


def _phases(history: History, start: int, end: int) -> list[Phase]:
    changes = [(instant_of(change.at), change.state) for change in history.changes]
    phases: list[Phase] = []
    for since, until, state in _spans(State.CHARGING, changes, start, end):
        if phases and phases[-1].state is state:
            phases[-1] = phases[-1]._replace(end=until)
        else:
            phases.append(Phase(since, until, state))
    if any(phase.state is State.RESERVED for phase in phases[1:]):
        raise BadInput("a reservation cannot begin after charging did", "changes")
    return phases


def _spans(first: T, values: Iterable[tuple[int, T]], start: int, end: int) -> Iterator[tuple[int, int, T]]:
    """From when to when each value holds: of several at one instant the last, and at the start what was said before."""
    held = {start: first}
    for since, value in sorted(values, key=lambda item: item[0]):
        held[max(since, start)] = value
    for (since, value), until in zip(held.items(), [*held, end][1:], strict=True):
        if since < end or since == start:
            yield since, min(until, end), value


def _compiled(documents: Sequence[Mapping[str, Any]]) -> list[Tariff]:
    tariffs = []
    for document in documents:
        try:
            tariffs.append(compiled(document))
        except BadInput as fault:
            raise fault.below("tariffs", str(document.get("id"))) from None
    distinct = list(dict.fromkeys(tariffs))
    for tariff in distinct:
        if not tariff.id or not tariff.currency:
            raise BadInput("is missing", "tariffs", tariff.id, "currency" if tariff.id else "id")
    if len({tariff.id.casefold() for tariff in distinct}) < len(distinct):
        raise BadInput("two different tariffs have the same id", "tariffs")
    if len({tariff.currency for tariff in distinct}) > 1:
        raise BadInput("the tariffs have several currencies", "tariffs")
    return tariffs
