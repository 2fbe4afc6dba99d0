"""Signed meter values as a CDR carries them: what the meter signed, byte for byte (§mod_cdrs_signed_data_class)."""

from collections.abc import Sequence
from typing import Any

from cpo_backend.models import SignedReading
from cpo_backend.transactions import ocmf
from cpo_backend.transactions.readings import BEGIN, END
from ocpi.store.documents import Document

_LONGEST, _LONGEST_KEY, _LONGEST_METHOD = 5000, 512, 36
_NATURE = {BEGIN: "Start", END: "End"}
_UNTOLD = "unknown"


def signed_data(readings: Sequence[SignedReading]) -> Document | None:
    """None when nothing was signed, or nothing that fits."""
    fitting = [reading for reading in readings if len(reading.data) <= _LONGEST]
    if not fitting:
        return None
    key = next((reading.public_key for reading in fitting if 0 < len(reading.public_key) <= _LONGEST_KEY), None)
    document: dict[str, Any] = {"encoding_method": _method(fitting[-1])}
    if key:
        document["public_key"] = key
    return document | {"signed_values": [_value(reading) for reading in fitting]}


def _value(reading: SignedReading) -> Document:
    plain = ocmf.plain(reading.data)
    if not plain and reading.value is not None:
        plain = f"{reading.value.normalize():f} Wh"
    return {
        "nature": _NATURE.get(reading.context, "Intermediate"),
        "plain_data": plain[:_LONGEST],
        "signed_data": reading.data,
    }


def _method(reading: SignedReading) -> str:
    """One of the names that the specification lists, else what the charger calls it."""
    told = f"{reading.encoding} {reading.signing}".lower()
    if ocmf.plain(reading.data) or "ocmf" in told:
        return "OCMF"
    if "alfen" in told or reading.data.startswith("AP;"):
        return "Alfen Eichrecht"
    if "edl" in told:
        return "EDL40 Mennekes" if "mennekes" in told else "EDL40 E-Mobility Extension"
    return reading.encoding[:_LONGEST_METHOD] or _UNTOLD
