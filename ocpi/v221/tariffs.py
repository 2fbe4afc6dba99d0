"""Tariffs (§mod_tariffs_tariffs_module). Owner: CPO."""

from __future__ import annotations

from collections.abc import Iterator
from enum import auto

from ocpi.types.scalars import (
    Broken,
    CiString2,
    CiString3,
    CiString36,
    Currency,
    DateTime,
    LocalDate,
    LocalTime,
    Members,
    Number,
    OpenEnum,
    Some,
    Url,
    Wire,
)
from ocpi.v221.common import DisplayText, EnergyMix, Price, indexed


class Tariff(Wire):
    """What charging costs; per dimension the first matching element wins (§mod_tariffs_tariff_object)."""

    key = ("country_code", "party_id", "id")

    country_code: CiString2
    party_id: CiString3
    id: CiString36
    currency: Currency
    type: TariffType | None = None
    tariff_alt_text: list[DisplayText] | None = None
    tariff_alt_url: Url | None = None
    min_price: Price | None = None
    max_price: Price | None = None
    elements: Some[TariffElement]
    start_date_time: DateTime | None = None
    end_date_time: DateTime | None = None
    energy_mix: EnergyMix | None = None
    last_updated: DateTime


class TariffElement(Wire):
    """Prices that apply together, and when (§mod_tariffs_tariffelement_class)."""

    price_components: Some[PriceComponent]
    restrictions: TariffRestrictions | None = None

    @staticmethod
    def rules(members: Members) -> Iterator[Broken]:
        restrictions = members.get("restrictions")
        if isinstance(restrictions, dict) and restrictions.get("reservation") is not None:
            for at, component in indexed(members, "price_components"):
                if component.get("type") in ("ENERGY", "PARKING_TIME"):
                    yield Broken(f"{at}/type", "a reservation can only be priced by FLAT and TIME")


class PriceComponent(Wire):
    """The price of one dimension; no `vat` is not the same as `vat` 0 (§mod_tariffs_pricecomponent_class)."""

    type: TariffDimensionType
    price: Number
    vat: Number | None = None
    step_size: int


class TariffRestrictions(Wire):
    """When an element applies; all of them have to hold (§mod_tariffs_tariffrestrictions_class)."""

    start_time: LocalTime | None = None
    end_time: LocalTime | None = None
    start_date: LocalDate | None = None
    end_date: LocalDate | None = None
    min_kwh: Number | None = None
    max_kwh: Number | None = None
    min_current: Number | None = None
    max_current: Number | None = None
    min_power: Number | None = None
    max_power: Number | None = None
    min_duration: int | None = None
    max_duration: int | None = None
    day_of_week: list[DayOfWeek] | None = None
    reservation: ReservationRestrictionType | None = None


class TariffType(OpenEnum):
    """Which sessions a Tariff is for (§mod_tariffs_tariff_type)."""

    AD_HOC_PAYMENT = auto()
    PROFILE_CHEAP = auto()
    PROFILE_FAST = auto()
    PROFILE_GREEN = auto()
    REGULAR = auto()


class TariffDimensionType(OpenEnum):
    """What is priced, and in which unit (§mod_tariffs_tariffdimensiontype_enum)."""

    ENERGY = auto()
    FLAT = auto()
    PARKING_TIME = auto()
    TIME = auto()


class DayOfWeek(OpenEnum):
    """Days of the week (§mod_tariffs_dayofweek_enum)."""

    MONDAY = auto()
    TUESDAY = auto()
    WEDNESDAY = auto()
    THURSDAY = auto()
    FRIDAY = auto()
    SATURDAY = auto()
    SUNDAY = auto()


class ReservationRestrictionType(OpenEnum):
    """Whether an element prices a reservation or its expiry (§mod_tariffs_reservation_restriction_type)."""

    RESERVATION = auto()
    RESERVATION_EXPIRES = auto()
