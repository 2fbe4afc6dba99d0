"""What can be billed, and where each kind goes: which dimension prices it, which cost of the CDR it adds to.

Kinds are plain indices: tables by kind are tuples.
"""

from typing import Final

ENERGY: Final = 0
TIME: Final = 1
PARKING_TIME: Final = 2
FLAT: Final = 3
RESERVATION_TIME: Final = 4
RESERVATION_FLAT: Final = 5

KINDS = (ENERGY, TIME, PARKING_TIME, FLAT, RESERVATION_TIME, RESERVATION_FLAT)
CHARGING = (ENERGY, TIME, PARKING_TIME)
CLOCKED = (TIME, PARKING_TIME, RESERVATION_TIME)

VOLUME = ("ENERGY", "TIME", "PARKING_TIME", None, "RESERVATION_TIME", None)
"""By kind: the dimension of a charging period that reports it (§mod_cdrs_cdrdimensiontype_enum)."""

DIMENSION = ("ENERGY", "TIME", "PARKING_TIME", "FLAT", "TIME", "FLAT")
"""By kind: the type of the price component (§mod_tariffs_tariffdimensiontype_enum)."""

CONTEXT = ("charging", "charging", "charging", "charging", "reservation", "reservation")
UNIT = ("kWh", "s", "s", "", "s", "")

COSTS = ("total_energy_cost", "total_time_cost", "total_parking_cost", "total_fixed_cost", "total_reservation_cost")
COST = (0, 1, 2, 3, 4, 4)
"""By kind: its place in `COSTS`. What belongs to a reservation, its flat fee included, is reservation cost."""
