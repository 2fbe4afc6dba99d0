"""Paging parameters and headers (§transport_and_format_pagination)."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from ocpi.errors import InvalidParameters
from ocpi.transport import pagination
from ocpi.transport.pagination import Page, PageQuery, next_link

URL = "https://node.example/ocpi/2.2.1/sender/locations"


def read(**params: str) -> PageQuery:
    return PageQuery.read(params, max_limit=1000)


def test_everything_has_a_default() -> None:
    """R5.1"""
    assert read() == PageQuery(offset=0, limit=100)


def test_all_parameters_are_read() -> None:
    """R5.1"""
    query = read(
        date_from="2026-03-01T12:00:00.25Z", date_to="2026-03-02T00:00:00", offset="20", limit="10", cursor="7"
    )
    assert query.date_from == datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    assert query.date_to == datetime(2026, 3, 2, tzinfo=UTC)
    assert (query.offset, query.limit, query.after) == (20, 10, 7)


def test_a_limit_above_ours_is_lowered() -> None:
    """R5.2"""
    assert read(limit="999999").limit == 1000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"), ("limit", "-1"), ("limit", "ten"), ("limit", ""), ("limit", "1e3"), ("limit", "9" * 30),
        ("limit", "\uff11"),
        ("offset", "-1"), ("offset", "0.5"), ("offset", "9" * 19), ("cursor", "abc"), ("cursor", "-1"),
        ("date_from", "yesterday"), ("date_from", ""), ("date_from", "2026-03-01"),
        ("date_to", "2026-03-01T12:00:00+02:00"),
        ("date_to", "2026-02-30T00:00:00Z"), ("date_to", "2026-03-01T12:00:00Z\0"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_2001_and_named(name: str, value: str) -> None:
    """R5.8"""
    with pytest.raises(InvalidParameters, match=name):
        read(**{name: value})


def test_the_last_page_has_no_link() -> None:
    """R5.4, R5.2, R5.3"""
    page = Page([b"{}"], 1, None)
    assert pagination.headers(page, read(), {}, URL, 1000) == {"X-Total-Count": "1", "X-Limit": "1000"}


def test_any_other_page_links_to_the_next_with_every_filter() -> None:
    """R5.4, trap 10"""
    params = {"date_from": "2026-03-01T00:00:00Z", "limit": "2", "vendor": "a b&c"}
    link = pagination.headers(Page([b"{}", b"{}"], 5, 42), PageQuery.read(params, 1000), params, URL, 1000)["Link"]
    following = next_link(link)
    assert following is not None and link.endswith('; rel="next"')
    assert following.startswith(URL + "?")
    assert dict(parse_qsl(urlsplit(following).query)) == {**params, "offset": "2", "cursor": "42"}


@pytest.mark.parametrize(
    ("header", "url"),
    [
        ('<https://a.example/x?offset=1>; rel="next"', "https://a.example/x?offset=1"),
        ("<https://a.example/x>;rel=next", "https://a.example/x"),
        ('<https://a.example/first>; rel="first", <https://a.example/x>; title="t"; REL="NEXT"', "https://a.example/x"),
        ('<https://a.example/x?a=1,2;3>; rel="next"', "https://a.example/x?a=1,2;3"),
        ('<https://a.example/x>; rel="prev"', None),
        ("<>; rel=next", None),
        ("https://a.example/x", None),
        ("", None),
        (None, None),
    ],
)
def test_the_next_url_is_found_in_a_received_link(header: str | None, url: str | None) -> None:
    assert next_link(header) == url
