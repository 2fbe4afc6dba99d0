"""Every URL below `/ocpi/`, derived from what is mounted, so that a new module is covered without being named."""

import re._constants as kinds
import re._parser as parser
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from django.urls import URLPattern, URLResolver

from ocpi.modules import mount

# What stands for the named groups of the patterns; anything else is "X".
KNOWN = {
    "country_code": "DE",
    "party_id": "CPO",
    "location_id": "LOC-1",
    "evse_uid": "EVSE-1",
    "connector_id": "1",
    "command": "START_SESSION",
    "kind": "active",
}


def mounted() -> list[str]:
    """One concrete path for each way through each pattern: with and without its optional parts."""
    return sorted({"/ocpi/" + path for path in _below(mount.urlpatterns)})


def _below(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        own = _paths(pattern.pattern.regex.pattern)
        if isinstance(pattern, URLResolver):
            yield from ("".join(parts) for parts in product(own, _below(pattern.url_patterns)))
        else:
            yield from own


def _paths(regex: str) -> list[str]:
    parsed = parser.parse(regex)
    return list(_expand(parsed, {number: name for name, number in parsed.state.groupdict.items()}))


def _expand(items: Any, names: dict[int, str]) -> Iterator[str]:
    return map("".join, product(*(list(_choices(kind, value, names)) for kind, value in items)))


def _choices(kind: Any, value: Any, names: dict[int, str]) -> Iterator[str]:
    if kind is kinds.LITERAL:
        yield chr(value)
    elif kind is kinds.AT:
        yield ""
    elif kind is kinds.SUBPATTERN:
        number, _, _, inner = value
        yield from [KNOWN.get(names[number], "X")] if number in names else _expand(inner, names)
    elif kind is kinds.MAX_REPEAT:
        least, _, inner = value
        yield from ([] if least else [""])
        yield from _expand(inner, names)
    elif kind is kinds.BRANCH:
        for branch in value[1]:
            yield from _expand(branch, names)
    else:
        yield "X"
