"""Sites and their chargers over real sockets: what is sent, what is counted, and what partners and staff see."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from cpo_backend.control import charge_points
from cpo_backend.models import Alarm, Charger, PowerDecision, PowerShare, PowerSite, SessionProfile, Transaction
from cpo_backend.power import deciding, sites
from ocpi.ids import PartyId
from ocpi.types import codec
from tests.cpo_backend.power.conftest import add_site
from tests.kit import charging
from tests.kit.charger import V201, FakeCharger
from tests.kit.chargers import connected, eventually
from tests.kit.charging import start
from tests.kit.commands import RESPONSE_URL, charging_profile
from tests.kit.platforms import register
from tests.kit.remote import UID, Emsp, taken

ACCEPTED = {"status": "Accepted"}
SET = "SetChargingProfile"


@pytest.fixture
def site(transactional_db: None) -> PowerSite:
    """Two EVSEs of one phase, 7.36 kW each, at 11 kW."""
    return add_site(count=2)


def limits(cp: FakeCharger, purpose: str = "TxProfile") -> list[float]:
    """What it was asked to keep to, in A."""
    found = []
    for action, payload in list(cp.asked):
        profile: dict[str, Any] = payload.get("csChargingProfiles") or payload.get("chargingProfile") or {}
        if action == SET and profile["chargingProfilePurpose"] == purpose:
            schedule = profile["chargingSchedule"]
            schedule = schedule[0] if isinstance(schedule, list) else schedule
            found.append(schedule["chargingSchedulePeriod"][0]["limit"])
    return found


def told(cp: FakeCharger, *wanted: float) -> None:
    eventually(lambda: limits(cp) == list(wanted), f"{wanted}, not {limits(cp)}")


def shares() -> dict[str, Decimal | None]:
    return dict(PowerShare.objects.values_list("charger__identity", "watts"))


def why(identity: str) -> str:
    last = PowerDecision.objects.order_by("-pk").first()
    rows = codec.decode(last.rows.encode()) if last else []
    return next((row["why"] for row in rows if row["charger"] == identity), "")


@pytest.mark.parametrize("version", ["ocpp1.6", V201])
def test_who_comes_is_limited_from_the_begin(url: str, site: PowerSite, version: str) -> None:
    """A car draws before it has a profile of its own; the limit for it does not depend on the charger's clock."""
    with connected(url, subprotocol=version) as cp:
        cp.answers[SET] = ACCEPTED
        asked = cp.wait_asked(SET)
        profile = asked.get("csChargingProfiles") or asked["chargingProfile"]
        assert (profile["chargingProfilePurpose"], profile["chargingProfileKind"]) == ("TxDefaultProfile", "Relative")
        eventually(lambda: PowerShare.objects.filter(default_watts=1380).exists(), "its answer")
        assert limits(cp, "TxDefaultProfile") == [6]


def test_a_boot_has_it_told_again(url: str, site: PowerSite) -> None:
    with connected(url) as cp:
        cp.answers[SET] = ACCEPTED
        cp.wait_asked(SET)
        eventually(lambda: PowerShare.objects.filter(default_watts=1380).exists(), "its answer")
        cp.boot()
        cp.wait_asked(SET, 2)


def test_more_is_given_only_when_others_have_answered_that_they_draw_less(url: str, site: PowerSite) -> None:
    with connected(url) as one, connected(url, "CP-2") as two:
        one.answers[SET] = two.answers[SET] = ACCEPTED
        eventually(lambda: PowerShare.objects.filter(default_watts=1380).count() == 2, "both")
        start(one)
        told(one, 32)
        one.answers[SET] = None  # is asked for less, and says nothing
        start(two)
        told(one, 32, 23.9)
        eventually(lambda: "waits" in why("CP-2"), "the other to wait")
        assert limits(two) == []
        question = next(json.loads(text)[1] for text in reversed(one.frames) if '"TxProfile"' in text)
        one.send(json.dumps([3, question, ACCEPTED]))
        told(two, 23.9)


def test_who_refuses_counts_with_all_it_can_draw(url: str, site: PowerSite) -> None:
    with connected(url) as one, connected(url, "CP-2") as two:
        one.answers[SET], two.answers[SET] = {"status": "NotSupported"}, ACCEPTED
        eventually(lambda: Alarm.objects.filter(kind="power", cleared_at=None).exists(), "an alarm")
        eventually(lambda: PowerShare.objects.filter(default_watts=1380).exists(), "the other")
        start(two)
        told(two, 15.8)  # what 7.36 of 11 kW leave
        assert "has taken no limit" in why("CP-1")


