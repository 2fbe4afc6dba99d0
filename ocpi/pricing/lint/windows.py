"""Times of day, weekdays, and dates: what is written badly, or read differently by different parties."""

from collections.abc import Iterator

from ocpi.pricing.lint.findings import Code, Finding
from ocpi.pricing.restrictions import WEEKDAYS
from ocpi.pricing.subject import Element, Subject

_NIGHT = ("02:00", "03:00")


def findings(subject: Subject) -> Iterator[Finding]:
    for element in subject.elements:
        at = f"{element.pointer}/restrictions"
        yield from (Finding(Code.BAD_TIME, f"{at}/{name}") for name in element.bad_times)
        yield from _of_window(element, at)
        for name in ("start_date", "end_date"):
            if element.members.get(name):
                yield Finding(Code.DATE_IN_RESTRICTION, f"{at}/{name}")


def _of_window(element: Element, at: str) -> Iterator[Finding]:
    written = {name: element.members.get(name) or None for name in ("start_time", "end_time")}
    times = {name: None if name in element.bad_times else time for name, time in written.items()}
    start, end = times.values()
    if start and start == end:
        yield Finding(Code.WHOLE_DAY_WINDOW, f"{at}/end_time")
    if end == "00:00" and not written["start_time"]:
        yield Finding(Code.END_0000_ALONE, f"{at}/end_time")
    weekdays = {str(day).upper() for day in element.members.get("day_of_week") or ()} & {*WEEKDAYS}
    if start and end and "00:00" < end < start and 0 < len(weekdays) < len(WEEKDAYS):
        yield Finding(Code.WRAP_WITH_WEEKDAY, f"{at}/day_of_week")
    for name, time in times.items():
        if time and _NIGHT[0] <= time < _NIGHT[1]:
            yield Finding(Code.DST_WINDOW, f"{at}/{name}")
