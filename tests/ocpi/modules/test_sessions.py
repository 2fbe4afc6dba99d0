"""Sessions: what is theirs alone; the rest is in test_owned.py (§mod_sessions_sessions_module)."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from ocpi.ids import PartyId
from ocpi.models import Session
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.store.sessions import sessions
from ocpi.v221.sessions import ChargingPreferencesResponse
from roaming import directory
from roaming.models import Party
from tests.kit.caller import RECEIVER, SENDER, PartnerClient
from tests.kit.objects import (
    Document,
    cdr_token,
    charging_period,
    evse,
    location,
    minutes_after_noon,
    price,
    session,
    without,
)
from tests.kit.platforms import Registered, register

URL = f"{RECEIVER}/sessions/DE/CPO/S"
LIST = f"{SENDER}/sessions"
LATER, LATEST = minutes_after_noon(10), minutes_after_noon(20)
UNFINISHED = ["PENDING", "RESERVATION", "ACTIVE"]


def theirs(**changes: Any) -> Document:
    """Session S of DE*CPO."""
    return session(**{"country_code": "DE", "party_id": "CPO", "id": "S", **changes})


def change(**changes: Any) -> Document:
    return {**changes, "last_updated": LATER}


@pytest.fixture
def client(cpo_client: PartnerClient) -> PartnerClient:
    """A CPO that has pushed a Session with one charging period."""
    assert cpo_client.put(URL, theirs()).codes == (201, 1000)
    return cpo_client


def stored() -> list[Any]:
    return list(Session.objects.order_by("pk").values())


# --- PUT and PATCH --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("periods", [{}, {"charging_periods": []}, {"charging_periods": None}])
def test_put_removes_charging_periods_that_it_does_not_name(client: PartnerClient, periods: Document) -> None:
    """R9.4, trap 16"""
    document = {**without(theirs(), "charging_periods"), **periods}
    assert client.put(URL, document).codes == (200, 1000)
    assert client.get(URL).data == document


def test_put_replaces_charging_periods(client: PartnerClient) -> None:
    """R9.4"""
    client.put(URL, theirs(charging_periods=[charging_period("7")]))
    assert client.get(URL).data["charging_periods"] == [charging_period("7")]


def test_patch_appends_charging_periods_in_their_order(client: PartnerClient) -> None:
    """R9.5, trap 16: as often as it is asked to."""
    more = [charging_period("2", start_date_time=LATER), charging_period("3", start_date_time=LATEST)]
    assert client.patch(URL, change(charging_periods=more, kwh=Decimal("6.2500"))).codes == (200, 1000)
    assert client.get(URL).data == theirs(
        charging_periods=[charging_period(), *more], kwh=Decimal("6.2500"), last_updated=LATER
    )
    client.patch(URL, change(charging_periods=more[:1]))
    assert len(client.get(URL).data["charging_periods"]) == 4


@pytest.mark.parametrize("nothing", [None, {}, {"charging_periods": []}, {"charging_periods": None}])
def test_patch_without_charging_periods_leaves_them_alone(client: PartnerClient, nothing: Document | None) -> None:
    """R9.5"""
    client.patch(URL, change(**(nothing or {}), kwh=5))
    assert client.get(URL).data["charging_periods"] == [charging_period()]


def test_the_first_charging_periods_can_come_by_patch(cpo_client: PartnerClient) -> None:
    """R9.5"""
    cpo_client.put(URL, without(theirs(), "charging_periods"))
    cpo_client.patch(URL, change(charging_periods=[charging_period("9")]))
    assert cpo_client.get(URL).data["charging_periods"] == [charging_period("9")]


def test_patch_replaces_what_it_names_and_nothing_else(client: PartnerClient) -> None:
    """R6.2, trap 15: nested objects whole."""
    client.patch(URL, change(total_cost=price("1.0000"), status="COMPLETED", end_date_time=LATER))
    assert client.get(URL).data == theirs(
        total_cost=price("1.0000"), status="COMPLETED", end_date_time=LATER, last_updated=LATER
    )


@pytest.mark.parametrize("changes", [{"kwh": 5}, {"kwh": 5, "last_updated": None}, {}])
def test_patch_without_last_updated_is_2001(client: PartnerClient, changes: Document) -> None:
    """R6.3, trap 17"""
    before = stored()
    assert client.patch(URL, changes).codes == (200, 2001)
    assert stored() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"kwh": None}, {"kwh": "5"}, {"cdr_token": None}, {"cdr_token": without(cdr_token(), "party_id")},
        {"id": "OTHER"}, {"party_id": "XXX"}, {"charging_periods": "all"}, {"charging_periods": [7]},
        {"charging_periods": [without(charging_period(), "dimensions")]}, {"status": 7}, {"x": "\0"},
        {"charging_periods": [{**charging_period(), "x": "\0"}]},
    ],
)  # fmt: skip
def test_an_impossible_patch_is_2001_and_changes_nothing(client: PartnerClient, changes: Document) -> None:
    """R1.7, R6.7, trap 3"""
    before = stored()
    assert client.patch(URL, change(**changes)).codes == (200, 2001)
    assert stored() == before


def test_patch_of_an_unknown_session_is_2001_and_creates_nothing(cpo_client: PartnerClient) -> None:
    """R6.4, errata E6"""
    assert cpo_client.patch(URL, change(kwh=5)).codes == (200, 2001)
    assert not Session.objects.exists()


@pytest.mark.parametrize("below", ["total_cost", "charging_periods/0", "EVSE-1/1"])
def test_nothing_below_a_session_can_be_patched(client: PartnerClient, below: str) -> None:
    """R9.6"""
    before = stored()
    assert client.patch(f"{URL}/{below}", change(excl_vat=1)).codes == (404, 2000)
    assert stored() == before


# --- members --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("member", ["country_code", "party_id", "uid", "type", "contract_id"])
def test_a_cdr_token_of_version_2_2_is_refused(cpo_client: PartnerClient, member: str) -> None:
    """R9.3, R9.6b, trap 36: whose Token it is has to be said."""
    answer = cpo_client.put(URL, theirs(cdr_token=without(cdr_token(), member)))
    assert answer.codes == (200, 2001) and f"/cdr_token/{member}" in answer.message
    assert not Session.objects.exists()


def test_a_reservation_need_not_name_evse_and_connector(cpo_client: PartnerClient) -> None:
    """R1.19, R9.3, R9.6c: #NA is no defect."""
    document = theirs(status="RESERVATION", evse_uid="#NA", connector_id="#NA", kwh=0)
    assert cpo_client.put(URL, document).codes == (201, 1000)
    assert cpo_client.get(URL).data == document
    assert not Session.objects.get().defects


