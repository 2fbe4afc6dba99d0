"""Charging profiles and their answers, now and later (§mod_charging_profiles_module)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import auto

from ocpi.types.scalars import Broken, ChargingRate, DateTime, Members, OpenEnum, Url, Wire


class SetChargingProfile(Wire):
    """A profile to be set (§mod_charging_profiles_set_charging_profile_object)."""

    charging_profile: ChargingProfile
    response_url: Url


class ChargingProfile(Wire):
    """Limits of power or current over time (§mod_charging_profiles_charging_profile_class)."""

    start_date_time: DateTime | None = None
    duration: int | None = None
    charging_rate_unit: ChargingRateUnit
    min_charging_rate: ChargingRate | None = None
    charging_profile_period: list[ChargingProfilePeriod] | None = None


class ChargingProfilePeriod(Wire):
    """A limit, from seconds into the profile on (§mod_charging_profiles_charging_profile_period_class)."""

    start_period: int
    limit: ChargingRate


class ActiveChargingProfile(Wire):
    """The limits a Charge Point calculated (§mod_charging_profiles_active_charging_profile_class)."""

    start_date_time: DateTime
    charging_profile: ChargingProfile


class ChargingProfileResponse(Wire):
    """The CPO's answer now (§mod_charging_profiles_response_object)."""

    result: ChargingProfileResponseType
    timeout: int


class ActiveChargingProfileResult(Wire):
    """The later answer to GET (§mod_charging_profiles_active_charging_profiles_result_object)."""

    result: ChargingProfileResultType
    profile: ActiveChargingProfile | None = None

    @staticmethod
    def rules(members: Members) -> Iterator[Broken]:
        if members.get("result") == "ACCEPTED" and members.get("profile") is None:
            yield Broken("/profile", "is required when result is ACCEPTED")


class ChargingProfileResult(Wire):
    """The later answer to PUT (§mod_charging_profiles_charging_profiles_result_object)."""

    result: ChargingProfileResultType


class ClearProfileResult(Wire):
    """The later answer to DELETE (§mod_charging_profiles_clear_profiles_result_object)."""

    result: ChargingProfileResultType


class ChargingRateUnit(OpenEnum):
    """Watts, or amperes per phase (§mod_charging_profiles_chargingrateunit)."""

    W = auto()
    A = auto()


class ChargingProfileResponseType(OpenEnum):
    """Outcomes a ChargingProfileResponse knows (§mod_charging_profiles_responsetype_enum)."""

    ACCEPTED = auto()
    NOT_SUPPORTED = auto()
    REJECTED = auto()
    TOO_OFTEN = auto()
    UNKNOWN_SESSION = auto()


class ChargingProfileResultType(OpenEnum):
    """Outcomes the later results know (§mod_charging_profiles_resulttype_enum)."""

    ACCEPTED = auto()
    REJECTED = auto()
    UNKNOWN = auto()
