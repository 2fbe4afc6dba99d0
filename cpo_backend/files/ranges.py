"""Which part of a file is asked for (RFC 9110, section 14). Pure."""

import re
from typing import NamedTuple

_ONE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class Unsatisfiable(ValueError):
    """There is nothing in this range."""


class Span(NamedTuple):
    """From `start` until before `end`."""

    start: int
    end: int


def read(header: str, size: int) -> Span | None:
    """The one range of a header; None: the whole file, also for what is not understood. Raises Unsatisfiable."""
    told = _ONE.fullmatch(header)
    if told is None or not (told[1] or told[2]):
        return None
    if not told[1]:
        span = Span(max(size - int(told[2]), 0), size)
    else:
        first, last = int(told[1]), int(told[2] or size)
        if last < first:
            return None
        span = Span(first, min(last + 1, size))
    if span.start >= span.end:
        raise Unsatisfiable
    return span
