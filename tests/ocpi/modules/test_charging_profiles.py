"""ChargingProfiles: what others may set on our sessions, and what comes back for ours (§mod_charging_profiles)."""

from decimal import Decimal
from typing import Any

import pytest

from ocpi.ids import PartyId
from ocpi.ports import Command, Verdict
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.store.sessions import sessions
from ocpi.types import codec
from ocpi.v221.charging_profiles import ChargingProfileResponseType
from roaming.command_models import ActiveProfile, ReceivedCommand, SentCommand
from tests.kit.caller import RECEIVER, SENDER, Answer, PartnerClient
from tests.kit.commands import CAPABLE, RESPONSE_URL, FakeChargePoints, active_profile, charging_profile
from tests.kit.objects import Document, evse, location, session, without
from tests.kit.platforms import Registered, register

PROFILE = f"{RECEIVER}/chargingprofiles/SESSION-1"
ASKED = {"duration": "900", "response_url": f"{RESPONSE_URL}?request_id=5&x=a%20b"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(db: None) -> None:
    """A Session of a driver of DE*MSP at a capable EVSE of ours."""
    locations.put(Arrival(location(evses=[evse(capabilities=CAPABLE)])), None)
    sessions.put(Arrival(session()), None)


@pytest.fixture
def client(site: None, emsp_client: PartnerClient) -> PartnerClient:
    return emsp_client


def set_body(**changes: Any) -> Document:
    return {"charging_profile": charging_profile(), "response_url": RESPONSE_URL, **changes}


def ask(client: PartnerClient, method: str, path: str = PROFILE) -> Answer:
    if method == "PUT":
        return client.put(path, set_body())
    return client.request(method, path, params=ASKED)


METHODS = {
    "GET": Command.ACTIVE_CHARGING_PROFILE,
    "PUT": Command.SET_CHARGING_PROFILE,
    "DELETE": Command.CLEAR_CHARGING_PROFILE,
}


# --- Receiver -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_every_request_is_written_down_and_answered_at_once(
    client: PartnerClient, charge_points: FakeChargePoints, method: str
) -> None:
    """R9.16: result and timeout, nothing else."""
    answer = ask(client, method)
    assert (answer.codes, answer.data) == ((200, 1000), {"result": "ACCEPTED", "timeout": 35})
    row = ReceivedCommand.objects.get()
    ((command_id, request),) = charge_points.asked
    assert (command_id, row.command, row.subject) == (row.pk, METHODS[method], "SESSION-1")
    assert request.session is not None and request.session["id"] == "SESSION-1"


def test_get_and_delete_carry_the_response_url_in_the_query(
    client: PartnerClient, charge_points: FakeChargePoints
) -> None:
    """Trap 34: with its own query string."""
    for method in ("GET", "DELETE"):
        ask(client, method)
    assert {row.response_url for row in ReceivedCommand.objects.all()} == {ASKED["response_url"]}
    assert charge_points.asked[0][1].document["duration"] == 900


def test_the_numbers_of_a_profile_stay_exact(client: PartnerClient, charge_points: FakeChargePoints) -> None:
    """R1.15"""
    ask(client, "PUT")
    document = codec.decode(ReceivedCommand.objects.get().document.encode())
    assert str(document["charging_profile"]["charging_profile_period"][0]["limit"]) == "16.0"


@pytest.mark.parametrize(
    "query",
    [
        without(ASKED, "duration"),
        without(ASKED, "response_url"),
        {**ASKED, "duration": "soon"},
        {**ASKED, "duration": "-900"},
        {**ASKED, "duration": "9" * 40},
        {**ASKED, "duration": "٩"},
        {**ASKED, "response_url": "nowhere"},
        {**ASKED, "response_url": "http://127.0.0.1/"},
        {**ASKED, "response_url": "https://a.example/" + "x" * 255},
    ],
    ids=lambda query: str(query)[:60],
)
def test_a_missing_or_odd_parameter_of_get_is_2001(client: PartnerClient, query: Document) -> None:
    """R5.8 for what R9.16 requires."""
    assert client.get(PROFILE, params=query).codes == (200, 2001)
    assert not ReceivedCommand.objects.exists()


def test_delete_needs_a_response_url(client: PartnerClient) -> None:
    assert client.delete(PROFILE).codes == (200, 2001)


@pytest.mark.parametrize(
    "body",
    [
        without(set_body(), "response_url"),
        without(set_body(), "charging_profile"),
        set_body(charging_profile=[]),
        set_body(charging_profile=charging_profile(charging_rate_unit="HP")),
        set_body(charging_profile=charging_profile(charging_profile_period=[{"start_period": 0}])),
        set_body(charging_profile=charging_profile(min_charging_rate=Decimal("6.25"))),
    ],
    ids=lambda body: str(body)[:50],
)
def test_a_profile_that_cannot_be_set_as_written_is_2001(client: PartnerClient, body: Document) -> None:
    """R9.17: unit W or A, one decimal."""
    assert client.put(PROFILE, body).codes == (200, 2001)
    assert not ReceivedCommand.objects.exists()


@pytest.mark.parametrize("method", METHODS)
def test_an_unknown_session_is_an_answer_not_an_error(client: PartnerClient, method: str) -> None:
    """R9.16"""
    answer = ask(client, method, f"{RECEIVER}/chargingprofiles/NONE")
    assert (answer.codes, answer.data) == ((200, 1000), {"result": "UNKNOWN_SESSION", "timeout": 0})


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("party", ["EMSP:FR*MSP", "SCSP:FR*SCS"])
def test_the_session_of_another_emsp_is_rejected(
    site: None, charge_points: FakeChargePoints, method: str, party: str
) -> None:
    """R9.15e: an SCSP without an agreement is such a party, too."""
    assert ask(register(party).client(), method).data == {"result": "REJECTED", "timeout": 0}
    assert not charge_points.asked


