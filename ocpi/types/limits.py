"""What is wrong with one scalar value: the judges that `ocpi.types.validation` compiles into its plans."""

import re
from collections.abc import Callable
from decimal import Decimal
from itertools import takewhile
from typing import NamedTuple

from ocpi.types import times
from ocpi.types.scalars import OpenEnum, Span, Text

MAX_EXPONENT = 30  # beyond it a number is an attack on arithmetic, not an amount

# How bad a finding is; every place in a document has a weight from which on it is fatal.
LIMIT, SHAPE, UNSTORABLE = 1, 2, 3


class Finding(NamedTuple):
    """A defect of one value, wherever that value is."""

    code: str
    message: str
    weight: int = LIMIT


Judge = Callable[[object], tuple[Finding, ...]]

CLEAN: tuple[Finding, ...] = ()
MISSING = (Finding("missing", "is required", SHAPE),)
EMPTY_LIST = (Finding("length", "must have at least one item"),)
NOT_AVAILABLE = "#NA"  # allowed where a required string cannot be known (§transport_and_format_not_available)

# Tab and line breaks are mere defects; the others PostgreSQL cannot store, or a terminal would obey.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_UNPRINTABLE = re.compile(r"[\t\n\r\x7f-\x9f\u2028\u2029]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_UNSTORABLE_NUMBER = Finding("range", f"must have an exponent within ±{MAX_EXPONENT}", UNSTORABLE)
_HUGE = 10 ** (MAX_EXPONENT + 1)
_PLAIN_TIME = re.compile(  # told without parsing: no fraction, and a day that every year has in that month
    r"20[0-9]{2}-(?:(?:0[13-9]|1[0-2])-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
)
_LONGEST_TIME = len("2026-01-31T12:00:00.123456789Z")  # E24: send string(25), accept nanoseconds
_LONGEST_ENUM_VALUE = 36
_JSON_TYPES = {
    bool: "a boolean",
    int: "a number",
    Decimal: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def mistyped(expected: str, value: object) -> tuple[Finding, ...]:
    """The value is of another JSON type than expected."""
    actual = _JSON_TYPES.get(type(value), "no JSON value")
    return (Finding("type", f"must be {expected}, is {actual}", SHAPE),)


def storable(value: object) -> tuple[Finding, ...]:
    """Judges a scalar we know nothing else about."""
    if type(value) is str:
        if not value.isprintable() and (match := _UNSTORABLE.search(value)):
            return (Finding("pattern", f"holds {_codepoint(match)}, which cannot be stored", UNSTORABLE),)
    elif type(value) is int:
        if not -_HUGE < value < _HUGE:
            return (_UNSTORABLE_NUMBER,)
    elif type(value) is Decimal and not (value.is_finite() and abs(value.adjusted()) <= MAX_EXPONENT):
        return (_UNSTORABLE_NUMBER,)
    return CLEAN


def text(limits: Text, *, identifies: bool) -> Judge:
    """Strings; one that identifies an object must not be empty."""
    limit, ascii_only, accepts = limits.limit, limits.ascii, limits.accepts

    def judge(value: object) -> tuple[Finding, ...]:
        if type(value) is not str:
            return mistyped("a string", value)
        if (
            0 < len(value) <= limit
            and value.isprintable()
            and (not ascii_only or value.isascii())
            and (accepts is None or accepts(value))
        ):
            return CLEAN  # what passes here, nearly everything, has no defect; the rest is looked at closely
        return storable(value) + tuple(_text_findings(value, limits, identifies))

    return judge


def _text_findings(value: str, limits: Text, identifies: bool) -> list[Finding]:
    findings = []
    if len(value) > limits.limit:
        findings.append(Finding("length", f"must be at most {limits.limit} characters, has {len(value)}"))
    elif not value and identifies:
        findings.append(Finding("length", "must not be empty"))
    elif limits.accepts is not None and value != NOT_AVAILABLE and not limits.accepts(value):
        findings.append(Finding("pattern", f"must be {limits.expected}"))
    if match := _UNPRINTABLE.search(value):
        findings.append(Finding("pattern", f"must be printable, holds {_codepoint(match)}"))
    if limits.ascii and (match := _NOT_ASCII.search(value)):
        findings.append(Finding("pattern", f"must be ASCII, holds {_codepoint(match)}"))
    return findings


def _codepoint(match: re.Match[str]) -> str:
    return f"U+{ord(match[0]):04X}"


def open_enum(enum: type[OpenEnum]) -> Judge:
    """Values the specification lists, and those the enum permits besides."""
    known = frozenset(member.value for member in enum)
    judge_text = text(Text(_LONGEST_ENUM_VALUE, ascii=True), identifies=True)

    def judge(value: object) -> tuple[Finding, ...]:
        if type(value) is str and value in known:
            return CLEAN
        if findings := judge_text(value):
            return findings
        if enum.permits(str(value)):
            return CLEAN
        # Weightless: it can be stored and relayed, even where it is part of a key.
        return (Finding("enum", f"{value!r} is no {enum.__name__} of this version", 0),)

    return judge


def moment(value: object) -> tuple[Finding, ...]:
    """Points in time (§types_datetime_type)."""
    if type(value) is not str:
        return mistyped("a string", value)
    if _PLAIN_TIME.fullmatch(value):
        return CLEAN
    try:
        times.parse(value)
    except ValueError:
        return storable(value) or (Finding("pattern", "must be a UTC time such as 2026-01-31T12:00:00Z"),)
    if value.endswith("+00:00"):
        return (Finding("pattern", "must end in Z, +00:00 is not allowed", 0),)
    if len(value) > _LONGEST_TIME:
        return (Finding("length", f"must be at most 25 characters, has {len(value)}", 0),)
    return CLEAN


def boolean(value: object) -> tuple[Finding, ...]:
    """true or false."""
    return CLEAN if type(value) is bool else mistyped("a boolean", value)


def number(limits: Span, *, integer: bool) -> Judge:
    """JSON numbers; for an integer one with a fraction, even .0, is of the wrong type though usable."""
    low, high, places = limits.low, limits.high, limits.places
    unlimited = limits == Span()
    expected = "an integer" if integer else "a number"

    def judge(value: object) -> tuple[Finding, ...]:
        if type(value) is int:
            if unlimited and -_HUGE < value < _HUGE:
                return CLEAN
        elif type(value) is not Decimal:
            return mistyped(expected, value)
        if findings := storable(value):
            return findings
        if integer and type(value) is Decimal:
            findings += (Finding("type", "must be an integer, is a number with a fraction or exponent"),)
        if (low is not None and value < low) or (high is not None and value > high):
            findings += (Finding("range", f"must be between {low} and {high}"),)
        if places is not None and _fraction_digits(value) > places:
            findings += (Finding("range", f"must have at most {places} fraction digit(s)"),)
        return findings

    return judge


def _fraction_digits(value: int | Decimal) -> int:
    """Significant ones; by the digits, because decimal arithmetic rounds or refuses what is long."""
    _, digits, exponent = Decimal(value).as_tuple()
    return max(0, -int(exponent) - sum(1 for _ in takewhile(lambda digit: digit == 0, reversed(digits))))
