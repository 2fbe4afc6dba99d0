"""Tokens of our own in the store: issued once, blocked for everybody, and never valid against their terms."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ocpi.events import object_changed
from ocpi.ids import PartyId
from ocpi.models import ObjectCount, Token
from ocpi.store.objects import Arrival
from ocpi.store.revisions import Position, changes
from ocpi.store.scope import Scope
from ocpi.store.tokens import Terms, token_key, tokens
from ocpi.types import codec, times
from tests.kit.objects import Document, minutes_after_noon, token

OSP = PartyId("NL*OSP")
OURS = Scope.only([OSP])
LATER = minutes_after_noon(60)
PAST = datetime(2026, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def issue(**members: Any) -> Token:
    assert tokens.issue(token(**members))
    return Token.objects.latest("pk")


def document() -> Document:
    return dict(codec.decode(Token.objects.get().document.encode()))


# --- what may be valid ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("terms", [Terms(has_credit=False), Terms(expires_at=PAST)])
def test_an_import_makes_no_token_valid_against_its_terms(terms: Terms) -> None:
    """R9.12f: who goes by the whitelist would let it charge."""
    assert tokens.issue(token(whitelist="ALWAYS"), terms)
    arrival = Arrival(token(whitelist="ALWAYS", contract_id="NEW", last_updated=LATER))
    for _ in range(2):
        tokens.put_many([arrival], source=None)
        assert document()["valid"] is Token.objects.get().valid is False
    assert document()["contract_id"] == "NEW"
    assert ObjectCount.objects.get(module="tokens").count == 1


def test_an_import_of_ours_says_what_is_valid_otherwise() -> None:
    row = issue()
    tokens.block([row.pk])
    tokens.put_many([Arrival(token(last_updated=LATER))], source=None)
    assert document()["valid"] is True


def test_a_partners_tokens_have_no_terms_of_ours() -> None:
    """Trap 8: whatever stands in the columns."""
    theirs = token(country_code="DE", party_id="MSP")
    tokens.put(Arrival(theirs), source=1)
    Token.objects.update(has_credit=False, expires_at=PAST)
    tokens.put_many([Arrival({**theirs, "contract_id": "NEW"})], source=1)
    assert tokens.expire_due(timezone.now()) == 0
    assert document()["valid"] is True


def test_worse_terms_and_the_blocking_are_one_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Token without credit that stays valid would charge wherever nobody asks."""
    row = issue(whitelist="ALWAYS")
    # What makes the second half fail: a document that cannot be a Token any more.
    Token.objects.filter(pk=row.pk).update(document='{"country_code": "NL"')
    with pytest.raises(ValueError):
        tokens.agree(row.pk, Terms(has_credit=False))
    assert Token.objects.get().has_credit


@pytest.mark.parametrize("act", [tokens.block, lambda ids: tokens.agree(ids[0], Terms(expires_at=PAST))])
def test_a_blocked_token_is_a_change_in_the_feed(
    act: Callable[[list[int]], Any], django_capture_on_commit_callbacks: Any
) -> None:
    """R9.12f (§mod_tokens_push_model): partners are told, by the one way there is."""
    row = issue()
    heard: list[Any] = []
    object_changed.connect(listener := lambda **told: heard.append((told["owner"], told["source"])))
    try:
        with django_capture_on_commit_callbacks(execute=True):
            act([row.pk])
    finally:
        object_changed.disconnect(listener)
    assert heard == [(OSP, None)]
    if connection.vendor == "sqlite":  # on PostgreSQL the feed waits for the commit, which a test never makes
        assert [change.id for change in changes(Token, OURS, Position(0, row.revision), 10)] == [row.pk]


def test_terms_alone_are_no_change_for_partners() -> None:
    row = issue()
    tokens.agree(row.pk, Terms(expires_at=timezone.now() + timedelta(days=1)))
    assert Token.objects.get().revision == row.revision


def test_a_token_expires_at_its_time_and_not_before() -> None:
    tokens.issue(token(), Terms(expires_at=datetime(2099, 1, 1, tzinfo=UTC)))
    assert tokens.expire_due(datetime(2098, 12, 31, 23, 59, 59, tzinfo=UTC)) == 0
    assert tokens.expire_due(datetime(2099, 1, 1, tzinfo=UTC)) == 1
    assert tokens.expire_due(datetime(2099, 1, 1, tzinfo=UTC)) == 0
    assert not Token.objects.get().valid