def test_the_authorization_reference_given_last_is_kept(cpo_client: PartnerClient) -> None:
    """R9.3, R9.6d"""
    cpo_client.put(URL, theirs(authorization_reference="FIRST"))
    cpo_client.patch(URL, change(kwh=2))
    assert cpo_client.get(URL).data["authorization_reference"] == "FIRST"
    cpo_client.patch(URL, change(authorization_reference="Second"))
    assert cpo_client.get(URL).data["authorization_reference"] == "Second"


def test_a_price_is_stored_digit_for_digit(cpo_client: PartnerClient) -> None:
    """R1.15, trap 18: without incl_vat it has none, and none is not zero."""
    cpo_client.put(URL, theirs(total_cost=price("1234567.8901"), kwh=Decimal("4.1000")))
    answer = cpo_client.get(URL)
    assert b'"total_cost":{"excl_vat":1234567.8901}' in answer.body and b'"kwh":4.1000' in answer.body


def test_an_unknown_status_is_kept_as_a_defect(cpo_client: PartnerClient) -> None:
    """R8.4: a later version may have more of them."""
    cpo_client.put(URL, theirs(status="NAPPING"))
    assert cpo_client.get(URL).data["status"] == "NAPPING"
    assert Session.objects.get().status == "NAPPING" and "/status" in Session.objects.get().defects


