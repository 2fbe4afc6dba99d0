"""Meter values as chargers write them, read into one unit for each kind. Pure.

A value that cannot be read costs nothing but itself. Commas, other spellings of units and phases are understood.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from cpo_backend.ocpp.wire import times
from cpo_backend.ocpp.wire.v16 import core as v16
from cpo_backend.ocpp.wire.v201 import transactions as v201
from ocpi.types import codec

REGISTER = "Energy.Active.Import.Register"
INTERVAL = "Energy.Active.Import.Interval"
POWER = "Power.Active.Import"
CURRENT = "Current.Import"
BEGIN, END = "Transaction.Begin", "Transaction.End"
_PERIODIC, _OUTLET, _SIGNED = "Sample.Periodic", "Outlet", "SignedData"

NOTHING = Decimal(0)
_PLACES = Decimal("0.001")
_GREATEST = Decimal(10) ** 12
_NUMERAL = re.compile(r"[-+]?\d{1,30}(?:[.,]\d{1,30})?(?:[eE][-+]?\d{1,2})?", re.ASCII)
_KILO = {"kwh", "kw", "kvarh", "kvar", "kva"}
_FAHRENHEIT, _KELVIN = "fahrenheit", ("k", "kelvin")


@dataclass(frozen=True, slots=True)
class Reading:
    """A value in Wh, W, A, V, percent, Celsius; `is_bare`: its unit was not told."""

    told_at: datetime | None
    measurand: str
    value: Decimal
    phase: str = ""
    location: str = _OUTLET
    context: str = _PERIODIC
    is_bare: bool = False


@dataclass(frozen=True, slots=True)
class Signed:
    """What a meter signed, untouched; `value` in Wh if it was told beside the signature."""

    told_at: datetime | None
    context: str
    data: str
    value: Decimal | None = None
    encoding: str = ""
    signing: str = ""
    public_key: str = ""


@dataclass(frozen=True, slots=True)
class Values:
    """What a message told of a meter; `unread` is how many values could not be read."""

    readings: tuple[Reading, ...] = ()
    signed: tuple[Signed, ...] = ()
    unread: int = 0


def quantity(value: Any) -> Decimal | None:
    """A number, however it is written, to a thousandth; None for what is none or too great to be one."""
    if isinstance(value, str):
        text = value.strip()
        value = Decimal(text.replace(",", ".")) if _NUMERAL.fullmatch(text) else None
    elif isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or abs(value) >= _GREATEST:
        return None
    return value.quantize(_PLACES)


def of_v16(values: Iterable[v16.MeterValue], context: str = _PERIODIC) -> Values:
    """The values of OCPP 1.6; `context` is meant where none is told."""
    readings: list[Reading] = []
    signed: list[Signed] = []
    unread = 0
    for value in values:
        told_at = times.read(value.timestamp)
        for sample in value.sampledValue:
            if sample.format == _SIGNED:
                signed.append(_signed_v16(told_at, sample, context))
            elif reading := _reading(told_at, sample, sample.unit, 0, context):
                readings.append(reading)
            else:
                unread += 1
    return Values(tuple(readings), tuple(signed), unread)


def of_v201(values: Iterable[v201.MeterValue], context: str = _PERIODIC) -> Values:
    """The values of OCPP 2.0.1; a signature is beside its value."""
    readings: list[Reading] = []
    signed: list[Signed] = []
    unread = 0
    for value in values:
        told_at = times.read(value.timestamp)
        for sample in value.sampledValue:
            unit = sample.unitOfMeasure
            reading = _reading(
                told_at, sample, unit.unit if unit else None, (unit.multiplier if unit else None) or 0, context
            )
            if reading:
                readings.append(reading)
            else:
                unread += 1
            if told := sample.signedMeterValue:
                register = reading.value if reading and reading.measurand == REGISTER else None
                signed.append(
                    Signed(
                        told_at=told_at,
                        context=sample.context or context,
                        data=told.signedMeterData,
                        value=register,
                        encoding=told.encodingMethod,
                        signing=told.signingMethod,
                        public_key=told.publicKey,
                    )
                )
    return Values(tuple(readings), tuple(signed), unread)


def _reading(
    told_at: datetime | None,
    sample: v16.SampledValue | v201.SampledValue,
    unit: str | None,
    multiplier: int,
    context: str,
) -> Reading | None:
    value = quantity(sample.value)
    if value is None or abs(multiplier) > 12:
        return None
    value = quantity(_in_base(value, (unit or "").strip().lower()).scaleb(multiplier))
    if value is None:
        return None
    return Reading(
        told_at=told_at,
        measurand=(sample.measurand or REGISTER)[:50],
        value=value,
        phase=(sample.phase or "").removesuffix("-N")[:8],
        location=(sample.location or _OUTLET)[:20],
        context=(sample.context or context)[:30],
        is_bare=not unit,
    )


def _in_base(value: Decimal, unit: str) -> Decimal:
    if unit in _KILO:
        return value * 1000
    if unit == _FAHRENHEIT:
        return (value - 32) * 5 / 9
    if unit in _KELVIN:
        return value - Decimal("273.15")
    return value


def _signed_v16(told_at: datetime | None, sample: v16.SampledValue, context: str) -> Signed:
    """Either what the meter signed, or that in a JSON object with its methods and key (OCA: signed meter values)."""
    data = sample.value if isinstance(sample.value, str) else codec.encode_text(sample.value)
    told: Any = None
    if data.lstrip().startswith("{"):
        try:
            told = codec.decode(data.encode())
        except codec.MalformedJson:
            told = None
    if not isinstance(told, dict) or not isinstance(told.get("signedMeterData"), str):
        return Signed(told_at, sample.context or context, data)
    methods = {name: str(told.get(name) or "") for name in ("encodingMethod", "signingMethod", "publicKey")}
    return Signed(
        told_at=told_at,
        context=sample.context or context,
        data=told["signedMeterData"],
        encoding=methods["encodingMethod"],
        signing=methods["signingMethod"],
        public_key=methods["publicKey"],
    )


def totals(readings: Iterable[Reading]) -> Iterator[tuple[datetime | None, str, Decimal, str, bool]]:
    """One value for each moment, kind and context: without phase if told so, else the sum of the phases; at the outlet
    if that was told. As moment, measurand, value, context, bare.
    """
    groups: dict[tuple[datetime | None, str, str], list[Reading]] = {}
    for reading in readings:
        groups.setdefault((reading.told_at, reading.measurand, reading.context), []).append(reading)
    for (told_at, measurand, context), group in groups.items():
        at_outlet = [reading for reading in group if reading.location == _OUTLET] or group
        whole = [reading for reading in at_outlet if not reading.phase]
        phases = {reading.phase: reading for reading in at_outlet if reading.phase in ("L1", "L2", "L3")}
        if whole:
            yield told_at, measurand, whole[0].value, context, whole[0].is_bare
        elif phases:
            value = sum((reading.value for reading in phases.values()), Decimal(0))
            yield told_at, measurand, value, context, any(reading.is_bare for reading in phases.values())
