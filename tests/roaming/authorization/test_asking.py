"""The real-time question to an eMSP, over real connections."""

import time
from typing import Any

import pytest
from django.db import connection, transaction

from ocpi.ids import PartyId
from ocpi.v221.tokens import AllowedType
from roaming import directory
from roaming.authorization.asking import Answer, Inquiry, Kind, Question, ask
from roaming.models import Endpoint
from tests.kit.commands import driver_token
from tests.kit.objects import Document, without
from tests.kit.peer import FakePeer, Reply, answers, drips, enveloped, fails, garbage, hangs_up, redirects, slow
from tests.kit.platforms import Registered, register

pytestmark = pytest.mark.django_db(transaction=True)
EMSP = PartyId("DE*MSP")
AUTHORIZE = "/2.2.1/sender/tokens/04A1B2C3D4/authorize"
PLACE = {"location_id": "LOC-1", "evse_uids": ["EVSE-1", "EVSE-2"]}
TOKEN = driver_token(type="RFID")


@pytest.fixture
def peer(fake_peer: Any, settings: Any) -> FakePeer:
    """An eMSP that knows one card."""
    settings.NODE_AUTHORIZE_TIMEOUT = 2
    found: FakePeer = fake_peer(party="DE*MSP", role="EMSP")
    found.objects["tokens"] = [TOKEN]
    return found


@pytest.fixture
def emsp(peer: FakePeer) -> Registered:
    return register("EMSP:DE*MSP", endpoints=peer.endpoints(), outbound_token=peer.token)


def question(emsp: Registered, place: Document | None = None, uid: str = "04A1B2C3D4", type: str = "RFID") -> Question:
    peer = directory.directory.picture().peers[emsp.platform.pk]
    return Question(Inquiry(PartyId("NL*OCP"), uid, type, place), peer, EMSP, uid)


def asked(emsp: Registered, place: Document | None = None, **options: Any) -> Answer:
    ((_, answer),) = ask([question(emsp, place, **options)])
    return answer


def told(emsp: Registered, peer: FakePeer, data: Any, place: Document | None = None, **options: Any) -> Answer:
    """What we make of an answer."""
    peer.misbehave(answers(enveloped(data, **options)), method="POST")
    return asked(emsp, place)


def info(**changes: Any) -> Document:
    return {"allowed": "ALLOWED", "token": TOKEN, **changes}


# --- the request ----------------------------------------------------------------------------------------------------


def test_the_question_is_a_post_to_authorize_with_type_and_parties(emsp: Registered, peer: FakePeer) -> None:
    """R9.12, R7.3: in the name of our CPO, to the owner of the Token."""
    asked(emsp)
    (request,) = peer.requests
    assert (request.method, request.path, request.query) == ("POST", AUTHORIZE, {"type": "RFID"})
    assert (request.routing.to, request.routing.from_) == ("DE*MSP", "NL*OCP")
    assert not request.body


def test_a_known_place_is_always_sent(emsp: Registered, peer: FakePeer) -> None:
    """R9.12: LocationReferences"""
    assert asked(emsp, PLACE).place == PLACE
    assert peer.requests[0].document == PLACE


@pytest.mark.parametrize("uid", ["a/b", "a b?c#d", "50%2F", "..x", "ä".encode("ascii", "xmlcharrefreplace").decode()])
def test_a_uid_is_one_segment_of_the_url(emsp: Registered, peer: FakePeer, uid: str) -> None:
    """R8.5: percent-encoding"""
    peer.objects["tokens"] = [driver_token(uid=uid, type="RFID")]
    assert asked(emsp, uid=uid).allowed == AllowedType.ALLOWED


@pytest.mark.parametrize("slash", ["", "/"])
def test_there_is_exactly_one_slash_before_the_uid(emsp: Registered, peer: FakePeer, slash: str) -> None:
    """E13, trap 29: the specification shows the endpoint with and without one."""
    Endpoint.objects.filter(module="tokens").update(url=f"{peer.endpoint_url('tokens', 'SENDER')}{slash}")
    directory.changed()
    asked(emsp)
    assert peer.requests[0].path == AUTHORIZE


def test_tokens_of_one_uid_are_told_apart_by_type(emsp: Registered, peer: FakePeer) -> None:
    """Trap 20"""
    assert asked(emsp, type="APP_USER").kind is Kind.UNKNOWN
    assert peer.requests[0].query == {"type": "APP_USER"}


def test_nobody_waits_for_the_network_inside_a_transaction(emsp: Registered, peer: FakePeer) -> None:
    """DESIGN 2.5"""
    with transaction.atomic(), pytest.raises(AssertionError, match="no transaction"):
        asked(emsp)
    assert not connection.in_atomic_block and not peer.requests


# --- what counts as an answer ---------------------------------------------------------------------------------------


def test_an_answer_is_read_whole(emsp: Registered, peer: FakePeer) -> None:
    """R9.12c: AuthorizationInfo"""
    text = {"language": "en", "text": "Have a good trip"}
    answer = told(emsp, peer, info(authorization_reference="REF-1", info=text))
    assert (answer.kind, answer.allowed, answer.reference) == (Kind.DECIDED, "ALLOWED", "REF-1")
    assert (answer.token, answer.info, answer.place) == (TOKEN, text, None)
    assert answer.reason == "DE*MSP answered ALLOWED: Have a good trip"


