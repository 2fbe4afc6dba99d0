"""Tariffs from a curve: an element for each stretch of equal price, and one price for what no curve has told yet.

The Tariff of a season holds yesterday, today and tomorrow, so a session over midnight finds its prices in it. It has
the days of other seasons, too, but for local times that it has itself: who keeps to the Tariff that a session began
with is wrong in the doubled hour only, and who follows the `tariff_id` of the periods never.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from ocpi.pricing.building.making import clock, component, element
from ocpi.pricing.exact import arithmetic
from ocpi.pricing.faults import BadInput
from ocpi.pricing.figures import Rounding
from ocpi.pricing.restrictions import FIRST_DAY
from ocpi.pricing.scalars import DAY, SECOND, number, written
from ocpi.pricing.spot import seasons
from ocpi.pricing.spot.curves import QUARTER, Curve
from ocpi.pricing.spot.seasons import Season

Document = dict[str, Any]

_QUARTERS = 96
_LONGEST_ID = 36 - len("-E0200")

_Price = tuple[int, Decimal]
"""Of the quarter of an hour that begins at an instant."""

_Day = dict[int, Decimal]
"""Prices by quarter of the local day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the curve does not say. `markup` per kWh is added to its prices; `ceiling` is the price of what is not
    known yet, None: the highest that is known."""

    country_code: str
    party_id: str
    id: str
    currency: str
    vat: Decimal | None = None
    markup: Decimal = Decimal(0)
    ceiling: Decimal | None = None


def build(curve: Curve, terms: Terms, last_updated: str) -> list[Document]:
    """A Tariff for each season of the curve; raises `BadInput`. Prices are rounded half up to four decimals."""
    if not 0 < len(terms.id) <= _LONGEST_ID:
        raise BadInput(f"must have 1 to {_LONGEST_ID} characters", "id")
    with arithmetic():
        prices = [(at, Rounding().round(price + terms.markup)) for at, price in curve.quarters()]
        found = _seasons(curve.zone, prices)
        return [_tariff(season, _local(season, found, prices), terms, last_updated) for season in found]


def rolled(stored: Document, fresh: Document, terms: Terms) -> Document:
    """The stored Tariff with the days of the fresh one; the stored one itself if that changes nothing.

    Days before the one that precedes the fresh ones are dropped, later ones are kept.
    """
    new = {day: list(elements) for day, elements in _days(fresh)}
    first = str(date.fromisoformat(min(new)) - timedelta(days=1))
    kept = {} if stored.get("currency") != fresh["currency"] else {day: list(found) for day, found in _days(stored)}
    days = {day: elements for day, elements in kept.items() if day >= first} | new
    elements = [element for day in sorted(days) for element in days[day]]
    with arithmetic():
        found = {**fresh, "elements": [*elements, _otherwise(elements, terms)]}
    return stored if _undated(found) == _undated(stored) else found


def _seasons(zone: str, prices: Sequence[_Price]) -> list[Season]:
    found: list[Season] = []
    for at, _ in prices:
        if not found or not found[-1].holds(at):
            found.append(seasons.of(zone, at))
    return found


def _tariff(season: Season, days: Mapping[int, _Day], terms: Terms, last_updated: str) -> Document:
    elements = [found for day, prices in sorted(days.items()) for found in _of_day(day, prices, terms.vat)]
    span = {"start_date_time": season.starts, "end_date_time": season.ends}
    return {
        "country_code": terms.country_code,
        "party_id": terms.party_id,
        "id": terms.id + season.suffix,
        "currency": terms.currency,
        "elements": [*elements, _otherwise(elements, terms)],
        **{name: written(at) for name, at in span.items() if at is not None},
        "last_updated": last_updated,
    }


def _local(season: Season, all_of_them: Sequence[Season], prices: Sequence[_Price]) -> dict[int, _Day]:
    """The prices by local day; of a local time that comes twice the one in the season itself."""
    days: dict[int, _Day] = {}
    for other in (*(one for one in all_of_them if one != season), season):
        for at, price in prices:
            if other.holds(at):
                day, time = divmod(at + other.offset * SECOND, DAY)
                days.setdefault(day, {})[time // QUARTER] = price
    return days


def _of_day(day: int, prices: _Day, vat: Decimal | None) -> Iterator[Document]:
    """The stretches of equal price of one day."""
    start_date = date.fromordinal(day + FIRST_DAY)
    dates = {"start_date": str(start_date), "end_date": str(start_date + timedelta(days=1))}
    numbered = [(at, price, at - place) for place, (at, price) in enumerate(sorted(prices.items()))]
    for (price, _), run in groupby(numbered, key=lambda one: one[1:]):
        places = [at for at, *_ in run]
        start, end = places[0], places[-1] + 1
        hours = {"start_time": clock(start * 15), "end_time": clock(end * 15)}
        yield element([component("ENERGY", price, vat)], (hours if end - start < _QUARTERS else {}) | dates)


def _otherwise(elements: Sequence[Document], terms: Terms) -> Document:
    """The price that applies where there is no other."""
    known = [number(component["price"]) for element in elements for component in element["price_components"]]
    return element([component("ENERGY", terms.ceiling if terms.ceiling is not None else max(known), terms.vat)])


def _days(tariff: Document) -> Iterator[tuple[str, Iterator[Document]]]:
    """The elements that are for one day, by day."""
    dated = [found for found in tariff["elements"] if found.get("restrictions", {}).get("start_date")]
    return groupby(dated, key=lambda found: str(found["restrictions"]["start_date"]))


def _undated(tariff: Document) -> Document:
    return {name: value for name, value in tariff.items() if name != "last_updated"}