# --- the course of a session ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "course",
    [
        ["PENDING", "ACTIVE", "COMPLETED"], ["RESERVATION", "ACTIVE", "COMPLETED"], ["RESERVATION", "COMPLETED"],
        ["PENDING", "INVALID"], ["ACTIVE", "INVALID", "ACTIVE"], ["COMPLETED", "INVALID"], ["COMPLETED", "COMPLETED"],
    ],
)  # fmt: skip
def test_a_session_takes_any_course_that_does_not_reopen_it(cpo_client: PartnerClient, course: list[str]) -> None:
    """§mod_sessions_sessionstatus_enum, §mod_sessions_reservation"""
    cpo_client.put(URL, theirs(status=course[0]))
    for status in course[1:]:
        assert cpo_client.patch(URL, change(status=status)).codes == (200, 1000)
        assert cpo_client.get(URL).data["status"] == status


def test_the_start_of_a_pending_session_moves_when_it_becomes_active(cpo_client: PartnerClient) -> None:
    """R9.3, R9.6f: the moment is the CPO's to say."""
    cpo_client.put(URL, theirs(status="PENDING", kwh=0))
    cpo_client.patch(URL, change(status="ACTIVE", start_date_time=LATER))
    assert cpo_client.get(URL).data["start_date_time"] == LATER


@pytest.mark.parametrize("status", UNFINISHED)
def test_a_completed_session_is_not_reopened(cpo_client: PartnerClient, status: str) -> None:
    """§mod_sessions_sessionstatus_enum: COMPLETED is final; a message that was overtaken does not undo it."""
    cpo_client.put(URL, theirs(status="COMPLETED", last_updated=LATEST))
    before = stored()
    assert cpo_client.patch(URL, change(status=status, kwh=1)).codes == (200, 2001)
    assert cpo_client.put(URL, theirs(status=status)).codes == (200, 2001)
    assert stored() == before


def test_what_a_completed_session_cost_can_still_be_corrected(cpo_client: PartnerClient) -> None:
    """§mod_sessions_patch_method: the owner says what is true, and sends its last word again when it got no answer."""
    cpo_client.put(URL, theirs(status="COMPLETED"))
    assert cpo_client.patch(URL, change(total_cost=price("3.0000"))).codes == (200, 1000)
    assert cpo_client.put(URL, theirs(status="COMPLETED")).codes == (200, 1000)
    assert cpo_client.get(URL).data == theirs(status="COMPLETED")


# --- who may see a session ------------------------------------------------------------------------------------------


def publish(*documents: Document, source: int | None = None) -> None:
    sessions.put_many([Arrival(document) for document in documents], source)


def of(token_owner: str, **changes: Any) -> Document:
    token = cdr_token(country_code=token_owner[:2], party_id=token_owner[3:])
    return session(**{"id": token_owner, "cdr_token": token, **changes})


def seen(client: PartnerClient) -> list[str]:
    answer = client.get(LIST)
    assert answer.headers["X-Total-Count"] == str(len(answer.data))
    return [document["id"] for document in answer.data]


def test_a_session_is_shown_to_the_emsp_of_its_token_only(
    emsp_client: PartnerClient, cpo_client: PartnerClient
) -> None:
    """R7.7: others do not learn that there is one; letters in any case."""
    publish(of("DE*MSP"), of("FR*MSP"), of("de*msp", id="S2"))
    assert seen(emsp_client) == ["DE*MSP", "S2"]
    assert seen(register("EMSP:FR*MSP").client()) == ["FR*MSP"]
    assert seen(cpo_client) == []


def test_a_hub_sees_the_sessions_of_all_drivers_behind_it(db: None) -> None:
    """R7.7"""
    publish(of("DE*MSP"), of("FR*MSP"))
    assert seen(register("HUB:BE*HUB").client()) == ["DE*MSP", "FR*MSP"]


def test_a_hub_shows_an_emsp_its_drivers_sessions_of_every_cpo(emsp: Registered, cpo: Registered) -> None:
    """R7.7, R7.10"""
    Party.objects.create(party="NL*HUB", role="HUB", name="Hub")
    directory.changed()
    behind = {"country_code": "DE", "party_id": "CPO"}
    publish(of("DE*MSP", **behind), of("FR*MSP", **behind), source=cpo.platform.pk)
    assert seen(emsp.client(to="NL*HUB", from_="DE*MSP")) == ["DE*MSP"]


