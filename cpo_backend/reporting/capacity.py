"""The time that EVSEs could have been used: what utilisation is a part of.

Every EVSE counts that our Locations have now, and every one that was used in the period, from the first midnight of
the period to the last by the clock of its site, as far as it is over. So a day on which clocks change has 23 or 25
hours. Since when an EVSE is there is not known, nor is its time out of order taken off.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cpo_backend.reporting import sites
from cpo_backend.reporting.asking import By, Question
from cpo_backend.reporting.figures import midnight, seconds
from cpo_backend.reporting.sites import Place, Site

Group = tuple[str, ...]
Evse = tuple[str, str, str]


class Room(NamedTuple):
    """So many EVSEs, and the seconds they could have been used, all together."""

    evses: int
    seconds: int


class Capacity(NamedTuple):
    """Of a whole report, and of each of its lines; a partner could have used all of it."""

    whole: Room
    lines: Mapping[Group, Room]

    def of(self, group: Group) -> Room:
        return self.lines.get(group, self.whole)


def capacity(question: Question, known: Mapping[Place, Site], now: datetime) -> Capacity:
    """What the report's EVSEs could have given; `known` are the sites whose clock is known."""
    zones = {evse: _zone(known, evse) for evse in _evses(question)}
    number = Counter(zones.values())
    whole = _room(number, question.first, question.last, now)
    match question.by:
        case By.PARTNER:
            return Capacity(whole, {})
        case By.SITE | By.EVSE:
            return Capacity(whole, _by_place(question, zones, now))
    return Capacity(whole, {(name,): _room(number, first, last, now) for name, first, last in _spans(question)})


def _room(number: Counter[ZoneInfo], first: date, last: date, now: datetime) -> Room:
    length = sum(count * _span(first, last, zone, now) for zone, count in number.items())
    return Room(number.total(), length)


def _by_place(question: Question, zones: Mapping[Evse, ZoneInfo], now: datetime) -> dict[Group, Room]:
    spans = {zone: _span(question.first, question.last, zone, now) for zone in set(zones.values())}
    made: dict[Group, Room] = {}
    for evse, zone in zones.items():
        group = evse if question.by is By.EVSE else evse[:2]
        so_far = made.get(group, Room(0, 0))
        made[group] = Room(so_far.evses + 1, so_far.seconds + spans[zone])
    return made


def _evses(question: Question) -> set[Evse]:
    """Those we have, and those that were used, by whatever partner."""
    used = replace(question, partner="").rows().filter(fault="").order_by()
    places = used.values_list("owner", "location_key", "evse_key").distinct()
    return {*sites.evses(question.owner, question.site), *places}


def _zone(known: Mapping[Place, Site], evse: Evse) -> ZoneInfo:
    site = known.get(evse[:2])
    return (site and site.zone) or sites.UTC


def _spans(question: Question) -> list[tuple[str, date, date]]:
    """Name, first and last day of each line: a day, or what the period has of a month."""
    if question.by is By.DAY:
        return [(day.isoformat(), day, day) for day in question.days]
    months: dict[str, tuple[date, date]] = {}
    for day in question.days:
        name = f"{day:%Y-%m}"
        months[name] = (months.get(name, (day, day))[0], day)
    return [(name, first, last) for name, (first, last) in months.items()]


def _span(first: date, last: date, zone: ZoneInfo, now: datetime) -> int:
    """Seconds from the first midnight to the last, as far as they have passed."""
    begin = midnight(first, zone)
    return max(seconds(begin, min(midnight(last + timedelta(days=1), zone), now)), 0)
