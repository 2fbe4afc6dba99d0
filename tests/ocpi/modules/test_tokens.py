"""Tokens at both interfaces, and our answer to who asks in real time (§mod_tokens_tokens_module)."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ocpi.ids import PartyId
from ocpi.models import ObjectCount, Token
from ocpi.store.objects import Arrival
from ocpi.store.tokens import Terms, tokens
from ocpi.types import validation
from ocpi.v221.tokens import AuthorizationInfo
from roaming.authorization_models import Authorization
from tests.kit.caller import RECEIVER, SENDER, Answer, PartnerClient
from tests.kit.objects import Document, minutes_after_noon, token, without
from tests.kit.platforms import Registered, register

CARD = f"{RECEIVER}/tokens/DE/MSP/04A1B2C3D4"
LIST = f"{SENDER}/tokens"
LATER = minutes_after_noon(60)
PLACE = {"location_id": "LOC-1", "evse_uids": ["EVSE-1", "EVSE-2"]}

pytestmark = pytest.mark.django_db


def theirs(**changes: Any) -> Document:
    """A card of DE*MSP."""
    return token(**{"country_code": "DE", "party_id": "MSP", **changes})


def stored() -> list[Any]:
    return [list(Token.objects.order_by("pk").values()), list(ObjectCount.objects.values())]


def issue(*documents: Document, **terms: Any) -> None:
    for document in documents or (token(),):
        assert tokens.issue(document, Terms(**terms))


def authorize(client: PartnerClient, uid: str = "04A1B2C3D4", *body: Any, **params: str) -> Answer:
    return client.post(f"{LIST}/{uid}/authorize", *body, params=params or None)


@pytest.fixture
def emsp(emsp_client: PartnerClient) -> PartnerClient:
    """An eMSP that has pushed a card."""
    assert emsp_client.put(CARD, theirs()).codes == (201, 1000)
    return emsp_client


# --- Receiver -------------------------------------------------------------------------------------------------------


def test_a_token_is_pushed_read_and_changed(emsp: PartnerClient) -> None:
    """R9.11, R9.12e, R1.9, R1.10"""
    assert emsp.get(CARD).data == theirs()
    changed = emsp.put(CARD, theirs(valid=False, last_updated=LATER))
    assert changed.codes == (200, 1000) and "data" not in changed.envelope
    patched = emsp.patch(CARD, {"valid": True, "last_updated": LATER})
    assert patched.codes == (200, 1000) and "data" not in patched.envelope
    assert emsp.get(CARD).data == theirs(last_updated=LATER)


def test_one_uid_may_be_several_tokens_told_apart_by_type(emsp: PartnerClient) -> None:
    """R9.11, trap 20"""
    app = theirs(type="APP_USER", contract_id="APP")
    assert emsp.put(f"{CARD}?type=APP_USER", app).codes == (201, 1000)
    assert emsp.get(CARD, {"type": "APP_USER"}).data == app
    assert emsp.get(CARD, {"type": "RFID"}).data == emsp.get(CARD).data == theirs()
    emsp.patch(f"{CARD}?type=APP_USER", {"valid": False, "last_updated": LATER})
    assert emsp.get(CARD).data["valid"] is True
    assert emsp.get(CARD, {"type": "APP_USER"}).data["valid"] is False


def test_the_type_in_the_query_must_be_the_tokens(emsp: PartnerClient) -> None:
    """R9.11"""
    before = stored()
    refused = emsp.put(f"{CARD}?type=OTHER", theirs())
    assert refused.codes == (200, 2001) and "/type" in refused.message
    assert stored() == before


def test_without_type_in_the_query_a_whole_token_says_its_type_itself(emsp: PartnerClient) -> None:
    """R9.11: many leave it out; the object leaves no doubt."""
    assert emsp.put(CARD, theirs(type="APP_USER")).codes == (201, 1000)
    assert emsp.get(CARD, {"type": "APP_USER"}).data["type"] == "APP_USER"
    assert emsp.get(CARD).data == theirs()


@pytest.mark.parametrize("changes", [{"type": "APP_USER"}, {"uid": "OTHER"}])
def test_a_patch_cannot_make_another_token_of_it(emsp: PartnerClient, changes: Document) -> None:
    """R9.11"""
    before = stored()
    assert emsp.patch(CARD, {**changes, "last_updated": LATER}).codes == (200, 2001)
    assert stored() == before


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
@pytest.mark.parametrize("type", ["RFID%00", "%0A", "%C3%A9"])
def test_a_type_that_can_be_none_is_2001(emsp: PartnerClient, method: str, type: str) -> None:
    """R5.8, R1.7: PostgreSQL takes no U+0000."""
    body = (theirs(last_updated=LATER),) if method != "GET" else ()
    before = stored()
    assert emsp.request(method, f"{CARD}?type={type}", *body).codes == (200, 2001)
    assert emsp.post(f"{LIST}/04A1B2C3D4/authorize?type={type}").codes == (200, 2001)
    assert stored() == before


@pytest.mark.parametrize("query", ["", "?type=OTHER"])
def test_an_unknown_token_is_404_with_2004(emsp: PartnerClient, query: str) -> None:
    """R9.11, errata E5"""
    path = CARD + query if query else CARD.replace("04A1", "FFFF")
    assert emsp.get(path).codes == (404, 2004)


def test_patch_of_an_unknown_token_is_2004_and_creates_nothing(emsp: PartnerClient) -> None:
    """R9.11, errata E6"""
    before = stored()
    assert emsp.patch(f"{CARD}?type=OTHER", {"valid": False, "last_updated": LATER}).codes == (200, 2004)
    assert stored() == before


def test_patch_without_last_updated_is_2001(emsp: PartnerClient) -> None:
    """R6.3, trap 17"""
    before = stored()
    assert emsp.patch(CARD, {"valid": False}).codes == (200, 2001)
    assert stored() == before


def test_a_patch_can_be_repeated(emsp: PartnerClient) -> None:
    changes = {"valid": False, "visual_number": None, "last_updated": LATER}
    emsp.patch(CARD, changes)
    once = emsp.get(CARD).data
    assert emsp.patch(CARD, changes).codes == (200, 1000)
    assert emsp.get(CARD).data == once


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_there_is_no_post_and_no_delete(emsp: PartnerClient, method: str) -> None:
    """R9.11"""
    assert emsp.request(method, CARD, theirs()).http == 405


def test_everything_a_partner_sent_survives(emsp: PartnerClient) -> None:
    """R1.22, R9.12e"""
    odd = theirs(
        group_id="FLEET-1",
        default_profile_type="GREEN",
        energy_contract={"supplier_name": "Green Energy", "contract_id": "1", "since": None},
        vendor={"level": [1, {}]},
    )
    assert emsp.put(CARD, odd).codes == (200, 1000)
    assert emsp.get(CARD).data == odd


@pytest.mark.parametrize(
    "member",
    ["country_code", "party_id", "uid", "type", "contract_id", "issuer", "valid", "whitelist", "last_updated"],
)
def test_a_token_without_a_required_member_is_2001_and_leaves_nothing(emsp: PartnerClient, member: str) -> None:
    """R9.12e, R1.7"""
    before = stored()
    refused = emsp.put(CARD, without(theirs(), member))
    assert refused.codes == (200, 2001) and f"/{member}" in refused.message
    assert stored() == before


def test_ids_ignore_case(emsp: PartnerClient) -> None:
    """R1.16, trap 19"""
    path = f"{RECEIVER}/tokens/de/msp/04a1b2c3d4"
    assert emsp.get(path).data == theirs()
    assert emsp.put(path, theirs(uid="04a1b2c3d4")).codes == (200, 1000)
    assert Token.objects.count() == 1


def test_nobody_writes_the_tokens_of_others(cpo_client: PartnerClient) -> None:
    """R6.5, trap 8"""
    assert cpo_client.put(CARD, theirs()).http == 404
    assert cpo_client.put(f"{RECEIVER}/tokens/NL/OSP/X", token(uid="X")).http == 404
    assert not Token.objects.exists()


# --- Sender: the list -----------------------------------------------------------------------------------------------


def test_the_list_holds_our_own_tokens_in_pages(emsp: PartnerClient, cpo: Registered) -> None:
    """R9.12, R5.1, R5.3, R5.4: and no partner's."""
    ours = [token(uid=f"CARD{number}") for number in range(3)]
    issue(*ours)
    first = cpo.client().get(LIST, {"limit": "2"})
    assert (first.data, first.headers["X-Total-Count"]) == (ours[:2], "3")
    assert cpo.client().get(first.next_url or "").data == ours[2:]


