"""How long the local list of a charger may be, as its configuration says."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from cpo_backend.models import Charger
from ocpi.types import codec

# Whatever a charger claims: of the whole list, and of one message (OCPP frames are bounded).
MOST, MOST_AT_ONCE = 10_000, 250
# Of a charger that has a list and does not say how long it may be.
_UNTOLD, _UNTOLD_AT_ONCE = 100, 20
_BYTES = 200  # of one entry, at most
_PROFILE = "LocalAuthListManagement"
# Of OCPP 2.0.1: its value is how many entries there are, its limit how many there may be.
LENGTH_OF_LIST = "LocalAuthListCtrlr.Entries"


class Limits(NamedTuple):
    """Entries of the list, and entries of one message."""

    entries: int
    at_once: int


def of(charger: Charger) -> Limits | None:
    """None: it has no local list, or has not said so."""
    known: Mapping[str, Any] = codec.decode(charger.configuration.encode()) if charger.configuration else {}
    told = {name: str(value[0] or "") for name, value in known.items() if isinstance(value, list) and value}
    return _of_v16(told) if charger.version == "1.6" else _of_v201(told)


def _of_v16(told: Mapping[str, str]) -> Limits | None:
    if _PROFILE not in told.get("SupportedFeatureProfiles", "") and "LocalAuthListMaxLength" not in told:
        return None
    return _limits(told.get("LocalAuthListMaxLength"), told.get("SendLocalListMaxLength"))


def _of_v201(told: Mapping[str, str]) -> Limits | None:
    if told.get("LocalAuthListCtrlr.Available", "").lower() != "true":
        return None
    found = _limits(told.get(f"{LENGTH_OF_LIST}.maxLimit"), told.get("LocalAuthListCtrlr.ItemsPerMessage"))
    if bytes_at_once := _number(told.get("LocalAuthListCtrlr.BytesPerMessage")):
        return found._replace(at_once=max(1, min(found.at_once, bytes_at_once // _BYTES)))
    return found


def _limits(entries: str | None, at_once: str | None) -> Limits:
    return Limits(min(_number(entries) or _UNTOLD, MOST), min(_number(at_once) or _UNTOLD_AT_ONCE, MOST_AT_ONCE))


def _number(text: str | None) -> int:
    """Zero for what is no number that could be meant."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
