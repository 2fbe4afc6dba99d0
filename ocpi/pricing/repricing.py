"""A CDR with the figures that follow from its own periods and tariffs (§mod_cdrs_cdr_object)."""

from decimal import Decimal
from typing import Any

from ocpi.pricing import kinds
from ocpi.pricing.case import open_case
from ocpi.pricing.exact import ZERO, arithmetic, money, plain
from ocpi.pricing.figures import ONCE, Rounding
from ocpi.pricing.scalars import seconds

Json = dict[str, Any]

_TENTHS = Rounding(places=10)  # of hours, as our own CDRs say them


def repriced(document: Json, *, zone: str | None = None, policy: Rounding = ONCE) -> Json:
    """The same CDR with costs, currency and quantities as the engine computes them; all else is as it was.

    A cost is there if it is not nothing. Raises `BadInput` for what cannot be priced.
    """
    case = open_case(document, zone=zone, policy=policy)
    with arithmetic():
        usage, course = case.usage, case.priced.course
        found = case.figures
        costs = {
            name: cost.document() for name, cost in zip(kinds.COSTS, found.costs, strict=True) if cost.excl or cost.incl
        }
        parking = _hours(money(course.stretches.total(kinds.PARKING_TIME)))
        quantities = {
            "total_energy": plain(sum((volume for volume in usage.volumes[kinds.ENERGY] if volume), ZERO)),
            "total_time": _hours(money(seconds(max(usage.end - usage.start, 0)))),
            **({"total_parking_time": parking} if parking else {}),
        }
    replaced = {"total_cost", "total_parking_time", *kinds.COSTS}
    kept = {name: value for name, value in document.items() if name not in replaced}
    return kept | {"currency": case.currency, "total_cost": found.total.document()} | costs | quantities


def _hours(exact: Decimal) -> Decimal:
    return plain(_TENTHS.round(exact))
