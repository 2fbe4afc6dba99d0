"""The price of a case written down: every figure with where it comes from, as a JSON document.

Nothing is computed here that the engine did not; amounts are exact to 20 decimals, figures are rounded by the policy.
"""

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ocpi.pricing import ENGINE_VERSION, kinds, remarks, taxes
from ocpi.pricing.audit import Verdict
from ocpi.pricing.case import Case
from ocpi.pricing.causes import credited
from ocpi.pricing.exact import ZERO, arithmetic, money, plain
from ocpi.pricing.explain import Tried, tried
from ocpi.pricing.figures import Amount, Rounding, minor_unit, total
from ocpi.pricing.limits import Limited, Money
from ocpi.pricing.readings import DISPUTED
from ocpi.pricing.scalars import seconds, written
from ocpi.pricing.tariffs import Rate, Tariff, canonical
from ocpi.pricing.uses import Segment

Json = dict[str, Any]


def document(case: Case, verdict: Verdict) -> Json:
    """The whole result: totals, periods, notes, alternatives and the verdict."""
    with arithmetic():
        return {
            **_totals(case),
            "periods": _periods(case),
            "notes": [note.document() for note in [*remarks.notes(case), *verdict.notes]],
            "alternatives": alternatives(case),
            "agrees": verdict.agrees,
            "differences": [_plain(difference.document()) for difference in verdict.differences],
            **_sums(case),
            **_provenance(case),
        }


def alternatives(case: Case) -> list[Json]:
    """Totals by the readings others hold of disputed points, where they differ from ours."""
    own, found = case.total, []
    for variant in DISPUTED:
        with arithmetic():
            other = total(case.under(variant.of(case.readings)), case.policy)
        if other != own:
            found.append({"reading": variant.name, "total": other.document(), "explanation": variant.sentence})
    return found


def _totals(case: Case) -> Json:
    """The figures of a CDR (§mod_cdrs_cdr_object)."""
    found = credited(case.figures, case.usage.is_credit)
    usage, course = case.usage, case.priced.course
    return {
        "currency": case.currency,
        "total_cost": found.total.document(),
        **{name: cost.document() for name, cost in zip(kinds.COSTS, found.costs, strict=True)},
        "total_energy": plain(sum((volume for volume in usage.volumes[kinds.ENERGY] if volume), ZERO)),
        "total_time": _hours(seconds(max(usage.end - usage.start, 0))),
        "total_parking_time": _hours(course.stretches.total(kinds.PARKING_TIME)),
    }


def _sums(case: Case) -> Json:
    """What the figures were made of, and what an invoice would say."""
    priced, policy = case.priced, case.policy
    invoice = Rounding(places=minor_unit(case.currency))
    coins = total(priced, invoice)
    return {
        "exact": _exact(case, priced.total),
        "tax_lines": _tax_lines(case, total(priced, policy), policy),
        "limits": [_limit(case, limited) for limited in priced.limited],
        "invoice": {"decimals": invoice.places, **coins.document(), "tax_lines": _tax_lines(case, coins, invoice)},
    }


def _provenance(case: Case) -> Json:
    policy = case.policy
    departures = {name: value for name in case.readings.__slots__ if (value := getattr(case.readings, name))}
    return {
        "policy": {"mode": str(policy.mode), "stage": str(policy.stage), "places": policy.places},
        "readings": {name: value if value is True else str(value) for name, value in departures.items()},
        "engine": ENGINE_VERSION,
        "time_zone": case.place.zone,
        "time_zone_source": case.place.source,
        "tariffs": [_tariff(case, tariff) for tariff in case.selected.distinct],
    }


def _tariff(case: Case, tariff: Tariff) -> Json:
    """The Tariff as it was used, and the hash by which it can be recognized."""
    content = canonical(tariff.snapshot)
    return {
        "id": tariff.id,
        "at": case.pointer(tariff),
        "tax_mode": tariff.tax_mode.value,
        "sha256": hashlib.sha256(content).hexdigest(),
        "snapshot": tariff.snapshot,
    }