# --- finding --------------------------------------------------------------------------------------------------------


def test_a_token_is_found_with_its_terms_in_one_query(django_assert_num_queries: Any) -> None:
    terms = Terms(datetime(2099, 1, 1, tzinfo=UTC), True, frozenset({PartyId("DE*CPO")}))
    tokens.issue(token(), terms)
    with django_assert_num_queries(1):
        found = tokens.find_issued(OURS, token_key("04a1b2c3d4", "RFID"))
    assert found is not None
    assert (found.owner, codec.decode(found.text.encode()), found.terms) == (OSP, token(), terms)


@pytest.mark.parametrize("scope", [Scope.only([PartyId("NL*XXX")]), Scope.only([]), Scope.all_but([OSP])])
def test_nothing_is_found_outside_the_scope(scope: Scope) -> None:
    issue()
    assert tokens.find_issued(scope, token_key("04A1B2C3D4", "RFID")) is None


def test_a_partners_token_is_not_found_as_issued() -> None:
    tokens.put(Arrival(token()), source=1)
    assert tokens.find_issued(Scope.all_but([]), token_key("04A1B2C3D4", "RFID")) is None


# --- any Token ------------------------------------------------------------------------------------------------------

UIDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=36)
TOKENS = st.builds(
    token,
    uid=UIDS,
    type=st.sampled_from(["RFID", "APP_USER", "AD_HOC_USER", "OTHER", "EMAID"]),
    contract_id=UIDS,
    visual_number=st.one_of(st.none(), st.text(st.characters(categories=["L", "N", "P"]), max_size=64)),
    valid=st.booleans(),
    whitelist=st.sampled_from(["ALWAYS", "ALLOWED", "ALLOWED_OFFLINE", "NEVER", "SOMETIMES"]),
    x_vendor=st.recursive(st.none() | st.integers(-(10**9), 10**9), lambda inner: st.lists(inner, max_size=3)),
)


@pytest.mark.django_db(transaction=True)
@hypothesis_settings(max_examples=40, deadline=None)
@given(document=TOKENS, changes=st.fixed_dictionaries({}, optional={"valid": st.booleans(), "issuer": UIDS}))
def test_every_valid_token_survives_and_a_patch_can_be_repeated(document: Document, changes: Document) -> None:
    """R9.12e, R6.2, R8.4"""
    tokens.put(Arrival(document), source=1)
    key = token_key(document["uid"], document["type"])
    assert codec.decode((tokens.find(OSP, key) or "").encode()) == document
    for _ in range(2):
        tokens.patch(OSP, key, {**changes, "last_updated": LATER}, 1, lambda _: ())
        assert codec.decode((tokens.find(OSP, key) or "").encode()) == {**document, **changes, "last_updated": LATER}


# --- many hands -----------------------------------------------------------------------------------------------------


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each gives, called by a thread of its own at the same time."""
    barrier = threading.Barrier(len(acts))
    found: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            found[place] = act()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=numbered) for numbered in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.usefixtures("threaded_db")
def test_of_many_that_issue_one_token_one_does() -> None:
    assert sorted(at_once(*[lambda: tokens.issue(token())] * 8)) == [False] * 7 + [True]
    assert (Token.objects.count(), ObjectCount.objects.get(module="tokens").count) == (1, 1)


@pytest.mark.usefixtures("threaded_db")
def test_blocking_and_changing_a_token_at_once_loses_neither() -> None:
    """R6.2"""
    row = issue()

    def rename() -> None:
        changed = {"contract_id": "NEW", "last_updated": times.now()}
        tokens.patch(OSP, row.key, changed, None, lambda _: ())

    at_once(rename, lambda: tokens.block([row.pk]), lambda: tokens.agree(row.pk, Terms(has_credit=False)))
    assert (document()["contract_id"], document()["valid"]) == ("NEW", False)
    assert not Token.objects.get().has_credit


@pytest.mark.usefixtures("threaded_db")
def test_importing_and_withdrawing_credit_at_once_leaves_no_valid_token() -> None:
    """R9.12f: whichever comes first."""
    row = issue()
    for number in range(5):
        Token.objects.update(has_credit=True)
        tokens.unblock([row.pk])
        imported = Arrival(token(contract_id=f"C{number}", last_updated=LATER))
        at_once(
            lambda imported=imported: tokens.put_many([imported], None),  # type: ignore[misc]
            lambda: tokens.agree(row.pk, Terms(has_credit=False)),
        )
        assert not Token.objects.get().valid
