"""Every module between two platforms: who is sent what and how, and what a pull makes of it."""

from collections.abc import Callable
from typing import Any

import pytest

from ocpi.ids import PartyId
from ocpi.models import ObjectCount, Token
from ocpi.store.catalogue import STORES
from ocpi.store.objects import Arrival
from ocpi.store.tokens import tokens
from ocpi.types import codec
from ocpi.v221.versions import ModuleID
from roaming import directory
from roaming.delivery_models import Delivery
from roaming.models import Party, Platform
from roaming.pull_models import QuarantinedObject, SyncRun
from roaming.sync import pull
from tests.kit.lanes import drain, settle, wait_out
from tests.kit.objects import (
    Document,
    cdr,
    cdr_token,
    charging_period,
    client_info,
    credit_cdr,
    location,
    minutes_after_noon,
    session,
    tariff,
    token,
    without,
)
from tests.kit.peer import FakePeer, Recorded, answers, enveloped
from tests.kit.platforms import Registered, register

pytestmark = pytest.mark.django_db(transaction=True)

OCP = PartyId("NL*OCP")
Start = Callable[..., FakePeer]
TARIFFS, SESSIONS, CDRS = ModuleID.TARIFFS, ModuleID.SESSIONS, ModuleID.CDRS
MAKERS: dict[ModuleID, Callable[..., Document]] = {TARIFFS: tariff, SESSIONS: session, CDRS: cdr}
EVERY = pytest.mark.parametrize("module", MAKERS, ids=str)


def become_hub() -> None:
    Party.objects.create(party="NL*HUB", role="HUB", name="Example Hub")
    directory.changed()


def connect(peer: FakePeer) -> Registered:
    registered = register(f"{peer.role}:{peer.party}", endpoints=peer.endpoints(), outbound_token=peer.token)
    settle()
    return registered


def store(module: ModuleID, *documents: Document, source: int | None = None) -> None:
    STORES[module].put_many([Arrival(document) for document in documents], source)


def sent(peer: FakePeer, module: ModuleID) -> list[Recorded]:
    return [request for method in ("PUT", "POST", "DELETE") for request in peer.requested(method, f"/{module}")]


def parties(request: Recorded) -> tuple[str | None, str | None]:
    """TO and FROM of a request."""
    return request.routing.to, request.routing.from_


def of(token_owner: str, make: Callable[..., Document], **changes: Any) -> Document:
    token = cdr_token(country_code=token_owner[:2], party_id=token_owner[3:])
    return make(**{"id": token_owner.replace("*", "-"), "cdr_token": token, **changes})


# --- pushing --------------------------------------------------------------------------------------------------------


def test_own_tariffs_and_sessions_are_put_in_the_owners_name(fake_peer: Start) -> None:
    """R9.3, R9.10, R7.1, R6.5"""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    connect(peer)
    store(TARIFFS, tariff(id="T 1"))
    store(SESSIONS, session())
    drain()
    assert peer.received == {"tariffs/NL/OCP/T 1": tariff(id="T 1"), "sessions/NL/OCP/SESSION-1": session()}
    assert {parties(request) for request in peer.requested("PUT")} == {("DE*MSP", "NL*OCP")}


def test_a_token_of_ours_and_its_blocking_are_told_to_cpos(fake_peer: Start) -> None:
    """R9.11, R9.12f: in the spelling and with the type of the Token; to nobody else."""
    cpo, emsp = fake_peer(party="DE*CPO", role="CPO"), fake_peer(party="DE*MSP", role="EMSP")
    connect(cpo)
    connect(emsp)
    assert tokens.issue(token(type="APP_USER"))
    drain()
    tokens.block(Token.objects.values_list("pk", flat=True))
    drain()
    first, second = cpo.requested("PUT", "/tokens")
    assert first.path.endswith("/receiver/tokens/NL/OSP/04A1B2C3D4")
    assert first.query == second.query == {"type": "APP_USER"}
    assert (first.document, second.document["valid"]) == (token(type="APP_USER"), False)
    assert emsp.requested("PUT", "/tokens") == []


def test_a_cdr_is_posted_whole_and_once(fake_peer: Start) -> None:
    """R9.7, R9.8: to the endpoint itself."""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    connect(peer)
    store(CDRS, cdr())
    drain()
    store(CDRS, cdr())
    drain()
    (request,) = sent(peer, CDRS)
    assert (request.method, request.path, request.document) == ("POST", "/2.2.1/receiver/cdrs", cdr())
    assert parties(request) == ("DE*MSP", "NL*OCP")


def test_a_credit_cdr_follows_its_original(fake_peer: Start) -> None:
    """R9.9"""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    connect(peer)
    store(CDRS, cdr())
    drain()
    store(CDRS, credit_cdr())
    drain()
    assert [request.document["id"] for request in sent(peer, CDRS)] == ["CDR-1", "CDR-1-C"]


