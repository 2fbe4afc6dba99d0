"""What a charge point reports of a session, in a few words: minutes since the start, and what was seen then."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ocpi.pricing.audit import audit
from ocpi.pricing.breakdown import document
from ocpi.pricing.case import open_case
from ocpi.pricing.periods.generating import Generated, cdr_figures, session_figures
from ocpi.pricing.periods.history import Change, History, Sample, State, Switch
from ocpi.types import codec, times
from tests.kit.pricing import MONDAY, Document

RESERVED, CHARGING, FULL, HELD, FINISHING = State
"""FULL: suspended by the vehicle; HELD: suspended by the EVSE."""

START = f"{MONDAY}10:00:00Z"
Minutes = float | int


def history(
    tariff: Document,
    minutes: Minutes | None,
    *,
    kwh: Mapping[Minutes, Any] | None = None,
    signed: Mapping[Minutes, Any] | None = None,
    power: Mapping[Minutes, Any] | None = None,
    current: Mapping[Minutes, Any] | None = None,
    states: Mapping[Minutes, State] | None = None,
    switches: Mapping[Minutes, Document] | None = None,
    start: str = START,
    zone: str = "UTC",
    **more: Any,
) -> History:
    """A session of so many minutes; no minutes: it goes on. Each mapping goes by minutes since the start."""
    samples = [
        *(Sample(after(at, start), register=Decimal(str(value))) for at, value in (kwh or {}).items()),
        *(
            Sample(after(at, start), register=Decimal(str(value)), is_signed=True)
            for at, value in (signed or {}).items()
        ),
        *(Sample(after(at, start), power=Decimal(str(value))) for at, value in (power or {}).items()),
        *(Sample(after(at, start), current=Decimal(str(value))) for at, value in (current or {}).items()),
    ]
    return History(
        start=times.parse(start),
        end=None if minutes is None else after(minutes, start),
        zone=zone,
        tariff=tariff,
        samples=samples,
        changes=[Change(after(at, start), state) for at, state in (states or {}).items()],
        switches=[Switch(after(at, start), other) for at, other in (switches or {}).items()],
        **more,
    )


def after(minutes: Minutes, start: str = START) -> datetime:
    return times.parse(start) + timedelta(minutes=minutes)


def made(tariff: Document, minutes: Minutes, **told: Any) -> Document:
    """The members of the CDR, which an audit has confirmed."""
    return confirmed(history(tariff, minutes, **told)).members


def confirmed(told: History) -> Generated:
    """What is generated of a history, after an audit of the CDR that a partner would get."""
    generated = cdr_figures(told)
    received = codec.decode(codec.encode(generated.members))
    case = open_case(received, zone=told.zone)
    result = document(case, audit(case))
    assert result["agrees"], result["differences"]
    assert "period_spans_price_change" not in [note["code"] for note in result["notes"]], result["notes"]
    return generated


def running(tariff: Document, now: Minutes, **told: Any) -> Generated:
    """What is generated of a session that goes on."""
    return session_figures(history(tariff, None, **told), after(now, told.get("start", START)))


def seen(members: Document) -> list[tuple[str, dict[str, str]]]:
    """The periods: the time of day each starts, and its volumes."""
    return [
        (
            period["start_date_time"][11:-1],
            {one["type"]: f"{one['volume'].normalize():f}" for one in period["dimensions"]},
        )
        for period in members["charging_periods"]
    ]
