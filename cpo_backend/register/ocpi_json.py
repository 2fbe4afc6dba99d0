"""OCPI JSON into the same shape as a register: objects that somebody else's program wrote.

Accepted, plain or gzipped: a list of objects, an OCPI response whose `data` is such a list, one object,
or JSON lines. Documents pass unchanged, unknown fields and exact numbers included; whether they are valid,
and whose they are, is for the reader of the result to judge.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cpo_backend.register.sites import RejectedRow, Site, SiteList, UnreadableRegister, read_bytes
from ocpi.types.codec import MalformedJson, decode


def read_sites(path: Path) -> SiteList:
    """The objects in the file at `path`; `line` and `lines` are places in the list, or line numbers of JSON
    lines.

    Raises `UnreadableRegister` if the file is none of the accepted forms.
    """
    result = SiteList()
    for line, item in _items(read_bytes(path), path):
        if isinstance(item, dict):
            result.sites.append(Site(document=item, lines=(line,)))
        elif isinstance(item, MalformedJson):
            result.rejected.append(RejectedRow(line=line, code="malformed_json", reason=str(item), where=""))
        else:
            reason = f"an OCPI object is a JSON object, not {type(item).__name__}"
            result.rejected.append(RejectedRow(line=line, code="not_an_object", reason=reason, where=repr(item)[:80]))
    return result


def _items(content: bytes, path: Path) -> Iterable[tuple[int, Any]]:
    try:
        document = decode(content)
    except MalformedJson as error:
        lines = list(_lines(content))
        if not any(isinstance(item, dict) for _, item in lines):
            raise UnreadableRegister(f"{path} is not JSON: {error}") from error
        return lines
    if isinstance(document, dict):
        is_response = "data" in document or "status_code" in document
        document = document.get("data") if is_response else [document]
    if not isinstance(document, list):
        raise UnreadableRegister(f"{path} holds no list of objects")
    return enumerate(document, start=1)


def _lines(content: bytes) -> Iterator[tuple[int, Any]]:
    """Each line that is not blank, decoded, or the error that it is not JSON."""
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            try:
                yield number, decode(line)
            except MalformedJson as error:
                yield number, error
