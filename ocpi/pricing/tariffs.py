"""A Tariff compiled for pricing, once per content (§mod_tariffs_tariff_object).

Per kind of what can be billed there is a ladder: the price components of that kind in the order of the elements, up
to the first that always applies. The first rate on the ladder whose checks hold is the price.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from operator import and_
from typing import Any, NamedTuple

import msgspec

from ocpi.pricing import kinds, restrictions
from ocpi.pricing.exact import HOUR, ONE, ZERO, percent
from ocpi.pricing.faults import BadInput
from ocpi.pricing.notes import Code, Note
from ocpi.pricing.restrictions import Check, Holds, Moments, Restrictions
from ocpi.pricing.scalars import instant, number, text
from ocpi.types import codec

USED, EXPIRED, BY_FALLBACK = range(3)
"""Which elements serve a reservation: those for one, first those for its expiry, also those for anything."""

_DIMENSIONS = ("ENERGY", "FLAT", "PARKING_TIME", "TIME")
_RESERVATIONS = ("RESERVATION", "RESERVATION_EXPIRES")


class TaxMode(Enum):
    """What the prices of a tariff say about VAT."""

    EXCLUDED = "excluded"  # 2.2.1: a net price and a rate; no rate is no VAT
    UNSTATED = "unstated"  # no word on VAT: there is none in 2.2.1, and nothing is known in 2.1.1


class Limit(NamedTuple):
    """A minimum or maximum price; in 3600ths. `incl` is None when only the net amount is given."""

    excl: Decimal
    incl: Decimal | None


@dataclass(frozen=True, slots=True, eq=False)
class Rate:
    """A price component in its element. `net` and `gross` are 3600ths per kWh, per second or per fee."""

    element: int
    component: int
    dimension: str
    price: Decimal
    vat: Decimal | None
    net: Decimal
    gross: Decimal
    step: Decimal
    """In kWh or seconds; 0 is no rounding."""
    step_size: Decimal
    """As the tariff has it."""
    checks: tuple[Check, ...]
    tests: tuple[Holds, ...]
    """`holds` of the checks, within easy reach."""
    tariff_id: str
    at: str
    """JSON Pointer to the component within its Tariff."""


class Ladder:
    """The rates of one kind in the order in which they are tried."""

    __slots__ = ("always", "is_conditional", "rates")

    def __init__(self, rates: Sequence[Rate]) -> None:
        end = next((at for at, rate in enumerate(rates, 1) if not rate.tests), len(rates))
        self.rates = tuple(rates[:end])
        self.always = self.rates[0] if self.rates and not self.rates[0].tests else None
        self.is_conditional = bool(self.rates) and self.always is None

    def over(self, moments: Moments) -> Sequence[Rate | None]:
        """The rate at each moment."""
        found: list[Rate | None] | None = None
        for rate in self.rates:
            if not rate.tests:
                return [first or rate for first in found] if found else [rate] * len(moments)
            holding = moments.ask(rate.tests[0])
            for test in rate.tests[1:]:
                if not any(holding):
                    break
                holding = list(map(and_, holding, moments.ask(test)))
            if any(holding):
                if found is None:
                    found = [rate if holds else None for holds in holding]
                else:
                    found = [first or (rate if holds else None) for first, holds in zip(found, holding, strict=True)]
                if all(found):
                    break
        return found or [None] * len(moments)


NO_RATES = Ladder(())


class Table(NamedTuple):
    """The ladders by kind, for one fate of a reservation."""

    ladders: tuple[Ladder, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tariff:
    """A Tariff ready to price with. Read-only and shared: the same content is compiled once."""

    id: str
    currency: str | None
    start: int | None
    end: int | None
    minimum: Limit | None
    maximum: Limit | None
    tables: tuple[Table, Table, Table]
    rates: frozenset[Rate]
    checks: tuple[Check, ...]
    needs_clock: bool
    """Whether a restriction asks for the local time."""
    has_fees: bool
    tax_mode: TaxMode
    notes: tuple[Note, ...]
    snapshot: Mapping[str, Any]

    def is_active(self, instant: int) -> bool:
        return (self.start is None or self.start <= instant) and (self.end is None or instant < self.end)

    def prices(self, kind: int) -> bool:
        return bool(self.tables[USED].ladders[kind].rates)


def compiled(document: Any) -> Tariff:
    """The Tariff; raises `BadInput` with a pointer into it."""
    if not isinstance(document, Mapping):
        raise BadInput("is not a Tariff object")
    return _compiled(codec.encode(document))


def canonical(document: Any) -> bytes:
    """The content of a document whatever the order of its members: what its hash is taken of."""
    return _canonical.encode(document)


_canonical = msgspec.json.Encoder(decimal_format="number", order="sorted")


@lru_cache(maxsize=1024)
def _compiled(content: bytes) -> Tariff:
    document = codec.decode(content)
    if document.get("tax_included") == "YES":
        raise BadInput("prices that include tax cannot be priced", "tax_included")
    elements = document.get("elements")
    if not isinstance(elements, list) or not elements:
        raise BadInput("must be a list of at least one tariff element", "elements")
    identity = str(document.get("id") or "")
    notes: list[Note] = []
    rates: list[tuple[Restrictions, list[Rate]]] = []
    for index, element in enumerate(elements):
        try:
            rates.append(_element(identity, index, element, notes))
        except (BadInput, KeyError, TypeError, AttributeError) as error:
            raise BadInput.of(error).below("elements", index) from None
    checks = tuple(check for restricted, _ in rates for check in restricted.checks)
    every = frozenset(rate for _, found in rates for rate in found)
    return Tariff(
        id=identity,
        currency=text(document.get("currency")),
        start=_instant(document, "start_date_time"),
        end=_instant(document, "end_date_time"),
        minimum=_limit(document, "min_price"),
        maximum=_limit(document, "max_price"),
        tables=(_table(rates, USED), _table(rates, EXPIRED), _table(rates, BY_FALLBACK)),
        rates=every,
        checks=checks,
        needs_clock=any(check.needs_clock for check in checks),
        has_fees=any(rate.dimension == "FLAT" for rate in every),
        tax_mode=TaxMode.EXCLUDED if any(rate.vat is not None for rate in every) else TaxMode.UNSTATED,
        notes=tuple(notes),
        snapshot=document,
    )


def _element(identity: str, index: int, element: Any, notes: list[Note]) -> tuple[Restrictions, list[Rate]]:
    try:
        restricted = restrictions.read(element.get("restrictions"))
    except BadInput as fault:
        raise fault.below("restrictions") from None
    at = f"/elements/{index}"
    notes += [Note(Code.ODD_CLOCK_TIME, f"{at}/restrictions/{name}") for name in restricted.odd]
    notes += [Note(Code.UNKNOWN_VALUE, f"{at}/restrictions/{name}") for name in restricted.unlisted]
    if restricted.reservation not in (None, *_RESERVATIONS):
        notes.append(Note(Code.UNKNOWN_VALUE, f"{at}/restrictions/reservation"))
    components = element["price_components"]
    if not isinstance(components, list) or not components:
        raise BadInput("must be a list of at least one price component", "price_components")
    rates: list[Rate] = []
    for number_, component in enumerate(components):
        try:
            rates += _rates(identity, (index, number_), component, restricted.checks, notes)
        except (BadInput, KeyError, TypeError, AttributeError) as error:
            raise BadInput.of(error).below("price_components", number_) from None
    return restricted, rates


def _rates(
    identity: str, place: tuple[int, int], component: Mapping[str, Any], checks: tuple[Check, ...], notes: list[Note]
) -> Iterator[Rate]:
    at = f"/elements/{place[0]}/price_components/{place[1]}"
    dimension = component["type"]
    if dimension not in _DIMENSIONS:
        notes.append(Note(Code.UNKNOWN_VALUE, f"{at}/type"))
        return
    price, vat, step = (_number(component, name) for name in ("price", "vat", "step_size"))
    if price is None:
        raise KeyError("price")
    if vat is not None and vat < 0:
        notes.append(Note(Code.NEGATIVE_VAT, f"{at}/vat"))
    if step is None:
        step = ONE
        if dimension != "FLAT":
            notes.append(Note(Code.STEP_MISSING, at))
    net = price if dimension in ("TIME", "PARKING_TIME") else price * HOUR
    yield Rate(
        element=place[0],
        component=place[1],
        dimension=dimension,
        price=price,
        vat=vat,
        net=net,
        gross=net * (ONE + percent(vat or ZERO)),
        step=step.scaleb(-3) if dimension == "ENERGY" else step,
        step_size=step,
        checks=checks,
        tests=tuple(check.holds for check in checks),
        tariff_id=identity,
        at=at,
    )


def _table(elements: Sequence[tuple[Restrictions, Sequence[Rate]]], fate: int) -> Table:
    """The elements that serve a kind: those with a `reservation` serve only that, the others only charging."""

    def rates_for(context: str | None, dimension: str) -> list[Rate]:
        served = [rates for restricted, rates in elements if restricted.reservation == context]
        return [rate for rates in served for rate in rates if rate.dimension == dimension]

    def ladder(kind: int) -> Ladder:
        dimension = kinds.DIMENSION[kind]
        if kinds.CONTEXT[kind] == "charging":
            return Ladder(rates_for(None, dimension))
        rates = rates_for("RESERVATION", dimension)
        if fate == EXPIRED:
            rates = rates_for("RESERVATION_EXPIRES", dimension) + rates
        if fate == BY_FALLBACK:
            rates += [rate for rate in rates_for(None, dimension) if not rate.tests]
        return Ladder(rates)

    return Table(tuple(ladder(kind) for kind in kinds.KINDS))


def _limit(document: Mapping[str, Any], name: str) -> Limit | None:
    if (price := document.get(name)) is None:
        return None
    try:
        if not isinstance(price, Mapping):
            return Limit(number(price) * HOUR, None)
        excl, incl = _number(price, "excl_vat"), _number(price, "incl_vat")
        if excl is None:
            raise BadInput("is missing", "excl_vat")
        return Limit(excl * HOUR, None if incl is None else incl * HOUR)
    except BadInput as fault:
        raise fault.below(name) from None


def _number(members: Mapping[str, Any], name: str) -> Decimal | None:
    value = members.get(name)
    if value is None:
        return None
    try:
        return number(value)
    except BadInput as fault:
        raise fault.below(name) from None


def _instant(document: Mapping[str, Any], name: str) -> int | None:
    if (value := document.get(name)) is None:
        return None
    try:
        return instant(value)
    except BadInput as fault:
        raise fault.below(name) from None
