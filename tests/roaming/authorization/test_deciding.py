"""May this Token charge here: the CPO's decision."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.models import Token
from ocpi.ports import Command, Decision
from ocpi.store.client_infos import client_infos
from ocpi.store.objects import Arrival
from ocpi.store.tokens import tokens
from ocpi.types import codec
from ocpi.v221.common import TokenType
from roaming import directory, tasks
from roaming.authorization import deciding
from roaming.authorization_models import Authorization
from roaming.command_models import ReceivedCommand
from roaming.models import Endpoint, Platform
from tests.kit.commands import driver_token
from tests.kit.objects import Document, client_info
from tests.kit.peer import FakePeer, answers, enveloped, fails, slow
from tests.kit.platforms import Registered, register

pytestmark = pytest.mark.django_db(transaction=True)
CPO = PartyId("NL*OCP")
UID = "04A1B2C3D4"
PLACE = {"location_id": "LOC-1", "evse_uids": ["EVSE-1"]}
Partner = Callable[..., tuple[FakePeer, Registered]]


@pytest.fixture
def partner(fake_peer: Any, settings: Any) -> Partner:
    """Connects partners that answer for real."""
    settings.NODE_AUTHORIZE_TIMEOUT = 2

    def connect(party: str = "DE*MSP", role: str = "EMSP") -> tuple[FakePeer, Registered]:
        peer = fake_peer(party=party, role=role)
        return peer, register(f"{role}:{party}", endpoints=peer.endpoints(), outbound_token=peer.token)

    return connect


@pytest.fixture
def msp(partner: Partner) -> FakePeer:
    """The eMSP DE*MSP, which knows no Token yet."""
    return partner()[0]


def card(**changes: Any) -> Document:
    return driver_token(**{"type": "RFID", **changes})


def hold(source: int | None = None, **changes: Any) -> Document:
    """A Token that was pushed to us."""
    document = card(**changes)
    owner = PartyId.of(document["country_code"], document["party_id"])
    peer = directory.directory.picture().platform_of(owner)
    tokens.put(Arrival(document), source or (peer.id if peer else None))
    return document


def decide(uid: str = UID, type: TokenType = TokenType.RFID, place: Document | None = None) -> Decision:
    return deciding.decide(CPO, uid, type, place)


def summary(decision: Decision) -> tuple[str, str]:
    return str(decision.allowed), str(decision.source)


# --- the whitelist --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("whitelist", "valid", "asked", "allowed", "source"),
    [
        ("ALWAYS", True, False, "ALLOWED", "WHITELIST"),
        ("ALWAYS", False, False, "BLOCKED", "WHITELIST"),
        ("ALLOWED", True, False, "ALLOWED", "WHITELIST"),
        ("ALLOWED", False, True, "BLOCKED", "OFFLINE_FALLBACK"),
        ("ALLOWED_OFFLINE", True, True, "ALLOWED", "OFFLINE_FALLBACK"),
        ("ALLOWED_OFFLINE", False, True, "BLOCKED", "OFFLINE_FALLBACK"),
        ("NEVER", True, True, "NOT_ALLOWED", "ERROR"),
        ("NEVER", False, True, "NOT_ALLOWED", "ERROR"),
        ("SOMETIMES", True, True, "NOT_ALLOWED", "ERROR"),
    ],
)
def test_the_whitelist_says_who_is_asked_and_what_holds_without_an_answer(
    msp: FakePeer, whitelist: str, valid: bool, asked: bool, allowed: str, source: str
) -> None:
    """R9.12f, field notes 35: the matrix of whitelist and valid (§mod_tokens_whitelisttype_enum)."""
    document = hold(whitelist=whitelist, valid=valid)
    msp.misbehave(fails(503))
    decision = decide(place=PLACE)
    assert summary(decision) == (allowed, source)
    assert len(msp.requested("POST")) == asked
    assert (decision.emsp, decision.token) == ("DE*MSP", document)
    assert decision.place == (PLACE if allowed == "ALLOWED" else None)
    assert f"whitelist {whitelist} of DE*MSP" in decision.reason
    assert ("HTTP 503" in decision.reason) == asked


@pytest.mark.parametrize("now_valid", [True, False])
@pytest.mark.parametrize(
    ("whitelist", "valid"),
    [("ALLOWED", False), ("ALLOWED_OFFLINE", True), ("ALLOWED_OFFLINE", False), ("NEVER", True), ("NEVER", False)],
)
def test_an_answer_beats_the_list(msp: FakePeer, whitelist: str, valid: bool, now_valid: bool) -> None:
    """R9.12f: also of a Token that is not valid here, for its state may have changed."""
    held = hold(whitelist=whitelist, valid=valid)
    msp.objects["tokens"] = [card(valid=now_valid, contract_id="NEW")]
    decision = decide()
    assert summary(decision) == ("ALLOWED" if now_valid else "BLOCKED", "REAL_TIME")
    assert decision.reference == (f"AUTH-{UID}" if now_valid else "")
    assert decision.token == msp.objects["tokens"][0] != held


@pytest.mark.parametrize(
    "reply", [enveloped(code=2004, http=404), enveloped(code=2002), enveloped(code=2001)], ids=["2004", "2002", "2001"]
)
def test_an_emsp_that_was_reached_leaves_nothing_to_its_whitelist(msp: FakePeer, reply: Any) -> None:
    """R9.12f: ALLOWED_OFFLINE is for an eMSP that cannot be reached."""
    hold(whitelist="ALLOWED_OFFLINE")
    msp.misbehave(answers(reply))
    assert decide().allowed == "NOT_ALLOWED"


@pytest.mark.parametrize("trouble", [slow(30), answers(enveloped({"allowed": 1})), answers(enveloped(code=4003))])
def test_an_unusable_answer_leaves_it_to_the_whitelist(msp: FakePeer, trouble: Any, settings: Any) -> None:
    """R9.12f"""
    settings.NODE_AUTHORIZE_TIMEOUT = 0.3
    hold(whitelist="ALLOWED_OFFLINE")
    msp.misbehave(trouble)
    assert summary(decide()) == ("ALLOWED", "OFFLINE_FALLBACK")


def test_an_answer_changes_nothing_that_is_stored(msp: FakePeer) -> None:
    """The eMSP pushes its Tokens itself, in an order that an answer says nothing about."""
    hold(valid=True)
    before = Token.objects.values().get()
    msp.objects["tokens"] = [card(valid=False, contract_id="NEW")]
    decide()
    assert Token.objects.values().get() == before


def test_uid_and_type_are_found_without_regard_to_case(msp: FakePeer) -> None:
    """Traps 19, 20; the eMSP is asked in its own spelling."""
    hold(uid="04a1B2c3D4")
    hold(uid="04a1B2c3D4", type="APP_USER")
    decide("04A1b2C3d4")
    (request,) = msp.requested("POST")
    assert request.path.endswith("/04a1B2c3D4/authorize") and request.query == {"type": "RFID"}


# --- what its eMSP has commanded ------------------------------------------------------------------------------------


def command(msp: FakePeer, minutes_ago: int = 1, response: str = "ACCEPTED", **changes: Any) -> ReceivedCommand:
    """A StartSession that we answered some minutes ago."""
    document = {"token": card(), "location_id": "LOC-1", "evse_uid": "EVSE-1", **changes}
    row = ReceivedCommand.objects.create(
        platform=Platform.objects.get(parties__party=msp.party),
        command=Command.START_SESSION,
        commander=msp.party,
        party=CPO,
        subject="LOC-1/EVSE-1",
        document=codec.encode_text(document),
        response=response,
    )
    ReceivedCommand.objects.filter(pk=row.pk).update(received_at=timezone.now() - timedelta(minutes=minutes_ago))
    return row


def test_a_card_that_was_commanded_is_not_asked_about_again(msp: FakePeer) -> None:
    """R9.15b: for 15 minutes at that EVSE, though it is not valid in our list."""
    hold(valid=False)
    command(msp, authorization_reference="APP-1")
    decision = decide(place={**PLACE, "evse_uids": ["EVSE-9", "evse-1"]})
    assert summary(decision) == ("ALLOWED", "COMMAND")
    assert (decision.emsp, decision.reference, decision.token) == ("DE*MSP", "APP-1", card())
    assert decision.place == {"location_id": "LOC-1", "evse_uids": ["evse-1"]}
    assert "START_SESSION" in decision.reason and not msp.requests


@pytest.mark.parametrize(
    "other",
    [
        {"minutes_ago": 16},
        {"response": "REJECTED"},
        {"location_id": "LOC-2"},
        {"evse_uid": "EVSE-2"},
        {"token": card(type="APP_USER")},
        {"token": card(uid=f"{UID}5")},
        {"token": card(country_code="FR")},
        {"token": UID},
    ],
)
def test_another_command_authorizes_nothing(msp: FakePeer, other: Document) -> None:
    """R9.15b"""
    hold(whitelist="NEVER")
    command(msp, **other)
    assert decide(place=PLACE).source == "REAL_TIME"


def test_a_token_of_an_app_is_not_asked_about_at_all(msp: FakePeer) -> None:
    """R9.15b"""
    command(msp, minutes_ago=90, token=card(type="APP_USER"))
    assert summary(decide(type=TokenType.APP_USER, place=PLACE)) == ("ALLOWED", "COMMAND")
    assert not msp.requests


def test_a_command_somewhere_else_is_none_for_who_does_not_say_where(msp: FakePeer) -> None:
    hold(whitelist="NEVER")
    command(msp)
    assert decide().source == "REAL_TIME"


# --- our own Tokens -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("valid", "allowed"), [(True, "ALLOWED"), (False, "BLOCKED")])
def test_our_own_tokens_are_judged_by_their_terms_without_the_network(msp: FakePeer, valid: bool, allowed: str) -> None:
    """R9.12: the owner decides, and that is us."""
    document = hold(country_code="NL", party_id="OSP", valid=valid)
    decision = decide(place=PLACE)
    assert summary(decision) == (allowed, "OWN")
    assert (decision.emsp, decision.token) == ("NL*OSP", document)
    assert not msp.requests


@pytest.mark.parametrize(
    ("places", "allowed"),
    [
        ("FR*CPO", "NOT_ALLOWED"),
        ("FR*CPO\nNL*OCP", "ALLOWED"),
        ("NL*OCP/loc-1", "ALLOWED"),
        ("NL*OCP/2", "NOT_ALLOWED"),
    ],
)
def test_the_terms_of_our_own_tokens_are_asked_where(msp: FakePeer, places: str, allowed: str) -> None:
    hold(country_code="NL", party_id="OSP")
    Token.objects.update(places=places)
    assert summary(decide(place=PLACE)) == (allowed, "OWN")


# --- whom to ask ----------------------------------------------------------------------------------------------------


def test_an_emsp_behind_a_hub_is_asked_through_it(partner: Partner) -> None:
    """R8.1: the hub the Token came from."""
    hub, registered = partner("FR*HUB", "HUB")
    hold(source=registered.platform.pk)
    hub.objects["tokens"] = [card()]
    assert summary(decide()) == ("ALLOWED", "REAL_TIME")
    assert hub.requests[0].routing.to == "DE*MSP"
    assert Authorization.objects.get().platform == registered.platform


def test_the_hub_that_tells_of_an_emsp_is_asked_when_the_source_is_gone(partner: Partner) -> None:
    hub, registered = partner("FR*HUB", "HUB")
    hold(source=999_999)
    hub.objects["tokens"] = [card()]
    assert decide().source == "ERROR"
    client_infos.put(Arrival(client_info(country_code="DE", party_id="MSP", role="EMSP")), registered.platform.pk)
    assert summary(decide()) == ("ALLOWED", "REAL_TIME")


def test_who_is_not_connected_is_not_asked(msp: FakePeer) -> None:
    hold(whitelist="ALLOWED_OFFLINE")
    Platform.objects.update(state=Platform.State.SUSPENDED)
    directory.changed()
    decision = decide()
    assert summary(decision) == ("ALLOWED", "OFFLINE_FALLBACK")
    assert decision.reason.startswith("DE*MSP is not connected")
    assert not msp.requests and Authorization.objects.get().platform is None


def test_an_emsp_that_owns_a_platform_is_not_asked_through_a_hub(msp: FakePeer, partner: Partner) -> None:
    hub, registered = partner("FR*HUB", "HUB")
    hold(source=registered.platform.pk)
    msp.objects["tokens"] = [card()]
    assert decide().source == "REAL_TIME"
    assert not hub.requests


# --- several owners -------------------------------------------------------------------------------------------------


@pytest.fixture
def other(partner: Partner) -> FakePeer:
    """A second eMSP."""
    return partner("FR*MSP")[0]


def test_who_need_not_be_asked_comes_first(msp: FakePeer, other: FakePeer) -> None:
    hold()
    hold(country_code="FR", whitelist="ALWAYS")
    decision = decide()
    assert (decision.allowed, decision.emsp) == ("ALLOWED", "FR*MSP")
    assert "2 eMSPs have such a Token" in decision.reason
    assert not msp.requests and not other.requests


@pytest.mark.parametrize("slower", ["msp", "other"])
def test_of_equals_the_one_known_for_longest_counts(
    msp: FakePeer, other: FakePeer, slower: str, request: pytest.FixtureRequest
) -> None:
    """Whichever answers first: the same card is always billed to the same contract."""
    for peer, country in ((msp, "DE"), (other, "FR")):
        peer.objects["tokens"] = [hold(country_code=country)]
    request.getfixturevalue(slower).misbehave(slow(0.2), method="POST")
    assert decide().emsp == "DE*MSP"


def test_an_answer_counts_more_than_the_list_of_one_out_of_reach(msp: FakePeer, other: FakePeer) -> None:
    hold(whitelist="ALLOWED_OFFLINE")
    msp.misbehave(fails())
    other.objects["tokens"] = [hold(country_code="FR")]
    assert (decide().emsp, decide().source) == ("FR*MSP", "REAL_TIME")


def test_when_all_refuse_every_reason_is_told(msp: FakePeer, other: FakePeer) -> None:
    hold()
    hold(country_code="FR")
    msp.misbehave(fails(503))
    other.objects["tokens"] = [card(country_code="FR", valid=False)]
    decision = decide()
    assert (*summary(decision), decision.emsp) == ("BLOCKED", "REAL_TIME", "FR*MSP")
    assert "HTTP 503" in decision.reason and "FR*MSP answered BLOCKED" in decision.reason


# --- a Token nobody has told us of ----------------------------------------------------------------------------------


def test_an_unknown_token_is_asked_of_every_emsp(msp: FakePeer, other: FakePeer, settings: Any) -> None:
    """R9.12: an eMSP need not push its Tokens (§mod_tokens_real-time_authorization). One that hangs holds up nobody."""
    msp.misbehave(slow(30))
    settings.NODE_AUTHORIZE_TIMEOUT = 10
    other.objects["tokens"] = [card(country_code="FR")]
    decision = decide(place=PLACE)
    assert (*summary(decision), decision.emsp) == ("ALLOWED", "REAL_TIME", "FR*MSP")
    assert (decision.token, decision.place) == (card(country_code="FR"), PLACE)
    assert decision.milliseconds < 9000
    assert not Token.objects.exists()
    for peer in (msp, other):
        assert [request.routing.to for request in peer.wait_for("POST")] == [peer.party]


def test_a_token_nobody_knows_is_not_allowed(msp: FakePeer, other: FakePeer) -> None:
    """R9.12a"""
    other.misbehave(fails(503))
    decision = decide()
    assert summary(decision) == ("NOT_ALLOWED", "UNKNOWN")
    assert (decision.emsp, decision.token) == (None, None)
    assert "of 2 eMSPs asked, 1 do not know it" in decision.reason and "HTTP 503" in decision.reason


def test_a_refusal_by_the_one_who_knows_it_is_told(msp: FakePeer, other: FakePeer) -> None:
    other.objects["tokens"] = [card(country_code="FR", valid=False)]
    decision = decide()
    assert (*summary(decision), decision.emsp) == ("BLOCKED", "REAL_TIME", "FR*MSP")


def test_a_token_of_somebody_else_is_not_taken_from_an_answer(msp: FakePeer) -> None:
    """Trap 8: nobody speaks for the drivers of others."""
    msp.misbehave(answers(enveloped({"allowed": "ALLOWED", "token": card(country_code="FR")})))
    decision = decide()
    assert summary(decision) == ("NOT_ALLOWED", "UNKNOWN")
    assert "no Token of its own" in decision.reason


def test_nobody_is_asked_when_that_is_switched_off(msp: FakePeer, settings: Any) -> None:
    settings.NODE_AUTHORIZE_UNKNOWN = False
    decision = decide()
    assert summary(decision) == ("NOT_ALLOWED", "UNKNOWN")
    assert not msp.requests


def test_hubs_and_those_without_the_endpoint_are_not_asked(partner: Partner, msp: FakePeer) -> None:
    """R3.4: a hub routes a question to a party; it does not know which."""
    hub, _ = partner("FR*HUB", "HUB")
    Endpoint.objects.filter(platform__parties__party="DE*MSP").delete()
    directory.changed()
    assert summary(decide()) == ("NOT_ALLOWED", "UNKNOWN")
    assert not hub.requests and not msp.requests


@pytest.mark.parametrize("uid", ["", "x" * 37, "a\u0000b", "Öl", "..", "\n"])
def test_what_can_be_no_uid_is_asked_of_nobody(msp: FakePeer, uid: str) -> None:
    """§types_cistring_type; a charge point may read anything."""
    assert summary(decide(uid)) == ("NOT_ALLOWED", "UNKNOWN")
    assert not msp.requests
    assert len(Authorization.objects.get().uid) <= 36


# --- the record -----------------------------------------------------------------------------------------------------


def test_every_decision_is_stored_with_its_reason(msp: FakePeer) -> None:
    """DESIGN 2.7"""
    msp.objects["tokens"] = [hold()]
    decision = decide(place=PLACE)
    row = Authorization.objects.get()
    assert (row.side, row.cpo, row.emsp, row.uid, row.type) == ("CPO", "NL*OCP", "DE*MSP", UID.lower(), "RFID")
    assert (row.allowed, row.source, row.reason) == ("ALLOWED", "REAL_TIME", decision.reason)
    assert (row.location_id, row.evse_uids) == ("LOC-1", '["EVSE-1"]')
    assert (row.reference, row.milliseconds) == (f"AUTH-{UID}", decision.milliseconds)
    assert row.platform is not None and row.platform.name == "EMSP:DE*MSP"
    assert row.correlation_id == msp.requests[0].headers["X-Correlation-ID"]


def test_the_whitelist_costs_three_questions_to_the_database(msp: FakePeer, django_assert_num_queries: Any) -> None:
    """Field notes: a driver waits. The commands, the Token, the record."""
    hold(whitelist="ALWAYS")
    decide()
    with django_assert_num_queries(3):
        decide()


def test_our_token_for_the_partner_is_in_no_record(msp: FakePeer) -> None:
    """DESIGN 5"""
    hold()
    Platform.objects.update(outbound_token="secret-of-ours")
    decide()
    assert "secret-of-ours" not in str(Authorization.objects.values().get())


def test_no_transaction_is_open_while_an_emsp_is_asked(msp: FakePeer) -> None:
    hold()
    with pytest.raises(AssertionError), transaction.atomic():
        decide()
    assert not connection.in_atomic_block and not msp.requests


def test_decisions_are_kept_for_a_quarter(msp: FakePeer) -> None:
    hold(whitelist="ALWAYS")
    for days in (89, 91):
        decide()
        old = Authorization.objects.order_by("-pk").values("pk")[:1]
        Authorization.objects.filter(pk__in=list(old.values_list("pk", flat=True))).update(
            decided_at=timezone.now() - timedelta(days=days)
        )
    tasks.prune_authorizations()
    assert Authorization.objects.count() == 1
