"""Adds up the figures of CDRs, in the database and in integers; divides and rounds only at the end.

sessions     CDRs less those that a credit CDR took back; they count, with energy and revenue, on the day they ended
kwh          what was charged in these
revenue      what the CDRs charge, by currency: amounts of two currencies never meet; with VAT only where all tell it
minutes      how long a whole session took on average
utilisation  occupied time as a part of all time of the EVSEs (capacity.py), and charging time alike; a session is
             occupied time on each day that it took (figures.py)

Averages and percentages are rounded half up to four decimals.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from cpo_backend.models import CdrFigures
from cpo_backend.reporting import sites
from cpo_backend.reporting.asking import By, Kind, Question
from cpo_backend.reporting.capacity import Group, Room, capacity
from cpo_backend.reporting.figures import PLACES
from cpo_backend.reporting.sites import Place, Site
from ocpi.pricing.exact import plain, ratio
from ocpi.pricing.figures import ONCE

Row = dict[str, Any]

_NAMES: Mapping[By, tuple[str, ...]] = {
    By.SITE: ("cpo", "site", "name"),
    By.EVSE: ("cpo", "site", "name", "evse"),
    By.PARTNER: ("partner",),
    By.MONTH: ("month",),
    By.DAY: ("day",),
}
_COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    Kind.ENERGY: ("sessions", "kwh", "kwh_per_session"),
    Kind.SESSIONS: ("sessions", "credits", "hours", "minutes_per_session"),
    Kind.REVENUE: ("currency", "sessions", "kwh", "excl_vat", "vat", "incl_vat"),
    Kind.AVERAGE: ("currency", "sessions", "kwh_per_session", "minutes_per_session", "excl_vat_per_session"),
    Kind.UTILISATION: ("evses", "hours", "occupied_hours", "charging_hours", "occupied_percent", "charging_percent"),
}
_BY_CURRENCY = (Kind.REVENUE, Kind.AVERAGE)
_FAULTS_LISTED = 100


@dataclass(frozen=True, slots=True)
class Report:
    """Lines and sums with the same columns; `faults` are CDRs without figures, of which the first are listed."""

    kind: Kind
    question: Question
    columns: tuple[str, ...]
    rows: list[Row]
    sums: list[Row]
    faults: int
    faulty: list[Row]

    def document(self) -> Row:
        """As JSON has it."""
        asked = self.question
        return {
            "report": self.kind,
            "from": asked.first.isoformat(),
            "to": asked.last.isoformat(),
            "by": asked.by,
            "site": "/".join(part for part in (asked.owner, asked.site) if part),
            "partner": asked.partner,
            "rows": self.rows,
            "sums": self.sums,
            "not_counted": {"cdrs": self.faults, "listed": self.faulty},
        }


def report(kind: Kind, question: Question, now: datetime) -> Report:
    """The report; `now` is how far time has passed for utilisation."""
    names, columns = _NAMES[question.by], _COLUMNS[kind]
    if kind is Kind.UTILISATION:
        rows, sums = _utilisation(question, now)
    else:
        rows, sums = _amounts(question, by_currency=kind in _BY_CURRENCY)
    faults = question.rows().exclude(fault="")
    return Report(
        kind=kind,
        question=question,
        columns=(*names, *columns),
        rows=[{name: row[name] for name in (*names, *columns)} for row in rows],
        sums=[{name: row.get(name, "") for name in (*names, *columns)} for row in sums],
        faults=faults.count(),
        faulty=[
            {"cdr": key, "cpo": owner, "day": day.isoformat(), "site": site, "why": fault}
            for key, owner, day, site, fault in faults.order_by("day", "pk").values_list(
                "cdr__key", "owner", "day", "location_key", "fault"
            )[:_FAULTS_LISTED]
        ],
    )


def by_hour(question: Question) -> list[int]:
    """Sessions by the hour of the day they began in, by the clock of the site."""
    rows = question.rows().filter(is_last=True, fault="").order_by()
    found = dict(rows.values_list("hour").annotate(total=Sum("sessions")))
    return [int(found.get(hour) or 0) for hour in range(24)]


def _amounts(question: Question, *, by_currency: bool) -> tuple[list[Row], list[Row]]:
    """Lines and sums; where they are not by currency, no column is an amount of money."""
    rows, keys = _grouped(question)
    if by_currency:
        keys = (*keys, "currency")
    found = rows.filter(is_last=True).values_list(*keys).annotate(
        all_sessions=Sum("sessions"),
        all_credits=Count("pk", filter=Q(sessions__lt=0)),
        all_duration=Sum("duration"),
        all_energy=Sum("energy"),
        all_net=Sum("net"),
        all_gross=Sum("gross"),
        untold=Count("pk", filter=Q(gross=None)),
    )  # fmt: skip
    lines = _folded(_Line.of(question.by, row, len(keys), by_currency) for row in found)
    known = _known(question, (line.group for line in lines))
    sums = _folded(replace(line, group=()) for line in lines)
    return [{**_named(question.by, line.group, known), **line.row()} for line in lines], [line.row() for line in sums]


@dataclass(frozen=True, slots=True)
class _Line:
    """What a group comes to, in integers."""

    group: Group
    currency: str
    sessions: int
    credits: int
    duration: int
    energy: int
    net: int
    gross: int | None

    @classmethod
    def of(cls, by: By, row: tuple[Any, ...], keys: int, by_currency: bool) -> "_Line":
        sessions, credits, duration, energy, net, gross, untold = (int(value or 0) for value in row[keys:])
        group, currency = (row[: keys - 1], row[keys - 1]) if by_currency else (row[:keys], "")
        told = None if untold else gross
        return cls(_group(by, group), currency, sessions, credits, duration, energy, net, told)

    def __add__(self, other: "_Line") -> "_Line":
        return replace(
            self,
            sessions=self.sessions + other.sessions,
            credits=self.credits + other.credits,
            duration=self.duration + other.duration,
            energy=self.energy + other.energy,
            net=self.net + other.net,
            gross=None if self.gross is None or other.gross is None else self.gross + other.gross,
        )

    def row(self) -> Row:
        kwh, net = _amount(self.energy), _amount(self.net)
        return {
            "currency": self.currency,
            "sessions": self.sessions,
            "credits": self.credits,
            "hours": _hours(self.duration),
            "kwh": kwh,
            "excl_vat": net,
            "vat": None if self.gross is None else _amount(self.gross - self.net),
            "incl_vat": None if self.gross is None else _amount(self.gross),
            "kwh_per_session": _part(kwh, self.sessions),
            "minutes_per_session": _part(Decimal(self.duration), self.sessions * 60),
            "excl_vat_per_session": _part(net, self.sessions),
        }


def _folded(lines: Iterable[_Line]) -> list[_Line]:
    """One line for each group and currency, in order."""
    found: dict[tuple[Group, str], _Line] = {}
    for line in lines:
        key = line.group, line.currency
        found[key] = found[key] + line if key in found else line
    return [found[key] for key in sorted(found)]


def _utilisation(question: Question, now: datetime) -> tuple[list[Row], list[Row]]:
    rows, keys = _grouped(question)
    found: dict[Group, tuple[int, int]] = {}
    for *values, occupied, charging in rows.values_list(*keys).annotate(Sum("occupied"), Sum("charging")):
        group = _group(question.by, values)
        so_far = found.get(group, (0, 0))
        found[group] = so_far[0] + int(occupied), so_far[1] + int(charging)
    known = sites.known([question.site] if question.site else None)
    room = capacity(question, known, now)
    listed = sorted({*found, *room.lines})
    lines = [
        {**_named(question.by, group, known), **_used(room.of(group), *found.get(group, (0, 0)))} for group in listed
    ]
    occupied, charging = (sum(time[place] for time in found.values()) for place in (0, 1))
    return lines, [_used(room.whole, occupied, charging)]


def _used(room: Room, occupied: int, charging: int) -> Row:
    return {
        "evses": room.evses,
        "hours": _hours(room.seconds),
        "occupied_hours": _hours(occupied),
        "charging_hours": _hours(charging),
        "occupied_percent": _part(Decimal(occupied * 100), room.seconds),
        "charging_percent": _part(Decimal(charging * 100), room.seconds),
    }


def _grouped(question: Question) -> tuple[QuerySet[CdrFigures], tuple[str, ...]]:
    """The readable figures, and the columns that tell its lines apart."""
    rows = question.rows().filter(fault="").order_by()
    match question.by:
        case By.SITE:
            return rows, ("owner", "location_key")
        case By.EVSE:
            return rows, ("owner", "location_key", "evse_key")
        case By.PARTNER:
            return rows, ("partner",)
    return rows, ("day",)


def _group(by: By, values: Sequence[Any]) -> Group:
    """The line that values of the columns belong to; months are made of days."""
    return (f"{values[0]:%Y-%m}",) if by is By.MONTH else tuple(map(str, values))


def _known(question: Question, groups: Iterable[Group]) -> dict[Place, Site]:
    if question.by not in (By.SITE, By.EVSE):
        return {}
    return sites.known(group[1] for group in groups)


def _named(by: By, group: Group, known: Mapping[Place, Site]) -> Row:
    if by not in (By.SITE, By.EVSE):
        return {by: group[0]}
    owner, key, *evse = group
    site = known.get((owner, key))
    named = {"cpo": owner, "site": site.id if site else key, "name": site.name if site else ""}
    return {**named, "evse": evse[0]} if evse else named


def _amount(millionths: int) -> Decimal:
    return plain(Decimal(millionths).scaleb(-PLACES))


def _hours(seconds: int) -> Decimal:
    return ONCE.round(ratio(Decimal(seconds), Decimal(3600)))


def _part(amount: Decimal, whole: int) -> Decimal | None:
    """An average or percentage; none where nothing is left to divide by."""
    return ONCE.round(ratio(amount, Decimal(whole))) if whole > 0 else None
