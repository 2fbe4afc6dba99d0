"""Charging profiles of OCPI as schedules of OCPP, and back (notes 7). Pure.

Whatever does not fit a charger is made to fit so that it never allows more: fewer periods have the lower limits, and
units are converted at the nominal voltage and rounded down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from ocpi.store.documents import Document
from ocpi.v221.charging_profiles import ChargingRateUnit

NOMINAL_VOLTAGE = Decimal(230)
_TENTH = Decimal("0.1")
_PHASES = {"AC_3_PHASE": 3, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 2}
_DC = "DC"


class Unfit(ValueError):
    """A profile that no charger could apply, in words."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a charger takes: units (empty: either), and how many periods and levels at most."""

    units: frozenset[str] = frozenset()
    periods: int | None = None
    level: int = 1


def watts_per_ampere(connector: Document) -> Decimal | None:
    """What an ampere per phase comes to at a Connector; None where nobody knows."""
    kind = connector.get("power_type")
    if kind != _DC:
        return NOMINAL_VOLTAGE * _PHASES.get(str(kind), 1)
    voltage = connector.get("max_voltage")
    return Decimal(voltage) if isinstance(voltage, int | Decimal) and voltage > 0 else None


def schedule(profile: Document, abilities: Abilities, per_ampere: Decimal | None) -> Document:
    """The members of a ChargingSchedule but its start, the same in all versions; raises Unfit."""
    unit = str(profile["charging_rate_unit"])
    factor, unit = _conversion(unit, abilities, per_ampere)
    periods = _fewer(_periods(profile), abilities.periods)
    found: Document = {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [
            {"startPeriod": start, "limit": _tenths(limit * factor)} for start, limit in periods
        ],
    }
    if profile.get("duration") is not None:
        found["duration"] = profile["duration"]
    if profile.get("min_charging_rate") is not None:
        found["minChargingRate"] = _tenths(profile["min_charging_rate"] * factor)
    return found


def _conversion(unit: str, abilities: Abilities, per_ampere: Decimal | None) -> tuple[Decimal, str]:
    if unit not in (ChargingRateUnit.W, ChargingRateUnit.A):
        raise Unfit(f"{unit} is no unit of power or current")
    if not abilities.units or unit in abilities.units:
        return Decimal(1), unit
    if per_ampere is None:
        raise Unfit(f"the charge point does not know the unit {unit}")
    is_current = unit == ChargingRateUnit.A
    return (per_ampere, "W") if is_current else (1 / per_ampere, "A")


def _periods(profile: Document) -> list[tuple[int, Decimal]]:
    """In order of time, from 0 on; of several that begin at once the lowest."""
    found: dict[int, Decimal] = {}
    for period in profile.get("charging_profile_period") or ():
        start, limit = period["start_period"], Decimal(period["limit"])
        if start < 0 or limit < 0:
            raise Unfit("a period begins before the profile, or has a limit below zero")
        found[start] = min(limit, found.get(start, limit))
    if not found:
        raise Unfit("the profile has no periods")
    first, *others = sorted(found.items())
    return [(0, first[1]), *others]


def _fewer(periods: list[tuple[int, Decimal]], most: int | None) -> list[tuple[int, Decimal]]:
    """Neighbours with the least difference become one, at the lower limit, until there are few enough."""
    periods = list(periods)
    while most is not None and len(periods) > max(most, 1):
        place = min(range(len(periods) - 1), key=lambda at: abs(periods[at][1] - periods[at + 1][1]))
        (start, one), (_, other) = periods[place : place + 2]
        periods[place : place + 2] = [(start, min(one, other))]
    return periods


# From which second on, and at most how much; None: the profile says nothing.
Step = tuple[int, Decimal | None]


def steps(profile: Document, offset: int) -> list[Step]:
    """What a profile allows from the begin of the charging on, which it follows after so many seconds; raises Unfit."""
    duration = profile.get("duration")
    end = None if duration is None else offset + int(duration)
    told: list[Step] = [(0, None)]
    told += [(start + offset, limit) for start, limit in _periods(profile) if end is None or start + offset < end]
    told += [] if end is None else [(end, None)]
    return sorted({max(start, 0): limit for start, limit in told}.items(), key=lambda step: step[0])


