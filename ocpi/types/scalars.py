"""The alphabet of the wire model: scalar types with their limits, open enums, the base of every object.

A limit is declared once, here, and named on the field. `msgspec.convert` checks JSON types only, so an object
with one overlong name can still be read; `ocpi.types.validation` judges the limits; the JSON Schema has both.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, Self, TypeVar, dataclass_transform
from zoneinfo import available_timezones

from msgspec import Meta, Struct, StructMeta


class Text(Struct, frozen=True):
    """Limits of a string; `accepts` decides on the whole value, `expected` says in English what it wants."""

    limit: int
    ascii: bool = False
    accepts: Callable[[str], object] | None = None
    expected: str = ""


class Span(Struct, frozen=True):
    """Limits of a number: the range, both ends included, and the fraction digits."""

    low: int | None = None
    high: int | None = None
    places: int | None = None


class Moment(Struct, frozen=True):
    """Marks a point in time."""


class AtLeastOne(Struct, frozen=True):
    """Marks a list of cardinality `+`."""


def _meta(limits: Struct, **schema: Any) -> Meta:
    return Meta(extra={"limits": limits}, extra_json_schema=schema)


def _string(limit: int, pattern: str | None = None, expected: str = "") -> Meta:
    """§types_string_type; the pattern spans the whole value, as in the specification."""
    if pattern is None:
        return _meta(Text(limit), maxLength=limit)
    accepts = re.compile(pattern, re.ASCII).fullmatch
    return _meta(Text(limit, accepts=accepts, expected=expected), maxLength=limit, pattern=f"^(?:{pattern})$")


def _ci_string(limit: int) -> Meta:
    """§types_cistring_type: compared without regard to case, stored and sent as it came."""
    return _meta(Text(limit, ascii=True), maxLength=limit)


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


CiString2 = Annotated[str, _ci_string(2)]
CiString3 = Annotated[str, _ci_string(3)]
CiString4 = Annotated[str, _ci_string(4)]
CiString32 = Annotated[str, _ci_string(32)]
CiString36 = Annotated[str, _ci_string(36)]
CiString39 = Annotated[str, _ci_string(39)]
CiString48 = Annotated[str, _ci_string(48)]

String4 = Annotated[str, _string(4)]
String10 = Annotated[str, _string(10)]
String16 = Annotated[str, _string(16)]
String45 = Annotated[str, _string(45)]
String64 = Annotated[str, _string(64)]
String100 = Annotated[str, _string(100)]
String255 = Annotated[str, _string(255)]
String512 = Annotated[str, _string(512)]
String5000 = Annotated[str, _string(5000)]

Language = Annotated[str, _string(2, r"[A-Za-z]{2}", "an ISO 639-1 language code")]
Country = Annotated[str, _string(3, r"[A-Z]{3}", "an ISO 3166-1 alpha-3 country code")]
Currency = Annotated[str, _string(3, r"[A-Z]{3}", "an ISO 4217 currency code")]
Latitude = Annotated[str, _string(10, r"-?[0-9]{1,2}\.[0-9]{5,7}", "decimal degrees with 5 to 7 decimals")]
Longitude = Annotated[str, _string(11, r"-?[0-9]{1,3}\.[0-9]{5,7}", "decimal degrees with 5 to 7 decimals")]
LocalTime = Annotated[str, _string(5, r"([0-1][0-9]|2[0-3]):[0-5][0-9]", "a time of day such as 08:30")]
LocalDate = Annotated[
    str, _string(10, r"([12][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", "a date such as 2026-01-31")
]
TimeZone = Annotated[
    str,
    _meta(Text(255, accepts=lambda name: name in _time_zones(), expected="an IANA zone"), maxLength=255),
]
SecretToken = Annotated[str, _string(64, r"[\x21-\x7e]+", "printable ASCII characters without spaces")]
Url = Annotated[str, _string(255, r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s]+", "an absolute URL")]
DateTime = Annotated[str, _meta(Moment(), format="date-time", maxLength=25)]

Number = Decimal
Percentage = Annotated[Decimal, _meta(Span(0, 100), minimum=0, maximum=100)]
ChargingRate = Annotated[Decimal, _meta(Span(places=1))]
Weekday = Annotated[int, _meta(Span(1, 7), minimum=1, maximum=7)]
Pixels = Annotated[int, _meta(Span(0, 99999), minimum=0, maximum=99999)]

T = TypeVar("T")
Some = Annotated[list[T], _meta(AtLeastOne(), minItems=1)]  # cardinality `+`


class OpenEnum(StrEnum):
    """An enum that lets unknown values through as pseudo members, so that they survive decode and encode."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:
        return name  # `auto()`: the member is named as it is written on the wire

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether the specification lists this value."""
        return self._value_ in type(self)._value2member_map_

    @classmethod
    def permits(cls, value: str) -> bool:
        """Whether the value is no defect though this version of the specification does not list it."""
        return False


class Broken(NamedTuple):
    """A cross-field rule that does not hold; `at` is a JSON Pointer relative to the object of the rule."""

    at: str
    message: str
    fatal: bool = False


Members = Mapping[str, Any]
"""The members of an object as decoded: nothing is known of their presence or types."""


class _WireMeta(StructMeta):
    """Spares every object of the model the same three class options."""

    def __new__(mcls, *arguments: Any, **options: Any) -> Any:
        options |= {"frozen": True, "kw_only": True, "omit_defaults": True}
        return super().__new__(mcls, *arguments, **options)


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Wire(Struct, frozen=True, metaclass=_WireMeta):
    """An object of the specification. Optional fields and lists are None when absent or null."""

    key: ClassVar[tuple[str, ...]] = ()  # the fields that identify it among its siblings

    @staticmethod
    def rules(members: Members) -> Iterable[Broken]:
        """Rules across fields. Those of an object that can be patched judge only members that are present."""
        return ()


class Part(Wire):
    """An object stored and addressed by its key below another: there its key is vital, and nothing else."""
