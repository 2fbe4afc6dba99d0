"""Charge Detail Records (§mod_cdrs_cdrs_module). Owner: CPO."""

from __future__ import annotations

from collections.abc import Iterator
from enum import auto

from ocpi.types.scalars import (
    Broken,
    CiString2,
    CiString3,
    CiString32,
    CiString36,
    CiString39,
    CiString48,
    Country,
    Currency,
    DateTime,
    Members,
    Number,
    OpenEnum,
    Some,
    String10,
    String45,
    String255,
    String512,
    String5000,
    Wire,
)
from ocpi.v221.common import GeoLocation, Price, TokenType, indexed, quantity
from ocpi.v221.locations import ConnectorFormat, ConnectorType, PowerType
from ocpi.v221.tariffs import Tariff

SESSION_ONLY = ("CURRENT", "ENERGY_EXPORT", "ENERGY_IMPORT", "POWER", "STATE_OF_CHARGE")


class Cdr(Wire):
    """The final account of a session; never changed, only credited (§mod_cdrs_cdr_object)."""

    key = ("country_code", "party_id", "id")

    country_code: CiString2
    party_id: CiString3
    id: CiString39
    start_date_time: DateTime
    end_date_time: DateTime
    session_id: CiString36 | None = None
    cdr_token: CdrToken
    auth_method: AuthMethod
    authorization_reference: CiString36 | None = None
    cdr_location: CdrLocation
    meter_id: String255 | None = None
    currency: Currency
    tariffs: list[Tariff] | None = None
    charging_periods: Some[ChargingPeriod]
    signed_data: SignedData | None = None
    total_cost: Price
    total_fixed_cost: Price | None = None
    total_energy: Number
    total_energy_cost: Price | None = None
    total_time: Number
    total_time_cost: Price | None = None
    total_parking_time: Number | None = None
    total_parking_cost: Price | None = None
    total_reservation_cost: Price | None = None
    remark: String255 | None = None
    invoice_reference_id: CiString39 | None = None
    credit: bool | None = None
    credit_reference_id: CiString39 | None = None
    home_charging_compensation: bool | None = None
    last_updated: DateTime

    @staticmethod
    def rules(members: Members) -> Iterator[Broken]:
        # §mod_cdrs_credit_cdrs, §mod_cdrs_cdrdimensiontype_enum
        credit, reference = members.get("credit"), members.get("credit_reference_id")
        if credit is True and reference is None:
            yield Broken("/credit_reference_id", "is required for a credit CDR")
        if credit is not True and reference is not None:
            yield Broken("/credit_reference_id", "may only be used when credit is true")
        if credit is True and isinstance(total := members.get("total_cost"), dict):
            for name in ("excl_vat", "incl_vat"):
                if (amount := quantity(total, name)) is not None and amount > 0:
                    yield Broken(f"/total_cost/{name}", "of a credit CDR must not be positive")
        if credit is not True and isinstance(number := members.get("id"), str) and len(number) > 36:
            yield Broken("/id", "of a CDR that is no credit CDR must be at most 36 characters")
        for at, period in indexed(members, "charging_periods"):
            for below, dimension in indexed(period, "dimensions"):
                if (kind := dimension.get("type")) in SESSION_ONLY:
                    yield Broken(f"{at}{below}/type", f"{kind} may only be used in Sessions")


class CdrLocation(Wire):
    """The EVSE and Connector that were used, as they were then (§mod_cdrs_cdr_location_class)."""

    id: CiString36
    name: String255 | None = None
    address: String255  # E21: as long as in a Location
    city: String45
    postal_code: String10 | None = None
    state: String45 | None = None  # E21
    country: Country
    coordinates: GeoLocation
    evse_uid: CiString36
    evse_id: CiString48
    connector_id: CiString36
    connector_standard: ConnectorType
    connector_format: ConnectorFormat
    connector_power_type: PowerType


class CdrToken(Wire):
    """The Token a session was started with, with its owner (new in 2.2.1) (§mod_cdrs_cdr_token_object)."""

    country_code: CiString2
    party_id: CiString3
    uid: CiString36
    type: TokenType
    contract_id: CiString36


class ChargingPeriod(Wire):
    """A stretch of a session; it ends where the next one begins (§mod_cdrs_chargingperiod_class)."""

    start_date_time: DateTime
    dimensions: Some[CdrDimension]
    tariff_id: CiString36 | None = None


class CdrDimension(Wire):
    """A measured amount within a charging period (§mod_cdrs_cdrdimension_class)."""

    type: CdrDimensionType
    volume: Number

    @staticmethod
    def rules(members: Members) -> Iterator[Broken]:
        kind, volume = members.get("type"), quantity(members, "volume")
        if kind == "STATE_OF_CHARGE" and volume is not None and not 0 <= volume <= 100:
            yield Broken("/volume", "of STATE_OF_CHARGE must be between 0 and 100")


class SignedData(Wire):
    """What a calibrated meter signed (§mod_cdrs_signed_data_class)."""

    encoding_method: CiString36
    encoding_method_version: int | None = None
    public_key: String512 | None = None
    signed_values: Some[SignedValue]
    url: String512 | None = None


class SignedValue(Wire):
    """One signed meter value (§mod_cdrs_signed_value_class)."""

    nature: CiString32
    plain_data: String5000
    signed_data: String5000


class AuthMethod(OpenEnum):
    """How the driver was authorized (§mod_cdrs_authmethod_enum)."""

    AUTH_REQUEST = auto()
    COMMAND = auto()
    WHITELIST = auto()


class CdrDimensionType(OpenEnum):
    """What a dimension measures, and in which unit (§mod_cdrs_cdrdimensiontype_enum)."""

    CURRENT = auto()
    ENERGY = auto()
    ENERGY_EXPORT = auto()
    ENERGY_IMPORT = auto()
    MAX_CURRENT = auto()
    MIN_CURRENT = auto()
    MAX_POWER = auto()
    MIN_POWER = auto()
    PARKING_TIME = auto()
    POWER = auto()
    RESERVATION_TIME = auto()
    STATE_OF_CHARGE = auto()
    TIME = auto()
