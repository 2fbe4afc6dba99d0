"""The one table from the register's plug names to OCPI connectors.

The register states one power per charging point, in kW, and the names of its plugs; no voltage, current or
phases. Each plug therefore lists the sizes it is built in, smallest first, and a connector gets the smallest
size that carries the stated power. If none does, the power belongs to another plug of the same point (a
Schuko socket beside a 22 kW Type 2 socket is still 16 A at 230 V), and the connector gets its largest size
and what that carries.

Sizes, and why these:

- AC voltage is line to neutral (§mod_locations_connector_object); capacity is volts x amperes x phases.
- Type 2 needs three phases above 32 A on one (7.36 kW). A socket ends at 32 A because the cables drivers
  bring do, a fixed cable at 63 A (IEC 62196-2).
- `AC CEE 5 polig` is 16 or 32 A. Where the register names more, another plug of the point has it.
- `AC CEE 3 polig` is always 16 A: the only blue CEE socket OCPI names.
- DC sizes are the usual outlets: 65 A for wallboxes up to 30 kW, 125 A for the 50 kW class, 200 A for
  uncooled cables, 500 A at 920 V for liquid-cooled ones. CHAdeMO stays at 500 V and 200 A.

Not mapped: `Steckdose Typ 1`. IEC 62196-2 knows Type 1 only as a coupler on a cable and on one phase; the
only such entry is a socket with 11 kW, so it names something else and does not say what.

There is no plug type `2`. Splitting the 2019 register at every semicolon, blind to quoted addresses that
contain one, shifts the column of charging-point counts into the plug column of 91 rows. Read as CSV the file
has none, so a bare number is refused like any unknown name.
"""

from dataclasses import dataclass
from typing import Any

_PHASES = {"AC_1_PHASE": 1, "AC_3_PHASE": 3, "DC": 1}

# The register quotes rounded powers, 3.7 kW for 3.68 and 44 for 43.47: rounding makes no size too small.
_ROUNDING_PER_MILLE = 15


@dataclass(frozen=True, slots=True)
class _Size:
    standard: str
    power_type: str
    volts: int
    amperes: int

    @property
    def watts(self) -> int:
        return self.volts * self.amperes * _PHASES[self.power_type]

    def carries(self, watts: int) -> bool:
        return watts * 1000 <= self.watts * (1000 + _ROUNDING_PER_MILLE)


@dataclass(frozen=True, slots=True)
class Plug:
    """A plug of the register: OCPI ConnectorFormat and the sizes it is built in, smallest first."""

    format: str
    sizes: tuple[_Size, ...]

    def connector(self, watts: int) -> dict[str, Any]:
        """The technical fields of a Connector at a point of `watts` W: V, A and W as whole numbers."""
        size = next((size for size in self.sizes if size.carries(watts)), self.sizes[-1])
        return {
            "standard": size.standard,
            "format": self.format,
            "power_type": size.power_type,
            "max_voltage": size.volts,
            "max_amperage": size.amperes,
            "max_electric_power": min(watts, size.watts),
        }


def _single_phase(standard: str, *amperes: int) -> tuple[_Size, ...]:
    return tuple(_Size(standard, "AC_1_PHASE", 230, a) for a in amperes)


def _three_phase(standard: str, *amperes: int) -> tuple[_Size, ...]:
    return tuple(_Size(standard, "AC_3_PHASE", 230, a) for a in amperes)


def _direct(standard: str, *volts_and_amperes: tuple[int, int]) -> tuple[_Size, ...]:
    return tuple(_Size(standard, "DC", volts, amperes) for volts, amperes in volts_and_amperes)


_TYPE_2_SINGLE_PHASE = _single_phase("IEC_62196_T2", 16, 20, 32)
_TYPE_2_SOCKET = _TYPE_2_SINGLE_PHASE + _three_phase("IEC_62196_T2", 16, 20, 32)
_TYPE_2_CABLE = _TYPE_2_SINGLE_PHASE + _three_phase("IEC_62196_T2", 16, 20, 32, 63)
_CEE_RED = _three_phase("IEC_60309_2_three_16", 16) + _three_phase("IEC_60309_2_three_32", 32)
_CCS = _direct("IEC_62196_T2_COMBO", (500, 65), (500, 125), (500, 200), (920, 200), (920, 500))
_CHADEMO = _direct("CHADEMO", (500, 65), (500, 125), (500, 200))

PLUGS = {
    "ac steckdose typ 2": Plug("SOCKET", _TYPE_2_SOCKET),
    "ac kupplung typ 2": Plug("CABLE", _TYPE_2_CABLE),
    "ac schuko": Plug("SOCKET", _single_phase("DOMESTIC_F", 10, 16)),
    "ac cee 3 polig": Plug("SOCKET", _single_phase("IEC_60309_2_single_16", 16)),
    "ac cee 5 polig": Plug("SOCKET", _CEE_RED),
    "dc kupplung combo": Plug("CABLE", _CCS),
    "dc chademo": Plug("CABLE", _CHADEMO),
}


def plug_named(name: str) -> Plug | None:
    """The plug of that name, or None for a name the table does not know; case and spacing do not matter."""
    return PLUGS.get(" ".join(name.casefold().split()))
