"""Locations, their EVSEs and Connectors (§mod_locations_locations_module). Owner: CPO."""

from __future__ import annotations

from collections.abc import Iterator
from enum import auto

from ocpi.types.scalars import (
    Broken,
    CiString2,
    CiString3,
    CiString36,
    CiString48,
    Country,
    DateTime,
    Latitude,
    LocalTime,
    Longitude,
    Members,
    OpenEnum,
    Part,
    Some,
    String4,
    String10,
    String16,
    String45,
    String64,
    String255,
    TimeZone,
    Url,
    Weekday,
    Wire,
)
from ocpi.v221.common import BusinessDetails, DisplayText, EnergyMix, GeoLocation, Image, TokenType, repeated


class Location(Wire):
    """A site with its EVSEs (§mod_locations_location_object)."""

    key = ("country_code", "party_id", "id")

    country_code: CiString2
    party_id: CiString3
    id: CiString36
    publish: bool
    publish_allowed_to: list[PublishTokenType] | None = None
    name: String255 | None = None
    address: String255
    city: String45
    postal_code: String10 | None = None
    state: String45 | None = None
    country: Country
    coordinates: GeoLocation
    related_locations: list[AdditionalGeoLocation] | None = None
    parking_type: ParkingType | None = None
    evses: list[Evse] | None = None
    directions: list[DisplayText] | None = None
    operator: BusinessDetails | None = None
    suboperator: BusinessDetails | None = None
    owner: BusinessDetails | None = None
    facilities: list[Facility] | None = None
    time_zone: TimeZone
    opening_times: Hours | None = None
    charging_when_closed: bool | None = None
    images: list[Image] | None = None
    energy_mix: EnergyMix | None = None
    last_updated: DateTime

    @staticmethod
    def rules(members: Members) -> Iterator[Broken]:
        if members.get("publish") is True and members.get("publish_allowed_to"):
            yield Broken("/publish_allowed_to", "may only be used when publish is false")
        yield from repeated(members, "evses", "uid")


class Evse(Part):
    """What supplies energy to one vehicle at a time (§mod_locations_evse_object)."""

    key = ("uid",)

    uid: CiString36
    evse_id: CiString48 | None = None
    status: Status
    status_schedule: list[StatusSchedule] | None = None
    capabilities: list[Capability] | None = None
    connectors: Some[Connector]
    floor_level: String4 | None = None
    coordinates: GeoLocation | None = None
    physical_reference: String16 | None = None
    directions: list[DisplayText] | None = None
    parking_restrictions: list[ParkingRestriction] | None = None
    images: list[Image] | None = None
    last_updated: DateTime

    @staticmethod
    def rules(members: Members) -> Iterator[Broken]:
        return repeated(members, "connectors", "id")


class Connector(Part):
    """One socket or cable of an EVSE; only one is in use at a time (§mod_locations_connector_object)."""

    key = ("id",)

    id: CiString36
    standard: ConnectorType
    format: ConnectorFormat
    power_type: PowerType
    max_voltage: int
    max_amperage: int
    max_electric_power: int | None = None
    tariff_ids: list[CiString36] | None = None
    terms_and_conditions: Url | None = None
    last_updated: DateTime


class PublishTokenType(Wire):
    """Whom an unpublished Location may be shown to (§mod_locations_publish_token_class)."""

    uid: CiString36 | None = None
    type: TokenType | None = None
    visual_number: String64 | None = None
    issuer: String64 | None = None
    group_id: CiString36 | None = None

    @staticmethod
    def rules(members: Members) -> Iterator[Broken]:
        if all(members.get(name) is None for name in ("uid", "visual_number", "group_id")):
            yield Broken("", "needs at least one of uid, visual_number and group_id")
        if members.get("uid") is not None and members.get("type") is None:
            yield Broken("/type", "is required when uid is set")
        if members.get("visual_number") is not None and members.get("issuer") is None:
            yield Broken("/issuer", "is required when visual_number is set")


class AdditionalGeoLocation(Wire):
    """A point worth knowing, such as an entrance (§mod_locations_additionalgeolocation_class)."""

    latitude: Latitude
    longitude: Longitude
    name: DisplayText | None = None


class StatusSchedule(Wire):
    """A planned status of an EVSE (§mod_locations_statusschedule_class)."""

    period_begin: DateTime
    period_end: DateTime | None = None
    status: Status


class Hours(Wire):
    """When the Location is open (§mod_locations_hours_class)."""

    twentyfourseven: bool
    regular_hours: list[RegularHours] | None = None
    exceptional_openings: list[ExceptionalPeriod] | None = None
    exceptional_closings: list[ExceptionalPeriod] | None = None

    @staticmethod
    def rules(members: Members) -> Iterator[Broken]:
        if members.get("twentyfourseven") is False and not members.get("regular_hours"):
            yield Broken("/regular_hours", "needs at least one entry when twentyfourseven is false")
        if members.get("twentyfourseven") is True and members.get("regular_hours"):
            yield Broken("/regular_hours", "may only be used when twentyfourseven is false")


