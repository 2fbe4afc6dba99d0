"""The points of the specification that are read in more than one way, as switches of the one engine.

`RECOMMENDED` is how we read them. Every other reading is a run of the same engine with switches set: the alternatives
beside a price and the causes named in a dispute are such runs, never second implementations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any


class Reservation(StrEnum):
    """What became of a reservation; a CDR has no marker for it, only its dimensions tell."""

    USED = "used"
    EXPIRED = "expired"


class Vat(StrEnum):
    """What is done with the VAT rates of a tariff."""

    ADDED = "added"
    LEFT_OUT = "left_out"
    WITHIN_NET = "within_net"  # the mistake of putting the gross amount where the net one belongs


@dataclass(frozen=True, slots=True)
class Readings:
    """Each switch departs from the recommended reading in one point."""

    reservation: Reservation | None = None
    hours_literal: bool = False
    wall_clock_time: bool = False
    step_per_period: bool = False
    step_over_unpriced: bool = False
    step_sequential: bool = False
    step_by_empty_period: bool = False
    step_shared_with_reservation: bool = False
    interpolated: bool = False
    limits_ignored: bool = False
    limit_tax_on_base: bool = False
    flat_each: bool = False
    flat_once: bool = False
    vat: Vat = Vat.ADDED
    utc: bool = False
    unmeasured_holds: bool = False
    export_not_credited: bool = False
    duration_with_reservation: bool = False
    reservation_by_fallback: bool = False
    window_of_starting_day: bool = False
    equal_times_never: bool = False
    midnight_end_never: bool = False


RECOMMENDED = Readings()


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """A reading that somebody holds, or a mistake that somebody makes, by name."""

    name: str
    sentence: str
    switches: Mapping[str, Any]

    @cache  # noqa: B019 - there are as many variants as below, and hardly more readings to begin with
    def of(self, readings: Readings) -> Readings:
        """The same readings but for this point."""
        return replace(readings, **self.switches)


def _variant(name: str, sentence: str, **switches: Any) -> Variant:
    return Variant(name, sentence, switches or {name: True})


DISPUTED = (
    _variant("interpolated", "Periods are split, linearly, where the price changes."),
    _variant("flat_each", "Each flat fee is billed once when it becomes active."),
    _variant("flat_once", "One flat fee for reservation and charging together."),
    _variant("step_sequential", "The last time-based price rounds, even when paid parking came before."),
    _variant("step_over_unpriced", "step_size counts what is free, too."),
    _variant("step_by_empty_period", "The price of a period with a volume of zero may be the last one."),
    _variant("step_shared_with_reservation", "Reservation and charging time are rounded together."),
    _variant("hours_literal", "Hours are taken as written, though rounded to a few decimals."),
    _variant("limit_tax_on_base", "VAT of a price limit is computed from the limited net amount."),
    _variant("limits_ignored", "Price limits are not applied."),
    _variant("export_not_credited", "Energy fed back to the grid is not credited."),
    _variant("unmeasured_holds", "A current or power restriction holds when nothing was measured."),
    _variant("duration_with_reservation", "The duration counts from the start of the reservation."),
    _variant(
        "reservation_by_fallback",
        "An unrestricted element prices the reservation, too, and the one flat fee is due with it.",
        reservation_by_fallback=True,
        flat_once=True,
    ),
    _variant("reservation_used", "The reservation was used, only not by this CDR.", reservation=Reservation.USED),
    _variant("window_of_starting_day", "A window over midnight belongs to the day on which it starts."),
    _variant("equal_times_never", "A window from a time to the same time never applies."),
    _variant("midnight_end_never", "A window that ends at 00:00 and has no start never applies."),
)
"""Shown beside a price when they give another total."""

CAUSES = (
    _variant("hours_literal", "The hours were taken as written, so their rounding bought time."),
    _variant("step_per_period", "step_size was applied to each period."),
    _variant("step_over_unpriced", "step_size was applied to volume that is free, too."),
    _variant("step_sequential", "step_size of the last time-based price was applied though parking was paid for."),
    _variant("interpolated", "Periods were split where the price changes."),
    _variant("limits_ignored", "The price limits were not applied."),
    _variant("limit_tax_on_base", "VAT was computed from the limited net amount."),
    _variant("flat_each", "Every flat fee that became active was billed."),
    _variant("vat_missing", "VAT was left out.", vat=Vat.LEFT_OUT),
    _variant("vat_added", "VAT was put into the net amount.", vat=Vat.WITHIN_NET),
    _variant("utc", "Local times were taken as UTC."),
    _variant("wall_clock_time", "The clock was billed where no charging time is reported."),
)
"""What a wrong claim is tried against, in this order; before them come other roundings."""