@pytest.mark.parametrize("allowed", ["BLOCKED", "EXPIRED", "NO_CREDIT", "NOT_ALLOWED"])
def test_a_refusal_comes_with_success(emsp: Registered, peer: FakePeer, allowed: str) -> None:
    """R9.12c: HTTP 200 and 1000 also when the Token is blocked."""
    answer = told(emsp, peer, info(allowed=allowed), PLACE)
    assert (answer.kind, answer.allowed, answer.place) == (Kind.DECIDED, allowed, None)


def test_a_word_that_ocpi_does_not_know_allows_nothing(emsp: Registered, peer: FakePeer) -> None:
    answer = told(emsp, peer, info(allowed="PERHAPS"))
    assert (answer.kind, answer.allowed) == (Kind.DECIDED, "NOT_ALLOWED")
    assert "PERHAPS" in answer.reason


@pytest.mark.parametrize(
    "reply",
    [enveloped(code=2004, http=404), enveloped(code=2004), enveloped(code=2000, http=404), Reply(404, b"not found")],
)
def test_404_and_2004_say_that_the_token_is_unknown(emsp: Registered, peer: FakePeer, reply: Reply) -> None:
    """R9.12a, E4: the specification wants both at once; either alone says it."""
    peer.misbehave(answers(reply))
    answer = asked(emsp)
    assert (answer.kind, answer.allowed) == (Kind.UNKNOWN, "NOT_ALLOWED")
    assert "DE*MSP does not know this Token" in answer.reason


@pytest.mark.parametrize(("place", "reason"), [(None, "no Location was given"), (PLACE, "although it was told")])
def test_2002_wants_to_know_where(emsp: Registered, peer: FakePeer, place: Document | None, reason: str) -> None:
    """R9.12b: too little information"""
    answer = told(emsp, peer, None, place, code=2002)
    assert (answer.kind, answer.allowed) == (Kind.DECLINED, "NOT_ALLOWED")
    assert reason in answer.reason


@pytest.mark.parametrize("code", [2000, 2001, 2003])
def test_another_2xxx_is_the_word_of_the_emsp(emsp: Registered, peer: FakePeer, code: int) -> None:
    """It was reached, so its whitelist does not speak for it."""
    answer = told(emsp, peer, None, code=code)
    assert answer.kind is Kind.DECLINED
    assert str(code) in answer.reason


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (fails(500), "HTTP 500"),
        (fails(502), "HTTP 502"),
        (garbage(), "not JSON"),
        (redirects(), "redirects"),
        (hangs_up(), "disconnected"),
        (answers(enveloped(code=3000)), "3000"),
        (answers(enveloped(code=2000, http=401)), "401"),
        (answers(enveloped(code=4003)), "4003"),
    ],
)
def test_trouble_is_no_answer(emsp: Registered, peer: FakePeer, trouble: Any, reason: str) -> None:
    """Field notes 35: what the whitelist allows then is for the CPO to see."""
    peer.misbehave(trouble)
    answer = asked(emsp)
    assert answer.kind is Kind.SILENT
    assert reason in answer.reason


@pytest.mark.parametrize("trouble", [slow(30), drips(0.02, 1000)])
def test_who_is_too_slow_gives_no_answer(emsp: Registered, peer: FakePeer, trouble: Any, settings: Any) -> None:
    """Field notes 35: a timeout of its own, for all of the question; the driver waits."""
    settings.NODE_PARTNER_TIMEOUT, settings.NODE_AUTHORIZE_TIMEOUT = 60, 0.2
    peer.misbehave(trouble)
    started = time.monotonic()
    assert asked(emsp).kind is Kind.SILENT
    assert time.monotonic() - started < 10


def test_who_cannot_be_connected_to_gives_no_answer(emsp: Registered) -> None:
    Endpoint.objects.update(url="http://127.0.0.1:1/tokens")
    directory.changed()
    assert asked(emsp).kind is Kind.SILENT


def test_who_has_no_endpoint_is_not_asked(emsp: Registered, peer: FakePeer) -> None:
    """R3.4: an eMSP whose Tokens are all whitelist ALWAYS needs none."""
    Endpoint.objects.filter(module="tokens").delete()
    directory.changed()
    answer = asked(emsp)
    assert answer.kind is Kind.SILENT and "no Sender endpoint of tokens" in answer.reason
    assert not peer.requests


@pytest.mark.parametrize("data", [None, [], "ALLOWED", {}, {"allowed": True}, {"allowed": None}, {"token": TOKEN}])
def test_what_does_not_say_whether_is_no_answer(emsp: Registered, peer: FakePeer, data: Any) -> None:
    answer = told(emsp, peer, data)
    assert answer.kind is Kind.SILENT
    assert "no AuthorizationInfo" in answer.reason


