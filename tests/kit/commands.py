"""Commands, profiles and charge points for tests: documents with invented, unchanging values."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ocpi.ids import PartyId
from ocpi.ports import Command, CommandRequest, Verdict
from ocpi.v221.commands import CommandResponseType
from ocpi.v221.sessions import ChargingPreferencesResponse
from tests.kit.objects import NOON, Document, token

RESPONSE_URL = "https://partner.example/results/1"
ACCEPTED = Verdict(CommandResponseType.ACCEPTED, timeout=30)
CAPABLE = ["REMOTE_START_STOP_CAPABLE", "RESERVABLE", "UNLOCK_CAPABLE", "CHARGING_PROFILE_CAPABLE"]


def driver_token(**changes: Any) -> Document:
    """A Token of the eMSP DE*MSP, of its app."""
    return token(**{"country_code": "DE", "party_id": "MSP", "type": "APP_USER", **changes})


def start_session(**changes: Any) -> Document:
    place = {"location_id": "LOC-1", "evse_uid": "EVSE-1"}
    return {"response_url": RESPONSE_URL, "token": driver_token(), **place, **changes}


def stop_session(**changes: Any) -> Document:
    return {"response_url": RESPONSE_URL, "session_id": "SESSION-1", **changes}


def reserve_now(**changes: Any) -> Document:
    reservation = {"expiry_date": "2036-03-01T12:00:00Z", "reservation_id": "RES-1"}
    return {**start_session(), **reservation, **changes}


def cancel_reservation(**changes: Any) -> Document:
    return {"response_url": RESPONSE_URL, "reservation_id": "RES-1", **changes}


def unlock_connector(**changes: Any) -> Document:
    place = {"location_id": "LOC-1", "evse_uid": "EVSE-1", "connector_id": "1"}
    return {"response_url": RESPONSE_URL, **place, **changes}


def charging_profile(**changes: Any) -> Document:
    return {
        "charging_rate_unit": "A",
        "duration": 900,
        "charging_profile_period": [{"start_period": 0, "limit": Decimal("16.0")}],
        **changes,
    }


def active_profile(**changes: Any) -> Document:
    return {"start_date_time": NOON, "charging_profile": charging_profile(), **changes}


def profile_request(**changes: Any) -> Document:
    """What a request about the profile of SESSION-1 says, wherever it says it."""
    return {"response_url": RESPONSE_URL, "session_id": "SESSION-1", **changes}


BODIES = {
    Command.CANCEL_RESERVATION: cancel_reservation,
    Command.RESERVE_NOW: reserve_now,
    Command.START_SESSION: start_session,
    Command.STOP_SESSION: stop_session,
    Command.UNLOCK_CONNECTOR: unlock_connector,
    Command.ACTIVE_CHARGING_PROFILE: profile_request,
    Command.SET_CHARGING_PROFILE: profile_request,
    Command.CLEAR_CHARGING_PROFILE: profile_request,
}


@dataclass
class FakeChargePoints:
    """Charge points that answer as told; they remember what they were asked."""

    verdict: Verdict = ACCEPTED
    asked: list[tuple[int, CommandRequest]] = field(default_factory=list)

    def command(self, command_id: int, request: CommandRequest) -> Verdict:
        self.asked.append((command_id, request))
        return self.verdict

    def charging_preferences(
        self, owner: PartyId, session: Document, preferences: Document
    ) -> ChargingPreferencesResponse:
        return ChargingPreferencesResponse.NOT_POSSIBLE


# What settings.OCPI["charge_points"] may name; the fixture gives each test its own.
fake_charge_points = FakeChargePoints()
