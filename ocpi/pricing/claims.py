"""What a document says it costs and how much was used: the figures an audit compares."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ocpi.pricing.faults import BadInput
from ocpi.pricing.kinds import COSTS
from ocpi.pricing.reading import Usage
from ocpi.pricing.scalars import number, text

QUANTITIES = ("total_energy", "total_time", "total_parking_time")


@dataclass(frozen=True, slots=True)
class Claims:
    """The figures of a CDR or Session that are there; what is absent is no claim."""

    money: Mapping[tuple[str, str], Decimal]
    """By field and part, `excl_vat` or `incl_vat`."""
    quantities: Mapping[str, Decimal]
    """kWh and hours, by field."""
    names: Mapping[str, str]
    """The field of the document that makes the claim of a quantity."""
    currency: str | None


def read(usage: Usage) -> Claims:
    """The claims; raises `BadInput` for one that is no number."""
    document = usage.document
    money: dict[tuple[str, str], Decimal] = {}
    for name in ("total_cost", *COSTS):
        if (value := document.get(name)) is not None:
            money |= _price(name, value)
    names = {name: name for name in QUANTITIES} if usage.is_cdr else {"total_energy": "kwh"}
    quantities = {
        name: _number(document[field], field) for name, field in names.items() if document.get(field) is not None
    }
    return Claims(money, quantities, names, text(document.get("currency")))


def claimed_energy(usage: Usage) -> Decimal | None:
    """The kWh a document claims, if it does."""
    return read(usage).quantities.get("total_energy")


def _price(name: str, value: Any) -> dict[tuple[str, str], Decimal]:
    """A Price; in OCPI 2.1.1 a number, without VAT."""
    if not isinstance(value, Mapping):
        return {(name, "excl_vat"): _number(value, name)}
    return {
        (name, part): _number(value[part], name, part)
        for part in ("excl_vat", "incl_vat")
        if value.get(part) is not None
    }


def _number(value: Any, *path: str) -> Decimal:
    try:
        return number(value)
    except BadInput as fault:
        raise fault.below(*path) from None
