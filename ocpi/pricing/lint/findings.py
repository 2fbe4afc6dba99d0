"""The catalogue of what can be found. Codes never change their meaning; new ones may appear."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple, Self


class Severity(StrEnum):
    """How bad: E breaks pricing, W is probably not meant, I is a matter of style."""

    ERROR = "E"
    WARNING = "W"
    INFO = "I"


E, W, I = Severity  # noqa: E741  # the letters of the catalogue


class Code(StrEnum):
    """A code, its severity and its sentence."""

    severity: Severity
    sentence: str

    def __new__(cls, code: str, severity: Severity, sentence: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.severity = severity
        member.sentence = sentence
        return member

    DEAD_ELEMENT = "dead_element", W, "Earlier elements always apply first: nothing of this element is ever billed."
    DEAD_COMPONENT = "dead_component", W, "Earlier elements always apply first: this price is never billed."
    UNREACHABLE_RESTRICTION = "unreachable_restriction", E, "These restrictions can never hold together."
    TARIFF_OVER = "tariff_over", I, "The tariff has ended."
    GAP = "gap", W, "This is priced, but not always: at the witness it is free."
    WEEKDAY_GAP = "weekday_gap", W, "This is priced on some weekdays only: on the others it is free."
    FREE_BY_OMISSION = "free_by_omission", W, "This has no price at all, so it is free."
    OVERLAP = "overlap", I, "An earlier element applies to some of the same cases, and its price wins there."
    DUPLICATE_DIMENSION = "duplicate_dimension", W, "The element prices this twice; only the first price counts."
    EMPTY_RESTRICTIONS = "empty_restrictions", I, "Restrictions that restrict nothing; leave them out."
    WHOLE_DAY_WINDOW = (
        "whole_day_window",
        W,
        "A window from a time to the same time: read as the whole day, by some as never.",
    )
    END_0000_ALONE = "end_0000_alone", I, "A window that only ends, at 00:00: read as the whole day, by some as never."
    BAD_TIME = "bad_time", E, "Not a time of day from 00:00 to 23:59 in the form HH:MM."
    WRAP_WITH_WEEKDAY = (
        "wrap_with_weekday",
        W,
        "A window over midnight with weekdays: after midnight the next day counts.",
    )
    DST_WINDOW = (
        "dst_window",
        I,
        "In most of Europe this time comes twice in an autumn night, and never in one of spring.",
    )
    DATE_IN_RESTRICTION = (
        "date_in_restriction",
        I,
        "For validity, start_date_time and end_date_time of the tariff are clearer.",
    )
    STEP_ZERO = "step_zero", I, "A step_size of 0 is read as no rounding; 1 says it."
    FLAT_STEP = "flat_step", I, "A flat fee has no steps."
    STEP_LARGE = "step_large", W, "A large step bills what nobody used; OCPI 3.0 has no steps, and 1 is advised."
    TIME_STEP_UNUSED = (
        "time_step_unused",
        W,
        "Priced parking takes the rounding: after parking, this step is not applied.",
    )
    STEP_DIFFERS = "step_differs", W, "Steps differ between elements; only that of the last price of a session counts."
    RESERVATION_DIMENSION = "reservation_dimension", E, "A reservation can only be priced by FLAT and TIME."
    EXPIRES_WITHOUT_RESERVATION = (
        "expires_without_reservation",
        I,
        "An expired reservation has a price, a used one has none.",
    )
    RESERVATION_LAST = "reservation_last", W, "Stands after an element that always applies; some never look further."
    SEVERAL_FLATS = "several_flats", W, "A second flat fee: of a session only the first that becomes active is billed."
    FREE_TARIFF_FORM = "free_tariff_form", I, "Free of charge is one unrestricted element with one FLAT price of 0.00."
    VAT_MISSING_MIXED = "vat_missing_mixed", W, "Other prices have VAT, this one has none."
    VAT_RANGE = "vat_range", E, "Not a percentage from 0 to 100."
    VAT_AS_FRACTION = "vat_as_fraction", W, "VAT is a percentage: 19, not 0.19."
    LIMIT_INCL_MISSING = "limit_incl_missing", W, "A limit without VAT only: what it is with VAT is left to the reader."
    LIMITS_CROSS = "limits_cross", E, "The minimum price is above the maximum price."
    LIMIT_VAT_MISMATCH = "limit_vat_mismatch", W, "With VAT it is not what the rates of the tariff make of it."
    PRICE_NEGATIVE = "price_negative", W, "The driver is paid for this."
    PRICE_SCALE = "price_scale", W, "An unusual price: per Wh instead of kWh, or per minute instead of hour?"
    MORE_THAN_4_DECIMALS = "more_than_4_decimals", I, "Numbers have four decimals; more may get lost."
    CURRENCY_UNKNOWN = "currency_unknown", E, "Not a currency of ISO 4217."
    ALT_TEXT_REPEATS_PRICE = "alt_text_repeats_price", I, "The text repeats a price that the elements have."
    TYPE_DUPLICATE_ON_CONNECTOR = "type_duplicate_on_connector", E, "A connector has one tariff of a type at a time."
    MISSPELLED_FIELD = "misspelled_field", W, "A field of this name is unknown and disregarded."
    UNKNOWN_VALUE = "unknown_value", W, "A value the specification does not list; disregarded."


class Finding(NamedTuple):
    """A code, where in the document it shows, the particulars in words, and a case in which it matters."""

    code: Code
    pointer: str
    detail: str = ""
    witness: Mapping[str, Any] | None = None

    @property
    def message(self) -> str:
        return f"{self.code.sentence} {self.detail}".rstrip()

    def document(self) -> dict[str, Any]:
        """As it is printed."""
        return {
            "code": str(self.code),
            "severity": str(self.code.severity),
            "pointer": self.pointer,
            "message": self.message,
            "witness": None if self.witness is None else dict(self.witness),
        }
