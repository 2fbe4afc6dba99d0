"""Our answer as the eMSP: the terms of a Token, one by one and in what order they count."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocpi.errors import NotEnoughInformation
from ocpi.ids import PartyId
from ocpi.ports import AuthorizationRequest, authorizer
from ocpi.store.documents import Document
from ocpi.store.tokens import Terms
from ocpi.types import codec, validation
from ocpi.v221.tokens import AllowedType, AuthorizationInfo
from roaming.authorization import terms
from roaming.authorization_models import Authorization
from tests.kit.objects import token

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GONE, COMING = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
HERE, ELSEWHERE = PartyId("DE*CPO"), PartyId("FR*CPO")
DEPOT: Document = {"location_id": "Depot"}
VALID, BLOCKED = token(), token(valid=False)


def at(*places: str) -> Terms:
    return Terms.of(None, True, "\n".join(places))


def allowed(document: Document, on: Terms, cpo: PartyId | None = HERE, place: Document | None = None) -> str:
    return terms.judge(document, on, cpo, place, NOW)[0]


@pytest.mark.parametrize(
    ("document", "on", "expected"),
    [
        (VALID, Terms(), "ALLOWED"),
        (BLOCKED, Terms(), "BLOCKED"),
        (VALID, Terms(expires_at=GONE), "EXPIRED"),
        (VALID, Terms(expires_at=NOW), "EXPIRED"),
        (VALID, Terms(expires_at=COMING), "ALLOWED"),
        (VALID, Terms(has_credit=False), "NO_CREDIT"),
        (VALID, at("DE*CPO"), "ALLOWED"),
        (VALID, at("FR*CPO"), "NOT_ALLOWED"),
        # What is worse or lasts longer is told: an expired card is blocked, too, so that whitelists know.
        (BLOCKED, Terms(expires_at=GONE, has_credit=False), "EXPIRED"),
        (BLOCKED, Terms(has_credit=False), "NO_CREDIT"),
        (BLOCKED, at("FR*CPO"), "BLOCKED"),
    ],
)
def test_the_terms_decide_in_this_order(document: Document, on: Terms, expected: str) -> None:
    """R9.12c (§mod_tokens_allowed_enum)"""
    assert allowed(document, on) == expected


@pytest.mark.parametrize(
    ("on", "cpo", "place", "expected"),
    [
        (at("DE*CPO/depot"), HERE, DEPOT, "ALLOWED"),
        (at("DE*CPO/depot"), HERE, {"location_id": "DEPOT", "evse_uids": ["1"]}, "ALLOWED"),
        (at("DE*CPO/depot"), HERE, {"location_id": "OTHER"}, "NOT_ALLOWED"),
        (at("DE*CPO/depot"), ELSEWHERE, DEPOT, "NOT_ALLOWED"),
        (at("DE*CPO/depot"), ELSEWHERE, None, "NOT_ALLOWED"),
        (at("FR*CPO", "DE*CPO/depot"), ELSEWHERE, None, "ALLOWED"),
        (at("DE*CPO", "DE*CPO/depot"), HERE, {"location_id": "OTHER"}, "ALLOWED"),
        (at("DE*CPO"), HERE, DEPOT, "ALLOWED"),
    ],
)
def test_a_token_may_be_for_some_places_only(on: Terms, cpo: PartyId, place: Document | None, expected: str) -> None:
    """R9.12c: ids are compared without case (R1.16)."""
    assert allowed(VALID, on, cpo, place) == expected


@pytest.mark.parametrize(
    ("on", "cpo", "place", "wanting"),
    [
        (at("DE*CPO/depot"), HERE, None, "LocationReferences"),
        (at("DE*CPO"), None, DEPOT, "OCPI-from"),
        (at("DE*CPO/depot"), None, DEPOT, "OCPI-from"),
        (at("DE*CPO/depot"), HERE, DEPOT, ""),
        (at("DE*CPO/depot"), ELSEWHERE, None, ""),
        (Terms(), None, None, ""),
    ],
)
def test_what_a_decision_depends_on_is_named(
    on: Terms, cpo: PartyId | None, place: Document | None, wanting: str
) -> None:
    """R9.12b"""
    lack = terms.lacking(on, cpo, place)
    assert wanting in lack and bool(lack) == bool(wanting)
    assert (allowed(VALID, on, cpo, place) == "NOT_ALLOWED") >= bool(wanting)


# --- the answer -----------------------------------------------------------------------------------------------------

CPOS = st.sampled_from([HERE, ELSEWHERE, None])
LOCATIONS = st.sampled_from([None, DEPOT, {"location_id": "OTHER", "evse_uids": ["1", "2"]}])
TERMS = st.builds(
    Terms,
    expires_at=st.sampled_from([None, datetime(2001, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)]),
    has_credit=st.booleans(),
    parties=st.frozensets(st.sampled_from([HERE, ELSEWHERE])),
    locations=st.frozensets(st.tuples(st.sampled_from([HERE, ELSEWHERE]), st.sampled_from(["depot", "other"]))),
)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=st.sampled_from([VALID, BLOCKED]), on=TERMS, cpo=CPOS, place=LOCATIONS)
def test_every_answer_is_well_formed_stored_and_promises_no_more_than_the_terms(
    cpo: PartyId | None, document: Document, on: Terms, place: Document | None
) -> None:
    """R9.12c, DESIGN 2.7: a reference and a place only with ALLOWED, and a row for each answer that was given."""
    before = Authorization.objects.count()
    request = AuthorizationRequest(PartyId("NL*OSP"), document, on, None, cpo, "story-1", place)  # type: ignore[arg-type]
    try:
        answer = codec.decode(codec.encode(authorizer().answer(request)))
    except NotEnoughInformation:
        assert terms.lacking(on, cpo, place) and Authorization.objects.count() == before
        return
    assert validation.check(answer, AuthorizationInfo) == []
    may = answer["allowed"] == AllowedType.ALLOWED
    assert ("authorization_reference" in answer, "info" not in answer) == (may, may)
    assert answer.get("location") == (place if may else None)
    if may:
        assert document["valid"] and on.usable(datetime.now(UTC))
        here = place and (cpo, place["location_id"].lower()) in on.locations
        assert here or cpo in on.parties or not (on.parties or on.locations)
    row = Authorization.objects.latest("pk")
    assert Authorization.objects.count() == before + 1
    assert (row.allowed, row.reference) == (answer["allowed"], answer.get("authorization_reference", ""))
    assert (row.side, row.source, row.cpo, row.emsp) == ("EMSP", "OWN", cpo or "", "NL*OSP") and row.reason


@given(on=TERMS)
def test_terms_survive_their_columns(on: Terms) -> None:
    columns = on.columns()
    assert Terms.of(columns["expires_at"], columns["has_credit"], columns["places"]) == on
