"""The store of every module but Locations: what it keeps, counts, announces, and what it does under many hands."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from ocpi.errors import InvalidParameters
from ocpi.events import object_changed
from ocpi.ids import PartyId
from ocpi.models import Cdr, ClientInfo, ObjectCount, OwnedObject, Session, Tariff
from ocpi.store.catalogue import STORES
from ocpi.store.cdrs import cdrs
from ocpi.store.client_infos import client_infos
from ocpi.store.objects import Arrival, Objects
from ocpi.store.scope import Scope
from ocpi.store.sessions import sessions
from ocpi.store.tariffs import dangling, tariffs
from ocpi.store.writing import Outcome
from ocpi.transport.pagination import PageQuery
from ocpi.types import codec, validation
from ocpi.v221.versions import ModuleID
from tests.kit.objects import (
    Document,
    cdr,
    cdr_token,
    charging_period,
    client_info,
    connector,
    credit_cdr,
    evse,
    location,
    minutes_after_noon,
    session,
    tariff,
)

OCP = PartyId("NL*OCP")
ALL = Scope.all_but([])
MAKERS = {
    ModuleID.TARIFFS: tariff,
    ModuleID.SESSIONS: session,
    ModuleID.CDRS: cdr,
    ModuleID.HUB_CLIENT_INFO: client_info,
}
EVERY = pytest.mark.parametrize("module", MAKERS, ids=str)

pytestmark = pytest.mark.django_db


def put(store: Objects, *documents: Document, source: int | None = None) -> Outcome:
    return store.put_many([Arrival(document) for document in documents], source)


def row(model: type[OwnedObject]) -> Any:
    return model._default_manager.get()


def counted(module: ModuleID, owner: str = OCP) -> int:
    return ObjectCount.objects.get(module=module.value, owner=owner).count


# --- what every module does alike -----------------------------------------------------------------------------------


def test_every_module_has_a_store_of_its_own() -> None:
    """DESIGN section 4"""
    for module, store in STORES.items():
        assert store.module is module is store.model.module


@EVERY
def test_a_document_is_kept_with_owner_key_source_and_defects(module: ModuleID) -> None:
    """R1.16, DESIGN section 5"""
    store = STORES[module]
    document = MAKERS[module](country_code="nL", party_id="oCp", last_updated="2026-03-01T12:00:00")
    defects = validation.check({**document, "x" * 300: 1}, store.shape)
    assert store.put(Arrival(document, defects), 7) and not store.put(Arrival(document, defects), 7)
    stored = row(store.model)
    assert (stored.owner, stored.source, codec.decode(stored.document.encode())) == (OCP, 7, document)
    assert stored.key == stored.key.lower() and stored.last_updated.isoformat() == "2026-03-01T12:00:00+00:00"
    assert store.find(OCP, stored.key.upper()) == stored.document
    assert counted(module) == 1


@EVERY
def test_the_same_again_takes_no_place_in_the_feed(module: ModuleID) -> None:
    """DESIGN section 5: nothing is sent that says nothing new."""
    store = STORES[module]
    assert put(store, MAKERS[module]()) == (1, 0, 0)
    before = row(store.model).revision
    assert put(store, MAKERS[module]()) == (0, 0, 1)
    assert row(store.model).revision == before


@EVERY
def test_a_write_is_announced_on_commit(module: ModuleID, django_capture_on_commit_callbacks: Any) -> None:
    """DESIGN section 5"""
    heard: list[Any] = []

    def hear(module: ModuleID, owner: str, source: int | None, **_: Any) -> None:
        heard.append((module, owner, source))

    object_changed.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            put(STORES[module], MAKERS[module](country_code="NL", party_id="OCP"), source=3)
            assert not heard
    finally:
        object_changed.disconnect(hear)
    assert heard == [(module, OCP, 3)]


@EVERY
def test_many_new_objects_cost_as_many_statements_as_one(module: ModuleID, django_assert_max_num_queries: Any) -> None:
    """notes/performance.md: a page of a pull is a handful of statements."""
    name = "role" if module == ModuleID.HUB_CLIENT_INFO else "id"
    many = [MAKERS[module](**{name: f"N{number}"}) for number in range(60)]
    with django_assert_max_num_queries(8):
        assert put(STORES[module], *many) == (len(many), 0, 0)


@pytest.mark.parametrize("module", [ModuleID.TARIFFS, ModuleID.SESSIONS, ModuleID.CDRS], ids=str)
def test_a_page_of_one_owner_and_of_everybody_are_counted_exactly(module: ModuleID) -> None:
    """R5.3"""
    store, make = STORES[module], MAKERS[module]
    put(store, *(make(id=str(number)) for number in range(3)))
    put(store, make(country_code="DE"), source=1)
    for scope, total in ((Scope.only([OCP]), 3), (ALL, 4), (Scope.all_but([OCP]), 1), (Scope.only([]), 0)):
        page = store.page(scope, PageQuery(limit=2))
        assert (page.total, len(page.documents)) == (total, min(total, 2))


# --- Sessions and CDRs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [ModuleID.SESSIONS, ModuleID.CDRS], ids=str)
def test_a_scope_may_be_narrowed_to_some_drivers(module: ModuleID) -> None:
    """R7.7: in pages, totals and single objects."""
    store, make = STORES[module], MAKERS[module]
    put(store, make(id="ours"), make(id="theirs", cdr_token=cdr_token(country_code="fR")))
    expected: list[tuple[list[str], list[str]]] = [
        (["DE*MSP"], ["ours"]), (["FR*MSP"], ["theirs"]), ([], []), (["DE*MSP", "FR*MSP"], ["ours", "theirs"]),
    ]  # fmt: skip
    for owners, ids in expected:
        scope = ALL.with_tokens_of(map(PartyId, owners))
        page = store.page(scope, PageQuery())
        assert [codec.decode(document)["id"] for document in page.documents] == ids and page.total == len(ids)
        assert (store.find_within(scope, "THEIRS") is not None) == ("theirs" in ids)


@pytest.mark.parametrize(
    "token", [{"country_code": "DEU"}, {"party_id": "é"}, {"country_code": "", "party_id": ""}, {"party_id": "A" * 80}]
)
def test_the_owner_of_an_odd_token_is_nobody(token: Document) -> None:
    """DESIGN section 2.1: the object is kept, and shown to no eMSP."""
    put(sessions, session(cdr_token=cdr_token(**token)))
    assert len(row(Session).token_owner) <= 6
    assert sessions.page(ALL.with_tokens_of([PartyId("DE*MSP")]), PageQuery()).documents == []


def test_what_is_searched_by_is_copied_from_the_document() -> None:
    """DESIGN section 5"""
    put(sessions, session(status="PENDING"))
    put(cdrs, credit_cdr(session_id="Session-1"))
    assert (row(Session).status, row(Session).token_owner) == ("PENDING", "DE*MSP")
    found = row(Cdr)
    assert (found.session_key, found.is_credit, found.token_owner, found.key) == (
        "session-1", True, "DE*MSP", "cdr-1-c",
    )  # fmt: skip


def test_a_patched_session_keeps_its_columns_up_to_date() -> None:
    """R9.5"""
    put(sessions, session())
    changes = {"status": "COMPLETED", "charging_periods": [charging_period()], "last_updated": minutes_after_noon(5)}
    sessions.patch(OCP, "Session-1", changes, None, lambda document: ())
    assert (row(Session).status, row(Session).last_updated.minute) == ("COMPLETED", 5)
    with pytest.raises(InvalidParameters):
        sessions.patch(OCP, "NONE", changes, None, lambda document: ())


def test_charging_periods_patched_side_by_side_are_all_kept(threaded_db: None) -> None:
    """R9.5: each PATCH waits for the one before it."""
    put(sessions, session(charging_periods=[]))

    def patch(number: int) -> None:
        try:
            period = charging_period(str(number))
            changes = {"charging_periods": [period], "last_updated": minutes_after_noon(number)}
            sessions.patch(OCP, "session-1", changes, None, lambda document: ())
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(patch, range(10)))
    periods = codec.decode(row(Session).document.encode())["charging_periods"]
    assert sorted(period["dimensions"][0]["volume"] for period in periods) == list(range(10))


def test_a_list_that_is_pulled_may_reopen_a_session() -> None:
    """§mod_sessions_pull_model: a list says how things stand, in whatever order it was written."""
    put(sessions, session(status="COMPLETED"))
    assert put(sessions, session(status="ACTIVE")) == (0, 1, 0)
    put(sessions, session(status="COMPLETED"))
    with pytest.raises(InvalidParameters):
        sessions.put(Arrival(session(status="ACTIVE")), None)


def test_a_stored_cdr_is_never_written_again() -> None:
    """R9.8"""
    assert put(cdrs, cdr()) == (1, 0, 0)
    before = Cdr.objects.values().get()
    other = Arrival(cdr(remark="other"))
    assert put(cdrs, other.document) == (0, 0, 1)
    assert cdrs.add(Arrival(cdr()), None) is False
    with pytest.raises(InvalidParameters):
        cdrs.add(other, None)
    assert Cdr.objects.values().get() == before


def test_conflicting_cdrs_are_told_from_equal_ones(django_assert_num_queries: Any) -> None:
    """R9.8: against what is stored and among themselves, in one query an owner."""
    put(cdrs, cdr(), cdr(id="CDR-2"), cdr(country_code="DE"))
    arrivals = [
        Arrival(document)
        for document in (
            cdr(), cdr(id="CDR-2", remark="x"), cdr(country_code="DE", remark="y"), cdr(id="NEW"),
            cdr(id="NEW", remark="z"), cdr(id="NEW"),
        )
    ]  # fmt: skip
    with django_assert_num_queries(2):
        found = cdrs.conflicting(arrivals)
    assert [arrival.document["remark"] for arrival in found] == ["x", "y", "z"]
    assert sessions.conflicting([Arrival(session())]) == []


# --- Tariffs --------------------------------------------------------------------------------------------------------


def test_a_deleted_tariff_stays_in_the_feed_and_nowhere_else() -> None:
    """R9.10, DESIGN section 5: those who hold a copy are told."""
    put(tariffs, tariff(id="One"), tariff(id="Two"))
    before, other = Tariff.objects.order_by("id")
    assert tariffs.delete(OCP, "ONE", 4)
    after = Tariff.objects.get(pk=before.pk)
    assert after.revision > other.revision and after.source == 4
    assert tariffs.texts([before.pk]) == {} and tariffs.find(OCP, "one") is None
    assert codec.decode(tariffs.withdrawn([before.pk])[before.pk].encode()) == tariff(id="One")
    assert tariffs.find_within(ALL, "one") is None
    assert counted(ModuleID.TARIFFS) == 1


def test_a_tariff_that_comes_back_is_new_in_its_old_place() -> None:
    """R9.10, R5.5"""
    put(tariffs, tariff(id="A"), tariff(id="B"))
    tariffs.delete(OCP, "A", None)
    assert put(tariffs, tariff(id="A", currency="SEK")) == (1, 0, 0)
    found = tariffs.page(Scope.only([OCP]), PageQuery()).documents
    assert [codec.decode(document)["currency"] for document in found] == ["SEK", "EUR"]
    assert counted(ModuleID.TARIFFS) == 2


def test_a_tariff_deleted_and_put_side_by_side_is_counted_right(threaded_db: None) -> None:
    """R5.3"""

    def write(number: int) -> None:
        try:
            if number % 2:
                tariffs.delete(OCP, "tariff-1", None)
            else:
                tariffs.put(Arrival(tariff(last_updated=minutes_after_noon(number))), None)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(24)))
    assert counted(ModuleID.TARIFFS) == Tariff.objects.filter(deleted=False).count()


def naming(*ids: Any) -> Document:
    return location(evses=[evse(connectors=[connector(), connector(id="2", tariff_ids=list(ids))])])


def test_tariffs_that_connectors_name_and_we_do_not_hold_are_dangling() -> None:
    """§mod_tariffs_delete_method: told, in their spelling, each once; another party's Tariff does not help."""
    put(tariffs, tariff(id="Held"), tariff(id="Gone"))
    put(tariffs, tariff(id="Foreign", country_code="DE"))
    tariffs.delete(OCP, "GONE", None)
    assert dangling(OCP, naming("HELD", "Gone", "Foreign", "Never", "never")) == ["Gone", "Foreign", "never"]
    assert dangling(OCP, naming("held")) == [] == dangling(OCP, naming())


