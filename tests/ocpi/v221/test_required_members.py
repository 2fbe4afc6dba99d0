"""Which members an object must have and which it may have, and the states it can be in (digest section 9).

`test_specification.py` compares everything with a checkout of the specification, where there is one.
"""

import msgspec
import pytest

from ocpi.types.scalars import OpenEnum, Wire
from ocpi.v221 import cdrs, charging_profiles, commands, hub_client_info, locations, sessions, tariffs, tokens
from ocpi.v221.common import TokenType

KEY = "country_code party_id id "
# What it must have; what it may have.
MEMBERS: dict[type[Wire], tuple[str, str]] = {
    locations.Location: (
        KEY + "publish address city country coordinates time_zone last_updated",
        "publish_allowed_to name postal_code state related_locations parking_type evses directions operator "
        "suboperator owner facilities opening_times charging_when_closed images energy_mix",
    ),
    locations.Evse: (
        "uid status connectors last_updated",
        "evse_id status_schedule capabilities floor_level coordinates physical_reference directions "
        "parking_restrictions images",
    ),
    locations.Connector: (
        "id standard format power_type max_voltage max_amperage last_updated",
        "max_electric_power tariff_ids terms_and_conditions",
    ),
    sessions.Session: (
        KEY + "start_date_time kwh cdr_token auth_method location_id evse_uid connector_id currency status "
        "last_updated",
        "end_date_time authorization_reference meter_id charging_periods total_cost",
    ),
    cdrs.CdrToken: ("country_code party_id uid type contract_id", ""),
    sessions.ChargingPreferences: ("profile_type", "departure_time energy_need discharge_allowed"),
    cdrs.Cdr: (
        KEY + "start_date_time end_date_time cdr_token auth_method cdr_location currency charging_periods total_cost "
        "total_energy total_time last_updated",
        "session_id authorization_reference meter_id tariffs signed_data total_fixed_cost total_energy_cost "
        "total_time_cost total_parking_time total_parking_cost total_reservation_cost remark invoice_reference_id "
        "credit credit_reference_id home_charging_compensation",
    ),
    cdrs.CdrLocation: (
        "id address city country coordinates evse_uid evse_id connector_id connector_standard connector_format "
        "connector_power_type",
        "name postal_code state",
    ),
    tariffs.Tariff: (
        KEY + "currency elements last_updated",
        "type tariff_alt_text tariff_alt_url min_price max_price start_date_time end_date_time energy_mix",
    ),
    tariffs.TariffElement: ("price_components", "restrictions"),
    tariffs.PriceComponent: ("type price step_size", "vat"),
    tokens.Token: (
        "country_code party_id uid type contract_id issuer valid whitelist last_updated",
        "visual_number group_id language default_profile_type energy_contract",
    ),
    tokens.AuthorizationInfo: ("allowed token", "location authorization_reference info"),
    tokens.LocationReferences: ("location_id", "evse_uids"),
    commands.CancelReservation: ("response_url reservation_id", ""),
    commands.ReserveNow: (
        "response_url token expiry_date reservation_id location_id",
        "evse_uid authorization_reference",
    ),
    commands.StartSession: ("response_url token location_id", "evse_uid connector_id authorization_reference"),
    commands.StopSession: ("response_url session_id", ""),
    commands.UnlockConnector: ("response_url location_id evse_uid connector_id", ""),
    commands.CommandResponse: ("result timeout", "message"),
    commands.CommandResult: ("result", "message"),
    charging_profiles.ChargingProfile: (
        "charging_rate_unit",
        "start_date_time duration min_charging_rate charging_profile_period",
    ),
    charging_profiles.ChargingProfilePeriod: ("start_period limit", ""),
    charging_profiles.ActiveChargingProfile: ("start_date_time charging_profile", ""),
    charging_profiles.SetChargingProfile: ("charging_profile response_url", ""),
    hub_client_info.ClientInfo: ("party_id country_code role status last_updated", ""),
}
VALUES: dict[type[OpenEnum], str] = {
    sessions.SessionStatus: "ACTIVE COMPLETED INVALID PENDING RESERVATION",
    sessions.ChargingPreferencesResponse: (
        "ACCEPTED DEPARTURE_REQUIRED ENERGY_NEED_REQUIRED NOT_POSSIBLE PROFILE_TYPE_NOT_SUPPORTED"
    ),
    TokenType: "AD_HOC_USER APP_USER OTHER RFID",
    tokens.WhitelistType: "ALWAYS ALLOWED ALLOWED_OFFLINE NEVER",
    tokens.AllowedType: "ALLOWED BLOCKED EXPIRED NO_CREDIT NOT_ALLOWED",
    commands.CommandResponseType: "NOT_SUPPORTED REJECTED ACCEPTED UNKNOWN_SESSION",
    commands.CommandResultType: (
        "ACCEPTED CANCELED_RESERVATION EVSE_OCCUPIED EVSE_INOPERATIVE FAILED NOT_SUPPORTED REJECTED TIMEOUT "
        "UNKNOWN_RESERVATION"
    ),
    charging_profiles.ChargingProfileResponseType: "ACCEPTED NOT_SUPPORTED REJECTED TOO_OFTEN UNKNOWN_SESSION",
    charging_profiles.ChargingProfileResultType: "ACCEPTED REJECTED UNKNOWN",
    hub_client_info.ConnectionStatus: "CONNECTED OFFLINE PLANNED SUSPENDED",
}


@pytest.mark.parametrize("shape", MEMBERS, ids=lambda shape: shape.__name__)
def test_an_object_has_these_members(shape: type[Wire]) -> None:
    """R9.2d, R9.2e, R9.2f, R9.6a, R9.6b, R9.6e, R9.9a, R9.9b, R9.10a, R9.12c, R9.12e, R9.13, R9.14, R9.15, R9.17b,
    R9.18
    """
    fields = msgspec.structs.fields(shape)
    required, optional = (set(names.split()) for names in MEMBERS[shape])
    assert {field.name for field in fields if field.required} == required
    assert {field.name for field in fields if not field.required} == optional


@pytest.mark.parametrize("enum", VALUES, ids=lambda enum: enum.__name__)
def test_an_enum_has_these_values(enum: type[OpenEnum]) -> None:
    """R9.6c, R9.6e, R9.12c, R9.12e, R9.13, R9.14, R9.16, R9.17, R9.19"""
    assert {member.value for member in enum} == set(VALUES[enum].split())
