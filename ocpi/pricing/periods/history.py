"""What is known of a session: meter samples, changes of state, and the tariffs it goes by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from ocpi.pricing import kinds


class State(StrEnum):
    """What goes on at the EVSE.

    Parking is time in which the vehicle does not request power; while the EVSE offers none to a vehicle that wants
    it, the time is charging time (§mod_cdrs_cdrdimensiontype_enum).
    """

    RESERVED = "reserved"
    CHARGING = "charging"
    SUSPENDED_EV = "suspended_ev"
    SUSPENDED_EVSE = "suspended_evse"
    FINISHING = "finishing"

    @property
    def kind(self) -> int:
        """What time in this state is billed as."""
        if self is State.RESERVED:
            return kinds.RESERVATION_TIME
        return kinds.TIME if self in (State.CHARGING, State.SUSPENDED_EVSE) else kinds.PARKING_TIME


@dataclass(frozen=True, slots=True)
class Sample:
    """What the meter showed: register in kWh, power in kW, current in A as the sum over all phases."""

    at: datetime
    register: Decimal | None = None
    power: Decimal | None = None
    current: Decimal | None = None
    is_signed: bool = False
    """Whether the register is signed by the meter; the first and the last signed value decide on the energy."""


@dataclass(frozen=True, slots=True)
class Change:
    """The EVSE is in this state from then on."""

    at: datetime
    state: State


@dataclass(frozen=True, slots=True)
class Switch:
    """The session goes by this Tariff from then on, because the driver chose another profile."""

    at: datetime
    tariff: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class History:
    """A session as the charge point told it, in any order. It is charging until a change says otherwise."""

    start: datetime
    end: datetime | None
    """None while it goes on."""
    zone: str
    """IANA time zone of the Location."""
    tariff: Mapping[str, Any]
    """The Tariff document that was valid when it started."""
    samples: Sequence[Sample] = ()
    changes: Sequence[Change] = ()
    switches: Sequence[Switch] = ()
    steady_after: int = 60
    """Seconds for which power or current must be beyond a threshold before the price follows; part of the contract."""
