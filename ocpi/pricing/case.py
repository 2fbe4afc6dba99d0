"""A document to be priced, with its tariffs and its clock; every reading of it is priced at most once."""

from collections.abc import Mapping
from typing import Any

from ocpi.pricing import selection
from ocpi.pricing.course import Course
from ocpi.pricing.engine import Priced, price
from ocpi.pricing.exact import arithmetic
from ocpi.pricing.faults import BadInput
from ocpi.pricing.figures import ONCE, Amount, Figures, Rounding, figures, total
from ocpi.pricing.reading import Usage, read
from ocpi.pricing.readings import RECOMMENDED, Readings
from ocpi.pricing.scalars import text
from ocpi.pricing.selection import Offer
from ocpi.pricing.splitting import split
from ocpi.pricing.tariffs import Rate, Tariff, compiled
from ocpi.pricing.zones import UTC_CLOCK, Clock, Place, clock_of, place_of


class Case:
    """A session, the tariffs of its periods, and the place whose clock counts."""

    def __init__(
        self, usage: Usage, offer: Offer, place: Place, readings: Readings = RECOMMENDED, policy: Rounding = ONCE
    ) -> None:
        self.usage = usage
        self.offer = offer
        self.place = place
        self.readings = readings
        self.policy = policy
        self.selected = selection.select(usage, offer)
        self._priced: Priced | None = None
        self._others: dict[Readings, Priced] = {}

    @property
    def tariff_currency(self) -> str | None:
        """The currency of the tariffs, which is the one of what is computed."""
        return next((tariff.currency for tariff in self.selected.distinct if tariff.currency), None)

    @property
    def currency(self) -> str | None:
        return self.tariff_currency or text(self.usage.document.get("currency"))

    @property
    def priced(self) -> Priced:
        """The price by the reading of this case."""
        with arithmetic():
            return self._own_price()

    @property
    def total(self) -> Amount:
        with arithmetic():
            return total(self._own_price(), self.policy)

    @property
    def figures(self) -> Figures:
        with arithmetic():
            return figures(self._own_price(), self.policy)

    def under(self, readings: Readings) -> Priced:
        """The price by another reading."""
        if readings == self.readings:
            return self.priced
        if readings not in self._others:
            with arithmetic():
                self._others[readings] = self._price(readings)
        return self._others[readings]

    def _own_price(self) -> Priced:
        if self._priced is None:
            self._priced = self._price(self.readings)
        return self._priced

    def _price(self, readings: Readings) -> Priced:
        clock = self.clock if self.offer.needs_clock and not readings.utc else UTC_CLOCK
        course = Course(self.usage, self.selected, clock, readings)
        return price(split(course) if readings.interpolated else course)

    def pointer(self, tariff: Tariff) -> str:
        """Where the Tariff is: in the document, or in what was given to stand in for it."""
        if self.offer.imposes_one:
            return ""
        index = self.offer.tariffs.index(tariff)
        return f"/{index}" if self.offer.is_given else f"/tariffs/{index}"

    def tariff_of(self, rate: Rate) -> Tariff:
        """The Tariff a rate belongs to."""
        return next(tariff for tariff in self.offer.tariffs if rate in tariff.rates)

    @property
    def clock(self) -> Clock:
        """The clock of the place."""
        usage, first, last = self.usage, self.usage.start, self.usage.end
        if starts := usage.starts:
            first, last = min(first, starts[0]), usage.ends[-1]
        return clock_of(self.place.zone, first, last)


def open_case(
    document: Any,
    tariffs: Any = None,
    *,
    zone: str | None = None,
    end: int | None = None,
    readings: Readings = RECOMMENDED,
    policy: Rounding = ONCE,
) -> Case:
    """A case from decoded JSON: a CDR or Session; `tariffs`, one or a list, stand in for its own.

    Raises `BadInput` with a pointer into the document at fault; see `tariffs_of` for the other one.
    """
    usage = read(document, end)
    offer = Offer(tariffs_of(tariffs), True) if tariffs is not None else Offer(_own(document))
    return Case(usage, offer, place_of(usage, zone), readings, policy)


def tariffs_of(document: Any) -> tuple[Tariff, ...]:
    """One Tariff, or each of a list; raises `BadInput` with a pointer."""
    if not isinstance(document, list):
        return (compiled(document),)
    return _each(document)


def _own(document: Mapping[str, Any]) -> tuple[Tariff, ...]:
    """The tariffs a CDR brings along (§mod_cdrs_cdr_object)."""
    own = document.get("tariffs")
    if not own:
        return ()
    if not isinstance(own, list):
        raise BadInput("is not a list of tariffs", "tariffs")
    try:
        return _each(own)
    except BadInput as fault:
        raise fault.below("tariffs") from None


def _each(documents: list[Any]) -> tuple[Tariff, ...]:
    found = []
    for index, document in enumerate(documents):
        try:
            found.append(compiled(document))
        except BadInput as fault:
            raise fault.below(index) from None
    return tuple(found)