def test_a_partner_lifts_no_session_above_its_share(url: str, site: PowerSite) -> None:
    """Set, it is the lower of both; cleared, the share takes its place. What the charger accepted is accepted."""
    emsp = Emsp(register("EMSP:DE*MSP").client())
    with connected(url) as one, connected(url, "CP-2") as two:
        one.answers |= {
            SET: ACCEPTED,
            "RemoteStartTransaction": ACCEPTED,
            "GetCompositeSchedule": {"status": "Rejected"},
        }
        two.answers[SET] = ACCEPTED
        eventually(lambda: PowerShare.objects.filter(default_watts=1380).count() == 2, "both")
        taken(emsp.start())
        emsp.told()
        start(one, tag=UID)
        start(two)
        eventually(lambda: set(shares().values()) == {5500}, "equal shares")
        charging.make()
        session_id = Transaction.objects.get(charger__identity="CP-1").bill.session_id
        before = len(limits(one))
        taken(emsp.profiled("PUT", session_id, body={"response_url": RESPONSE_URL, **profile_of(32)}))
        assert emsp.told(2) == "ACCEPTED"
        assert limits(one)[before:] == [23.9]
        assert SessionProfile.objects.get().applied
        taken(emsp.profiled("PUT", session_id, body={"response_url": RESPONSE_URL, **profile_of(10)}))
        assert emsp.told(3) == "ACCEPTED"
        eventually(lambda: shares() == {"CP-1": 2300, "CP-2": 7360}, "what one does not want to go to the other")
        one.wait_asked("GetCompositeSchedule", 3)  # R9.17: what applies is told whenever it may be something else
        taken(emsp.profiled("DELETE", session_id, params={"response_url": RESPONSE_URL}))
        assert emsp.told(4) == "ACCEPTED"
        assert not [asked for asked in one.asked if asked[0] == "ClearChargingProfile"]
        eventually(lambda: shares() == {"CP-1": 5500, "CP-2": 5500}, "equal shares again")


def test_a_share_that_the_charger_refused_is_no_share(url: str, site: PowerSite) -> None:
    """Others may have it by now: a partner's profile is held to what the charger has taken."""
    emsp = Emsp(register("EMSP:DE*MSP").client())
    with connected(url) as one:
        one.answers |= {SET: ACCEPTED, "RemoteStartTransaction": ACCEPTED}
        eventually(lambda: PowerShare.objects.filter(default_watts=1380).exists(), "its answer")
        taken(emsp.start())
        emsp.told()
        one.answers[SET] = {"status": "Rejected"}
        start(one, tag=UID)
        eventually(lambda: PowerShare.objects.filter(failures=1).exists(), "its refusal")
        charging.make()
        session_id = Transaction.objects.get().bill.session_id
        before = len(limits(one))
        taken(emsp.profiled("PUT", session_id, body={"response_url": RESPONSE_URL, **profile_of(32)}))
        assert emsp.told(2) == "REJECTED"
    assert limits(one)[before] == 6


def profile_of(amperes: int) -> dict[str, Any]:
    period = {"start_period": 0, "limit": Decimal(amperes)}
    return {"charging_profile": charging_profile(duration=None, charging_profile_period=[period])}


def test_a_driver_in_a_hurry_comes_first(url: str, site: PowerSite) -> None:
    """R9.3: preferences are accepted where they are of any use."""
    PowerSite.objects.update(way="priority")
    wanted = {"profile_type": "REGULAR", "departure_time": "2026-01-01T18:00:00Z", "energy_need": Decimal(10**9)}
    with connected(url) as one, connected(url, "CP-2") as two:
        one.answers[SET] = two.answers[SET] = ACCEPTED
        eventually(lambda: PowerShare.objects.filter(default_watts=1380).count() == 2, "both")
        start(one)
        start(two)
        eventually(lambda: set(shares().values()) == {5500}, "equal shares among equals")
        charging.make()
        session = {"id": Transaction.objects.get(charger__identity="CP-2").bill.session_id}
        assert charge_points.charging_preferences(PartyId("NL*OCP"), session, wanted) == "ACCEPTED"
        eventually(lambda: shares() == {"CP-1": 3640, "CP-2": 7360}, "the one in a hurry to come first")
        PowerSite.objects.update(way="fair")
        assert charge_points.charging_preferences(PartyId("NL*OCP"), session, wanted) == "NOT_POSSIBLE"


