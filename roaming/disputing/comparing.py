"""What a CDR claims beside what it should be, figure by figure. Pure."""

from decimal import Decimal
from typing import Any

from ocpi.pricing.kinds import COSTS
from ocpi.store.documents import Document

_QUANTITIES = {"total_energy": "kWh", "total_time": "h", "total_parking_time": "h"}


def comparison(document: Document, priced: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each figure that is claimed or computed; `delta` is what is claimed too much.

    `priced` is the breakdown; without one, nothing was computed.
    """
    found = priced.get("differences") or []
    causes = {difference["field"]: difference["explanation"] or difference["likely_cause"] for difference in found}
    rows = []
    for name in ("total_cost", *COSTS):
        for part in ("excl_vat", "incl_vat"):
            claimed, computed = _part(document.get(name), part), _part(priced.get(name), part)
            if claimed is not None or computed:
                rows.append(_row(f"{name}.{part}", claimed, computed, document.get("currency"), causes))
    for name, unit in _QUANTITIES.items():
        claimed, computed = _number(document.get(name)), _number(priced.get(name))
        if claimed is not None or computed:
            rows.append(_row(name, claimed, computed, unit, causes))
    return rows


def _row(field: str, claimed: Decimal | None, computed: Decimal | None, unit: Any, causes: dict[str, Any]) -> Document:
    """`differs` is the audit's judgement: rounding and absent claims are no difference."""
    delta = None if claimed is None or computed is None else claimed - computed
    return {
        "field": field,
        "unit": unit,
        "claimed": claimed,
        "computed": computed,
        "delta": delta,
        "differs": field in causes,
        "cause": causes.get(field),
    }


def _part(price: Any, part: str) -> Decimal | None:
    return _number(price.get(part)) if isinstance(price, dict) else None


def _number(value: Any) -> Decimal | None:
    return Decimal(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else None
