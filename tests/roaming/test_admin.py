"""The staff admin of partners: what it shows, what it does, and what it never shows."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import ocpi.models
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.types import validation
from ocpi.v221.locations import Location
from ocpi.v221.versions import ModuleID
from roaming import registration
from roaming.delivery_models import Delivery, FeedCursor, Lane
from roaming.directory import directory
from roaming.models import CredentialsToken, Party, Platform
from roaming.pull_models import SyncRun
from roaming.sync import quarantine
from tests.kit.objects import location, without
from tests.kit.peer import FakePeer, fails
from tests.kit.platforms import Registered, register

OUTBOUND = "token-we-present"
NOWHERE = "http://127.0.0.1:1/ocpi/versions"
CHANGELISTS = ("platform", "party", "feedcursor", "syncrun", "quarantinedobject", "delivery")
STEPS = ("pull", "resync", "resume", "probe", "renew", "suspend")

pytestmark = pytest.mark.django_db


def step(name: str, platform: Platform | None = None) -> str:
    return reverse(f"admin:roaming_platform_{name}", args=[platform.pk] if platform else [])


def page(platform: Platform) -> str:
    return reverse("admin:roaming_platform_change", args=[platform.pk])


def text(response: HttpResponse) -> str:
    return response.content.decode()


def shown_token(response: HttpResponse) -> str:
    found = re.search(r'id="token"[^>]*>([^<]+)<', text(response))
    assert found, text(response)
    return found[1]


@pytest.fixture
def busy(emsp: Registered) -> Platform:
    """A connected platform with something in every table."""
    Lane.objects.create(platform=emsp.platform)
    FeedCursor.objects.create(platform=emsp.platform, stream="locations", sent=7, last_sent_at=timezone.now())
    locations.put(Arrival(location()), None)
    Delivery.objects.create(
        platform=emsp.platform,
        module="locations",
        object_id=ocpi.models.Location.objects.get().pk,
        attempts=1,
        error="2001 too long",
        failed_at=timezone.now(),
        given_up_at=timezone.now(),
    )
    SyncRun.objects.create(platform=emsp.platform, module="locations", error="no answer", finished_at=timezone.now())
    document = without(location(), "coordinates")
    defects = validation.check(document, Location)
    quarantine.keep(emsp.platform.pk, ModuleID.LOCATIONS, document, defects)
    return emsp.platform


# --- looking --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", CHANGELISTS)
def test_every_list_can_be_searched_and_its_rows_opened(admin_client: Client, busy: Platform, model: str) -> None:
    response = admin_client.get(reverse(f"admin:roaming_{model}_changelist"), {"q": "e"})
    assert response.status_code == 200
    for row in response.context["cl"].queryset.model.objects.all():
        opened = admin_client.get(reverse(f"admin:roaming_{model}_change", args=[row.pk]))
        assert opened.status_code == 200


def test_the_page_of_a_platform_tells_its_story_without_any_secret(admin_client: Client, busy: Platform) -> None:
    shown = text(admin_client.get(page(busy)))
    for expected in ("connected", "DE*MSP", "2001 too long", "no answer", "INBOUND", "Unregister"):
        assert expected in shown
    secrets = [OUTBOUND, *CredentialsToken.objects.values_list("digest", flat=True)]
    stored = Platform.objects.filter(pk=busy.pk).extra(select={"raw": "outbound_token"}).values_list("raw", flat=True)
    for secret in [*secrets, *stored]:
        assert secret not in shown


def test_the_list_of_platforms_takes_as_many_queries_for_ten_as_for_one(
    admin_client: Client, busy: Platform, django_assert_max_num_queries: Any
) -> None:
    for number in range(9):
        register(f"EMSP:DE*M0{number}", name=f"Partner {number}")
    with django_assert_max_num_queries(8):
        shown = text(admin_client.get(step("changelist")))
    assert "Partner 8" in shown
    assert "failed" in shown  # the latest pull
    assert "&lt;" not in shown


def test_a_quarantined_object_is_shown_with_what_is_wrong_with_it(admin_client: Client, busy: Platform) -> None:
    row = busy.quarantine.get()
    shown = text(admin_client.get(reverse("admin:roaming_quarantinedobject_change", args=[row.pk])))
    assert "/coordinates" in shown
    assert "missing" in shown
    assert "Harbour car park" in shown


def test_an_offline_platform_is_shown_as_such_and_probed_on_demand(
    admin_client: Client, fake_peer: Callable[..., FakePeer]
) -> None:
    """R8.9, R9.19: and nothing else is begun with it meanwhile."""
    peer = fake_peer()
    platform = register("EMSP:DE*MSP", outbound_token=peer.token, versions_url=peer.versions_url).platform
    peer.misbehave(fails(503))
    assert "is OFFLINE: HTTP 503" in text(admin_client.post(step("probe", platform), follow=True))
    for shown in (step("changelist"), page(platform), reverse("admin:index")):
        assert "OFFLINE" in text(admin_client.get(shown))
    assert "open since" in text(admin_client.get(page(platform)))
    for name in ("pull", "resync"):
        assert "probe it first" in text(admin_client.post(step(name, platform), follow=True))
    peer.behave()
    assert "is there" in text(admin_client.post(step("probe", platform), follow=True))
    assert Platform.objects.get().offline_since is None


def test_the_overview_counts_and_lists(admin_client: Client, busy: Platform) -> None:
    registration.invite("Newcomer")
    locations.put_many([Arrival(location())], source=None)
    locations.put_many([Arrival(location(country_code="DE", party_id="CPO"))], source=busy.pk)
    response = admin_client.get(reverse("admin:index"))
    assert [tile.number for tile in response.context["tiles"]] == [1, 1, 0, 1, 1, 1, 1, 0]
    assert "Newcomer" in text(response)


def test_the_overview_tells_nothing_to_staff_without_permission(client: Client, busy: Platform) -> None:
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    response = client.get(reverse("admin:index"))
    assert response.status_code == 200
    assert busy.name not in text(response)
    assert "Quarantine" not in text(response)


# --- who may act ----------------------------------------------------------------------------------------------------


def test_staff_who_may_only_look_are_offered_no_step_and_may_take_none(client: Client, busy: Platform) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_platform"))
    client.force_login(clerk)
    assert "Renew tokens" not in text(client.get(page(busy)))
    assert "Invite a platform" not in text(client.get(step("changelist")))
    for url in [step("invite"), step("connect"), *(step(name, busy) for name in STEPS)]:
        assert client.get(url).status_code == 403
        assert client.post(url, {"name": "Intruder"}).status_code == 403
    assert not Platform.objects.filter(name="Intruder").exists()


def test_a_post_without_a_csrf_token_does_nothing(admin_user: User, busy: Platform) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    for url in [step("invite"), step("connect"), *(step(name, busy) for name in STEPS)]:
        assert client.post(url, {"name": "Forged"}).status_code == 403
    assert Platform.objects.get().state == Platform.State.CONNECTED


def test_asking_changes_nothing(admin_client: Client, busy: Platform) -> None:
    before = Platform.objects.values().get()
    for url in [step("invite"), step("connect"), *(step(name, busy) for name in STEPS)]:
        assert admin_client.get(url).status_code == 200
    assert Platform.objects.values().get() == before


def test_who_does_not_want_to_is_led_back(admin_client: Client, busy: Platform) -> None:
    assert f'href="{page(busy)}"' in text(admin_client.get(step("suspend", busy)))
    assert f'href="{step("changelist")}"' in text(admin_client.get(step("invite")))


def test_only_steps_that_fit_the_state_are_offered(admin_client: Client) -> None:
    registration.invite("Newcomer")
    platform = Platform.objects.get()
    shown = text(admin_client.get(page(platform)))
    assert "Invite again" in shown
    assert "Renew tokens" not in shown
    answer = admin_client.post(step("renew", platform), follow=True)
    assert "Newcomer is planned." in text(answer)


def test_a_step_for_a_platform_that_is_gone_leads_back(admin_client: Client) -> None:
    for key in ("4711", "nonsense"):
        response = admin_client.post(reverse("admin:roaming_platform_renew", args=[key]))
        assert response.status_code == 302


# --- inviting -------------------------------------------------------------------------------------------------------


def test_an_invitation_shows_a_working_token_once(admin_client: Client) -> None:
    response = admin_client.post(step("invite"), {"name": "Newcomer"})
    token = shown_token(response)
    assert "no-store" in response["Cache-Control"]
    assert registration.own_versions_url() in text(response)
    caller = directory.authenticate(token)
    assert caller is not None
    assert not caller.registered
    later = [text(admin_client.get(url)) for url in (page(Platform.objects.get()), reverse("admin:index"))]
    assert not any(token in shown for shown in later)
    kept = [str(dict(admin_client.session)), str(admin_client.cookies), *LogEntry.objects.values_list("change_message")]
    assert not any(token in str(place) for place in kept)


def test_a_name_is_invited_once_and_then_from_its_page(admin_client: Client) -> None:
    first = registration.invite("Newcomer")
    assert "This platform exists" in text(admin_client.post(step("invite"), {"name": "Newcomer"}))
    assert directory.authenticate(first) is not None
    second = shown_token(admin_client.post(step("reinvite", Platform.objects.get())))
    assert directory.authenticate(first) is None
    assert directory.authenticate(second) is not None


def test_an_invitation_nobody_followed_can_be_withdrawn(admin_client: Client, emsp: Registered) -> None:
    token = registration.invite("Newcomer")
    invited = Platform.objects.get(name="Newcomer")
    admin_client.post(step("delete", invited), {"post": "yes"})
    assert not Platform.objects.filter(name="Newcomer").exists()
    assert directory.authenticate(token) is None
    assert admin_client.post(step("delete", emsp.platform), {"post": "yes"}).status_code == 403


# --- the handshake --------------------------------------------------------------------------------------------------


def test_connecting_shows_what_was_found(admin_client: Client, fake_peer: Callable[..., FakePeer]) -> None:
    peer = fake_peer(party="DE*MSP", role="EMSP")
    form = {"name": "Partner", "versions_url": peer.versions_url, "token": peer.token}
    shown = text(admin_client.post(step("connect"), form, follow=True))
    assert "Connected to Partner. Parties: DE*MSP EMSP." in shown
    assert Platform.objects.get().state == Platform.State.CONNECTED
    assert form["token"] not in shown
    assert peer.token not in shown


def test_a_failed_connection_says_why_and_leaves_nothing_behind(admin_client: Client, settings: Any) -> None:
    settings.NODE_ALLOW_PRIVATE_URLS = True
    form = {"name": "Partner", "versions_url": NOWHERE, "token": "their-token-a"}
    response = admin_client.post(step("connect"), form)
    assert "The handshake failed" in text(response)
    assert NOWHERE in text(response)
    assert "their-token-a" not in text(response)
    assert not Platform.objects.exists()
    assert not CredentialsToken.objects.exists()


def test_renewing_exchanges_both_tokens(admin_client: Client, fake_peer: Callable[..., FakePeer]) -> None:
    peer = fake_peer()
    platform = registration.connect("Partner", peer.versions_url, peer.token)
    presented = platform.outbound_token
    assert "are renewed" in text(admin_client.post(step("renew", platform), follow=True))
    assert Platform.objects.get().outbound_token != presented
    assert directory.authenticate(peer.ours) is not None


def test_a_renewal_that_fails_says_why_and_keeps_the_connection(
    admin_client: Client, fake_peer: Callable[..., FakePeer]
) -> None:
    peer = fake_peer()
    platform = registration.connect("Partner", peer.versions_url, peer.token)
    peer.misbehave(fails(500))
    assert "Renew tokens: " in text(admin_client.post(step("renew", platform), follow=True))
    assert Platform.objects.get().state == Platform.State.CONNECTED
    assert directory.authenticate(peer.ours) is not None


def test_unregistering_ends_our_side_even_if_the_partner_cannot_be_told(admin_client: Client, settings: Any) -> None:
    settings.NODE_ALLOW_PRIVATE_URLS = True
    partner = register("EMSP:DE*MSP", versions_url=NOWHERE)
    shown = text(admin_client.post(step("suspend", partner.platform), follow=True))
    assert "suspended here, but the partner was not told" in shown
    assert directory.authenticate(partner.token) is None
    assert "suspended here" in LogEntry.objects.get().change_message


def test_renaming_a_platform_leaves_the_rest_of_its_row_alone(admin_client: Client, busy: Platform) -> None:
    version = directory.picture(fresh=True).version
    admin_client.post(page(busy), {"name": "New name", "_save": "1"})
    renamed = Platform.objects.get()
    assert renamed.name == "New name"
    assert renamed.outbound_token == OUTBOUND
    assert directory.picture(fresh=True).version > version


# --- work -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(busy: Platform) -> Lane:
    lane = Lane.objects.get(platform=busy)
    lane.retry_at = timezone.now() + timedelta(minutes=20)
    lane.save()
    return lane


def test_lanes_are_resumed_from_the_page_of_their_platform(admin_client: Client, waiting: Lane) -> None:
    assert "Resumed 1 lane." in text(admin_client.post(step("resume", waiting.platform), follow=True))
    assert Lane.objects.get().retry_at is None


def test_lanes_are_resumed_from_their_list(admin_client: Client, waiting: Lane) -> None:
    lanes = reverse("admin:roaming_feedcursor_changelist")
    assert "waits to retry" in text(admin_client.get(lanes))
    admin_client.post(lanes, {"action": "resume", "_selected_action": [waiting.platform.feed_cursors.get().pk]})
    assert Lane.objects.get().retry_at is None


def test_a_pull_is_begun_at_once_also_when_none_is_due(
    admin_client: Client, fake_peer: Callable[..., FakePeer]
) -> None:
    peer = fake_peer(party="DE*CPO", role="CPO")
    platform = registration.connect("Partner", peer.versions_url, peer.token)
    SyncRun.objects.create(platform=platform, module="locations")
    modules = "tariffs, locations, sessions, cdrs"
    assert f"Pull of {modules} begun" in text(admin_client.post(step("pull", platform), follow=True))
    assert f"Full resync of {modules} begun" in text(admin_client.post(step("resync", platform), follow=True))


def test_a_platform_that_offers_nothing_is_not_pulled(admin_client: Client, busy: Platform) -> None:
    assert "offers nothing that this node consumes" in text(admin_client.post(step("resync", busy), follow=True))


# --- parties --------------------------------------------------------------------------------------------------------

ADD = "/admin/roaming/party/add/"


def party_page(party: Party, what: str = "change") -> str:
    return reverse(f"admin:roaming_party_{what}", args=[party.pk])


def test_an_own_party_is_added_and_known_at_once(admin_client: Client) -> None:
    form = {"party": "be*new", "role": "CPO", "name": "Nieuw", "website": "https://nieuw.example/"}
    assert admin_client.post(ADD, form).status_code == 302
    added = Party.objects.get(party="BE*NEW")
    assert added.platform is None
    assert added.business_details == {"name": "Nieuw", "website": "https://nieuw.example/"}
    assert "NEW" in {role["party_id"] for role in directory.roles()}


@pytest.mark.parametrize(
    ("party", "role", "reason"),
    [
        ("BENEW", "CPO", "not a party"),
        ("BE*NEW", "GARDENER", "Select a valid choice"),
        ("NL*OCP", "CPO", "already exists"),
        ("DE*MSP", "CPO", "is a party of Example eMSP"),
        ("BE*NEW", "HUB", "one hub at most"),
    ],
)
def test_an_impossible_own_party_is_refused(
    admin_client: Client, emsp: Registered, party: str, role: str, reason: str
) -> None:
    Party.objects.create(party="NL*HUB", role="HUB", name="Hub")
    before = Party.objects.count()
    assert reason in text(admin_client.post(ADD, {"party": party, "role": role, "name": "Any"}))
    assert Party.objects.count() == before


def test_the_identity_of_an_own_party_stays(admin_client: Client) -> None:
    party = Party.objects.get(party="NL*OCP")
    admin_client.post(party_page(party), {"party": "BE*NEW", "role": "HUB", "name": "New name", "website": ""})
    party.refresh_from_db()
    assert (party.party, party.role, party.name) == ("NL*OCP", "CPO", "New name")
    assert party.business_details == {"name": "New name"}


def test_the_parties_of_partners_are_read_only(admin_client: Client, emsp: Registered) -> None:
    party = emsp.platform.parties.get()
    assert "held by" in text(admin_client.get(party_page(party))).lower()
    assert admin_client.post(party_page(party), {"name": "Renamed"}).status_code == 403
    assert admin_client.post(party_page(party, "delete"), {"post": "yes"}).status_code == 403


def test_staff_who_may_only_look_see_the_details_of_a_party(client: Client) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_party"))
    client.force_login(clerk)
    party = Party.objects.get(party="NL*OCP")
    assert "Example Charging" in text(client.get(party_page(party)))
    assert client.post(party_page(party), {"name": "Renamed"}).status_code == 403


def test_an_own_party_goes_only_when_no_locations_belong_to_it(admin_client: Client) -> None:
    party = Party.objects.get(party="NL*OCP")
    locations.put_many([Arrival(location())], source=None)
    assert admin_client.post(party_page(party, "delete"), {"post": "yes"}).status_code == 403
    other = Party.objects.get(party="NL*OSP")
    assert admin_client.post(party_page(other, "delete"), {"post": "yes"}).status_code == 302
    assert {role["party_id"] for role in directory.roles()} == {"OCP"}
