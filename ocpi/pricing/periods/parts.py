"""The session cut into parts, and parts as charging periods (§mod_cdrs_chargingperiod_class)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ocpi.pricing import kinds
from ocpi.pricing.exact import HOUR, plain, ratio, rounded
from ocpi.pricing.periods.cuts import Cut, Gauges, Reason
from ocpi.pricing.periods.gauges import Band
from ocpi.pricing.periods.history import State
from ocpi.pricing.scalars import seconds, written

_HOUR_PLACES = 10
"""More than the wire usually has: who reads hours as seconds gets the second."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a session in which every amount is known."""

    start: int
    end: int
    state: State
    tariff_id: str
    kwh: Decimal
    spans: Mapping[str, tuple[Decimal, Decimal]]
    """Lowest and highest by unit, where a restriction asks for them."""
    bands: Mapping[str, Band]
    reasons: frozenset[Reason]
    """Why it is cut from the part before it."""

    @property
    def hours(self) -> Decimal:
        return rounded(ratio(seconds(self.end - self.start), HOUR), _HOUR_PLACES, ROUND_HALF_UP)

    def volumes(self) -> Iterator[tuple[str, Decimal]]:
        """The dimensions that are not zero; a part always has one."""
        if self.kwh:
            yield "ENERGY", self.kwh
        if self.hours or not self.kwh:
            yield str(kinds.VOLUME[self.state.kind]), self.hours
        for unit, (low, high) in self.spans.items():
            yield f"MIN_{unit}", low
            yield f"MAX_{unit}", high

    def resembles(self, other: "Part") -> bool:
        """Whether all but amounts is the same."""
        return (self.tariff_id, self.state.kind, self.bands) == (other.tariff_id, other.state.kind, other.bands)

    def joined(self, following: "Part") -> "Part":
        """Both as one."""
        spans = {
            unit: (min(low, following.spans[unit][0]), max(high, following.spans[unit][1]))
            for unit, (low, high) in self.spans.items()
        }
        return replace(self, end=following.end, kwh=self.kwh + following.kwh, spans=spans)


def cut(cuts: Sequence[Cut], end: int, total: Decimal, gauges: Gauges) -> list[Part]:
    """The parts between the cuts, up to the end with the total energy; two cuts in one place are one.

    Registers at the cuts are rounded, and the parts are their differences: so they add up to the total exactly.
    """
    ends = [*((cut.instant, cut.kwh) for cut in cuts[1:]), (end, total)]
    return [
        Part(
            start=cut.instant,
            end=until,
            state=cut.leg.phase.state,
            tariff_id=cut.leg.tariff.id,
            kwh=kwh - cut.kwh,
            spans={
                unit: gauges[unit, cut.leg.phase].span(cut.instant, until, band) for unit, band in cut.bands.items()
            },
            bands=cut.bands,
            reasons=cut.reasons,
        )
        for cut, (until, kwh) in zip(cuts, ends, strict=True)
        if (until, kwh) != (cut.instant, cut.kwh) or len(cuts) == 1
    ]


def periods(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """The parts in the shape of the wire."""
    return [
        {
            "start_date_time": written(part.start),
            "dimensions": [{"type": kind, "volume": plain(volume)} for kind, volume in part.volumes()],
            "tariff_id": part.tariff_id,
        }
        for part in parts
    ]
