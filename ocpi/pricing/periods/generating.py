"""The members of a CDR or Session that follow from its history: periods, quantities, costs (§mod_cdrs_cdr_object)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ocpi.pricing import kinds, remarks
from ocpi.pricing.case import Case, open_case
from ocpi.pricing.exact import ZERO, arithmetic, plain
from ocpi.pricing.figures import ONCE, Rounding
from ocpi.pricing.notes import Note
from ocpi.pricing.periods import cuts, gauges, parts, register, timeline
from ocpi.pricing.periods.history import History, State
from ocpi.pricing.periods.merging import merge
from ocpi.pricing.periods.parts import Part
from ocpi.pricing.periods.timeline import Timeline
from ocpi.pricing.scalars import SECOND, written

Json = dict[str, Any]

_OF_SESSION = ("currency", "kwh", "charging_periods")


@dataclass(frozen=True, slots=True)
class Generated:
    """What the history says. `members` are to be put into the CDR or Session, which adds who, where and its ids."""

    members: Json
    notes: tuple[Note, ...]
    """What is odd about the samples, and about the price."""
    case: Case
    """The session as an auditor sees it."""


def cdr_figures(history: History, policy: Rounding = ONCE) -> Generated:
    """Start, end, currency, tariffs, charging periods, totals and costs of the CDR of a session that has ended.

    Raises `BadInput`: see `timeline.read` and `register.read`.
    """
    line = timeline.read(history)
    document, case, notes = _priced(history, line, policy)
    found = case.figures
    costs = {
        name: cost.document() for name, cost in zip(kinds.COSTS, found.costs, strict=True) if cost.excl or cost.incl
    }
    return Generated(document | {"total_cost": found.total.document()} | costs, notes, case)


def session_figures(history: History, now: datetime, policy: Rounding = ONCE) -> Generated:
    """Currency, kWh, charging periods and cost so far of a Session, as if it ended now (§mod_sessions_session_object).

    An estimate: step_size and price limits apply, so the cost may fall when a cheaper price becomes the last one.
    """
    line = timeline.read(history, now)
    document, case, notes = _priced(history, line, policy)
    usage = {name: document[name] for name in _OF_SESSION}
    return Generated(usage | {"total_cost": case.total.document()}, notes, case)


def _priced(history: History, line: Timeline, policy: Rounding) -> tuple[Json, Case, tuple[Note, ...]]:
    """The document with its periods, the case it makes, and what is odd."""
    with arithmetic():
        energy, odd = register.read(history.samples, line)
        known = {
            (unit, phase): gauge
            for unit in gauges.UNITS
            for phase in line.phases
            if (gauge := gauges.read(unit, phase, history.samples, energy))
        }
        found = cuts.find(line, energy, known, history.steady_after * SECOND)
        pieces = parts.cut(found, line.end, energy.total, known)
        whole = _document(line, merge(pieces, _case(_document(line, pieces), line, policy).priced.course))
    case = _case(whole, line, policy)
    return whole, case, (*odd, *remarks.notes(case))


def _document(line: Timeline, pieces: Sequence[Part]) -> Json:
    """A Session while it goes on, then a CDR; with all that its price depends on."""
    document: Json = {
        "start_date_time": written(line.start),
        "currency": line.documents[0]["currency"],
        "charging_periods": parts.periods(pieces),
    }
    if line.is_running:
        is_reserved = line.phases[-1].state is State.RESERVED
        return document | {"status": "RESERVATION" if is_reserved else "ACTIVE", "kwh": _total(pieces, "ENERGY")}
    parking = _total(pieces, "PARKING_TIME")
    return document | {
        "end_date_time": written(line.end),
        "tariffs": list(line.documents),
        "total_energy": _total(pieces, "ENERGY"),
        "total_time": plain(_total(pieces, "TIME") + parking),
        **({"total_parking_time": parking} if parking else {}),
    }


def _total(pieces: Sequence[Part], dimension: str) -> Decimal:
    """What the periods report of a dimension."""
    return plain(sum((volume for part in pieces for kind, volume in part.volumes() if kind == dimension), ZERO))


def _case(document: Json, line: Timeline, policy: Rounding) -> Case:
    return open_case(document, list(line.documents), zone=line.place.zone, end=line.end, policy=policy)