def test_a_list_by_date_holds_what_changed_since(cpo_client: PartnerClient) -> None:
    """R9.12, R5.5"""
    issue(token(uid="A"), token(uid="B", last_updated=LATER))
    assert [found["uid"] for found in cpo_client.get(LIST, {"date_from": LATER}).data] == ["B"]


# --- Sender: real-time authorization --------------------------------------------------------------------------------


def test_a_valid_token_is_allowed_and_comes_complete(cpo_client: PartnerClient) -> None:
    """R9.12, R9.12c"""
    issue()
    answer = authorize(cpo_client)
    assert answer.codes == (200, 1000)
    assert (answer.data["allowed"], answer.data["token"]) == ("ALLOWED", token())
    assert "location" not in answer.data
    assert validation.check(answer.data, AuthorizationInfo) == []


def test_every_authorization_has_a_reference_of_its_own(cpo_client: PartnerClient) -> None:
    """R9.12c: at most 36 characters, and not to be guessed."""
    issue()
    references = {authorize(cpo_client).data["authorization_reference"] for _ in range(3)}
    assert len(references) == 3
    assert all(20 <= len(reference) <= 36 for reference in references)


@pytest.mark.parametrize("place", [PLACE, {"location_id": "UNKNOWN-TO-US"}])
def test_the_place_asked_about_is_in_the_answer(cpo_client: PartnerClient, place: Document) -> None:
    """R9.12c, R9.12d: also one that we have never heard of, such as a private charge point."""
    issue()
    assert authorize(cpo_client, "04A1B2C3D4", place).data["location"] == place


