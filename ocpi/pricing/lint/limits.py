"""min_price and max_price, and when the tariff is valid (§mod_tariffs_tariff_object)."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from ocpi.pricing.exact import ONE, ZERO, percent
from ocpi.pricing.lint.findings import Code, Finding
from ocpi.pricing.scalars import instant, number
from ocpi.pricing.subject import Subject

_TOLERANCE = Decimal("0.005")
"""Half a cent: what rounding can do."""


def findings(subject: Subject, now: int | None) -> Iterator[Finding]:
    limits = {name: _amounts(subject.document.get(name)) for name in ("min_price", "max_price")}
    for name, limit in limits.items():
        yield from _of_vat(subject, name, limit)
    least, most = limits.values()
    if any(part in most and least[part] > most[part] for part in least):
        yield Finding(Code.LIMITS_CROSS, "/min_price")
    start, end = (subject.document.get(name) for name in ("start_date_time", "end_date_time"))
    if end and start and instant(end) <= instant(start):
        yield Finding(Code.UNREACHABLE_RESTRICTION, "/end_date_time", "It is not after start_date_time.")
    elif end and now is not None and instant(end) <= now:
        yield Finding(Code.TARIFF_OVER, "/end_date_time")


def _amounts(price: object) -> dict[str, Decimal]:
    if not isinstance(price, Mapping):
        return {}
    return {part: number(price[part]) for part in ("excl_vat", "incl_vat") if price.get(part) is not None}


def _of_vat(subject: Subject, name: str, limit: Mapping[str, Decimal]) -> Iterator[Finding]:
    """With VAT, a limit lies between what the lowest and the highest rate make of it."""
    rates = [component.vat or ZERO for component in subject.components]
    if not limit or not any(rates):
        return
    if "incl_vat" not in limit:
        yield Finding(Code.LIMIT_INCL_MISSING, f"/{name}")
        return
    excl, incl = limit["excl_vat"], limit["incl_vat"]
    taxed = sorted(excl * (ONE + percent(rate)) for rate in rates)
    if not taxed[0] - _TOLERANCE <= incl <= taxed[-1] + _TOLERANCE:
        yield Finding(Code.LIMIT_VAT_MISMATCH, f"/{name}/incl_vat")