def _periods(case: Case) -> list[Json]:
    """Each stretch with what was billed in it, and what was not."""
    course, priced = case.priced.course, case.priced
    billed: list[list[Json]] = [[] for _ in course.places]
    unpriced: list[list[Json]] = [[] for _ in course.places]
    for segment in priced.segments:
        billed[segment.stretch].append(_segment(case, segment))
    for at, kind, quantity in priced.free:
        unpriced[at].append(
            {
                "dimension": kinds.VOLUME[kind],
                "quantity": plain(quantity),
                "unit": kinds.UNIT[kind],
                "passed_over": [_tried(case, other) for other in tried(course, at, kind)],
            }
        )
    return [
        _period(case, at) | {"segments": segments, "unpriced": free}
        for at, (segments, free) in enumerate(zip(billed, unpriced, strict=True))
    ]


def _period(case: Case, at: int) -> Json:
    """When, by which tariff, what was reported, and the state at its start."""
    course, clock = case.priced.course, case.clock
    start, end, tariff = course.stretches.starts[at], course.stretches.ends[at], course.selected.tariffs[at]
    index = course.usage.indices[course.stretches.periods[at]]
    reported = case.usage.document["charging_periods"][index].get("dimensions") or []
    return {
        "at": f"/charging_periods/{index}",
        "start": written(start),
        "end": written(end),
        "local_start": clock.shown(start).isoformat(),
        "local_end": clock.shown(end).isoformat(),
        "tariff_id": None if tariff is None else tariff.id,
        "dimensions": [{"type": found["type"], "measured_volume": found["volume"]} for found in reported],
        "seconds": {
            str(kinds.VOLUME[kind]): plain(amount)
            for kind, amount in course.stretches.used(at)
            if kind in kinds.CLOCKED
        },
        "kwh_before": plain(course.moments.kwh[at]),
        "elapsed_before": plain(seconds(course.moments.elapsed[at])),
    }


def _segment(case: Case, segment: Segment) -> Json:
    priced = case.priced
    at, kind, rate, quantity = segment
    considered = tried(priced.course, at, kind)
    return {
        "dimension": rate.dimension,
        "context": kinds.CONTEXT[kind],
        "tariff_id": rate.tariff_id,
        "element": rate.element,
        "component": rate.component,
        "at": _pointer(case, rate),
        "because": _outcomes(considered[-1]),
        "passed_over": [_tried(case, other) for other in considered[:-1]],
        "quantity": plain(quantity),
        "unit": kinds.UNIT[kind],
        "billed": plain(quantity + priced.added(segment)),
        "step_size": rate.step_size,
        "surplus": plain(priced.added(segment)),
        "price": rate.price,
        "vat": rate.vat,
        **_exact(case, priced.cost(segment)),
    }


def _tried(case: Case, considered: Tried) -> Json:
    return {"at": _pointer(case, considered.rate), "because": _outcomes(considered)}


def _outcomes(considered: Tried) -> list[Json]:
    return [
        {"restriction": check.name, "bound": check.bound, "seen": _plain(seen), "holds": holds}
        for check, seen, holds in considered.outcomes
    ]


def _pointer(case: Case, rate: Rate) -> str:
    return case.pointer(case.tariff_of(rate)) + rate.at


def _tax_lines(case: Case, total: Amount, policy: Rounding) -> list[Json]:
    return [
        {"rate": line.rate, "base": plain(line.base), "tax": plain(line.tax)}
        | ({"limit": line.limit} if line.limit else {})
        for line in taxes.lines(case.priced, total, policy)
    ]


def _limit(case: Case, limited: Limited) -> Json:
    return {
        "limit": limited.name,
        "bound": {
            name: None if amount is None else plain(money(amount))
            for name, amount in zip(("excl_vat", "incl_vat"), limited.limit, strict=True)
        },
        "before": _exact(case, limited.before),
        "after": _exact(case, limited.after),
    }


def _exact(case: Case, amount: Money) -> Json:
    incl = money(amount.incl) if case.priced.course.knows_tax else None
    return Amount(money(amount.excl), incl).document()


def _hours(seconds: Decimal) -> Decimal:
    return plain(Rounding().round(money(seconds)))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, Sequence) and not isinstance(value, str) else value