# --- charging preferences -------------------------------------------------------------------------------------------

PREFERENCES = f"{LIST}/SESSION-1/charging_preferences"
WISH = {"profile_type": "GREEN", "departure_time": LATEST, "energy_need": Decimal("10.5"), "discharge_allowed": False}


class ChargePoints:
    """Answers what the test wants, and remembers what it was asked."""

    asked: list[Any] = []
    answer = ChargingPreferencesResponse.ACCEPTED

    def charging_preferences(self, *arguments: Any) -> ChargingPreferencesResponse:
        self.asked.append(arguments)
        return self.answer


charge_points = ChargePoints()


@pytest.fixture
def driver(emsp_client: PartnerClient, settings: Any) -> Iterator[PartnerClient]:
    """The eMSP of a driver who charges at an EVSE of ours that is capable of charging preferences."""
    settings.OCPI = {**settings.OCPI, "charge_points": f"{__name__}.charge_points"}
    locations.put(Arrival(location(evses=[evse(capabilities=["CHARGING_PREFERENCES_CAPABLE"])])), None)
    publish(session())
    yield emsp_client
    charge_points.asked.clear()
    charge_points.answer = ChargingPreferencesResponse.ACCEPTED


@pytest.mark.parametrize("response", list(ChargingPreferencesResponse))
def test_charging_preferences_are_answered_by_a_bare_word(
    driver: PartnerClient, response: ChargingPreferencesResponse
) -> None:
    """R9.3, R9.6e, trap 35: a string in data, HTTP 200 whatever it says."""
    charge_points.answer = response
    answer = driver.put(PREFERENCES.replace("SESSION", "session"), WISH)
    assert answer.codes == (200, 1000) and answer.data == response.value
    assert charge_points.asked == [(PartyId("NL*OCP"), session(), WISH)]


@pytest.mark.parametrize(
    "wish",
    [without(WISH, "profile_type"), {**WISH, "profile_type": 7}, {**WISH, "energy_need": "10"}, {**WISH, "x": "\0"}],
)
def test_ill_formed_charging_preferences_are_2001(driver: PartnerClient, wish: Document) -> None:
    """R9.3, R1.7"""
    assert driver.put(PREFERENCES, wish).codes == (200, 2001)
    assert not charge_points.asked


def test_preferences_for_an_unknown_or_foreign_session_are_404(driver: PartnerClient, cpo: Registered) -> None:
    """R9.3, R1.8: of another eMSP's driver, at another CPO, or of nobody."""
    publish(of("FR*MSP"))
    publish(of("DE*MSP", country_code="DE", party_id="CPO"), source=cpo.platform.pk)
    for id in ("FR*MSP", "DE*MSP", "NONE"):
        assert driver.put(f"{LIST}/{id}/charging_preferences", WISH).codes == (404, 2000)
    assert not charge_points.asked


@pytest.mark.parametrize(
    "place", [{"evse_uid": "EVSE-2"}, {"evse_uid": "#NA"}, {"evse_uid": "EVSE-9"}, {"location_id": "LOC-9"}]
)
def test_an_evse_that_is_not_capable_is_404_with_2001(driver: PartnerClient, place: Document) -> None:
    """R9.3, R9.6e: also one that we do not know."""
    locations.put(Arrival(location(evses=[evse(), evse(uid="EVSE-2", capabilities=None)])), None)
    publish(session(**place))
    assert driver.put(PREFERENCES, WISH).codes == (404, 2001)
    assert not charge_points.asked


@pytest.mark.parametrize("status", ["COMPLETED", "INVALID"])
def test_preferences_for_a_session_that_is_over_are_2001(driver: PartnerClient, status: str) -> None:
    """§mod_sessions_set_charging_preferences: during an ongoing session."""
    publish(session(status=status))
    assert driver.put(PREFERENCES, WISH).codes == (200, 2001)
    assert not charge_points.asked
