"""What is answered while no charge point is connected: the truth."""

from typing import Any

import pytest

from cpo_backend.control import charge_points
from ocpi import ports
from ocpi.ids import PartyId
from ocpi.ports import Command, CommandRequest
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.store.tariffs import tariffs
from tests.kit.commands import BODIES, CAPABLE
from tests.kit.objects import Document, connector, evse, location, session, tariff, without

OURS = PartyId("NL*OCP")
OF_EVSES = (Command.START_SESSION, Command.RESERVE_NOW, Command.UNLOCK_CONNECTOR)
OF_SESSIONS = (
    Command.STOP_SESSION,
    Command.ACTIVE_CHARGING_PROFILE,
    Command.SET_CHARGING_PROFILE,
    Command.CLEAR_CHARGING_PROFILE,
)

pytestmark = pytest.mark.django_db


def site(capabilities: list[str], **changes: Any) -> Document:
    document = location(evses=[evse(capabilities=capabilities, **changes)])
    locations.put(Arrival(document), None)
    return document


def request(command: Command, place: Document) -> CommandRequest:
    about: dict[str, Any] = {"session": session()} if command in OF_SESSIONS else {"location": place}
    if command in OF_EVSES:
        about["evse"] = place["evses"][0]
    return CommandRequest(command, OURS, PartyId("DE*MSP"), BODIES[command](), **about)


def test_the_node_binds_them() -> None:
    assert ports.charge_points() is charge_points


@pytest.mark.parametrize("command", Command)
def test_nothing_is_accepted(command: Command) -> None:
    verdict = charge_points.command(1, request(command, site(CAPABLE)))
    assert verdict.result == "REJECTED"
    assert verdict.message


@pytest.mark.parametrize("command", OF_EVSES + OF_SESSIONS)
def test_what_the_evse_is_not_capable_of_is_not_supported(command: Command) -> None:
    """§mod_locations_capability_enum"""
    verdict = charge_points.command(1, request(command, site(["RFID_READER"])))
    assert verdict.result == "NOT_SUPPORTED"


@pytest.mark.parametrize("changes", [{"capabilities": None}, {"capabilities": "ALL"}])
def test_an_evse_that_says_nothing_of_itself_supports_nothing(changes: Document) -> None:
    place = location(evses=[{**evse(), **changes}])
    assert charge_points.command(1, request(Command.RESERVE_NOW, place)).result == "NOT_SUPPORTED"


def test_without_an_evse_the_location_is_what_has_no_charge_point() -> None:
    place = CommandRequest(
        Command.START_SESSION, OURS, PartyId("DE*MSP"), BODIES[Command.START_SESSION](), location=location()
    )
    assert "at this Location" in charge_points.command(1, place).message


def test_a_session_at_an_unknown_evse_is_rejected() -> None:
    """R9.2: `#NA` while it is but reserved."""
    unknown = CommandRequest(
        Command.STOP_SESSION, OURS, PartyId("DE*MSP"), {}, session=session(evse_uid="#NA", connector_id="#NA")
    )
    assert charge_points.command(1, unknown).result == "REJECTED"


# --- charging preferences -------------------------------------------------------------------------------------------

WANTED = {"profile_type": "CHEAP", "departure_time": "2036-03-01T18:00:00Z", "energy_need": 20}


@pytest.fixture
def cheap() -> None:
    """An EVSE whose Connector has a Tariff for cheap charging."""
    tariffs.put(Arrival(tariff(id="T-CHEAP", type="PROFILE_CHEAP")), None)
    site(["CHARGING_PREFERENCES_CAPABLE"], connectors=[connector(tariff_ids=["T-CHEAP"])])


def answer(preferences: Document) -> str:
    return charge_points.charging_preferences(OURS, session(), preferences)


def test_preferences_that_nobody_can_fulfil_are_not_possible(cheap: None) -> None:
    """R9.3"""
    assert answer(WANTED) == "NOT_POSSIBLE"
    assert answer({"profile_type": "REGULAR"}) == "NOT_POSSIBLE"


@pytest.mark.parametrize("profile", ["GREEN", "FAST", "LAZY"])
def test_a_profile_without_a_tariff_is_not_supported(cheap: None, profile: str) -> None:
    """§mod_sessions_charging_preferences_object"""
    assert answer({**WANTED, "profile_type": profile}) == "PROFILE_TYPE_NOT_SUPPORTED"


def test_charging_later_takes_a_departure_and_an_energy(cheap: None) -> None:
    assert answer(without(WANTED, "departure_time", "energy_need")) == "DEPARTURE_REQUIRED"
    assert answer(without(WANTED, "energy_need")) == "ENERGY_NEED_REQUIRED"
    assert answer({**WANTED, "departure_time": None}) == "DEPARTURE_REQUIRED"


def test_a_tariff_without_type_is_for_every_profile() -> None:
    tariffs.put(Arrival(without(tariff(id="T-ANY"), "type")), None)
    site(["CHARGING_PREFERENCES_CAPABLE"], connectors=[connector(tariff_ids=["T-GONE", "T-ANY"])])
    for profile in ("CHEAP", "GREEN", "FAST"):
        assert answer({**WANTED, "profile_type": profile}) == "NOT_POSSIBLE"
