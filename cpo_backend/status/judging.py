"""From what a charger reports to the status of an EVSE (§mod_locations_status_enum). Pure.

OCPP 1.6 and 2.0.1 use the same words, but that 2.0.1 says Occupied for all that 1.6 tells apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

from ocpi.v221.locations import Status

_PLAIN = {
    "Available": Status.AVAILABLE,
    "Charging": Status.CHARGING,
    "SuspendedEV": Status.CHARGING,
    "SuspendedEVSE": Status.CHARGING,
    "Finishing": Status.BLOCKED,
    "Reserved": Status.RESERVED,
    "Unavailable": Status.INOPERATIVE,
    "Faulted": Status.OUTOFORDER,
}
# A car is there; what it does depends on the transaction.
_PLUGGED = frozenset({"Preparing", "Occupied"})
_IN_USE = _PLUGGED | {"Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"}
# What the station says of itself that counts for all its EVSEs.
_OF_STATION = {"Unavailable": Status.INOPERATIVE, "Faulted": Status.OUTOFORDER}
# Of several connectors of an EVSE the first of these decides; in use comes before all of them.
_ORDER = ("Reserved", "Available", "Unavailable", "Faulted")


class Use(Enum):
    """What is known of a transaction at the EVSE since a car was plugged in, or since it was last said to be free."""

    NONE = auto()
    ACTIVE = auto()
    ENDED = auto()


class Reported(NamedTuple):
    word: str
    since: datetime


class Verdict(NamedTuple):
    """`status` is None when nothing is known that would change it; `until` is when to judge again."""

    status: Status | None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the status of an EVSE follows from. `offline_since` is None while the charger is connected.

    `is_stale`: what the connectors said does not count any more, or they never said anything, and what was published
    followed from something else.
    """

    override: Status | None = None
    offline_since: datetime | None = None
    station: Reported | None = None
    connectors: Sequence[Reported] = ()
    is_stale: bool = False
    use: Use = Use.NONE
    is_reserved: bool = False
    sibling_in_use: bool = False


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a charger may be away, and how long a car may be plugged in without a transaction."""

    offline: timedelta
    plugged: timedelta


def judge(facts: Facts, patience: Patience, now: datetime) -> Verdict:
    """Staff win over the charger, its absence over what it said, the station over its connectors."""
    if facts.override is not None:
        return Verdict(facts.override)
    if facts.offline_since is not None:
        until = facts.offline_since + patience.offline
        return Verdict(Status.UNKNOWN) if until <= now else Verdict(None, until)
    if facts.station is not None and (status := _OF_STATION.get(facts.station.word)):
        return Verdict(status)
    verdict = _of_connectors(facts, patience, now)
    if facts.use is Use.ACTIVE and verdict.status in (Status.AVAILABLE, None):
        return Verdict(Status.CHARGING)
    if verdict.status is Status.AVAILABLE:
        if facts.is_reserved:
            return Verdict(Status.RESERVED, verdict.until)
        if facts.sibling_in_use:
            return Verdict(Status.BLOCKED)
    return verdict


def is_in_use(connectors: Sequence[Reported]) -> bool:
    """Whether a car is at one of the connectors."""
    return any(connector.word in _IN_USE for connector in connectors)


def _of_connectors(facts: Facts, patience: Patience, now: datetime) -> Verdict:
    used = [connector for connector in facts.connectors if connector.word in _IN_USE]
    if used:
        return _of_used(used[0], facts.use, patience, now)
    if facts.is_stale:
        return Verdict(Status.UNKNOWN)
    words = {connector.word for connector in facts.connectors}
    return Verdict(next((_PLAIN[word] for word in _ORDER if word in words), None))


def _of_used(connector: Reported, use: Use, patience: Patience, now: datetime) -> Verdict:
    if connector.word not in _PLUGGED:
        return Verdict(_PLAIN[connector.word])
    if use is Use.ACTIVE:
        return Verdict(Status.CHARGING)
    if use is Use.ENDED:
        return Verdict(Status.BLOCKED)
    # Plugged in first, authorized then: apps offer to start only where an EVSE is AVAILABLE.
    until = connector.since + patience.plugged
    return Verdict(Status.BLOCKED) if until <= now else Verdict(Status.AVAILABLE, until)
