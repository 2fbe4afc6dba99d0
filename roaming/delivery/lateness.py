"""When a stream of a platform is late: one rule, and the alarm that follows from it.

| the stream                                             | is         |
|--------------------------------------------------------|------------|
| is paused by staff                                     | not late   |
| has no limit in NODE_FRESHNESS                         | never late |
| has an unacknowledged change older than its limit      | late       |
| lacks nothing but what was given up                    | not late   |

What was given up is a task for a person already (`desk`); as an alarm it would hide all that follow.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.core.exceptions import ImproperlyConfigured

from roaming.delivery.streams import Stream

Limits = Mapping[Stream, timedelta]


def limits(text: str) -> Limits:
    """Read NODE_FRESHNESS: `stream=seconds`, comma-separated; 0 or a stream left out is no limit.

    Raises ImproperlyConfigured.
    """
    found: dict[Stream, timedelta] = {}
    names = {stream.value: stream for stream in Stream}
    for entry in filter(None, (entry.strip() for entry in text.split(","))):
        name, _, seconds = entry.partition("=")
        if name not in names or not seconds.isdecimal():
            raise ImproperlyConfigured(f"NODE_FRESHNESS: {entry!r} is not STREAM=SECONDS ({', '.join(names)})")
        if int(seconds):
            found[names[name]] = timedelta(seconds=int(seconds))
    return found


def late_from(stream: Stream, waiting_since: datetime | None, is_paused: bool, limits: Limits) -> datetime | None:
    """The moment from which the stream is late, past or future; None: it will not be.

    `waiting_since`: when the oldest change was made that is still to be acknowledged.
    """
    if is_paused or waiting_since is None or stream not in limits:
        return None
    return waiting_since + limits[stream]
