"""Crawling a partner's list, page by page (§transport_and_format_pagination), whatever the partner makes of paging.

The next page is where Link leads and nowhere else; counts decide nothing. A Link that goes in circles, pages that
repeat, and empty pages without end are errors: an incomplete list must not be taken for a whole one.

When X-Total-Count falls from one page to the next, objects have left the list behind us and others have moved up to
pages we had already read. As the specification advises, that page is asked for again from an offset as much lower,
once; what comes twice does no harm.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from ocpi.client.messages import Answer, PartnerError
from ocpi.transport import pagination
from ocpi.types import codec

EMPTY_PAGES = 20  # in a row, each with a Link to the next
Get = Callable[[str], Answer]


@dataclass(frozen=True, slots=True)
class Page:
    """The objects of one page, what the partner says of the whole list, and where it goes on (None: nowhere)."""

    items: list[Any]
    total: int | None
    limit: int | None
    following: str | None

    @classmethod
    def of(cls, url: str, answer: Answer) -> "Page":
        """Raises PartnerError when the answer is no list."""
        if not isinstance(answer.data, list | None):
            raise PartnerError(f"{url}: data is no list")
        return cls(
            answer.data or [],
            _number(answer.headers.get("X-Total-Count")),
            _number(answer.headers.get("X-Limit")),
            pagination.next_link(answer.headers.get("Link")),
        )


def crawl(get: Get, url: str) -> Iterator[Page]:
    """All pages from `url` on, the next one being fetched while the last is dealt with; raises PartnerError."""
    pages = _pages(get, url)
    with ThreadPoolExecutor(1, thread_name_prefix="pull") as pool:
        following = pool.submit(next, pages, None)
        while (page := following.result()) is not None:
            following = pool.submit(next, pages, None)
            yield page


def _pages(get: Get, url: str) -> Iterator[Page]:
    visited, contents, empty = set[str](), set[int](), 0
    total: int | None = None
    following: str | None = url
    while following:
        here = following
        visited.add(here)
        page = Page.of(here, get(here))
        yield page
        empty = 0 if page.items else empty + 1
        if page.following and empty > EMPTY_PAGES:
            raise PartnerError(f"{empty} empty pages in a row, and a Link to another")
        _must_be_new(page, contents)
        if (back := _moved_up(here, total, page.total)) and back not in visited:
            visited.add(back)
            page = Page.of(back, get(back))
            yield page
        total, following = page.total, page.following
        if following in visited:
            raise PartnerError(f"the partner's Link leads back to {following}")


def _must_be_new(page: Page, contents: set[int]) -> None:
    """Raises PartnerError when a page like this one came before, behind another URL."""
    if not page.items or page.following is None:
        return
    content = hash(codec.encode([page.items[0], page.items[-1], len(page.items)]))
    if content in contents:
        raise PartnerError("the partner's pages repeat themselves")
    contents.add(content)


def _moved_up(url: str, before: int | None, now: int | None) -> str | None:
    """The URL from which to read what may have moved up in front of this page; None where nothing can have."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    offset = _number(query.get("offset"))
    if before is None or now is None or now >= before or not offset:
        return None
    query["offset"] = str(max(0, offset - (before - now)))
    return parts._replace(query=urlencode(query)).geturl()


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None