@pytest.mark.parametrize(
    "odd",
    [
        {}, {"evses": None}, {"evses": "none"}, {"evses": ["none", {"connectors": 7}]},
        {"evses": [{"connectors": [None, {"tariff_ids": "T"}, {"tariff_ids": [None, 7, {}]}]}]},
    ],
)  # fmt: skip
def test_whatever_stands_in_a_location_names_no_tariff(odd: Document) -> None:
    """DESIGN section 2.9"""
    assert dangling(OCP, odd) == []


# --- ClientInfos ----------------------------------------------------------------------------------------------------


def test_client_infos_are_told_apart_by_role_and_by_who_says_so() -> None:
    """R9.18"""
    put(client_infos, client_info(), client_info(role="CPO"))
    put(client_infos, client_info(status="OFFLINE"), source=7)
    assert sorted(ClientInfo.objects.values_list("key", "status")) == [
        ("cpo@", "CONNECTED"), ("emsp@", "CONNECTED"), ("emsp@7", "OFFLINE"),
    ]  # fmt: skip


def test_older_news_is_no_news() -> None:
    """R9.19: pushed or pulled."""
    put(client_infos, client_info(last_updated=minutes_after_noon(5)))
    assert put(client_infos, client_info(status="OFFLINE", last_updated=minutes_after_noon(4))) == (0, 0, 1)
    assert put(client_infos, client_info(status="OFFLINE", last_updated=minutes_after_noon(5))) == (0, 1, 0)


def test_a_scope_may_be_narrowed_to_what_is_our_own() -> None:
    """R9.18"""
    put(client_infos, client_info())
    put(client_infos, client_info(country_code="FR"), source=7)
    page = client_infos.page(Scope((), inverted=True, local=True), PageQuery())
    assert page.total == 1 and [codec.decode(document)["country_code"] for document in page.documents] == ["DE"]
