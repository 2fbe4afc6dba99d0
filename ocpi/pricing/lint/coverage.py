"""Which prices can apply, and when none does: dead elements, contradictory restrictions, gaps, overlaps."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from ocpi.pricing.lint import space
from ocpi.pricing.lint.findings import Code, Finding
from ocpi.pricing.lint.space import Box, Space, Undecided
from ocpi.pricing.restrictions import WEEKDAYS
from ocpi.pricing.scalars import number
from ocpi.pricing.subject import CHARGING, CONTEXTS, DIMENSIONS, Component, Element, Subject

_PAIRS = ("kwh", "power", "current", "duration")


class Coverage:
    """The boxes of a tariff, and what can be found by them."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._space: Space = space.of(subject.elements)
        self._boxes = {element: self._space.box(element) for element in subject.elements}

    def findings(self) -> Iterator[Finding]:
        yield from self._unreachable()
        yield from self._dead()
        for context in CONTEXTS:
            for dimension in DIMENSIONS:
                priced = [
                    (component, self._boxes[element])
                    for element, component in self._subject.pricing(dimension, context)
                    if not space.is_empty(self._boxes[element])
                ]
                yield from self._overlaps(priced)
                if dimension != "FLAT" and priced:
                    yield from self._gaps(dimension, context, [box for _, box in priced])

    def _unreachable(self) -> Iterator[Finding]:
        for element, box in self._boxes.items():
            if space.is_empty(box):
                yield Finding(Code.UNREACHABLE_RESTRICTION, f"{element.pointer}/restrictions", _contradiction(element))

    def _dead(self) -> Iterator[Finding]:
        for element in self._subject.elements:
            counting = [one for one in element.components if element.prices(one.dimension) is one]
            if space.is_empty(self._boxes[element]) or not counting:
                continue
            dead = [component for component in counting if self._is_dead(element, component)]
            if len(dead) == len(counting):
                yield Finding(Code.DEAD_ELEMENT, element.pointer)
            else:
                yield from (Finding(Code.DEAD_COMPONENT, component.pointer) for component in dead)

    def _is_dead(self, element: Element, component: Component) -> bool:
        priced = self._subject.pricing(component.dimension, element.context)
        earlier = [self._boxes[other] for other, found in priced if found.element < component.element]
        try:
            return bool(earlier) and space.rest(self._boxes[element], earlier) is None
        except Undecided:
            return False

    def _gaps(self, dimension: str, context: str, boxes: Sequence[Box]) -> Iterator[Finding]:
        """Weekdays without any price first, then what else is free on the other days."""
        missing = [
            weekday for weekday in range(len(WEEKDAYS)) if not any(box[0] & self._space.days(weekday) for box in boxes)
        ]
        days = self._space.everything[0]
        of = dimension if context == CHARGING else f"{dimension} of a reservation"
        for weekday in missing:
            days &= ~self._space.days(weekday)
        if missing:
            names = ", ".join(WEEKDAYS[weekday] for weekday in missing)
            witness = self._space.witness((self._space.days(missing[0]), *self._space.everything[1:]))
            yield Finding(Code.WEEKDAY_GAP, "/elements", f"{of} on {names}.", witness)
        with suppress(Undecided):
            if free := space.rest((days, *self._space.everything[1:]), boxes):
                yield Finding(Code.GAP, "/elements", f"{of}.", self._space.witness(free))

    def _overlaps(self, priced: Sequence[tuple[Component, Box]]) -> Iterator[Finding]:
        """Elements that share some cases and each have others; a more general one that follows is a fallback."""
        for at, (component, box) in enumerate(priced):
            for earlier, other in priced[:at]:
                both = space.shared(box, other)
                is_fallback = space.within(other, box) or space.within(box, other)
                if not space.is_empty(both) and not is_fallback and _differ(component, earlier):
                    witness = self._space.witness(both)
                    yield Finding(Code.OVERLAP, component.pointer, f"It is {earlier.pointer}.", witness)
                    break


def _contradiction(element: Element) -> str:
    for name in _PAIRS:
        least, most = (element.members.get(f"{end}_{name}") for end in ("min", "max"))
        if least is not None and most is not None and number(least) >= number(most):
            return f"min_{name} {least} is not below max_{name} {most}."
    start, end = element.members.get("start_date"), element.members.get("end_date")
    if start and end and start >= end:
        return f"end_date {end} is not after start_date {start}."
    return ""


def _differ(one: Component, other: Component) -> bool:
    return (one.price, one.vat, one.step) != (other.price, other.vat, other.step)