PAST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "terms", "allowed"),
    [
        ({"valid": False}, {}, "BLOCKED"),
        ({}, {"expires_at": PAST}, "EXPIRED"),
        ({}, {"has_credit": False}, "NO_CREDIT"),
        ({}, {"parties": frozenset({PartyId("FR*CPO")})}, "NOT_ALLOWED"),
    ],
)
def test_who_may_not_charge_is_told_why_over_http_200(
    cpo_client: PartnerClient, changes: Document, terms: Any, allowed: str
) -> None:
    """R9.12c, trap 21: no reference and no place; a text for the driver."""
    issue(token(**changes), **terms)
    answer = authorize(cpo_client, "04A1B2C3D4", PLACE)
    assert answer.codes == (200, 1000)
    assert answer.data["allowed"] == allowed
    assert set(answer.data) == {"allowed", "token", "info"}
    assert validation.check(answer.data, AuthorizationInfo) == []


DEPOT = {"location_id": "DEPOT"}


def test_a_token_may_be_for_some_cpos_and_locations(cpo: Registered) -> None:
    """A card for company cars: everywhere at one CPO, at the depot of another."""
    issue(parties=frozenset({PartyId("FR*CPO")}), locations=frozenset({(PartyId("DE*CPO"), "depot")}))
    assert authorize(register("CPO:FR*CPO").client()).data["allowed"] == "ALLOWED"
    assert authorize(cpo.client(), "04A1B2C3D4", DEPOT).data["location"] == DEPOT
    assert authorize(cpo.client(), "04A1B2C3D4", PLACE).data["allowed"] == "NOT_ALLOWED"
    assert "only at: DE*CPO/depot, FR*CPO" in Authorization.objects.order_by("pk").reverse()[0].reason


