"""Putting another response_url into a message, leaving every other byte of what it says as it is."""

from typing import Any
from urllib.parse import quote, unquote_plus

import msgspec

MEMBER = "response_url"
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def in_body(body: bytes, url: str) -> tuple[bytes, str | None]:
    """The body with `url` as its response_url, and the one it had; None when it has none, and nothing is changed."""
    try:
        members: dict[str, Any] = _members.decode(body)
        given = msgspec.json.decode(members[MEMBER], type=str)
    except (msgspec.DecodeError, KeyError):
        return body, None
    members[MEMBER] = url
    return msgspec.json.encode(members), given


def in_query(query: str, url: str) -> tuple[str, str | None]:
    """The same for a query string; the first of several counts, the others go."""
    given, parts = None, []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if unquote_plus(name) != MEMBER:
            parts.append(part)
        elif given is None:
            given = unquote_plus(value)
            parts.append(f"{MEMBER}={quote(url, safe='')}")
    return "&".join(parts), given