@pytest.mark.parametrize(
    "odd",
    [
        {"token": None},
        {"token": without(TOKEN, "issuer")},
        {"info": "no"},
        {"info": {"language": "en", "text": "\u0000"}},
        {"location": 7},
        {"authorization_reference": ["x"]},
    ],
)
def test_a_refusal_counts_whatever_else_is_wrong(emsp: Registered, peer: FakePeer, odd: Document) -> None:
    """Or a whitelist would let charge whom the eMSP has refused."""
    answer = told(emsp, peer, info(allowed="BLOCKED", **odd), PLACE)
    assert (answer.kind, answer.allowed) == (Kind.DECIDED, "BLOCKED")


@pytest.mark.parametrize("reference", ["x" * 37, "a\u0000b", 7])
def test_a_reference_that_cannot_be_repeated_is_left_out(emsp: Registered, peer: FakePeer, reference: Any) -> None:
    """§mod_tokens_authorizationinfo_object: it goes into Session and CDR."""
    answer = told(emsp, peer, info(authorization_reference=reference))
    assert (answer.allowed, answer.reference) == ("ALLOWED", "")
    assert "authorization_reference" in answer.reason


@pytest.mark.parametrize(
    "token",
    [
        without(TOKEN, "issuer"),
        driver_token(type="RFID", uid="OTHER"),
        driver_token(type="APP_USER"),
        driver_token(type="RFID", party_id="XXX"),
    ],
)
def test_only_the_token_asked_about_is_taken_from_an_answer(emsp: Registered, peer: FakePeer, token: Document) -> None:
    assert told(emsp, peer, info(token=token)).token is None


def test_ids_are_compared_without_case(emsp: Registered, peer: FakePeer) -> None:
    """Trap 19"""
    token = driver_token(type="RFID", uid="04a1B2c3d4", country_code="de", party_id="msp")
    assert told(emsp, peer, info(token=token)).token == token


# --- where ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked_for", "location", "allowed", "place"),
    [
        (PLACE, None, "ALLOWED", PLACE),
        (PLACE, {"location_id": "loc-1"}, "ALLOWED", PLACE),
        (PLACE, {"location_id": "LOC-1", "evse_uids": []}, "ALLOWED", PLACE),
        (PLACE, {"location_id": "LOC-1", "evse_uids": ["evse-2"]}, "ALLOWED", {**PLACE, "evse_uids": ["EVSE-2"]}),
        (PLACE, {"location_id": "LOC-1", "evse_uids": ["EVSE-9"]}, "NOT_ALLOWED", None),
        (PLACE, {"location_id": "LOC-2"}, "NOT_ALLOWED", None),
        ({"location_id": "LOC-1"}, {"location_id": "LOC-1", "evse_uids": ["EVSE-9"]}, "ALLOWED", "as answered"),
        (None, {"location_id": "LOC-2"}, "ALLOWED", None),
    ],
)
def test_the_location_of_an_answer_restricts(
    emsp: Registered, peer: FakePeer, asked_for: Document | None, location: Any, allowed: str, place: Any
) -> None:
    """R9.12c: only the EVSEs that are allowed come back."""
    answer = told(emsp, peer, info(location=location), asked_for)
    assert (answer.kind, answer.allowed) == (Kind.DECIDED, allowed)
    assert answer.place == (location if place == "as answered" else place)


@pytest.mark.parametrize("location", ["LOC-1", {}, {"location_id": 1}, {"location_id": "LOC-1", "evse_uids": "EVSE-1"}])
def test_a_permission_for_an_unreadable_place_is_no_answer(emsp: Registered, peer: FakePeer, location: Any) -> None:
    answer = told(emsp, peer, info(location=location), PLACE)
    assert answer.kind is Kind.SILENT and "cannot be read" in answer.reason


# --- several at once ------------------------------------------------------------------------------------------------


def test_a_silent_emsp_holds_up_nobody_else(emsp: Registered, peer: FakePeer, fake_peer: Any, settings: Any) -> None:
    """DESIGN 2.8: the other's answer comes first, the silent one's place is kept to the end."""
    other: FakePeer = fake_peer(party="FR*MSP", role="EMSP")
    other.misbehave(slow(30))
    settings.NODE_AUTHORIZE_TIMEOUT = 0.5
    silent = question(register("EMSP:FR*MSP", endpoints=other.endpoints(), outbound_token=other.token))
    quick = question(emsp)
    heard = list(ask([silent, quick]))
    assert [one for one, _ in heard] == [quick, silent]
    assert [answer.kind for _, answer in heard] == [Kind.DECIDED, Kind.SILENT]


def test_who_has_heard_enough_asks_nobody_else(emsp: Registered, peer: FakePeer) -> None:
    peer.misbehave(slow(0.1), method="POST")
    heard = ask([question(emsp) for _ in range(20)], at_once=1)
    next(heard)
    heard.close()
    assert len(peer.requests) <= 2


def test_our_token_for_the_partner_is_in_no_reason(emsp: Registered, peer: FakePeer) -> None:
    """DESIGN 5"""
    peer.misbehave(fails(401))
    assert peer.token not in asked(emsp).reason
    assert peer.token not in repr(question(emsp))