def test_charge_points_may_say_too_often(client: PartnerClient, charge_points: FakeChargePoints) -> None:
    charge_points.verdict = Verdict(ChargingProfileResponseType.TOO_OFTEN)
    assert ask(client, "GET").data["result"] == "TOO_OFTEN"


def test_an_scsp_may_ask_and_a_cpo_may_not(site: None) -> None:
    assert ask(register("SCSP:FR*SCS").client(), "GET").status == 1000
    assert ask(register("CPO:FR*CPO").client(), "GET").codes == (200, 2000)


def test_a_head_request_asks_no_charge_point(client: PartnerClient, charge_points: FakeChargePoints) -> None:
    assert client.request("HEAD", PROFILE, params=ASKED).http == 405
    assert not charge_points.asked


def test_without_charge_points_the_answer_is_honest(client: PartnerClient) -> None:
    assert ask(client, "PUT").data["result"] == "REJECTED"
    locations.put(Arrival(location(evses=[evse(capabilities=[])])), None)
    assert ask(client, "PUT").data["result"] == "NOT_SUPPORTED"


# --- Sender: results ------------------------------------------------------------------------------------------------

KINDS = {"active": "ACTIVE_CHARGING_PROFILE", "set": "SET_CHARGING_PROFILE", "clear": "CLEAR_CHARGING_PROFILE"}


def ours(cpo: Registered, kind: str) -> SentCommand:
    return SentCommand.objects.create(
        uid="unguessable",
        platform=cpo.platform,
        command=KINDS[kind],
        commander="NL*OSP",
        party=PartyId("DE*CPO"),
        subject="SESSION-9",
        document="{}",
        state=SentCommand.State.WAITING,
    )


def result(kind: str) -> Document:
    return {"result": "ACCEPTED"} | ({"profile": active_profile()} if kind == "active" else {})


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_is_stored_and_acknowledged_without_data(
    cpo: Registered, cpo_client: PartnerClient, kind: str
) -> None:
    """R9.17"""
    row = ours(cpo, kind)
    answer = cpo_client.post(f"{SENDER}/chargingprofiles/results/{kind}/unguessable", result(kind))
    assert answer.codes == (200, 1000) and "data" not in answer.envelope
    row.refresh_from_db()
    assert (row.result, row.state) == ("ACCEPTED", "RESOLVED")


@pytest.mark.parametrize("kind", KINDS)
def test_the_three_kinds_of_results_have_urls_of_their_own(
    cpo: Registered, cpo_client: PartnerClient, kind: str
) -> None:
    ours(cpo, kind)
    for other in {*KINDS, "other"} - {kind}:
        answer = cpo_client.post(f"{SENDER}/chargingprofiles/results/{other}/unguessable", result(other))
        assert answer.http == 404


def test_the_profile_asked_for_is_what_applies_to_the_session(cpo: Registered, cpo_client: PartnerClient) -> None:
    ours(cpo, "active")
    cpo_client.post(f"{SENDER}/chargingprofiles/results/active/unguessable", result("active"))
    row = ActiveProfile.objects.get()
    assert (row.owner, row.session_key) == ("DE*CPO", "session-9")
    assert codec.decode(row.document.encode()) == active_profile()


# --- Sender: news of a profile --------------------------------------------------------------------------------------

NEWS = f"{SENDER}/chargingprofiles/SESSION-9"


@pytest.fixture
def their_session(cpo: Registered) -> None:
    theirs = session(country_code="DE", party_id="CPO", id="SESSION-9")
    sessions.put(Arrival(theirs), cpo.platform.pk)


def test_the_latest_profile_of_a_session_is_kept(their_session: None, cpo_client: PartnerClient) -> None:
    """R9.17: a PUT, answered without data; ids ignore case."""
    first = cpo_client.put(NEWS, active_profile())
    newer = active_profile(charging_profile=charging_profile(duration=60))
    second = cpo_client.put(NEWS.lower(), newer)
    assert (first.codes, second.codes) == ((201, 1000), (200, 1000))
    assert "data" not in first.envelope
    assert codec.decode(ActiveProfile.objects.get().document.encode()) == newer


def test_a_profile_of_a_session_we_do_not_know_is_404(cpo_client: PartnerClient) -> None:
    assert cpo_client.put(NEWS, active_profile()).http == 404


def test_a_profile_of_another_platforms_session_is_404(their_session: None) -> None:
    assert register("CPO:FR*CPO").client().put(NEWS, active_profile()).http == 404
    assert not ActiveProfile.objects.exists()


def test_behind_a_hub_the_speaker_tells_sessions_of_one_id_apart() -> None:
    hub = register("HUB:FR*HUB")
    for party_id in ("CPA", "CPB"):
        sessions.put(Arrival(session(country_code="FR", party_id=party_id, id="SESSION-9")), hub.platform.pk)
    assert hub.client(to="NL*OSP", from_="FR*CPB").put(NEWS, active_profile()).status == 1000
    assert ActiveProfile.objects.get().owner == "FR*CPB"


@pytest.mark.parametrize("name", ["start_date_time", "charging_profile"])
def test_a_profile_that_lacks_something_is_2001(their_session: None, cpo_client: PartnerClient, name: str) -> None:
    assert cpo_client.put(NEWS, without(active_profile(), name)).codes == (200, 2001)