class RegularHours(Wire):
    """One weekly opening period, in local time (§mod_locations_regularhours_class)."""

    weekday: Weekday
    period_begin: LocalTime
    period_end: LocalTime

    @staticmethod
    def rules(members: Members) -> Iterator[Broken]:
        begin, end = members.get("period_begin"), members.get("period_end")
        if isinstance(begin, str) and isinstance(end, str) and end <= begin:
            yield Broken("/period_end", "must be later than period_begin")


class ExceptionalPeriod(Wire):
    """A dated opening or closing, in UTC (§mod_locations_exceptionalperiod_class)."""

    period_begin: DateTime
    period_end: DateTime


class Status(OpenEnum):
    """The state of an EVSE; REMOVED is how one is deleted (§mod_locations_status_enum)."""

    AVAILABLE = auto()
    BLOCKED = auto()
    CHARGING = auto()
    INOPERATIVE = auto()
    OUTOFORDER = auto()
    PLANNED = auto()
    REMOVED = auto()
    RESERVED = auto()
    UNKNOWN = auto()


class Capability(OpenEnum):
    """What an EVSE can do (§mod_locations_capability_enum)."""

    CHARGING_PROFILE_CAPABLE = auto()
    CHARGING_PREFERENCES_CAPABLE = auto()
    CHIP_CARD_SUPPORT = auto()
    CONTACTLESS_CARD_SUPPORT = auto()
    CREDIT_CARD_PAYABLE = auto()
    DEBIT_CARD_PAYABLE = auto()
    PED_TERMINAL = auto()
    REMOTE_START_STOP_CAPABLE = auto()
    RESERVABLE = auto()
    RFID_READER = auto()
    START_SESSION_CONNECTOR_REQUIRED = auto()
    TOKEN_GROUP_CAPABLE = auto()
    UNLOCK_CAPABLE = auto()


class ConnectorType(OpenEnum):
    """The standard of a plug; values are case-sensitive (§mod_locations_connectortype_enum)."""

    CHADEMO = auto()
    CHAOJI = auto()
    DOMESTIC_A = auto()
    DOMESTIC_B = auto()
    DOMESTIC_C = auto()
    DOMESTIC_D = auto()
    DOMESTIC_E = auto()
    DOMESTIC_F = auto()
    DOMESTIC_G = auto()
    DOMESTIC_H = auto()
    DOMESTIC_I = auto()
    DOMESTIC_J = auto()
    DOMESTIC_K = auto()
    DOMESTIC_L = auto()
    DOMESTIC_M = auto()
    DOMESTIC_N = auto()
    DOMESTIC_O = auto()
    GBT_AC = auto()
    GBT_DC = auto()
    IEC_60309_2_single_16 = auto()
    IEC_60309_2_three_16 = auto()
    IEC_60309_2_three_32 = auto()
    IEC_60309_2_three_64 = auto()
    IEC_62196_T1 = auto()
    IEC_62196_T1_COMBO = auto()
    IEC_62196_T2 = auto()
    IEC_62196_T2_COMBO = auto()
    IEC_62196_T3A = auto()
    IEC_62196_T3C = auto()
    NEMA_5_20 = auto()
    NEMA_6_30 = auto()
    NEMA_6_50 = auto()
    NEMA_10_30 = auto()
    NEMA_10_50 = auto()
    NEMA_14_30 = auto()
    NEMA_14_50 = auto()
    PANTOGRAPH_BOTTOM_UP = auto()
    PANTOGRAPH_TOP_DOWN = auto()
    TESLA_R = auto()
    TESLA_S = auto()


class ConnectorFormat(OpenEnum):
    """Socket or attached cable (§mod_locations_connectorformat_enum)."""

    SOCKET = auto()
    CABLE = auto()


class PowerType(OpenEnum):
    """Current and phases of a Connector (§mod_locations_powertype_enum)."""

    AC_1_PHASE = auto()
    AC_2_PHASE = auto()
    AC_2_PHASE_SPLIT = auto()
    AC_3_PHASE = auto()
    DC = auto()


class Facility(OpenEnum):
    """What else is found at the Location (§mod_locations_facility_enum)."""

    HOTEL = auto()
    RESTAURANT = auto()
    CAFE = auto()
    MALL = auto()
    SUPERMARKET = auto()
    SPORT = auto()
    RECREATION_AREA = auto()
    NATURE = auto()
    MUSEUM = auto()
    BIKE_SHARING = auto()
    BUS_STOP = auto()
    TAXI_STAND = auto()
    TRAM_STOP = auto()
    METRO_STATION = auto()
    TRAIN_STATION = auto()
    AIRPORT = auto()
    PARKING_LOT = auto()
    CARPOOL_PARKING = auto()
    FUEL_STATION = auto()
    WIFI = auto()


class ParkingType(OpenEnum):
    """The kind of parking at the Location (§mod_locations_parkingtype_enum)."""

    ALONG_MOTORWAY = auto()
    PARKING_GARAGE = auto()
    PARKING_LOT = auto()
    ON_DRIVEWAY = auto()
    ON_STREET = auto()
    UNDERGROUND_GARAGE = auto()


class ParkingRestriction(OpenEnum):
    """Who may use the parking spot (§mod_locations_parkingrestriction_enum)."""

    EV_ONLY = auto()
    PLUGGED = auto()
    DISABLED = auto()
    CUSTOMERS = auto()
    MOTORCYCLES = auto()