@pytest.mark.parametrize("module", [SESSIONS, CDRS], ids=str)
def test_only_the_emsp_of_the_token_is_sent_what_its_driver_did(fake_peer: Start, module: ModuleID) -> None:
    """R7.7, trap 25"""
    payer, other = fake_peer(party="DE*MSP", role="EMSP"), fake_peer(party="FR*MSP", role="EMSP")
    scsp, cpo = fake_peer(party="BE*SMA", role="SCSP"), fake_peer(party="BE*CPO", role="CPO")
    for peer in (payer, other, scsp, cpo):
        connect(peer)
    store(module, of("DE*MSP", MAKERS[module]), of("FR*MSP", MAKERS[module]), of("AT*MSP", MAKERS[module]))
    drain()
    assert [request.document["id"] for request in sent(payer, module)] == ["DE-MSP"]
    assert [request.document["id"] for request in sent(other, module)] == ["FR-MSP"]
    assert not sent(scsp, module) and not sent(cpo, module)


@EVERY
def test_no_cpo_is_sent_what_cpos_own(fake_peer: Start, module: ModuleID) -> None:
    """R3.5, trap 25"""
    peer = fake_peer(party="DE*CPO", role="CPO")
    connect(peer)
    store(module, MAKERS[module]())
    drain()
    assert not sent(peer, module)


@pytest.mark.parametrize("module", [SESSIONS, CDRS], ids=str)
def test_through_a_hub_each_is_addressed_to_the_emsp_of_its_token(fake_peer: Start, module: ModuleID) -> None:
    """R7.3, R7.7: direct messages, for Sessions and CDRs are not broadcast."""
    hub = fake_peer(party="BE*HUB", role="HUB")
    connect(hub)
    store(module, of("DE*MSP", MAKERS[module]), of("FR*MSP", MAKERS[module]))
    drain()
    assert {parties(request) for request in sent(hub, module)} == {("DE*MSP", "NL*OCP"), ("FR*MSP", "NL*OCP")}


def test_through_a_hub_a_tariff_is_broadcast(fake_peer: Start) -> None:
    """R7.3, R7.4"""
    hub = fake_peer(party="BE*HUB", role="HUB")
    connect(hub)
    store(TARIFFS, tariff())
    drain()
    assert [parties(request) for request in sent(hub, TARIFFS)] == [("BE*HUB", "NL*OCP")]


@EVERY
def test_a_hub_sends_on_what_it_was_sent_but_not_back(fake_peer: Start, module: ModuleID) -> None:
    """R7.4, R7.5, traps 24 and 25: in its own name, the owner stays in URL and object."""
    become_hub()
    emsp, cpo = fake_peer(party="DE*MSP", role="EMSP"), fake_peer(party="FR*CPO", role="CPO")
    connect(emsp)
    source = connect(cpo).platform.pk
    document = MAKERS[module](country_code="FR", party_id="CPO")
    store(module, document, source=source)
    drain()
    (request,) = sent(emsp, module)
    assert request.document == document and parties(request) == ("DE*MSP", "NL*HUB")
    assert module is CDRS or request.path == f"/2.2.1/receiver/{module}/FR/CPO/{document['id']}"
    assert not sent(cpo, module)


def test_a_session_is_sent_as_it_is_now_with_all_its_periods(fake_peer: Start) -> None:
    """R9.4: a PUT replaces them, so it names them all."""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    connect(peer)
    store(SESSIONS, session())
    drain()
    for minute in (1, 2):
        changes = {"charging_periods": [charging_period(str(minute))], "last_updated": minutes_after_noon(minute)}
        STORES[SESSIONS].patch(OCP, "SESSION-1", changes, None, lambda document: ())
    drain()
    assert len(sent(peer, SESSIONS)) == 2
    (received,) = peer.received.values()
    assert received["charging_periods"] == [charging_period(), charging_period("1"), charging_period("2")]


# --- deleting Tariffs -----------------------------------------------------------------------------------------------


def delete(id: str = "Tariff 1") -> None:
    assert STORES[TARIFFS].delete(OCP, id, None)  # type: ignore[attr-defined]


@pytest.fixture
def holder(fake_peer: Start) -> FakePeer:
    """An eMSP that was sent a Tariff."""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    connect(peer)
    store(TARIFFS, tariff(id="Tariff 1"))
    drain()
    assert peer.received
    return peer


def test_a_deleted_tariff_is_withdrawn_in_its_own_spelling(holder: FakePeer) -> None:
    """R9.10, trap 19: who compares ids letter by letter finds it."""
    delete()
    drain()
    assert holder.received == {}
    (request,) = holder.requested("DELETE")
    assert request.path == "/2.2.1/receiver/tariffs/NL/OCP/Tariff%201" and request.body == b""
    assert parties(request) == ("DE*MSP", "NL*OCP")


