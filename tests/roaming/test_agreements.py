"""Agreements: the rule, and that routing, broadcasts, HubClientInfo and the admin keep it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ocpi.errors import UnknownReceiver
from ocpi.ids import PartyId
from ocpi.models import ClientInfo
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.store.scope import Scope
from ocpi.v221.versions import InterfaceRole
from roaming import agreements, directory, presence
from roaming.agreement_models import Agreement
from roaming.agreements import Agreements, Term, may_exchange, within
from roaming.delivery import lanes
from roaming.delivery.streams import Stream
from roaming.delivery_models import Delivery
from roaming.hub.routing import Asked, Kind, Route, Table, decide
from roaming.models import Party, Platform
from tests.kit.caller import RECEIVER_LOCATIONS, SENDER
from tests.kit.lanes import drain, settle
from tests.kit.objects import location, minutes_after_noon
from tests.kit.peer import FakePeer
from tests.kit.platforms import Registered, register

Start = Callable[..., FakePeer]

CPO, OTHER, EMSP, HUB, NOBODY = map(PartyId, ("DE*CPO", "NL*CPO", "FR*MSP", "NL*HUB", "BE*XXX"))
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LOCATIONS = frozenset({"locations"})


def agree(one: str, other: str, *modules: str, begins: float = -1, ends: float | None = None) -> Agreement:
    """An agreement that begins and ends so many days from now."""
    now = timezone.now()
    agreement = Agreement.objects.create(
        party_a=one,
        party_b=other,
        modules=list(modules),
        valid_from=now + timedelta(days=begins),
        valid_to=None if ends is None else now + timedelta(days=ends),
    )
    directory.changed()
    return agreement


def end(agreement: Agreement) -> None:
    agreement.valid_to = timezone.now()
    agreement.save()
    directory.changed()


# --- the rule -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize(
    ("terms", "module", "at", "allowed"),
    [
        ([Term(frozenset(), NOON)], "cdrs", NOON, True),
        ([Term(frozenset(), NOON)], "example-invoices", NOON, True),
        ([Term(frozenset(), NOON)], "cdrs", NOON - HOUR, False),
        ([Term(frozenset(), NOON, NOON + HOUR)], "cdrs", NOON, True),
        ([Term(frozenset(), NOON, NOON + HOUR)], "cdrs", NOON + HOUR, False),
        ([Term(LOCATIONS, NOON)], "locations", NOON, True),
        ([Term(LOCATIONS, NOON)], "cdrs", NOON, False),
        ([Term(LOCATIONS, NOON)], None, NOON, True),
        ([Term(LOCATIONS, NOON)], None, NOON - HOUR, False),
        ([Term(LOCATIONS, NOON, NOON + HOUR), Term(frozenset({"cdrs"}), NOON)], "cdrs", NOON + HOUR, True),
        ([Term(LOCATIONS, NOON, NOON + HOUR), Term(frozenset({"cdrs"}), NOON)], "locations", NOON + HOUR, False),
        ([Term(LOCATIONS, NOON, NOON + HOUR), Term(LOCATIONS, NOON + HOUR)], "locations", NOON + HOUR, True),
    ],
)
def test_two_parties_with_agreements_exchange_what_the_valid_ones_name(
    terms: list[Term], module: str | None, at: datetime, allowed: bool, required: bool
) -> None:
    snapshot = Agreements.of([(CPO, EMSP, term) for term in terms], required=required)
    assert may_exchange(snapshot, CPO, EMSP, module, at) is allowed
    assert may_exchange(snapshot, EMSP, CPO, module, at) is allowed


@pytest.mark.parametrize("required", [False, True])
def test_two_parties_without_an_agreement_exchange_anything_unless_one_is_required(required: bool) -> None:
    snapshot = Agreements.of([(CPO, EMSP, Term(LOCATIONS, NOON))], required=required)
    assert may_exchange(snapshot, OTHER, EMSP, "cdrs", NOON) is not required


ALLOWED = [(CPO, EMSP, Term(LOCATIONS, NOON))]
BARRED = [(CPO, EMSP, Term(frozenset({"cdrs"}), NOON))]
ALL = Scope.all_but([EMSP])


@pytest.mark.parametrize(
    ("agreed", "required", "scope", "readers", "left"),
    [
        ([], False, ALL, [EMSP], ALL),
        (ALLOWED, False, ALL, [EMSP], ALL),
        (BARRED, False, ALL, [EMSP], Scope.all_but([CPO, EMSP])),
        (BARRED, False, ALL, [EMSP, NOBODY], ALL),
        (BARRED, False, Scope.only([CPO, OTHER]), [EMSP], Scope.only([OTHER])),
        ([], True, ALL, [EMSP], Scope.only([])),
        (ALLOWED, True, ALL, [EMSP], Scope.only([CPO])),
        (BARRED, True, ALL, [EMSP], Scope.only([])),
        (ALLOWED, True, Scope.only([CPO, OTHER]), [EMSP], Scope.only([CPO])),
    ],
)
def test_objects_are_left_out_whose_owner_may_not_exchange_them_with_any_reader(
    agreed: list[tuple[str, str, Term]], required: bool, scope: Scope, readers: list[PartyId], left: Scope
) -> None:
    assert within(Agreements.of(agreed, required=required), scope, readers, "locations", NOON) == left


def test_without_agreements_the_scope_is_the_same() -> None:
    """The usual case costs nothing, in memory or in SQL."""
    assert within(Agreements(), ALL, [EMSP], "locations", NOON) is ALL


# --- routing --------------------------------------------------------------------------------------------------------


def route(
    to: PartyId | None, agreed: list[Any], *, hub: PartyId | None = HUB, module: str = "cdrs", required: bool = False
) -> Route:
    known = Table(frozenset({OTHER, *([hub] if hub else [])}), hub, frozenset({CPO}), frozenset({CPO}))
    at_node = Table(known.own, known.hub, known.connected, known.known, Agreements.of(agreed, required=required))
    return decide(Asked("PUT", module, InterfaceRole.RECEIVER, to, EMSP, False, NOON), at_node)


def test_a_message_that_no_agreement_allows_is_4001_with_both_parties_and_the_module() -> None:
    """R8.2: 4xxx, for it is the hub that refuses."""
    refused = route(CPO, ALLOWED)
    assert refused.kind is Kind.REFUSE and isinstance(refused.error, UnknownReceiver)
    assert all(word in refused.reason for word in (CPO, EMSP, "cdrs"))
    assert route(CPO, ALLOWED, module="locations").kind is Kind.DIRECT


def test_a_custom_module_takes_an_agreement_too() -> None:
    assert isinstance(route(CPO, ALLOWED, module="example-invoices").error, UnknownReceiver)
    assert route(CPO, [(CPO, EMSP, Term(frozenset(), NOON))], module="example-invoices").kind is Kind.DIRECT


def test_a_party_of_ours_takes_an_agreement_like_any_other() -> None:
    assert route(OTHER, []).kind is Kind.LOCAL
    assert isinstance(route(OTHER, [], required=True).error, UnknownReceiver)


@pytest.mark.parametrize("hub", [HUB, None])
def test_who_has_no_agreement_does_not_learn_who_is_connected(hub: PartyId | None) -> None:
    """The same words for a party that is connected and for one that nobody knows."""
    refusals = [route(to, [], hub=hub, required=True) for to in (CPO, NOBODY)]
    assert refusals[0].reason.replace(CPO, "X") == refusals[1].reason.replace(NOBODY, "X")


def test_the_hub_itself_takes_no_agreement() -> None:
    """What is stored of a broadcast is for those who may have it."""
    assert route(HUB, [], required=True).kind is Kind.BROADCAST


def test_a_node_that_is_no_hub_refuses_who_may_exchange_nothing_with_it() -> None:
    assert route(None, [], hub=None).kind is Kind.LOCAL
    assert isinstance(route(None, [], hub=None, required=True).error, UnknownReceiver)


# --- at a hub -------------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(transactional_db: None) -> None:
    Party.objects.filter(platform=None).delete()
    Party.objects.create(party=HUB, role="HUB", name="Example Hub")
    directory.changed()


@pytest.fixture
def cpo(hub: None) -> Registered:
    return register("CPO:DE*CPO", name="CPO")


@pytest.fixture
def emsp(hub: None, fake_peer: Start) -> FakePeer:
    """An eMSP as server, connected to the hub."""
    peer = fake_peer(party=EMSP, role="EMSP")
    register(f"EMSP:{EMSP}", name="eMSP", endpoints=peer.endpoints(), outbound_token=peer.token)
    settle()
    return peer


def store(owner: PartyId, minute: int = 0) -> None:
    document = location(
        country_code=owner.country_code, party_id=owner.party_id, last_updated=minutes_after_noon(minute)
    )
    locations.put_many([Arrival(document)], source=Platform.objects.get(name="CPO").pk)


def behind() -> bool:
    return bool(lanes.due([Stream.LOCATIONS]))


def sent(peer: FakePeer) -> list[str]:
    return [request.path.split("/")[4] + "*" + request.path.split("/")[5] for request in peer.requested("PUT")]


def test_a_request_is_refused_over_http_200(cpo: Registered) -> None:
    register(f"EMSP:{EMSP}")
    agree(CPO, EMSP, "cdrs")
    answer = cpo.client(to=EMSP, from_=CPO).put(f"{RECEIVER_LOCATIONS}/DE/CPO/LOC-1", location())
    assert answer.codes == (200, 4001)
    assert "no agreement" in answer.message


def test_a_broadcast_reaches_only_who_may_have_it(cpo: Registered, emsp: FakePeer) -> None:
    agree(CPO, EMSP, "cdrs")
    store(CPO)
    store(OTHER)
    drain()
    assert sent(emsp) == [OTHER]


def test_where_agreements_are_required_a_broadcast_reaches_nobody_else(
    cpo: Registered, emsp: FakePeer, settings: Any
) -> None:
    settings.NODE_AGREEMENTS_REQUIRED = True
    agree(CPO, EMSP)
    store(CPO)
    store(OTHER)
    drain()
    assert sent(emsp) == [CPO]


def test_when_an_agreement_begins_what_was_withheld_is_sent(cpo: Registered, emsp: FakePeer) -> None:
    """Its objects lie behind the place where the lane stands; what lies between them is not sent once more."""
    agree(CPO, EMSP, "cdrs")
    store(CPO)
    store(OTHER)
    drain()
    assert not behind()
    agree(CPO, EMSP, "locations")
    assert behind()
    drain()
    assert sent(emsp) == [OTHER, CPO]
    assert not behind()


def test_when_an_agreement_begins_who_has_stored_nothing_costs_nothing(cpo: Registered, emsp: FakePeer) -> None:
    agree(CPO, EMSP, "cdrs")
    store(OTHER)
    drain()
    agree(CPO, EMSP)
    drain()
    assert sent(emsp) == [OTHER]


def test_when_an_agreement_ends_nothing_more_is_sent(cpo: Registered, emsp: FakePeer) -> None:
    agreement = agree(CPO, EMSP)
    store(CPO)
    drain()
    end(agreement)
    store(CPO, minute=1)
    drain()
    assert sent(emsp) == [CPO]
    assert not behind()


def test_when_an_agreement_ends_refused_objects_are_not_tried_again(cpo: Registered, emsp: FakePeer) -> None:
    agreement = agree(CPO, EMSP)
    store(CPO)
    drain()
    Delivery.objects.update(attempts=1, error="2001", retry_at=timezone.now())
    end(agreement)
    drain()
    assert sent(emsp) == [CPO]
    assert not Delivery.objects.exists() and not behind()


@pytest.mark.parametrize(("required", "told"), [(True, {CPO}), (False, {CPO, OTHER, EMSP})])
def test_of_parties_behind_the_hub_only_those_are_told_that_something_may_be_exchanged_with(
    cpo: Registered, settings: Any, required: bool, told: set[PartyId]
) -> None:
    """R9.18; where no agreement is required, all: it restricts modules, not who is known."""
    settings.NODE_AGREEMENTS_REQUIRED = required
    register("CPO:NL*CPO")
    reader = register(f"EMSP:{EMSP}")
    agree(CPO, EMSP, "locations")
    presence.refresh()
    found = reader.client().get(f"{SENDER}/hubclientinfo").data
    assert {PartyId.of(info["country_code"], info["party_id"]) for info in found} == told
    assert ClientInfo.objects.count() == 3


# --- staff ----------------------------------------------------------------------------------------------------------


def test_an_agreement_is_between_two_parties_and_ends_after_it_begins(db: None) -> None:
    now = timezone.now()
    for wrong in (
        Agreement(party_a=CPO, party_b=CPO),
        Agreement(party_a=CPO, party_b=EMSP, valid_from=now, valid_to=now),
    ):
        with pytest.raises(ValidationError):
            wrong.full_clean()


def test_staff_are_warned_of_what_ends_within_30_days_unless_it_is_renewed(
    db: None, admin_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    agree(CPO, EMSP, ends=29)
    agree(OTHER, EMSP, ends=31)
    agree(OTHER, CPO, "cdrs", ends=5)
    agree(OTHER, CPO, begins=4)
    assert [str(row) for row in agreements.ending(timezone.now())] == [f"{CPO} and {EMSP}"]
    assert agreements.warn() == 1
    overview = admin_client.get(reverse("admin:index")).content.decode()
    assert "Agreements that end within 30 days" in overview
    assert f"{CPO} and {EMSP}" in overview and f"{OTHER} and {EMSP}" not in overview


def test_staff_enter_an_agreement_and_it_holds_at_once(db: None, admin_client: Client) -> None:
    form = {
        "party_a": "de*cpo",
        "party_b": EMSP,
        "modules": ["locations"],
        "valid_from_0": "2026-01-01",
        "valid_from_1": "00:00",
        "valid_to_0": "",
        "valid_to_1": "",
        "cdr_tolerance": "0",
        "cdr_rounding": "ONCE",
        "settle_zone": "UTC",
        "fee_per_session": "0",
        "fee_currency": "EUR",
        "fee_percent": "0",
        "note": "",
        "tariff_offers-TOTAL_FORMS": "0",
        "tariff_offers-INITIAL_FORMS": "0",
    }
    assert admin_client.post(reverse("admin:roaming_agreement_add"), form).status_code == 302
    table = directory.directory.picture(fresh=True).table
    assert may_exchange(table.agreements, CPO, EMSP, "locations", timezone.now())
    assert not may_exchange(table.agreements, CPO, EMSP, "cdrs", timezone.now())
    assert admin_client.get(reverse("admin:roaming_agreement_changelist") + "?validity=valid").status_code == 200
    refused = admin_client.post(reverse("admin:roaming_agreement_add"), {**form, "party_a": "DE-CPO"})
    assert "not a party" in refused.content.decode()


@pytest.fixture
def admin_client(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    return client
