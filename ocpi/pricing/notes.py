"""What a person should know about a price though it is no error: a catalogue of stable codes."""

from enum import StrEnum
from typing import Any, NamedTuple, Self


class Code(StrEnum):
    """A code and its sentence. Codes never change their meaning; new ones may appear."""

    sentence: str

    def __new__(cls, code: str, sentence: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.sentence = sentence
        return member

    CREDIT_CDR = "credit_cdr", "A credit CDR: its total is the negative of the session's, all else is unchanged."
    CURRENT_NOT_MEASURED = "current_not_measured", "A current restriction cannot hold: the period reports no current."
    DIMENSION_NOT_REPORTED = (
        "dimension_not_reported",
        "The tariff prices this, the periods do not report it: not billed.",
    )
    DUPLICATE_DIMENSION = "duplicate_dimension", "A period reports a dimension twice: the volumes were added."
    END_BEFORE_START = "end_before_start", "The session ends before it starts: its duration counts as nothing."
    FIXED_WITHIN_PARKING = (
        "fixed_within_parking",
        "Fixed and parking cost agree as a sum: flat fees are told apart differently.",
    )
    FLAT_SUPPRESSED = "flat_suppressed", "A further flat fee became active; only the first of its phase is billed."
    FLAT_WITHOUT_ENERGY = "flat_without_energy", "A start fee is billed though no energy was charged."
    LIMITS_CROSS = "limits_cross", "The minimum price is above the maximum price: the maximum was applied last."
    LIMIT_OF_FIRST_TARIFF = (
        "limit_of_first_tariff",
        "Several tariffs: the price limits are those of the first charging period's.",
    )
    MAX_PRICE_APPLIED = "max_price_applied", "The session costs no more than the maximum price."
    MIN_PRICE_APPLIED = "min_price_applied", "The session costs no less than the minimum price."
    NEGATIVE_ENERGY = "negative_energy", "Energy went back to the grid and was credited at the price of the moment."
    NEGATIVE_TIME = "negative_time", "A negative duration was not billed."
    NEGATIVE_VAT = "negative_vat", "A negative VAT rate was applied literally."
    NO_CLAIM = "no_claim", "The document claims no total cost: there was nothing to compare."
    NO_PRICE_COMPONENT = "no_price_component", "No element prices this at that moment: it is free."
    ODD_CLOCK_TIME = (
        "odd_clock_time",
        "A time of day is not written as HH:MM between 00:00 and 23:59; read for what it means.",
    )
    PERIODS_OUT_OF_ORDER = "periods_out_of_order", "The charging periods were sorted by their start."
    PERIOD_OUTSIDE_SESSION = (
        "period_outside_session",
        "A period starts outside the session; it was priced all the same.",
    )
    PERIOD_SPANS_PRICE_CHANGE = (
        "period_spans_price_change",
        "The price changes within a period; the price at its start was used.",
    )
    PERIOD_WITHOUT_TARIFF = "period_without_tariff", "Other periods name a tariff, this one does not: it is not priced."
    POWER_INFERRED = "power_inferred", "No power was reported: the average of the period was used."
    POWER_NOT_MEASURED = (
        "power_not_measured",
        "A power restriction cannot hold: power is neither reported nor to be inferred.",
    )
    REGISTER_DECREASED = "register_decreased", "The meter counted backwards; what it showed in between is not charged."
    RESERVATION_EXPIRED = "reservation_expired", "Only reservation time is reported: the reservation counts as expired."
    RESERVATION_FREE = "reservation_free", "No element has a reservation price: the reservation is free."
    ROUNDING_POLICY = "rounding_policy", "The claim is within the smallest unit and follows from another rounding."
    RUNNING_SESSION = "running_session", "The session goes on: an estimate, as if it had ended now."
    SAMPLE_CONTRADICTS_SIGNED = "sample_contradicts_signed", "A sample does not fit between signed ones; disregarded."
    SIGNED_VALUE_MISSING = "signed_value_missing", "Only one signed meter value: energy rests on unsigned ones."
    STEP_MISSING = "step_missing", "A price component has no step_size: 1 was taken."
    TARIFF_NOT_ACTIVE = "tariff_not_active", "The tariff was not valid when the session started."
    TARIFF_OVERRIDDEN = "tariff_overridden", "The tariff given was used, though a period names another."
    TAX_UNKNOWN = "tax_unknown", "OCPI 2.1.1 says nothing about VAT: only amounts without VAT are known."
    TIME_ZONE_ASSUMED = "time_zone_assumed", "The location's time zone is unknown: local times were taken as UTC."
    UNATTRIBUTED_TAX = "unattributed_tax", "A price limit brings tax that no VAT rate accounts for."
    UNKNOWN_VALUE = "unknown_value", "A value the specification does not list was disregarded."


class Note(NamedTuple):
    """A code, where in the document it shows, and the particulars."""

    code: Code
    at: str = ""
    detail: dict[str, Any] = {}

    def document(self) -> dict[str, Any]:
        """As it is printed."""
        return {"code": str(self.code), "at": self.at, "message": self.code.sentence, **self.detail}