def test_a_tariff_deleted_and_put_again_before_it_was_told_is_just_put(holder: FakePeer) -> None:
    """DESIGN section 2.4: state, not messages."""
    delete()
    store(TARIFFS, tariff(id="Tariff 1", currency="SEK"))
    drain()
    assert not holder.requested("DELETE")
    assert holder.received["tariffs/NL/OCP/Tariff 1"]["currency"] == "SEK"


def test_who_never_held_a_tariff_is_where_it_should_be(holder: FakePeer, fake_peer: Start) -> None:
    """R9.10: its 404 is no refusal that somebody has to look at."""
    delete()
    newcomer = fake_peer(party="FR*MSP", role="EMSP")
    connect(newcomer)
    drain()
    assert len(newcomer.requested("DELETE")) == 1 and not Delivery.objects.filter(attempts__gt=0).exists()
    drain()
    assert len(newcomer.requested("DELETE")) == 1


def test_a_refused_withdrawal_is_tried_again(holder: FakePeer) -> None:
    """DESIGN section 2.4"""
    holder.misbehave(answers(enveloped(code=2000)), method="DELETE", count=1)
    delete()
    drain()
    assert Delivery.objects.filter(attempts=1, module="tariffs").exists()
    wait_out()
    drain()
    assert holder.received == {} and not Delivery.objects.filter(attempts__gt=0).exists()


def test_a_hub_passes_a_withdrawal_on(fake_peer: Start) -> None:
    """R7.4, errata E14"""
    become_hub()
    emsp = fake_peer(party="DE*MSP", role="EMSP")
    connect(emsp)
    cpo = register("CPO:FR*CPO")
    store(TARIFFS, tariff(country_code="FR", party_id="CPO"), source=cpo.platform.pk)
    drain()
    assert cpo.client().delete("/ocpi/2.2.1/receiver/tariffs/FR/CPO/TARIFF-1").codes == (200, 1000)
    drain()
    (request,) = emsp.requested("DELETE")
    assert request.path == "/2.2.1/receiver/tariffs/FR/CPO/TARIFF-1" and parties(request) == ("DE*MSP", "NL*HUB")


def test_a_refused_cdr_is_sent_until_it_is_accepted(fake_peer: Start) -> None:
    """DESIGN section 6: it is money."""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    connect(peer)
    peer.misbehave(answers(enveloped(code=2001)), method="POST", count=2)
    store(CDRS, cdr())
    for attempts in (1, 2):
        drain()
        assert Delivery.objects.get(attempts__gt=0).attempts == attempts
        wait_out()
    drain()
    assert len(sent(peer, CDRS)) == 3 and not Delivery.objects.filter(attempts__gt=0).exists()


# --- pulling --------------------------------------------------------------------------------------------------------


@pytest.fixture
def cpo(fake_peer: Start) -> FakePeer:
    return fake_peer(party="DE*CPO", role="CPO")


@pytest.fixture
def platform(cpo: FakePeer) -> Platform:
    return connect(cpo).platform


def theirs(make: Callable[..., Document], **changes: Any) -> Document:
    return make(**{"country_code": "DE", "party_id": "CPO", **changes})


def stored(module: ModuleID) -> list[Document]:
    rows = STORES[module].model._default_manager.order_by("id")
    return [codec.decode(row.document.encode()) for row in rows]


def run(platform: Platform, module: ModuleID, **options: Any) -> SyncRun:
    return pull.pull(platform, module, **options)


@EVERY
def test_every_page_of_a_module_is_stored_exactly(cpo: FakePeer, platform: Platform, module: ModuleID) -> None:
    """R5.4, R8.4: and belongs to the platform it came from."""
    cpo.page_limit = 2
    cpo.objects[module] = [theirs(MAKERS[module], id=str(number), x_vendor=[None, {}]) for number in range(5)]
    done = run(platform, module)
    assert (done.pages, done.created, done.quarantined, done.error) == (3, 5, 0, "")
    assert stored(module) == cpo.objects[module]
    assert ObjectCount.objects.get(module=module.value).count == 5
    (request, *_) = cpo.requested("GET", f"/sender/{module}")
    assert parties(request) == ("DE*CPO", "NL*OSP")


def test_sessions_are_always_asked_for_with_a_date(cpo: FakePeer, platform: Platform) -> None:
    """R5.7, errata E8: some partners insist; other modules begin without."""
    run(platform, SESSIONS)
    run(platform, CDRS)
    assert cpo.requested("GET", "/sender/sessions")[0].query["date_from"] == "1970-01-01T00:00:00Z"
    assert "date_from" not in cpo.requested("GET", "/sender/cdrs")[0].query
    run(platform, SESSIONS)
    assert cpo.requested("GET", "/sender/sessions")[1].query["date_from"] > "2000"