def test_when_it_depends_on_the_place_and_none_is_named_it_is_2002(cpo_client: PartnerClient) -> None:
    """R9.12b"""
    issue(locations=frozenset({(PartyId("DE*CPO"), "depot")}))
    refused = authorize(cpo_client)
    assert refused.codes == (200, 2002) and "LocationReferences" in refused.message
    assert not Authorization.objects.exists()


@pytest.mark.parametrize(
    ("parties", "codes"),
    [
        (["EMSP:AT*MSP", "CPO:DE*CPO"], (200, 1000)),
        (["CPO:BE*CPO", "CPO:DE*CPO"], (200, 2002)),
        (["HUB:BE*HUB"], (200, 2002)),
    ],
)
def test_who_asks_is_not_guessed(parties: list[str], codes: tuple[int, int]) -> None:
    """R9.12b, R7.1: without From it is the platform's only CPO, or nobody knows; a guess would refuse a driver."""
    issue(parties=frozenset({PartyId("DE*CPO")}))
    platform = register(*parties)
    assert authorize(platform.client()).codes == codes
    assert authorize(platform.client(from_="DE*CPO")).data["allowed"] == "ALLOWED"


@pytest.mark.parametrize(("uid", "params"), [("FFFF", {}), ("04A1B2C3D4", {"type": "APP_USER"})])
def test_an_unknown_token_is_http_404_and_2004_without_data(
    cpo_client: PartnerClient, uid: str, params: dict[str, str]
) -> None:
    """R9.12a, errata E4, trap 21"""
    issue()
    answer = authorize(cpo_client, uid, **params)
    assert answer.codes == (404, 2004)
    assert "data" not in answer.envelope


def test_a_partners_token_is_not_ours_to_authorize(emsp: PartnerClient, cpo_client: PartnerClient) -> None:
    """R9.12a"""
    assert authorize(cpo_client).codes == (404, 2004)


def test_the_type_in_the_query_chooses_among_tokens_of_one_uid(cpo_client: PartnerClient) -> None:
    """R9.12, trap 20"""
    issue(token(valid=False), token(type="APP_USER"))
    assert authorize(cpo_client, "04a1b2c3d4").data["allowed"] == "BLOCKED"
    assert authorize(cpo_client, type="APP_USER").data["token"]["type"] == "APP_USER"


@pytest.mark.parametrize(
    ("place", "pointer"),
    [
        ({}, "/location_id"),
        ({"location_id": 7}, "/location_id"),
        ({"location_id": "L" * 37}, "/location_id"),
        ({**PLACE, "evse_uids": "E"}, "/evse_uids"),
        ({**PLACE, "evse_uids": ["E", None]}, "/evse_uids/1"),
    ],
)
def test_ill_formed_location_references_are_2001(cpo_client: PartnerClient, place: Document, pointer: str) -> None:
    """R9.12, R1.7"""
    issue()
    refused = authorize(cpo_client, "04A1B2C3D4", place)
    assert refused.codes == (200, 2001) and pointer in refused.message


def test_a_content_type_without_a_body_is_no_body(cpo_client: PartnerClient) -> None:
    """R9.12, R1.1"""
    issue()
    answer = cpo_client.post(f"{LIST}/04A1B2C3D4/authorize", headers={"Content-Type": "application/json"})
    assert answer.data["allowed"] == "ALLOWED"


def test_odd_ids_of_evses_come_back_as_they_were_sent(cpo_client: PartnerClient) -> None:
    """DESIGN 2.1: a driver stands there; one odd field never loses an object."""
    issue()
    place = {"location_id": "LOC-1", "evse_uids": ["E" * 40]}
    assert authorize(cpo_client, "04A1B2C3D4", place).data["location"] == place


def test_a_body_that_is_no_json_is_http_400(cpo_client: PartnerClient) -> None:
    """R1.6"""
    issue()
    assert authorize(cpo_client, "04A1B2C3D4", b"{").codes == (400, 2001)


