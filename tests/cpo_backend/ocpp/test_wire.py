"""Every shape against the JSON schemas of both versions: what is valid decodes whole, what we write is valid."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import ocpp
import pytest
from ocpp.messages import get_validator

from cpo_backend.ocpp.dialects import DIALECTS
from cpo_backend.ocpp.handling.v16 import HANDLERS as HANDLERS_16
from cpo_backend.ocpp.handling.v201 import HANDLERS as HANDLERS_201
from cpo_backend.ocpp.wire.messages import Action
from tests.kit.ocpp_samples import Sample

Case = tuple[str, str, int, Action]

_encode = msgspec.json.Encoder(decimal_format="number").encode


def _cases() -> Iterator[Case]:
    for dialect in DIALECTS.values():
        for name, action in {**dialect.from_charger, **dialect.to_charger}.items():
            for kind in (2, 3):
                yield dialect.version, name, kind, action


CASES = list(_cases())
IDS = [f"{version}-{name}-{'request' if kind == 2 else 'answer'}" for version, name, kind, _ in CASES]


@pytest.mark.parametrize(("version", "name", "kind", "action"), CASES, ids=IDS)
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "least"])
def test_a_valid_payload_decodes_and_reads_the_same_when_written(
    version: str, name: str, kind: int, action: Action, whole: bool
) -> None:
    """No member is missing in a shape, none has another type, and none is written that the schema does not have."""
    validator = get_validator(kind, name, version)
    sample = Sample(validator.schema, whole=whole).make()
    assert not list(validator.iter_errors(sample))
    read = action.read_request if kind == 2 else action.read_response
    written = json.loads(_encode(read(json.dumps(sample).encode())))
    assert written == sample
    assert not list(validator.iter_errors(written))


@pytest.mark.parametrize("version", DIALECTS)
def test_every_action_of_the_version_is_there(version: str) -> None:

    folder = Path(ocpp.__path__[0]) / f"v{version.replace('.', '')}" / "schemas"
    suffix = "" if version == "1.6" else "Request"
    actions = {
        file.stem.removesuffix(suffix) for file in folder.glob(f"*{suffix}.json") if not file.stem.endswith("Response")
    }
    dialect = DIALECTS[version]
    assert {*dialect.from_charger, *dialect.to_charger} == actions


# What the newer version asks of those who issue certificates to cars: that is not us.
NOT_OURS = {"Get15118EVCertificate"}


@pytest.mark.parametrize(("version", "handlers"), [("1.6", HANDLERS_16), ("2.0.1", HANDLERS_201)])
def test_every_message_of_a_charger_has_a_handler(version: str, handlers: dict[str, Any]) -> None:
    assert set(DIALECTS[version].from_charger) - set(handlers) <= NOT_OURS


METER_VALUES = {
    "connectorId": 1,
    "vendorExtension": {"anything": [1, 2, 3]},
    "transactionId": None,
    "meterValue": [
        {
            "timestamp": "2026-01-01T12:00:00Z",
            "sampledValue": [
                {"value": "21.5", "measurand": "Temperature", "unit": "Celcius"},
                {"value": 12.5, "measurand": "Vendor.Speed", "context": "Vendor.Now", "unit": "m/s"},
                {"value": "", "phase": None},
            ],
        }
    ],
}


def test_what_real_chargers_send_decodes() -> None:
    """Members of a vendor, null, numbers for texts, unknown measurands and units, Celcius."""
    values = DIALECTS["1.6"].from_charger["MeterValues"].read_request(json.dumps(METER_VALUES).encode())
    samples = values.meterValue[0].sampledValue
    assert [sample.unit for sample in samples] == ["Celcius", "m/s", None]
    assert samples[1].value == Decimal("12.5")
    assert values.transactionId is None


def test_overlong_texts_decode() -> None:
    boot = {"chargePointVendor": "V" * 300, "chargePointModel": "M", "chargePointSerialNumber": "S" * 300}
    found = DIALECTS["1.6"].from_charger["BootNotification"].read_request(json.dumps(boot).encode())
    assert len(found.chargePointVendor) == 300


def test_a_number_that_no_column_holds_does_not_decode() -> None:
    request = json.dumps({"connectorId": 10**20, "errorCode": "NoError", "status": "Available"}).encode()
    with pytest.raises(msgspec.ValidationError):
        DIALECTS["1.6"].from_charger["StatusNotification"].read_request(request)
