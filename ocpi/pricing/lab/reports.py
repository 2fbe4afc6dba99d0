"""What a draft changes: exact sums over any number of CDRs, in memory that does not grow with them."""

import heapq
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from ocpi.pricing.exact import ZERO, arithmetic, plain
from ocpi.pricing.faults import BadInput
from ocpi.pricing.figures import minor_unit
from ocpi.pricing.lab.comparing import Compared

Json = dict[str, Any]

LISTED = 100  # CDRs that could not be priced, by id
EXTREMES = 10  # CDRs that change most, in each direction
_REASONS = 50
_EDGES = ("0.10", "0.20", "0.50", "1", "2", "5", "10")
_CENTS = 2


class _Extreme(NamedTuple):
    """A CDR whose price changes by more than that of most; `place` orders those that change alike."""

    size: Decimal
    place: int
    id: str
    compared: Compared


@dataclass(slots=True)
class Tally:
    """CDRs of one kind."""

    cdrs: int = 0
    before: Decimal = ZERO
    after: Decimal = ZERO
    more: int = 0
    less: int = 0

    def add(self, compared: Compared) -> None:
        self.cdrs += 1
        self.before += compared.before
        self.after += compared.after
        self.more += compared.change > 0
        self.less += compared.change < 0

    def document(self) -> Json:
        return {
            "cdrs": self.cdrs,
            "before": plain(self.before),
            "after": plain(self.after),
            "change": plain(self.after - self.before),
            "more": self.more,
            "less": self.less,
            "same": self.cdrs - self.more - self.less,
        }


@dataclass(slots=True)
class Report:
    """The sums so far; amounts are without VAT in `currency`."""

    currency: str
    total: Tally = field(default_factory=Tally)
    hours: dict[int, Tally] = field(default_factory=lambda: {hour: Tally() for hour in range(24)})
    partners: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    estimates: int = 0
    unpriceable: int = 0
    _sizes: Counter[int] = field(default_factory=Counter)
    _dearer: list[_Extreme] = field(default_factory=list)
    _cheaper: list[_Extreme] = field(default_factory=list)
    _reasons: Counter[str] = field(default_factory=Counter)
    _listed: list[Json] = field(default_factory=list)

    def add(self, id: str, partner: str, compared: Compared) -> None:
        """A CDR that could be priced."""
        with arithmetic():
            for tally in (self.total, self.hours[compared.hour], self.partners[partner]):
                tally.add(compared)
            self.estimates += compared.is_estimate
            self._sizes[self._size(compared.change)] += 1
            if compared.change:
                most = self._dearer if compared.change > 0 else self._cheaper
                extreme = _Extreme(abs(compared.change), -self.total.cdrs, id, compared)
                (heapq.heappush if len(most) < EXTREMES else heapq.heappushpop)(most, extreme)

    def refuse(self, id: str, fault: BadInput) -> None:
        """A CDR that could not be priced, and why."""
        self.unpriceable += 1
        reason = f"{fault.pointer} {fault.message}".strip()
        known = reason in self._reasons or len(self._reasons) < _REASONS
        self._reasons[reason if known else "other reasons"] += 1
        if len(self._listed) < LISTED:
            self._listed.append({"id": id, "pointer": fault.pointer, "message": fault.message})

    def document(self) -> Json:
        """The whole report as JSON."""
        return {
            "currency": self.currency,
            "total": self.total.document(),
            "estimates": self.estimates,
            "distribution": list(self._distribution()),
            "hours": [{"hour": hour, **tally.document()} for hour, tally in self.hours.items()],
            "partners": [{"partner": partner, **self.partners[partner].document()} for partner in self._by_change()],
            "dearer": _listed(self._dearer),
            "cheaper": _listed(self._cheaper),
            "unpriceable": {"cdrs": self.unpriceable, "reasons": dict(self._reasons), "listed": self._listed},
        }

    def _by_change(self) -> list[str]:
        """The partners for whom most changes first."""
        return sorted(self.partners, key=lambda name: (-abs(_change(self.partners[name])), name))

    @property
    def _edges(self) -> list[Decimal]:
        """In a currency without cents everything costs a hundred times as much."""
        return [plain(Decimal(edge).scaleb(_CENTS - minor_unit(self.currency))) for edge in _EDGES]

    def _size(self, change: Decimal) -> int:
        """The class of a change: 0 is none, 1 the smallest increase, -1 the smallest decrease."""
        place = 1 + bisect_left(self._edges, abs(change))
        return 0 if not change else place if change > 0 else -place

    def _distribution(self) -> Iterable[Json]:
        """How many CDRs change by how much, from the greatest decrease to the greatest increase."""
        bounds = [Decimal(0), *self._edges, None]
        for size in range(-len(self._edges) - 1, len(self._edges) + 2):
            if not size:
                yield {"change": "same", "above": None, "up_to": None, "cdrs": self._sizes[0]}
                continue
            above, up_to = bounds[abs(size) - 1], bounds[abs(size)]
            direction = "more" if size > 0 else "less"
            yield {"change": direction, "above": above, "up_to": up_to, "cdrs": self._sizes[size]}


def _change(tally: Tally) -> Decimal:
    return tally.after - tally.before


def _listed(extremes: Iterable[_Extreme]) -> list[Json]:
    return [
        {"id": one.id, "before": plain(one.compared.before), "after": plain(one.compared.after)}
        for one in sorted(extremes, reverse=True)
    ]
