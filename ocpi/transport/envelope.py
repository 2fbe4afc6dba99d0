"""The response envelope (§transport_and_format_response_format): data, status_code, status_message, timestamp."""

from functools import cache
from typing import Any

import msgspec

from ocpi.errors import OcpiError
from ocpi.status import OcpiStatus
from ocpi.types import codec, times

_STATUS = b'"status_code":'


class _NoData:
    """Marks an answer whose `data` the specification leaves open (PUT, PATCH, DELETE): the field is left out."""

    def __repr__(self) -> str:
        return "NO_DATA"


NO_DATA = _NoData()


def wrap_stored(documents: list[bytes]) -> bytes:
    """The JSON of an answer with stored documents, joined as they are: nothing is parsed, every digit stays."""
    return b"".join((b'{"data":[', b",".join(documents), b"],", _rest(OcpiStatus.SUCCESS)))


def raw(text: str) -> msgspec.Raw:
    """One stored document, embedded as it is."""
    return msgspec.Raw(text.encode())


def wrap(data: Any = NO_DATA, status: OcpiStatus = OcpiStatus.SUCCESS, message: str | None = None) -> bytes:
    """The JSON of one answer; `data` may be plain values, wire structs, or a `raw` stored document."""
    if data is NO_DATA:
        return b"{" + _rest(status, message)
    # A stored document was exact when it was stored: copied, and not searched for NaN again.
    return b"".join(
        (b'{"data":', data if isinstance(data, msgspec.Raw) else codec.encode(data), b",", _rest(status, message))
    )


def _rest(status: OcpiStatus, message: str | None = None) -> bytes:
    """The members of an envelope behind its data, and the end of it."""
    said = codec.encode(message) if message else _phrase(status)
    return b'"status_code":%d,"status_message":%b,"timestamp":"%b"}' % (status, said, times.now().encode())


@cache
def _phrase(status: OcpiStatus) -> bytes:
    return codec.encode(status.phrase)


def status_of(body: bytes) -> int | None:
    """The OCPI status of an envelope that was made here: the last of its own members, after the data."""
    start = body.rfind(_STATUS) + len(_STATUS)
    return int(body[start : start + 4]) if start >= len(_STATUS) else None


def wrap_error(error: OcpiError) -> bytes:
    """The envelope of an error; `data` only when the error has details that help the caller."""
    return wrap(NO_DATA if error.data is None else error.data, error.status, error.message)
