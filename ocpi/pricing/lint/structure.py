"""What elements and components there are: twice, in vain, in the wrong place, of unknown kind, or not at all."""

import re
from collections.abc import Iterator
from decimal import Decimal

from ocpi.pricing.figures import Rounding
from ocpi.pricing.lint.findings import Code, Finding
from ocpi.pricing.restrictions import WEEKDAYS
from ocpi.pricing.subject import CHARGING, CONTEXTS, DIMENSIONS, EXPIRES, RESERVATION, Element, Subject

_NUMERAL = re.compile(r"\d+(?:[.,]\d+)?", re.ASCII)
_COINS = Rounding(places=2)


def findings(subject: Subject) -> Iterator[Finding]:
    for element in subject.elements:
        yield from _of_element(element)
    yield from _reservations(subject)
    yield from _flats(subject)
    yield from _free(subject)
    yield from _alt_texts(subject)


def _of_element(element: Element) -> Iterator[Finding]:
    restrictions = f"{element.pointer}/restrictions"
    for component in element.components:
        if component.dimension not in DIMENSIONS:
            yield Finding(Code.UNKNOWN_VALUE, f"{component.pointer}/type")
        elif element.prices(component.dimension) is not component:
            yield Finding(Code.DUPLICATE_DIMENSION, component.pointer)
        elif element.context != CHARGING and component.dimension not in ("FLAT", "TIME"):
            yield Finding(Code.RESERVATION_DIMENSION, f"{component.pointer}/type")
    is_written = isinstance(element.document.get("restrictions"), dict)
    if is_written and not any(map(_says_something, element.members.values())):
        yield Finding(Code.EMPTY_RESTRICTIONS, restrictions)
    if element.context not in CONTEXTS:
        yield Finding(Code.UNKNOWN_VALUE, f"{restrictions}/reservation")
    for place, day in enumerate(element.members.get("day_of_week") or ()):
        if day not in WEEKDAYS:
            yield Finding(Code.UNKNOWN_VALUE, f"{restrictions}/day_of_week/{place}")


def _says_something(value: object) -> bool:
    return value is not None and value not in ("", [])


def _reservations(subject: Subject) -> Iterator[Finding]:
    expiring = [element for element in subject.elements if element.context == EXPIRES]
    if expiring and not any(element.context == RESERVATION for element in subject.elements):
        yield Finding(Code.EXPIRES_WITHOUT_RESERVATION, f"{expiring[0].pointer}/restrictions/reservation")
    settled: set[str] = set()
    for element in subject.elements:
        dimensions = {component.dimension for component in element.components}
        if element.context in (RESERVATION, EXPIRES) and dimensions & settled:
            yield Finding(Code.RESERVATION_LAST, element.pointer)
        elif element.context == CHARGING and not element.checks:
            settled |= dimensions


def _flats(subject: Subject) -> Iterator[Finding]:
    for context in CONTEXTS:
        fees = [component for _, component in subject.pricing("FLAT", context)]
        for fee in fees[1:]:
            if (fee.price, fee.vat) != (fees[0].price, fees[0].vat):
                yield Finding(Code.SEVERAL_FLATS, fee.pointer)


def _free(subject: Subject) -> Iterator[Finding]:
    """What is free on purpose should say so, and what is free by accident should not be."""
    components = list(subject.components)
    if not any(component.price for component in components):
        is_bare = len(components) == 1 and components[0].dimension == "FLAT" and not subject.elements[0].members
        if not is_bare:
            yield Finding(Code.FREE_TARIFF_FORM, "/elements")
        return
    energy, time, parking = (bool(subject.pricing(dimension)) for dimension in ("ENERGY", "TIME", "PARKING_TIME"))
    if not energy and not time:
        yield Finding(Code.FREE_BY_OMISSION, "/elements", "Neither ENERGY nor TIME.")
    elif time != parking:
        missing, priced = ("PARKING_TIME", "TIME") if time else ("TIME", "PARKING_TIME")
        yield Finding(Code.FREE_BY_OMISSION, "/elements", f"{missing}, though {priced} has one.")


def _alt_texts(subject: Subject) -> Iterator[Finding]:
    """§mod_tariffs_tariff_object: the text is for what the elements cannot say."""
    prices: set[Decimal] = set()
    for component in subject.components:
        prices |= {component.price, component.gross, _COINS.round(component.gross)}
    texts = subject.document.get("tariff_alt_text")
    for place, text in enumerate(texts if isinstance(texts, list) else ()):
        words = str(text.get("text")) if isinstance(text, dict) else ""
        numbers = {Decimal(numeral.replace(",", ".")) for numeral in _NUMERAL.findall(words)}
        if numbers & (prices - {Decimal(0)}):
            yield Finding(Code.ALT_TEXT_REPEATS_PRICE, f"/tariff_alt_text/{place}/text")
