"""Stations of the register into OCPI Locations, with ids that survive the next edition.

One Location per operator and address, as OCPI prefers (§mod_locations_flow_and_lifecycle). Spelling variants
of a street count as one address. A station further than 500 m from the oldest one there starts a Location of
its own: either the street is long or a coordinate is mistyped, and an EVSE must not be shown where it is not.

Ids are digests of what the register says, never of where it says it, so they depend neither on the order of
rows nor on rows that come and go:

- `Location.id`: operator and address; for the second and further Locations at one address also the
  coordinates of the oldest station. Newer rows are commissioned later, so they join or follow, and leave
  existing ids alone.
- `EVSE.uid`: operator, address, coordinates, commissioning date and the plug and power cells of the station,
  the number of the charging point, and a count over stations alike in all of these. Such stations yield equal
  EVSEs, so it does not matter which one is counted first. Public keys, total power and the table of plugs are
  left out: they may change without the station being another.
"""

import functools
import hashlib
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cpo_backend.register.plugs import Plug
from cpo_backend.register.sites import Site

SAME_SITE_METRES = 500

_METRES_PER_DEGREE = 111_320
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingPoint:
    """One column pair of a station: its number from 1, its power in W and the plugs that share it."""

    number: int
    watts: int
    plugs: tuple[Plug, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One usable row. Coordinates are WGS 84 in degrees, `cells` all plug and power texts of the row."""

    line: int
    operator: str
    address: str
    postal_code: str
    city: str
    state: str
    latitude: Decimal
    longitude: Decimal
    commissioned: str
    cells: tuple[str, ...]
    points: tuple[ChargingPoint, ...]

    @property
    def site_key(self) -> tuple[str, ...]:
        """Equal for stations of one operator at one address."""
        return _key(self.operator), _key(self.address), _key(self.postal_code), _key(self.city)

    @property
    def age_key(self) -> tuple[str, ...]:
        """Oldest first, then by all a document shows: stations of equal keys are interchangeable."""
        position = str(self.latitude), str(self.longitude)
        return self.commissioned, *position, *self.cells, self.operator, self.address, self.city, self.state


def group(stations: Iterable[Station], owner: tuple[str, str], *, last_updated: str) -> Iterator[Site]:
    """The Locations of `owner` (country code, party id) made of `stations`, ordered by their first lines."""
    addresses: defaultdict[tuple[str, ...], list[Station]] = defaultdict(list)
    for station in stations:
        addresses[station.site_key].append(station)
    sites = [
        Site(
            document=_location(cluster, owner, last_updated, is_first=index == 0),
            lines=tuple(sorted(station.line for station in cluster)),
        )
        for neighbours in addresses.values()
        for index, cluster in enumerate(_clusters(neighbours))
    ]
    yield from sorted(sites, key=lambda site: site.lines)


def _clusters(stations: list[Station]) -> list[list[Station]]:
    clusters: list[list[Station]] = []
    for station in sorted(stations, key=lambda station: station.age_key):
        near = (cluster for cluster in clusters if _metres(cluster[0], station) <= SAME_SITE_METRES)
        if cluster := next(near, None):
            cluster.append(station)
        else:
            clusters.append([station])
    return clusters


def _metres(one: Station, other: Station) -> float:
    """Distance on a plane, good to a metre at this scale; a float because it decides and is never stored."""
    north = float(one.latitude - other.latitude)
    east = float(one.longitude - other.longitude) * math.cos(math.radians(float(one.latitude)))
    return math.hypot(north, east) * _METRES_PER_DEGREE


def _location(stations: list[Station], owner: tuple[str, str], last_updated: str, *, is_first: bool) -> dict[str, Any]:
    oldest = stations[0]
    country_code, party_id = owner
    document = {
        "country_code": country_code,
        "party_id": party_id,
        "id": _location_id(oldest, is_first=is_first),
        "publish": True,
        "address": oldest.address,
        "city": oldest.city,
        "postal_code": oldest.postal_code,
        "state": oldest.state,
        "country": "DEU",
        "coordinates": _coordinates(oldest),
        "evses": list(_evses(stations, owner, last_updated)),
        "operator": {"name": oldest.operator},
        "time_zone": "Europe/Berlin",
        "last_updated": last_updated,
    }
    return {name: value for name, value in document.items() if value != ""}


def _location_id(oldest: Station, *, is_first: bool) -> str:
    _, street, _, city = oldest.site_key
    position = () if is_first else (str(oldest.latitude), str(oldest.longitude))
    words = f"{city}-{street}"[:23].strip("-")
    return f"{words}-{_digest(*oldest.site_key, *position)[:12]}"


def _evses(stations: list[Station], owner: tuple[str, str], last_updated: str) -> Iterator[dict[str, Any]]:
    seen: Counter[str] = Counter()
    site_coordinates = _coordinates(stations[0])
    for station in stations:
        coordinates = _coordinates(station)
        digest = _digest(*station.site_key, *coordinates.values(), station.commissioned, *station.cells)[:16]
        seen[digest] += 1
        for point in station.points:
            evse = {
                "uid": f"{digest}-{seen[digest]}-{point.number}",
                # eMI3 allows letters and digits; the point is the last digit, so no two ids run together.
                "evse_id": f"{'*'.join(owner)}*E{digest}{seen[digest]:02}{point.number}".upper(),
                "status": "UNKNOWN",  # the register lists what was built, not what it is doing
                "connectors": [
                    {"id": str(index), **plug.connector(point.watts), "last_updated": last_updated}
                    for index, plug in enumerate(point.plugs, start=1)
                ],
                "last_updated": last_updated,
            }
            yield evse if coordinates == site_coordinates else evse | {"coordinates": coordinates}


def _coordinates(station: Station) -> dict[str, str]:
    return {"latitude": f"{station.latitude:f}", "longitude": f"{station.longitude:f}"}


@functools.lru_cache(maxsize=50_000)
def _key(text: str) -> str:
    """Letters and digits for comparing names and addresses: `Haupt-Straße 2 A` and `haupt str. 2a` agree."""
    text = re.sub(r"str(asse\b|\b\.?)", "str ", text.casefold()).translate(_UMLAUTS)
    text = re.sub(r"(?<=\d)\s+(?=[a-z]\b)", "", text)
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", ascii_only))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