@EVERY
def test_what_cannot_be_used_is_put_aside_and_the_rest_stored(
    cpo: FakePeer, platform: Platform, module: ModuleID
) -> None:
    """R1.20, R6.10, trap 36"""
    make = MAKERS[module]
    cpo.objects[module] = [
        theirs(make, id="GOOD"),
        without(theirs(make, id="BAD"), "currency"),
        make(id="OURS"),
        theirs(make, id="OF-2.2", cdr_token=without(cdr_token(), "country_code"), elements=None),
        7,
    ]
    done = run(platform, module)
    assert (done.created, done.quarantined) == (1, 4)
    assert [document["id"] for document in stored(module)] == ["GOOD"]


def test_a_pulled_session_replaces_what_was_pushed(cpo: FakePeer, platform: Platform) -> None:
    """R9.4: periods too, for a list shows the whole object."""
    store(SESSIONS, theirs(session, charging_periods=[charging_period("1"), charging_period("2")]), source=platform.pk)
    cpo.objects["sessions"] = [theirs(session, charging_periods=[charging_period("9")])]
    assert run(platform, SESSIONS).updated == 1
    assert stored(SESSIONS) == cpo.objects["sessions"]


def test_a_pulled_cdr_that_differs_from_the_one_we_have_is_put_aside(cpo: FakePeer, platform: Platform) -> None:
    """R9.8: nothing changes a CDR, and a person is told that somebody tried."""
    store(CDRS, theirs(cdr), source=platform.pk)
    cpo.objects["cdrs"] = [theirs(cdr, remark="changed"), theirs(cdr, id="NEW")]
    done = run(platform, CDRS)
    assert (done.created, done.unchanged, done.quarantined) == (1, 0, 1)
    assert stored(CDRS) == [theirs(cdr), theirs(cdr, id="NEW")]
    kept = QuarantinedObject.objects.get()
    assert kept.identity == "DE*CPO*CDR-1" and "cannot be changed" in kept.defects
    cpo.objects["cdrs"] = [theirs(cdr)]
    assert run(platform, CDRS, full=True).unchanged == 1
    assert not QuarantinedObject.objects.exists()


def test_of_two_cdrs_of_one_id_in_a_page_the_first_counts(cpo: FakePeer, platform: Platform) -> None:
    """R9.8"""
    cpo.objects["cdrs"] = [theirs(cdr), theirs(cdr, remark="another"), theirs(cdr)]
    done = run(platform, CDRS)
    assert (done.created, done.quarantined) == (1, 1)
    assert stored(CDRS) == [theirs(cdr)]
    assert QuarantinedObject.objects.exists()


def test_the_parties_behind_a_hub_are_pulled_without_routing_headers(fake_peer: Start) -> None:
    """R9.18, R9.21: about whomever it tells, ourselves included."""
    hub = fake_peer(party="BE*HUB", role="HUB")
    platform = connect(hub).platform
    hub.objects["hubclientinfo"] = [client_info(), client_info(country_code="NL", party_id="OCP", role="CPO")]
    assert run(platform, ModuleID.HUB_CLIENT_INFO).created == 2
    assert stored(ModuleID.HUB_CLIENT_INFO) == hub.objects["hubclientinfo"]
    (request,) = hub.requested("GET", "hubclientinfo")
    assert parties(request) == (None, None)
    hub.objects["hubclientinfo"][0] = client_info(status="OFFLINE", last_updated="2026-01-01T00:00:00Z")
    done = run(platform, ModuleID.HUB_CLIENT_INFO, full=True)
    assert (done.updated, done.unchanged) == (0, 2)


def test_only_a_hub_is_asked_for_its_parties(platform: Platform, fake_peer: Start) -> None:
    """R9.18"""
    hub = connect(fake_peer(party="BE*HUB", role="HUB")).platform
    assert pull.may_pull(hub, ModuleID.HUB_CLIENT_INFO)
    assert not pull.may_pull(platform, ModuleID.HUB_CLIENT_INFO)


def test_what_refers_to_tariffs_is_pulled_after_them(cpo: FakePeer, platform: Platform) -> None:
    """§mod_locations_connector_object: a Connector names Tariffs, a CDR a Session."""
    order = [module for module in pull.MODULES if pull.may_pull(platform, module)]
    assert order == [ModuleID.TARIFFS, ModuleID.LOCATIONS, ModuleID.SESSIONS, ModuleID.CDRS]


def test_locations_share_the_way_of_all_others(fake_peer: Start) -> None:
    """DESIGN section 4: one base for the objects of every module."""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    connect(peer)
    store(ModuleID.LOCATIONS, location())
    drain()
    assert peer.received == {"locations/NL/OCP/LOC-1": location()}
