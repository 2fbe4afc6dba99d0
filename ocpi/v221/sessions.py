"""Sessions and charging preferences (§mod_sessions_sessions_module). Owner: CPO."""

from __future__ import annotations

from enum import auto

from ocpi.types.scalars import (
    CiString2,
    CiString3,
    CiString36,
    Currency,
    DateTime,
    Number,
    OpenEnum,
    String255,
    Wire,
)
from ocpi.v221.cdrs import AuthMethod, CdrToken, ChargingPeriod
from ocpi.v221.common import Price, ProfileType


class Session(Wire):
    """A charging session while it happens (§mod_sessions_session_object)."""

    key = ("country_code", "party_id", "id")

    country_code: CiString2
    party_id: CiString3
    id: CiString36
    start_date_time: DateTime
    end_date_time: DateTime | None = None
    kwh: Number
    cdr_token: CdrToken
    auth_method: AuthMethod
    authorization_reference: CiString36 | None = None
    location_id: CiString36
    evse_uid: CiString36
    connector_id: CiString36
    meter_id: String255 | None = None
    currency: Currency
    charging_periods: list[ChargingPeriod] | None = None
    total_cost: Price | None = None
    status: SessionStatus
    last_updated: DateTime


class ChargingPreferences(Wire):
    """What the driver wants of smart charging (§mod_sessions_charging_preferences_object)."""

    profile_type: ProfileType
    departure_time: DateTime | None = None
    energy_need: Number | None = None
    discharge_allowed: bool | None = None


class SessionStatus(OpenEnum):
    """The state of a Session (§mod_sessions_sessionstatus_enum)."""

    ACTIVE = auto()
    COMPLETED = auto()
    INVALID = auto()
    PENDING = auto()
    RESERVATION = auto()


class ChargingPreferencesResponse(OpenEnum):
    """The answer to preferences, sent bare in `data` (§mod_sessions_charging_preferences_response_enum)."""

    ACCEPTED = auto()
    DEPARTURE_REQUIRED = auto()
    ENERGY_NEED_REQUIRED = auto()
    NOT_POSSIBLE = auto()
    PROFILE_TYPE_NOT_SUPPORTED = auto()
