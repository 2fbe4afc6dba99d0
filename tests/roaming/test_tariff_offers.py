"""Tariffs that are for some partners only: who sees them, who is told, and what Locations name. R9.10, demand 38."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.models import Tariff
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.store.scope import Scope
from ocpi.store.tariffs import tariffs
from ocpi.v221.versions import ModuleID
from roaming import directory
from roaming.agreement_models import Agreement, TariffOffer
from roaming.agreements import Agreements, Offer, Term, within
from roaming.delivery import lanes
from roaming.delivery.streams import Stream
from roaming.delivery_models import FeedCursor
from tests.kit.caller import SENDER
from tests.kit.lanes import drain, settle
from tests.kit.objects import connector, evse, location, minutes_after_noon, tariff
from tests.kit.peer import FakePeer
from tests.kit.platforms import Registered, register

OCP, ONE, TWO = map(PartyId, ("NL*OCP", "FR*ONE", "FR*TWO"))
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALL = Term(frozenset(), NOON - 2 * HOUR)


def offer(partner: PartyId, *ids: str, ends: datetime | None = None, offered: bool = True) -> Agreement:
    """An agreement with a partner that offers these Tariffs."""
    agreement = Agreement.objects.create(party_a=OCP, party_b=partner, valid_from=NOON, valid_to=ends)
    for id in ids:
        TariffOffer.objects.create(agreement=agreement, owner=OCP, tariff_id=id, is_offered=offered)
    directory.changed()
    return agreement


def withdraw(agreement: Agreement, **changes: Any) -> None:
    agreement.tariff_offers.update(**(changes or {"is_offered": False}))
    directory.changed()


def publish(*ids: str, minute: int = 0) -> None:
    for id in ids:
        tariffs.put(Arrival(tariff(id=id, last_updated=minutes_after_noon(minute))), None)


def place(*tariff_ids: str, **changes: Any) -> None:
    plugs = [connector(tariff_ids=list(tariff_ids))]
    locations.put(Arrival(location(evses=[evse(connectors=plugs)], **changes)), None)


def ids(objects: list[Any]) -> list[str]:
    return [found["id"] for found in objects]


def named(found: Any) -> list[str] | None:
    return found["evses"][0]["connectors"][0].get("tariff_ids")  # type: ignore[no-any-return]


# --- the rule -------------------------------------------------------------------------------------------------------


def seen(reader: PartyId, *offers: Offer, module: str = "tariffs", now: datetime = NOON) -> Scope:
    agreed = replace(Agreements.of([(OCP, ONE, ALL), (OCP, TWO, ALL)]), offers=offers)
    return within(agreed, Scope.only([OCP]), [reader], module, now)


def test_a_tariff_that_no_agreement_names_is_for_everybody() -> None:
    assert seen(ONE) == Scope.only([OCP])


def test_a_tariff_that_is_offered_to_one_is_hidden_from_the_others() -> None:
    found = Offer(OCP, "dear", ONE, ALL)
    assert seen(ONE, found).hidden == ()
    assert seen(TWO, found).hidden == ((OCP, "dear"),)
    assert seen(TWO, found, module="locations").unnamed == ((OCP, "dear"),)
    assert seen(TWO, found, module="cdrs") == Scope.only([OCP])


def test_an_offer_holds_while_its_agreement_does() -> None:
    found = Offer(OCP, "dear", ONE, Term(frozenset(), NOON, NOON + HOUR))
    assert [seen(ONE, found, now=NOON + wait).hidden for wait in (-HOUR, 0 * HOUR, HOUR)] == [
        ((OCP, "dear"),), (), ((OCP, "dear"),)
    ]  # fmt: skip


def test_a_withdrawn_offer_makes_the_tariff_nobodys() -> None:
    assert seen(ONE, Offer(OCP, "dear", None, ALL)).hidden == ((OCP, "dear"),)


def test_a_tariff_offered_by_two_agreements_is_for_both_partners() -> None:
    offers = (Offer(OCP, "dear", ONE, ALL), Offer(OCP, "dear", TWO, ALL))
    assert seen(ONE, *offers).hidden == seen(TWO, *offers).hidden == ()


def test_a_scope_remembers_what_is_reserved_and_what_was_never_reserved_costs_nothing() -> None:
    plain, viewed = Scope.only([OCP, ONE]), replace(Scope.only([OCP, ONE]), hidden=((OCP, "dear"),))
    assert Scope.from_json(viewed.as_json()) == viewed
    assert plain.as_json() == {"owners": [ONE, OCP], "inverted": False}
    assert plain.is_by_owner and not viewed.is_by_owner
    assert plain.whole is plain and viewed.whole == plain


@pytest.mark.parametrize(
    ("now", "before", "anew"),
    [
        (Scope.only([OCP, ONE]), Scope.only([OCP, ONE]), Scope.only([OCP])),
        (Scope.all_but([TWO]), Scope.all_but([TWO]), Scope.only([OCP])),
        (Scope.all_but([TWO]), Scope.only([OCP, ONE]), Scope.all_but([ONE, TWO])),
        (Scope.only([ONE]), Scope.only([OCP, ONE]), Scope.only([])),
    ],
)
def test_owners_whose_tariffs_are_seen_otherwise_are_read_anew(now: Scope, before: Scope, anew: Scope) -> None:
    assert replace(now, hidden=((OCP, "dear"),)).without(before) == anew
    assert now.without(replace(before, unnamed=((OCP, "dear"),))) == anew


# --- asked ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def readers(db: None) -> tuple[Registered, Registered]:
    return register(f"EMSP:{ONE}"), register(f"EMSP:{TWO}")


def test_each_partner_is_answered_with_the_tariffs_it_may_see(readers: tuple[Registered, Registered]) -> None:
    publish("ALL", "Dear", "CHEAP")
    offer(ONE, "DEAR")
    offer(TWO, "cheap")
    answers = [reader.client().get(f"{SENDER}/tariffs") for reader in readers]
    assert [ids(answer.data) for answer in answers] == [["ALL", "Dear"], ["ALL", "CHEAP"]]
    assert [answer.headers["X-Total-Count"] for answer in answers] == ["2", "2"]
    page = readers[1].client().get(f"{SENDER}/tariffs", {"limit": 1, "date_from": "2026-03-01T00:00:00Z"})
    assert ids(page.data) == ["ALL"] and page.headers["X-Total-Count"] == "2"


def test_locations_name_to_each_partner_what_it_may_see(readers: tuple[Registered, Registered]) -> None:
    place("ALL", "Dear", "CHEAP")
    offer(ONE, "DEAR", "CHEAP")
    listed = [reader.client().get(f"{SENDER}/locations").data[0] for reader in readers]
    assert [named(found) for found in listed] == [["ALL", "Dear", "CHEAP"], ["ALL"]]
    (first, second) = (reader.client() for reader in readers)
    assert named(second.get(f"{SENDER}/locations/LOC-1").data) == ["ALL"]
    assert second.get(f"{SENDER}/locations/LOC-1/EVSE-1").data["connectors"][0]["tariff_ids"] == ["ALL"]
    assert second.get(f"{SENDER}/locations/LOC-1/EVSE-1/1").data["tariff_ids"] == ["ALL"]
    assert first.get(f"{SENDER}/locations/LOC-1/EVSE-1/1").data["tariff_ids"] == ["ALL", "Dear", "CHEAP"]


def test_a_connector_whose_every_tariff_is_for_others_names_none(readers: tuple[Registered, Registered]) -> None:
    place("DEAR")
    offer(ONE, "DEAR")
    assert named(readers[1].client().get(f"{SENDER}/locations").data[0]) is None


# --- told -----------------------------------------------------------------------------------------------------------

Start = Callable[..., FakePeer]


@pytest.fixture
def told(db: None, transactional_db: None, fake_peer: Start) -> tuple[FakePeer, FakePeer]:
    """Two eMSPs as servers."""
    peers = fake_peer(party=ONE, role="EMSP"), fake_peer(party=TWO, role="EMSP")
    for peer, party in zip(peers, (ONE, TWO), strict=True):
        register(f"EMSP:{party}", endpoints=peer.endpoints(), outbound_token=peer.token)
    settle()
    return peers


def requests(peer: FakePeer, module: ModuleID = ModuleID.TARIFFS) -> list[str]:
    found = [(one.method, one.path) for one in peer.requests if f"/{module.value}/" in one.path]
    peer.requests.clear()
    return [f"{method} {path.rpartition('/')[2]}" for method, path in found]


def test_a_new_tariff_is_brought_to_who_may_see_it(told: tuple[FakePeer, FakePeer]) -> None:
    offer(ONE, "DEAR")
    offer(TWO)
    publish("ALL", "DEAR")
    drain()
    assert [sorted(requests(peer)) for peer in told] == [["PUT ALL", "PUT DEAR"], ["PUT ALL"]]


def test_a_withdrawn_offer_is_a_delete_for_who_held_it_and_an_offer_a_put(told: tuple[FakePeer, FakePeer]) -> None:
    publish("ALL", "DEAR")
    agreement = offer(ONE, "DEAR")
    drain()
    assert [sorted(requests(peer)) for peer in told] == [["PUT ALL", "PUT DEAR"], ["PUT ALL"]]
    withdraw(agreement)
    drain()
    assert [requests(peer) for peer in told] == [["DELETE DEAR"], []]
    withdraw(agreement, is_offered=True)
    drain()
    assert [requests(peer) for peer in told] == [["PUT DEAR"], []]
    assert not lanes.due([Stream.TARIFFS])


def test_a_tariff_that_becomes_one_partners_is_taken_from_the_others(told: tuple[FakePeer, FakePeer]) -> None:
    publish("ALL", "DEAR")
    drain()
    for peer in told:
        peer.requests.clear()
    offer(ONE, "DEAR")
    drain()
    assert [requests(peer) for peer in told] == [[], ["DELETE DEAR"]]


def test_what_is_changed_while_it_is_hidden_reaches_nobody_it_is_hidden_from(told: tuple[FakePeer, FakePeer]) -> None:
    offer(ONE, "DEAR")
    publish("DEAR")
    drain()
    tariffs.put(Arrival(tariff(id="DEAR", currency="CHF", last_updated=minutes_after_noon(1))), None)
    drain()
    tariffs.delete(OCP, "DEAR", None)
    drain()
    assert [requests(peer) for peer in told] == [["PUT DEAR", "PUT DEAR", "DELETE DEAR"], []]
    assert Tariff.objects.get().deleted


def test_an_offer_that_ends_with_its_agreement_is_withdrawn(told: tuple[FakePeer, FakePeer]) -> None:
    """The two still exchange Tariffs by their other agreement."""
    publish("DEAR")
    agreement = offer(ONE, "DEAR")
    offer(ONE)
    drain()
    assert requests(told[0]) == ["PUT DEAR"]
    Agreement.objects.filter(pk=agreement.pk).update(valid_to=timezone.now())
    directory.changed()
    drain()
    assert requests(told[0]) == ["DELETE DEAR"]


def test_locations_are_brought_with_the_tariffs_that_the_partner_may_see(told: tuple[FakePeer, FakePeer]) -> None:
    agreement = offer(ONE, "DEAR")
    place("ALL", "DEAR")
    drain()
    put = [next(one.document for one in peer.requests if one.method == "PUT") for peer in told]
    assert [named(found) for found in put] == [["ALL", "DEAR"], ["ALL"]]
    for peer in told:
        peer.requests.clear()
    withdraw(agreement)
    drain()
    (changed,) = told[0].requests
    assert changed.document["connectors"][0]["tariff_ids"] == ["ALL"]
    assert told[1].requests == []


def test_without_offers_a_lane_remembers_what_it_always_did(told: tuple[FakePeer, FakePeer]) -> None:
    publish("ALL")
    drain()
    assert {tuple(cursor.owners) for cursor in FeedCursor.objects.all() if cursor.owners} == {("owners", "inverted")}


# --- staff ----------------------------------------------------------------------------------------------------------

FORM = {
    "party_a": OCP,
    "party_b": ONE,
    "valid_from_0": "2026-03-01",
    "valid_from_1": "12:00:00",
    "cdr_tolerance": "0",
    "cdr_rounding": "ONCE",
    "settle_zone": "UTC",
    "fee_per_session": "0",
    "fee_currency": "EUR",
    "fee_percent": "0",
    "tariff_offers-TOTAL_FORMS": "1",
    "tariff_offers-INITIAL_FORMS": "0",
    "tariff_offers-0-tariff_id": "DEAR",
    "tariff_offers-0-is_offered": "on",
}


def test_staff_offer_a_tariff_on_the_page_of_an_agreement(
    admin_client: Client, readers: tuple[Registered, Registered]
) -> None:
    publish("DEAR")
    response = admin_client.post("/admin/roaming/agreement/add/", {**FORM, "tariff_offers-0-owner": "nl*ocp"})
    assert response.status_code == 302, response.context["adminform"].form.errors
    offered = TariffOffer.objects.get()
    assert (offered.owner, offered.partner, offered.is_offered) == (OCP, ONE, True)
    assert [reader.client().get(f"{SENDER}/tariffs").data != [] for reader in readers] == [True, False]


def test_the_tariff_of_a_third_party_cannot_be_offered(admin_client: Client, db: None) -> None:
    response = admin_client.post("/admin/roaming/agreement/add/", {**FORM, "tariff_offers-0-owner": "DE*XXX"})
    assert response.status_code == 200 and b"Neither NL*OCP nor FR*ONE." in response.content
    assert not Agreement.objects.exists()
