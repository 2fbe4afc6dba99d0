"""JSON in and out, exactly.

Numbers with a fraction or an exponent become ``Decimal`` and leave digit for digit (0.1000 stays 0.1000);
integers are of any size. No float ever, in neither direction (§types_number_type).
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

MAX_DEPTH = 64  # the deepest OCPI document nests 9 levels; the rest is for unknown members


class MalformedJson(ValueError):
    """The bytes are no JSON document we can represent (§status_codes_status_codes: HTTP 400)."""


_NO_BRACKETS = bytes(sorted(set(range(256)) - set(b'[]{}"')))
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def decode(raw: bytes) -> Any:
    """The JSON document as plain Python values; raises `MalformedJson`.

    Refused besides broken syntax: text that is not UTF-8 (a byte order mark included), NaN and Infinity, lone
    surrogates, nesting beyond `MAX_DEPTH`, and numbers no Python number can hold (thousands of digits).
    """
    try:
        document = _decoder.decode(raw)
    except RecursionError:
        raise MalformedJson(f"nested deeper than {MAX_DEPTH} levels") from None
    except (ValueError, ArithmeticError) as error:
        raise MalformedJson(str(error) or "a number is out of range") from None
    if not _is_surely_shallow(raw) and _is_deeper_than(MAX_DEPTH, document):
        raise MalformedJson(f"nested deeper than {MAX_DEPTH} levels")
    return document


def encode(value: Any) -> bytes:
    """The value, plain or a struct, as JSON; raises `ValueError` for what JSON has no number for."""
    raw = _encoder.encode(value)
    if b"NaN" in raw or b"Infinity" in raw:
        decode(raw)  # harmless inside a string, malformed as a number
    return raw


def encode_text(value: Any) -> str:
    """`encode` for text columns and messages."""
    return encode(value).decode()


def _is_surely_shallow(raw: bytes) -> bool:
    """Whether well-formed JSON nests no deeper than `MAX_DEPTH`; False also when that is not told by its brackets.

    To walk the document costs three times as much as to decode it. Left of the text are brackets and quotes; strings
    without brackets are pairs of quotes then, and go. Each turn takes away the innermost brackets, one level or two.
    """
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return True
    brackets = raw.translate(None, _NO_BRACKETS).replace(b'""', b"")
    if b'"' in brackets or b'\\"' in raw:
        return False
    for _ in range(MAX_DEPTH // 2):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not brackets:
            return True
    return False


def _is_deeper_than(limit: int, document: object) -> bool:
    level: list[object] = [document]
    for _ in range(limit):
        level = [item for value in level for item in _items(value) if isinstance(item, (dict, list))]
        if not level:
            return False
    return True


def _items(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