def at(found: Sequence[Step], second: float) -> tuple[Decimal | None, int | None]:
    """The limit at a second, and when the next step follows."""
    past = [limit for start, limit in found if start <= second]
    return past[-1] if past else None, next((start for start, _ in found if start > second), None)


def capped(
    profile: Document | None, ceiling: Decimal, per_ampere: Decimal | None, unit: str, offset: int = 0
) -> Document:
    """At each moment the lower of a profile and of `ceiling` (W), from the begin of the charging to its end.

    In the unit of the profile, else in `unit`; equal ones are alike digit for digit. Raises Unfit.
    """
    unit = str(profile["charging_rate_unit"]) if profile else unit
    top = ceiling / watts_per(unit, per_ampere)
    found: dict[int, Decimal] = {}
    for start, limit in steps(profile, offset) if profile else [(0, None)]:
        lower = (top if limit is None else min(limit, top)).normalize()
        if not found or lower != found[max(found)]:
            found[start] = lower
    periods = [{"start_period": start, "limit": limit} for start, limit in found.items()]
    return {"charging_rate_unit": unit, "charging_profile_period": periods}


def watts_per(unit: str, per_ampere: Decimal | None) -> Decimal:
    """What one of a unit comes to in W; raises Unfit."""
    if unit == ChargingRateUnit.W:
        return Decimal(1)
    if unit != ChargingRateUnit.A or per_ampere is None:
        raise Unfit(f"nobody knows what {unit} comes to in W at this Connector")
    return per_ampere


def _tenths(value: Decimal | int) -> Decimal:
    return Decimal(value).quantize(_TENTH, ROUND_FLOOR)


def active(start: str, told: Document, duration: int | None = None) -> Document:
    """The ActiveChargingProfile of a schedule that a charger says applies from `start` on."""
    profile: dict[str, Any] = {
        "start_date_time": start,
        "charging_rate_unit": told["chargingRateUnit"],
        "charging_profile_period": [
            {"start_period": period["startPeriod"], "limit": _tenths(period["limit"])}
            for period in told["chargingSchedulePeriod"]
        ],
    }
    if (seconds := told.get("duration", duration)) is not None:
        profile["duration"] = seconds
    if told.get("minChargingRate") is not None:
        profile["min_charging_rate"] = _tenths(told["minChargingRate"])
    return {"start_date_time": start, "charging_profile": profile}


def unlimited(start: str, connector: Document, duration: int) -> Document | None:
    """Without any profile, the most that the Connector delivers; None where it does not say."""
    limit = connector.get("max_amperage")
    if not isinstance(limit, int | Decimal):
        return None
    told = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}
    return active(start, told, duration)


def abilities(configuration: dict[str, Sequence[Any]]) -> Abilities:
    """What a charger's configuration says of it: value by name, of either version."""
    units = _value(configuration, "ChargingScheduleAllowedChargingRateUnit", "SmartChargingCtrlr.RateUnit")
    words = {word.strip().lower() for word in units.split(",")}
    found = {unit for unit, names in _UNIT_NAMES.items() if names & words}
    periods = _value(configuration, "ChargingScheduleMaxPeriods", "SmartChargingCtrlr.PeriodsPerSchedule")
    level = _value(configuration, "ChargeProfileMaxStackLevel", "SmartChargingCtrlr.ProfileStackLevel")
    return Abilities(
        units=frozenset(found),
        periods=int(periods) if _is_number(periods) and int(periods) > 0 else None,
        level=min(int(level), 1) if _is_number(level) else 1,
    )


_UNIT_NAMES = {"A": {"a", "current"}, "W": {"w", "power"}}


def _value(configuration: dict[str, Sequence[Any]], *names: str) -> str:
    return next((str(configuration[name][0] or "") for name in names if configuration.get(name)), "")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
