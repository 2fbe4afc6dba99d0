"""What a driver pays by a Tariff, in plain sentences.

One sentence for each thing that is priced, in the order in which elements are tried: the first that fits counts. Prices
are shown with VAT, which is how drivers see them.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from ocpi.pricing import subject
from ocpi.pricing.conditions import condition, length, shown
from ocpi.pricing.exact import arithmetic, plain
from ocpi.pricing.figures import WIRE_PLACES, Rounding, minor_unit
from ocpi.pricing.scalars import instant, moment_of, number
from ocpi.pricing.subject import CHARGING, EXPIRES, RESERVATION, Component, Element, Subject

_THINGS = (
    ("ENERGY", CHARGING, "Energy", "per kWh"),
    ("TIME", CHARGING, "Charging time", "per hour"),
    ("PARKING_TIME", CHARGING, "Time after charging", "per hour"),
    ("FLAT", CHARGING, "Start fee", "per session"),
    ("FLAT", RESERVATION, "Reservation fee", "per reservation"),
    ("TIME", RESERVATION, "Reservation", "per hour"),
    ("FLAT", EXPIRES, "Fee for a reservation that is not used", "per reservation"),
    ("TIME", EXPIRES, "Reservation that is not used", "per hour"),
)

_MANY = 8
"""More prices of one thing than this, such as those of a spot market, are not listed."""

_CLOCKED = ("start_time", "end_time", "start_date", "end_date", "day_of_week")


def describe(document: Any) -> list[str]:
    """The sentences; raises `BadInput` with a pointer for a document that cannot be priced."""
    with arithmetic():
        tariff = subject.read(document)
        if not any(component.price for component in tariff.components):
            return ["Charging is free.", *_validity(tariff)]
        return [*_prices(tariff), *_limits(tariff), *_vat(tariff), *_clock(tariff), *_validity(tariff)]


def _prices(tariff: Subject) -> Iterator[str]:
    for dimension, context, name, unit in _THINGS:
        if priced := tariff.pricing(dimension, context):
            words = _range(tariff, priced, unit) if len(priced) > _MANY else _alternatives(tariff, priced, unit)
            yield f"{name}: {'; '.join(words)}."


def _alternatives(tariff: Subject, priced: Sequence[tuple[Element, Component]], unit: str) -> Iterator[str]:
    """Each price with when it applies, up to the one that always does."""
    for at, (element, component) in enumerate(priced):
        words = [_price(tariff, component, unit)]
        when = condition(element.members)
        if at:
            words.insert(0, "otherwise")
        if when:
            words.append(when)
        yield " ".join(words)
        if not when:
            return
    yield "otherwise free"


def _range(tariff: Subject, priced: Sequence[tuple[Element, Component]], unit: str) -> Iterator[str]:
    """The lowest and the highest price, where there are too many to tell."""
    amounts = [component.gross for _, component in priced]
    yield f"{_money(tariff, min(amounts))} to {_money(tariff, max(amounts))} {unit}, one of {len(amounts)} prices"


def _price(tariff: Subject, component: Component, unit: str) -> str:
    if not component.price:
        return "free"
    amount = f"{_money(tariff, component.gross)} {unit}"
    remarks = []
    if len(_rates(tariff)) > 1:
        remarks.append("no VAT" if component.vat is None else f"incl. {shown(component.vat)}% VAT")
    if component.dimension != "FLAT" and component.step and component.step > 1:
        remarks.append(f"in steps of {_step(component.dimension, component.step)}")
    return f"{amount} ({', '.join(remarks)})" if remarks else amount


def _step(dimension: str, step: Decimal) -> str:
    if dimension != "ENERGY":
        return length(step)
    return f"{shown(step)} Wh" if step % 1000 else f"{shown(step.scaleb(-3))} kWh"


def _limits(tariff: Subject) -> Iterator[str]:
    """§mod_tariffs_tariff_object"""
    bounds = [
        f"{words} {_limit(tariff, price)}"
        for name, words in (("min_price", "at least"), ("max_price", "at most"))
        if (price := tariff.document.get(name)) is not None
    ]
    if bounds:
        yield f"A session costs {' and '.join(bounds)}."


def _limit(tariff: Subject, price: Any) -> str:
    amounts = price if isinstance(price, dict) else {"excl_vat": price}
    if (incl := amounts.get("incl_vat")) is not None:
        return _money(tariff, number(incl))
    is_taxed = any(_rates(tariff))
    return f"{_money(tariff, number(amounts['excl_vat']))}{' plus VAT' if is_taxed else ''}"


def _vat(tariff: Subject) -> Iterator[str]:
    rates = _rates(tariff)
    if len(rates) == 1:
        (rate,) = rates
        yield "No VAT applies." if rate is None else f"Prices include {shown(rate)}% VAT."


def _rates(tariff: Subject) -> set[Decimal | None]:
    return {component.vat for component in tariff.components if component.price}


def _clock(tariff: Subject) -> Iterator[str]:
    if any(element.members.get(name) for element in tariff.elements for name in _CLOCKED):
        yield "Times are local times of the charge point."


def _validity(tariff: Subject) -> Iterator[str]:
    words = [
        f"{word} {moment_of(instant(value)):%Y-%m-%d %H:%M} UTC"
        for name, word in (("start_date_time", "from"), ("end_date_time", "until"))
        if (value := tariff.document.get(name))
    ]
    if words:
        yield f"Valid {' '.join(words)}."


def _money(tariff: Subject, amount: Decimal) -> str:
    """At least the decimals of the currency, at most those of the wire."""
    currency = str(tariff.document.get("currency"))
    places = minor_unit(currency)
    coins = Rounding(places=places).round(amount)
    exact = plain(Rounding(places=WIRE_PLACES).round(amount))
    return f"{coins if coins == exact else exact} {currency}"
