"""A Tariff taken apart for those who judge or describe it: elements and restrictions, components and numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ocpi.pricing import restrictions
from ocpi.pricing.exact import ONE, percent
from ocpi.pricing.faults import BadInput
from ocpi.pricing.restrictions import Check, Restrictions
from ocpi.pricing.scalars import number
from ocpi.pricing.tariffs import compiled

CHARGING, RESERVATION, EXPIRES = "charging", "RESERVATION", "RESERVATION_EXPIRES"
CONTEXTS = (CHARGING, RESERVATION, EXPIRES)
DIMENSIONS = ("ENERGY", "TIME", "PARKING_TIME", "FLAT")

_TIMES = ("start_time", "end_time")


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """A price component and where it is."""

    element: int
    pointer: str
    dimension: str
    price: Decimal
    vat: Decimal | None
    step: Decimal | None
    document: Mapping[str, Any]

    @property
    def gross(self) -> Decimal:
        return self.price * (ONE + percent(self.vat or Decimal(0)))


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """A tariff element; `members` are its restrictions as written."""

    pointer: str
    components: Sequence[Component]
    members: Mapping[str, Any]
    checks: Sequence[Check]
    context: str
    """What it prices: charging, or the kind of reservation it is restricted to."""
    bad_times: Sequence[str]
    """Times of day that are not written as they should be; one that cannot be read restricts nothing here."""
    document: Mapping[str, Any]

    def prices(self, dimension: str) -> Component | None:
        """The component that counts for a dimension."""
        return next((component for component in self.components if component.dimension == dimension), None)


@dataclass(frozen=True, slots=True)
class Subject:
    """The Tariff that is looked at."""

    document: Mapping[str, Any]
    elements: Sequence[Element]

    @property
    def components(self) -> Iterator[Component]:
        for element in self.elements:
            yield from element.components

    def pricing(self, dimension: str, context: str = CHARGING) -> list[tuple[Element, Component]]:
        """The elements that price a dimension in a context, each with the component that counts, in their order."""
        found = ((element, element.prices(dimension)) for element in self.elements if element.context == context)
        return [(element, component) for element, component in found if component]


def read(document: Any) -> Subject:
    """The Tariff; raises `BadInput` for what cannot be priced at all, but for times of day, which are a finding."""
    legible = _with_legible_times(document)
    tariff = compiled(legible)
    elements = [
        _element(index, element, written)
        for index, (element, written) in enumerate(zip(tariff.snapshot["elements"], document["elements"], strict=True))
    ]
    return Subject(document, elements)


def _with_legible_times(document: Any) -> Any:
    """The document without the times of day that nobody can read."""
    if not isinstance(document, Mapping) or not isinstance(document.get("elements"), list):
        return document
    return {**document, "elements": [_legible(element) for element in document["elements"]]}


def _legible(element: Any) -> Any:
    if not isinstance(element, Mapping) or not isinstance(members := element.get("restrictions"), Mapping):
        return element
    return {**element, "restrictions": {name: value for name, value in members.items() if _is_legible(name, value)}}


def _is_legible(name: str, value: Any) -> bool:
    if name not in _TIMES:
        return True
    try:
        restrictions.read({name: value})
    except BadInput:
        return False
    return True


def _element(index: int, element: Mapping[str, Any], written: Mapping[str, Any]) -> Element:
    members = written.get("restrictions") or {}
    read: Restrictions = restrictions.read(element.get("restrictions"))
    illegible = [name for name in _TIMES if name in members and not _is_legible(name, members[name])]
    return Element(
        pointer=f"/elements/{index}",
        components=list(_components(index, element)),
        members=members,
        checks=read.checks,
        context=read.reservation or CHARGING,
        bad_times=[*illegible, *read.odd],
        document=written,
    )


def _components(index: int, element: Mapping[str, Any]) -> Iterator[Component]:
    for place, component in enumerate(element["price_components"]):
        vat, step = component.get("vat"), component.get("step_size")
        yield Component(
            element=index,
            pointer=f"/elements/{index}/price_components/{place}",
            dimension=component["type"],
            price=number(component["price"]),
            vat=None if vat is None else number(vat),
            step=None if step is None else number(step),
            document=component,
        )