def test_what_was_answered_is_kept_with_its_reason(cpo: Registered) -> None:
    """DESIGN 2.7: reachable by reference and correlation id."""
    issue(token(), token(uid="GONE"), expires_at=PAST)
    cpo.client().post(f"{LIST}/GONE/authorize", PLACE, headers={"X-Correlation-ID": "story-1"})
    row = Authorization.objects.get()
    assert (row.side, row.source, row.allowed, row.uid) == ("EMSP", "OWN", "EXPIRED", "gone")
    assert (row.cpo, row.emsp, row.platform_id, row.correlation_id) == ("DE*CPO", "NL*OSP", cpo.platform.pk, "story-1")
    assert "2026-01-01" in row.reason and row.location_id == "LOC-1"


def test_an_authorization_takes_one_query_and_one_insert(cpo_client: PartnerClient) -> None:
    """notes/performance.md: a driver waits."""
    issue()
    authorize(cpo_client)
    with CaptureQueriesContext(connection) as queries:
        authorize(cpo_client)
    # A transaction, which every test is, makes the directory look each time whether it has changed.
    asked = [query["sql"] for query in queries if "directoryversion" not in query["sql"]]
    assert ["ocpi_token" in asked[0], "INSERT INTO roaming_authorization" in asked[1]] == [True, True]
    assert len(asked) == 2


# --- our own Tokens -------------------------------------------------------------------------------------------------


def test_a_uid_and_type_are_issued_once() -> None:
    issue()
    assert not tokens.issue(token(uid="04a1b2c3d4"))
    assert tokens.issue(token(type="OTHER"))
    assert ObjectCount.objects.get(module="tokens").count == 2


def test_blocking_changes_the_token_for_everybody() -> None:
    issue()
    (row,) = Token.objects.all()
    assert (tokens.block([row.pk]), tokens.block([row.pk])) == (1, 0)
    (blocked,) = Token.objects.all()
    assert '"valid":false' in blocked.document and not blocked.valid
    assert blocked.revision > row.revision and blocked.last_updated > row.last_updated
    assert tokens.unblock([row.pk]) == 1
    assert Token.objects.get().valid


def test_a_partners_token_is_not_ours_to_block(emsp: PartnerClient) -> None:
    before = stored()
    ids = list(Token.objects.values_list("pk", flat=True))
    assert tokens.block(ids) == 0
    tokens.agree(ids[0], Terms(has_credit=False))
    assert stored() == before


@pytest.mark.parametrize("terms", [Terms(expires_at=PAST), Terms(has_credit=False)])
def test_whoever_goes_by_the_whitelist_is_told_of_worse_terms(terms: Terms) -> None:
    """R9.12f: ALWAYS never asks, so `valid` has to say it."""
    issue(token(whitelist="ALWAYS"))
    (row,) = Token.objects.all()
    tokens.agree(row.pk, terms)
    assert not Token.objects.get().valid
    assert tokens.unblock([row.pk]) == 0
    tokens.agree(row.pk, Terms())
    assert not Token.objects.get().valid  # somebody may have blocked it besides
    assert tokens.unblock([row.pk]) == 1


def test_a_token_issued_on_bad_terms_is_not_valid() -> None:
    issue(token(), has_credit=False)
    assert not Token.objects.get().valid


def test_tokens_that_have_expired_become_invalid() -> None:
    issue(token(uid="OLD"), token(uid="NEW"))
    old, new = Token.objects.order_by("pk")
    Token.objects.filter(pk=old.pk).update(expires_at=datetime(2026, 6, 1, tzinfo=UTC))
    Token.objects.filter(pk=new.pk).update(expires_at=datetime(2026, 8, 1, tzinfo=UTC))
    assert tokens.expire_due(datetime(2026, 7, 1, tzinfo=UTC)) == 1
    assert [row.valid for row in Token.objects.order_by("pk")] == [False, True]


def test_importing_a_token_again_leaves_its_terms(db: None) -> None:
    issue(token(), has_credit=False)
    tokens.put_many([Arrival(token(contract_id="NEW", last_updated=LATER))], source=None)
    row = Token.objects.get()
    assert (row.contract_id, row.has_credit) == ("NEW", False)
