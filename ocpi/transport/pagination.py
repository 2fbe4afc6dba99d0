"""Paging of every GET that returns a list (§transport_and_format_pagination).

`Link` carries offset and limit as the specification shows them, every filter of the request, and an opaque `cursor`:
a client that follows it reads by key, as fast on the last page as on the first, and misses nothing when objects
change while it crawls. A client that counts offsets itself is served as well.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from ocpi.errors import InvalidParameters
from ocpi.types import times

DEFAULT_LIMIT = 100
_PLACE = frozenset({"offset", "limit", "cursor"})
_NUMBER = re.compile(r"[0-9]{1,18}")
_NEXT = re.compile(r"<([^<>]*)>\s*;[^,<]*\brel\s*=\s*\"?next\b\"?", re.IGNORECASE)


def _moment(params: Mapping[str, str], name: str) -> datetime | None:
    if (text := params.get(name)) is None:
        return None
    try:
        return times.parse(text)
    except ValueError:
        raise InvalidParameters(f"{name} is not a DateTime such as 2026-01-31T12:00:00Z") from None


def _number(params: Mapping[str, str], name: str, default: int | None, least: int) -> int | None:
    if (text := params.get(name)) is None:
        return default
    if not _NUMBER.fullmatch(text) or int(text) < least:
        raise InvalidParameters(f"{name} is not an integer of {least} or more")
    return int(text)


@dataclass(frozen=True, slots=True)
class PageQuery:
    """What a page request asks for; `after` is the creation sequence number behind which the page starts."""

    date_from: datetime | None = None
    date_to: datetime | None = None
    offset: int = 0
    limit: int = DEFAULT_LIMIT
    after: int | None = None

    @classmethod
    def read(cls, params: Mapping[str, str], max_limit: int) -> "PageQuery":
        """Raises InvalidParameters (2001) naming the parameter that is wrong; a limit above ours is lowered."""
        return cls(
            date_from=_moment(params, "date_from"),
            date_to=_moment(params, "date_to"),
            offset=_number(params, "offset", 0, least=0) or 0,
            limit=min(_number(params, "limit", DEFAULT_LIMIT, least=1) or DEFAULT_LIMIT, max_limit),
            after=_number(params, "cursor", None, least=0),
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Stored documents of one page, the JSON of each as it is sent, in UTF-8.

    `last` is the creation sequence number of the last, None when nothing follows.
    """

    documents: list[bytes]
    total: int
    last: int | None


def headers(page: Page, query: PageQuery, params: Mapping[str, str], url: str, max_limit: int) -> dict[str, str]:
    """X-Total-Count, X-Limit and, except on the last page, Link with all filters of the request."""
    found = {"X-Total-Count": str(page.total), "X-Limit": str(max_limit)}
    if page.last is not None:
        filters = {name: value for name, value in params.items() if name not in _PLACE}
        place = f"offset={query.offset + len(page.documents)}&limit={query.limit}&cursor={page.last}"
        found["Link"] = f'<{url}?{urlencode(filters)}{"&" if filters else ""}{place}>; rel="next"'
    return found


def next_link(value: str | None) -> str | None:
    """The URL of the next page in a received Link header, None on the last page."""
    match = _NEXT.search(value or "")
    return match.group(1).strip() or None if match else None
