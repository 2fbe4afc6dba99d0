"""Fields nobody reads because of their spelling. Other unknown fields are extensions, and nobody's business."""

from collections.abc import Iterator
from typing import Any

from ocpi.pricing.lint.findings import Code, Finding
from ocpi.pricing.subject import Subject
from ocpi.types.scalars import Wire
from ocpi.v221.common import Price
from ocpi.v221.tariffs import PriceComponent, Tariff, TariffElement, TariffRestrictions


def findings(subject: Subject) -> Iterator[Finding]:
    document = subject.document
    yield from _of(document, Tariff, "")
    for name in ("min_price", "max_price"):
        yield from _of(document.get(name), Price, f"/{name}")
    for element in subject.elements:
        yield from _of(element.document, TariffElement, element.pointer)
        yield from _of(element.members, TariffRestrictions, f"{element.pointer}/restrictions")
        for component in element.components:
            yield from _of(component.document, PriceComponent, component.pointer)


def _of(members: Any, shape: type[Wire], at: str) -> Iterator[Finding]:
    if not isinstance(members, dict):
        return
    known = shape.__struct_fields__
    for name in members:
        if name not in known and (meant := next((field for field in known if _is_near(name, field)), None)):
            yield Finding(Code.MISSPELLED_FIELD, f"{at}/{name}", f"Is {meant} meant?")


def _is_near(name: str, field: str) -> bool:
    """Whether they differ by case and separators only, or by one letter."""
    one, other = _letters(name), _letters(field)
    return one == other or not _shortened(one).isdisjoint(_shortened(other))


def _letters(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")


def _shortened(word: str) -> set[str]:
    """The word, and what it is without any one letter."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
