"""Prices, steps and VAT rates that are probably not meant."""

from collections.abc import Iterator
from decimal import Decimal

from ocpi.pricing.figures import WIRE_PLACES
from ocpi.pricing.lint.currencies import CURRENCIES
from ocpi.pricing.lint.findings import Code, Finding
from ocpi.pricing.subject import CHARGING, CONTEXTS, DIMENSIONS, Component, Subject

_LARGE_STEPS = {"ENERGY": 1000, "TIME": 900, "PARKING_TIME": 900}
"""Wh and seconds."""

_OF_ORDINARY_SIZE = frozenset({"AUD", "CAD", "CHF", "EUR", "GBP", "NZD", "SGD", "USD"})
"""Currencies in which a kWh costs less than a few units."""

_DEAR_KWH = Decimal(5)
_CHEAP_HOUR = Decimal("0.2")


def findings(subject: Subject) -> Iterator[Finding]:
    currency = subject.document.get("currency")
    if currency not in CURRENCIES:
        yield Finding(Code.CURRENCY_UNKNOWN, "/currency", f"{currency}.")
    parking = bool(subject.pricing("PARKING_TIME"))
    mixed = len({component.vat is None for component in subject.components}) == 2
    for element in subject.elements:
        for component in element.components:
            if component.dimension in DIMENSIONS:
                yield from _of_price(component, has_size=currency in _OF_ORDINARY_SIZE)
                yield from _of_step(component, is_idle=parking and element.context == CHARGING)
                yield from _of_vat(component, mixed=mixed)
    yield from _differing_steps(subject)


def _of_price(component: Component, *, has_size: bool) -> Iterator[Finding]:
    price, at = component.price, f"{component.pointer}/price"
    if price < 0:
        yield Finding(Code.PRICE_NEGATIVE, at)
    is_dear = component.dimension == "ENERGY" and price > _DEAR_KWH
    is_cheap = component.dimension in ("TIME", "PARKING_TIME") and 0 < price < _CHEAP_HOUR
    if has_size and (is_dear or is_cheap):
        yield Finding(Code.PRICE_SCALE, at)
    exponent = price.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > WIRE_PLACES:
        yield Finding(Code.MORE_THAN_4_DECIMALS, at)


def _of_step(component: Component, *, is_idle: bool) -> Iterator[Finding]:
    """`is_idle`: another price has the rounding of time."""
    step, at = component.step, f"{component.pointer}/step_size"
    if step is None:
        return
    if component.dimension == "FLAT":
        if step > 1:
            yield Finding(Code.FLAT_STEP, at)
        return
    if step == 0:
        yield Finding(Code.STEP_ZERO, at)
    if step > _LARGE_STEPS[component.dimension]:
        yield Finding(Code.STEP_LARGE, at)
    if component.dimension == "TIME" and step > 1 and is_idle:
        yield Finding(Code.TIME_STEP_UNUSED, at)


def _of_vat(component: Component, *, mixed: bool) -> Iterator[Finding]:
    vat, at = component.vat, f"{component.pointer}/vat"
    if vat is None:
        if mixed:
            yield Finding(Code.VAT_MISSING_MIXED, component.pointer)
    elif not 0 <= vat <= 100:
        yield Finding(Code.VAT_RANGE, at)
    elif 0 < vat < 1:
        yield Finding(Code.VAT_AS_FRACTION, at)


def _differing_steps(subject: Subject) -> Iterator[Finding]:
    for context in CONTEXTS:
        for dimension in _LARGE_STEPS:
            priced = [component for _, component in subject.pricing(dimension, context)]
            for component in priced[1:]:
                if component.step != priced[0].step:
                    detail = f"{dimension} has {priced[0].step} before."
                    yield Finding(Code.STEP_DIFFERS, f"{component.pointer}/step_size", detail)
