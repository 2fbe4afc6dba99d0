"""What an OCMF record says, as far as billing needs it. Pure. The record itself is passed on byte for byte."""

import base64
from decimal import Decimal
from typing import Any

from cpo_backend.transactions.readings import quantity
from ocpi.types import codec

_HEAD = "OCMF"
_BEGIN, _END = "B", "ECLRASPX"  # first and last letters of TX: begin, and the ways in which a transaction ends


def plain(data: str) -> str:
    """The record itself, also where it is told in base64; empty for what is none."""
    text = data.strip()
    if not text.startswith(_HEAD):
        try:
            text = base64.b64decode(text, validate=True).decode()
        except ValueError:
            return ""
    return text if text.startswith(f"{_HEAD}|") else ""


def span(data: str) -> tuple[Decimal | None, Decimal | None]:
    """The registers in Wh at begin and end of the transaction, None for what the record does not say."""
    _, _, rest = plain(data).partition("|")
    try:
        readings = codec.decode(rest.rpartition("|")[0].encode()).get("RD")
    except (codec.MalformedJson, AttributeError, ValueError):
        return None, None
    begin = end = None
    for reading in readings if isinstance(readings, list) else ():
        wh = _wh(reading) if isinstance(reading, dict) else None
        kind = str(reading.get("TX") or "")[:1] if isinstance(reading, dict) else ""
        if kind == _BEGIN and wh is not None:
            begin = wh
        elif kind and kind in _END and wh is not None:
            end = wh
    return begin, end


def _wh(reading: dict[str, Any]) -> Decimal | None:
    value = quantity(reading.get("RV"))
    if value is None:
        return None
    return value * 1000 if str(reading.get("RU", "")).lower() == "kwh" else value