def test_who_shares_no_more_is_let_go(url: str, site: PowerSite) -> None:
    with connected(url) as cp:
        cp.answers |= {SET: ACCEPTED, "ClearChargingProfile": ACCEPTED}
        cp.wait_asked(SET)
        eventually(lambda: PowerShare.objects.filter(default_watts=1380).exists(), "its answer")
        sites.release(site)
        assert cp.wait_asked("ClearChargingProfile") == {"id": 2_000_000_001}


# --- set and shown --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_reserves_above_the_limit_are_refused() -> None:
    with pytest.raises(sites.Unshareable, match=r"4 EVSEs come to 16560 W, above the limit of 11000 W"):
        add_site(11_000, power_type="AC_3_PHASE")
    assert not PowerSite.objects.exists()
    add_site(11_000, power_type="AC_3_PHASE", reserve=Decimal(0))


@pytest.mark.django_db
def test_by_command_it_is_set_and_shown(capsys: Any) -> None:
    sites.release(add_site(count=2))
    call_command("share_power", "NL*OCP", "LOC-1", "--limit-kw", "11", "--way", "priority", "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["limit"], found["way"], found["minimum"], found["reserve"]) == (11_000, "priority", 6, 6)
    call_command("share_power", "nl*ocp", "loc-1", "--json")
    assert json.loads(capsys.readouterr().out) == found


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["LOC-1", "--limit-kw", "2"], "above the limit"),
        (["LOC-1", "--limit-kw", "NaN"], "no number"),
        (["LOC-1", "--reserve", "3"], "0 or at least the minimum"),
        (["LOC-9", "--limit-kw", "11"], "no Location"),
        (["LOC-9"], "begin with --limit-kw"),
    ],
)
def test_by_command_what_cannot_be_kept_to_is_bad_input(arguments: list[str], words: str) -> None:
    add_site(count=2)
    with pytest.raises(CommandError, match=words) as error:
        call_command("share_power", "NL*OCP", *arguments)
    assert error.value.returncode == 2
    assert PowerSite.objects.get().limit == 11_000


@pytest.mark.django_db
def test_staff_set_a_site_and_see_who_got_what_and_why(admin_client: Client) -> None:
    sites.release(add_site(count=2))
    form = {"party": "NL*OCP", "location_id": "LOC-1", "limit": "2000", "way": "fair", "minimum": "6", "reserve": ""}
    add = reverse("admin:cpo_backend_powersite_add")
    refused = admin_client.post(add, form)
    assert "above the limit of 2000 W" in refused.content.decode()
    assert admin_client.post(add, form | {"limit": "11000"}).status_code == 302
    site = PowerSite.objects.get()
    deciding.decide(site.pk)
    page = admin_client.get(reverse("admin:cpo_backend_powersite_change", args=[site.pk])).content.decode()
    assert "has taken no limit" in page
    for name, arguments in (("powersite_changelist", ()), ("powerdecision_changelist", ())):
        assert admin_client.get(reverse(f"admin:cpo_backend_{name}", args=arguments)).status_code == 200
    decision = reverse("admin:cpo_backend_powerdecision_change", args=[PowerDecision.objects.get().pk])
    assert "LOC-1-1" in admin_client.get(decision).content.decode()
    gone = reverse("admin:cpo_backend_powersite_delete", args=[site.pk])
    assert admin_client.post(gone, {"post": "yes"}).status_code == 302
    assert not PowerSite.objects.exists()


@pytest.mark.django_db
def test_reserves_that_grow_above_the_limit_are_given_up() -> None:
    """An alarm, and cars wait for their share: the limit holds."""
    site = add_site(6_000)
    PowerSite.objects.update(limit=5_000)
    Charger.objects.update(version="1.6")
    deciding.decide(site.pk)
    assert "reserves come to 5520" in Alarm.objects.get(subject="reserves").text
    PowerSite.objects.update(limit=6_000, due_at=site.due_at)
    deciding.decide(site.pk)
    assert Alarm.objects.get(subject="reserves").cleared_at
