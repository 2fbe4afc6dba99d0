"""Meter values as chargers write them (notes 8)."""

from decimal import Decimal
from typing import Any

import pytest

from cpo_backend.ocpp.wire.v16.actions import FROM_CHARGER as V16
from cpo_backend.ocpp.wire.v201.actions import FROM_CHARGER as V201
from cpo_backend.transactions import readings
from cpo_backend.transactions.readings import REGISTER, Values, totals
from ocpi.types import codec
from tests.kit.charging import metered, sample


def v16(*samples: dict[str, Any]) -> Values:
    request = {"connectorId": 1, "meterValue": [metered(0, *samples)]}
    return readings.of_v16(V16["MeterValues"].read_request(codec.encode(request)).meterValue)


def v201(*samples: dict[str, Any]) -> Values:
    request = {"evseId": 1, "meterValue": [metered(0, *samples)]}
    return readings.of_v201(V201["MeterValues"].read_request(codec.encode(request)).meterValue)


def only(values: Values) -> readings.Reading:
    [found] = values.readings
    return found


def test_what_is_not_told_is_the_register_in_wh_at_the_outlet() -> None:
    found = only(v16(sample("1234")))
    assert (found.measurand, found.value, found.location, found.context) == (
        REGISTER,
        1234,
        "Outlet",
        "Sample.Periodic",
    )
    assert found.is_bare


@pytest.mark.parametrize(
    ("value", "unit", "meant"),
    [
        ("1.5", "kWh", 1500),
        ("1,5", "kWh", 1500),
        ("11", "kW", 11_000),
        (" 7 ", "Wh", 7),
        ("21.5", "Celcius", Decimal("21.5")),
        ("21.5", "Celsius", Decimal("21.5")),
        ("50", "Fahrenheit", 10),
        ("300", "K", Decimal("26.85")),
        ("1e3", "Wh", 1000),
        ("55", "Percent", 55),
        ("0.0004", "Wh", 0),
    ],
)
def test_units_are_understood(value: str, unit: str, meant: Any) -> None:
    assert only(v16(sample(value, unit=unit))).value == meant


@pytest.mark.parametrize("value", ["", "NaN", "Infinity", "full", "1.2.3", "9" * 40, "--1"])
def test_a_value_that_is_none_costs_nothing_but_itself(value: str) -> None:
    found = v16(sample(value), sample("7"))
    assert ([reading.value for reading in found.readings], found.unread) == ([7], 1)


@pytest.mark.parametrize("value", [None, True, [], {"a": 1}])
def test_not_even_a_text(value: Any) -> None:
    assert v16({"value": value}).unread == 1


def test_a_number_instead_of_a_text_is_read() -> None:
    assert only(v16({"value": Decimal("12.5")})).value == Decimal("12.5")


def test_the_multiplier_of_the_newer_version_counts() -> None:
    found = v201({"value": Decimal("1.5"), "unitOfMeasure": {"unit": "Wh", "multiplier": 3}})
    assert only(found).value == 1500
    assert only(v201({"value": 2, "unitOfMeasure": {"unit": "kWh", "multiplier": -1}})).value == 200
    assert v201({"value": 2, "unitOfMeasure": {"multiplier": 2**31 - 1}}).unread == 1


def told(values: Values) -> list[Decimal]:
    return [value for _, _, value, _, _ in totals(values.readings)]


def test_phases_are_summed_and_never_added_to_a_total() -> None:
    phases = [sample(10, measurand="Current.Import", unit="A", phase=phase) for phase in ("L1-N", "L2", "L3")]
    assert told(v16(*phases)) == [30]
    assert told(v16(*phases, sample(31, measurand="Current.Import", unit="A"))) == [31]


def test_a_phase_told_in_two_ways_counts_once() -> None:
    twice = [sample(10, measurand="Current.Import", phase=phase) for phase in ("L1", "L1-N")]
    assert told(v16(*twice)) == [10]


def test_between_phases_nothing_is_summed() -> None:
    assert told(v16(sample(400, measurand="Voltage", phase="L1-L2"))) == []


def test_the_outlet_wins_over_the_inlet() -> None:
    inlet = sample(9000, location="Inlet")
    assert told(v16(inlet, sample(8000))) == [8000]
    assert told(v16(inlet)) == [9000]


def test_a_signed_value_is_kept_to_the_letter() -> None:
    data = 'OCMF|{"RD": [ ]}|{"SD":"00"}  '
    [found] = v16(sample(data, format="SignedData", context="Transaction.End")).signed
    assert (found.data, found.context) == (data, "Transaction.End")


def test_a_signed_value_in_json_brings_its_method_and_key() -> None:
    told = {"signedMeterData": "QUJD+/=", "encodingMethod": "OCMF", "signingMethod": "ECDSA", "publicKey": "MFk"}
    [found] = v16(sample(codec.encode_text(told), format="SignedData")).signed
    assert (found.data, found.encoding, found.signing, found.public_key) == ("QUJD+/=", "OCMF", "ECDSA", "MFk")
    odd = '{"signedMeterData": 5'
    assert v16(sample(odd, format="SignedData")).signed[0].data == odd


def test_the_newer_version_has_the_signature_beside_the_value() -> None:
    signature = {"signedMeterData": "QUJD", "signingMethod": "", "encodingMethod": "OCMF", "publicKey": ""}
    value = {"value": 7, "context": "Transaction.End", "signedMeterValue": signature}
    found = v201(value)
    assert (only(found).value, found.signed[0].value, found.signed[0].data) == (7, 7, "QUJD")
