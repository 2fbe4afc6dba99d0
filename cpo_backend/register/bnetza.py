"""The German federal register of public charging stations (Bundesnetzagentur, CC BY 4.0) into OCPI Locations.

A row is a station, a column pair `Steckertypen1`, `P1 [kW]` a charging point: one EVSE, with one Connector
per plug named in the cell. What `plugs` and `grouping` decide is written there. Rules of reading:

- A row without operator, address, place or believable coordinates is rejected whole. Otherwise each charging
  point stands for itself: one that cannot be mapped is rejected and its neighbours stay. A plug that cannot
  be mapped beside one that can costs a remark, not the point.
- Coordinates get five to seven decimals (§mod_locations_geolocation_class). The register drops trailing
  zeros, so a pair is as precise as its longer member: below two decimals (kilometres) it is rejected, below
  four (some 100 m and more) remarked. Latitude and longitude in each other's place are put right when only
  that way they lie in Germany.
- Texts are shown as registered. A postal code that has not five digits is remarked, not guessed.
- Left out, because a Location has no field for them: commissioning date, total power, normal or fast
  charging, and the public keys of calibrated meters.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

from cpo_backend.register.grouping import ChargingPoint, Station, group
from cpo_backend.register.plugs import Plug, plug_named
from cpo_backend.register.sites import RejectedRow, Remark, SiteList
from cpo_backend.register.table import Row, read_rows

_LIMITS = {"operator": 100, "address": 255, "city": 45, "state": 45, "postal_code": 10}
_NUMBER = re.compile(r"\d{1,6}(\.\d{1,20})?")
_LATITUDES = Decimal("47.27"), Decimal("55.06")
_LONGITUDES = Decimal("5.86"), Decimal("15.05")
_MOST_WATTS = 1_000_000


def read_sites(path: Path, owner: tuple[str, str], *, last_updated: str) -> SiteList:
    """All of the register at `path` (CSV, also gzipped) as Locations of `owner`, a (country code, party id).

    `last_updated` is an OCPI DateTime and goes into every object. Raises `UnreadableRegister` if the file is
    no register; the faults of a row never raise.
    """
    result = SiteList()
    result.sites.extend(group(_stations(path, result), owner, last_updated=last_updated))
    return result


def _stations(path: Path, result: SiteList) -> Iterator[Station]:
    for row in read_rows(path):
        if isinstance(row, RejectedRow):
            result.rejected.append(row)
        elif station := _StationReader(row, result).read():
            yield station


class _Unusable(Exception):
    """What makes a row or a charging point unfit for a document."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _StationReader:
    """Turns one row into a Station and tells `result` what was wrong with it."""

    row: Row
    result: SiteList

    def read(self) -> Station | None:
        row = self.row
        described = sum(plugs != "" for plugs, _ in row.pairs)
        try:
            if not described:
                raise _Unusable("no_charging_point", "names no plug")
            postal_code, city = self._place()
            latitude, longitude = self._position()
            texts = {"postal_code": postal_code, "city": city, "state": row.fields["state"]}
            texts |= {name: self._required(name) for name in ("operator", "address")}
        except _Unusable as fault:
            self._reject(fault, charging_points=described)
            return None
        if row.fields["points"] not in ("", str(described)):
            announced = row.fields["points"]
            self._remark("points_differ", f"announces {announced} charging points, describes {described}")
        station = Station(
            line=row.line,
            latitude=latitude,
            longitude=longitude,
            commissioned=row.fields["commissioned"],
            cells=tuple(text for plugs, power in row.pairs for text in (plugs, power.replace(",", "."))),
            points=tuple(self._points()),
            **{name: self._fitting(name, text) for name, text in texts.items()},
        )
        return station if station.points else None

    def _required(self, name: str) -> str:
        if text := self.row.fields[name]:
            return text
        raise _Unusable("field_missing", f"has no {name}")

    def _place(self) -> tuple[str, str]:
        place = self._required("place")
        digits, _, city = place.partition(" ")
        if not digits.isdecimal():
            digits, city = "", place
        if not city:
            raise _Unusable("field_missing", f"names no city in {place!r}")
        if len(digits) != 5:
            self._remark("postal_code_odd", f"{digits or place!r} has no postal code of five digits")
        return digits, city

    def _position(self) -> tuple[Decimal, Decimal]:
        texts = [self.row.fields[name].replace(",", ".") for name in ("latitude", "longitude")]
        if not all(_NUMBER.fullmatch(text) for text in texts):
            raise _Unusable("coordinates_unreadable", f"coordinates {texts} are not decimal degrees")
        decimals = max(len(text.partition(".")[2]) for text in texts)
        if decimals < 2:
            raise _Unusable("coordinates_coarse", f"coordinates {texts} are kilometres from exact")
        latitude, longitude = (_degrees(text) for text in texts)
        if _in_germany(longitude, latitude):
            self._remark("coordinates_swapped", f"latitude and longitude {texts} put in the right order")
            latitude, longitude = longitude, latitude
        if not _in_germany(latitude, longitude):
            raise _Unusable("coordinates_outside", f"coordinates {texts} are not in Germany")
        if decimals < 4:
            self._remark("coordinates_coarse", f"coordinates {texts} have {decimals} decimals, padded to five")
        return latitude, longitude

    def _points(self) -> Iterator[ChargingPoint]:
        for number, (plugs, power) in enumerate(self.row.pairs, start=1):
            if not plugs:
                if power.strip("0.,"):
                    self._remark("power_without_plug", f"{power} kW but no plug: not a charging point", number)
                continue
            try:
                yield ChargingPoint(number=number, watts=_watts(power), plugs=self._plugs(plugs, number))
            except _Unusable as fault:
                self._reject(fault, charging_points=1, point=number)

    def _plugs(self, names: str, number: int) -> tuple[Plug, ...]:
        known: list[Plug] = []
        unknown: list[str] = []
        for name in (part.strip() for part in names.split(",")):
            if plug := plug_named(name):
                known.append(plug)
            else:
                unknown.append(repr(name))
        if not known:
            raise _Unusable("plug_unknown", f"no OCPI connector for {', '.join(unknown)}")
        if unknown:
            self._remark("plug_unknown", f"no OCPI connector for {', '.join(unknown)}; the other plugs stay", number)
        return tuple(known)

    def _fitting(self, name: str, text: str) -> str:
        limit = _LIMITS[name]
        if len(text) > limit:
            self._remark("text_shortened", f"{name} has {len(text)} characters, cut to {limit}")
        return text[:limit].rstrip()

    def _remark(self, code: str, reason: str, point: int | None = None) -> None:
        row = self.row
        self.result.remarks.append(Remark(line=row.line, code=code, reason=reason, where=row.where, point=point))

    def _reject(self, fault: _Unusable, *, charging_points: int, point: int | None = None) -> None:
        self.result.rejected.append(
            RejectedRow(
                line=self.row.line,
                code=fault.code,
                reason=fault.reason,
                where=self.row.where,
                point=point,
                charging_points=charging_points,
            )
        )


def _degrees(text: str) -> Decimal:
    """At least five and at most seven decimals, the last one rounded."""
    places = min(max(len(text.partition(".")[2]), 5), 7)
    return Decimal(text).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


def _in_germany(latitude: Decimal, longitude: Decimal) -> bool:
    return _LATITUDES[0] <= latitude <= _LATITUDES[1] and _LONGITUDES[0] <= longitude <= _LONGITUDES[1]


def _watts(power: str) -> int:
    """Whole W out of kW with a decimal point or comma; what is below 1 W is dropped."""
    text = power.replace(",", ".")
    watts = int(Decimal(text) * 1000) if _NUMBER.fullmatch(text) else 0
    if not 0 < watts <= _MOST_WATTS:
        raise _Unusable("power_unusable", f"{power!r} is not a power in kW between 0 and {_MOST_WATTS // 1000}")
    return watts
