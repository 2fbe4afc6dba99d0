"""Staff look at pulls, decide their schedules, and export what is in quarantine."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ocpi.models import Location
from ocpi.v221.versions import ModuleID
from roaming.models import Platform
from roaming.pull_models import DanglingReference, MissingObject, PullCursor, QuarantinedObject, SyncRun
from roaming.sync import pull
from tests.kit.objects import location, without
from tests.kit.peer import FakePeer

pytestmark = pytest.mark.django_db(transaction=True)
OWNER = {"country_code": "DE", "party_id": "CPO"}


@pytest.fixture
def platform(cpo_peer: FakePeer, cpo_platform: Platform) -> Platform:
    """Something in every list."""
    cpo_peer.objects["locations"] = [location(**OWNER), without(location(**OWNER, id="BAD"), "country", "city")]
    pull.pull(cpo_platform, ModuleID.LOCATIONS)
    MissingObject.objects.create(cursor=PullCursor.objects.get(), owner="DE*CPO", key="gone", since=timezone.now())
    DanglingReference.objects.create(
        platform=cpo_platform, module="tariffs", owner="DE*CPO", key="t", spelling="T", named_by="locations LOC-1"
    )
    return cpo_platform


def listed(model: str) -> str:
    return reverse(f"admin:roaming_{model}_changelist")


def body(response: Any) -> str:
    return response.content.decode()


@pytest.mark.parametrize("model", ["syncrun", "pullcursor", "missingobject", "danglingreference", "quarantinedobject"])
def test_every_list_and_every_page_opens(admin_client: Client, platform: Platform, model: str) -> None:
    response = admin_client.get(listed(model), {"q": "o"})
    assert response.status_code == 200
    row = response.context["cl"].queryset.model.objects.get()
    assert admin_client.get(reverse(f"admin:roaming_{model}_change", args=[row.pk])).status_code == 200


def decide(client: Client, **changes: Any) -> PullCursor:
    cursor = PullCursor.objects.get()
    form = {"enabled": "on", "interval": 5, "nightly_hour": "", "policy": "GRACE", "grace_days": 7, **changes}
    response = client.post(reverse("admin:roaming_pullcursor_change", args=[cursor.pk]), form)
    assert response.status_code == 302, body(response)
    return PullCursor.objects.get()


def test_staff_decide_when_and_what_becomes_of_what_disappears(admin_client: Client, platform: Platform) -> None:
    before = PullCursor.objects.get()
    found = decide(admin_client, interval=30, nightly_hour=22, policy="REMOVE")
    assert (found.interval, found.policy, found.next_reconcile_at.hour) == (30, "REMOVE", 22)
    assert found.next_run_at is None, "the new interval holds from now on"
    assert found.date_from == before.date_from, "what a run writes is no matter of the form"


def test_an_interval_of_nothing_is_refused(admin_client: Client, platform: Platform) -> None:
    with pytest.raises(AssertionError):
        decide(admin_client, interval=0)


@pytest.mark.parametrize(
    ("action", "requested", "accepts"),
    [("run_now", "DELTA", False), ("full_resync", "FULL", False), ("accept_disappearance", "FULL", True)],
)
def test_staff_pull_chosen_modules(
    admin_client: Client, platform: Platform, action: str, requested: str, accepts: bool
) -> None:
    """DESIGN section 2.5: written down before a worker is woken."""
    chosen = {"action": action, "_selected_action": [PullCursor.objects.get().pk]}
    assert "1 pull begun" in body(admin_client.post(listed("pullcursor"), chosen, follow=True))
    cursor = PullCursor.objects.get()
    assert (cursor.requested, cursor.accepts_disappearance) == (requested, accepts)
    assert pull.due(platform)[0:] and "asked for" in body(admin_client.get(listed("pullcursor")))


def test_what_has_disappeared_is_accepted_for_a_whole_platform(admin_client: Client, platform: Platform) -> None:
    step = reverse("admin:roaming_platform_accept", args=[platform.pk])
    assert "however much it is" in body(admin_client.get(step))
    assert "Full resync of" in body(admin_client.post(step, follow=True))
    assert all(cursor.requested == "FULL" and cursor.accepts_disappearance for cursor in PullCursor.objects.all())


def test_an_offline_platform_is_not_pulled_from(admin_client: Client, platform: Platform) -> None:
    Platform.objects.update(offline_since=timezone.now())
    chosen = {"action": "run_now", "_selected_action": [PullCursor.objects.get().pk]}
    assert "not OFFLINE among them" in body(admin_client.post(listed("pullcursor"), chosen, follow=True))


def test_a_run_that_kept_what_was_to_be_removed_shows_it(admin_client: Client, platform: Platform) -> None:
    SyncRun.objects.update(withheld=12, finished_at=timezone.now() + timedelta(seconds=1))
    assert "12 not removed" in body(admin_client.get(listed("syncrun")))


def test_the_defects_of_chosen_objects_are_judged_again(admin_client: Client, platform: Platform) -> None:
    good = json.loads(Location.objects.get().document) | {"id": "BAD"}
    QuarantinedObject.objects.update(document=json.dumps(good))
    chosen = {"action": "judge_again", "_selected_action": [QuarantinedObject.objects.get().pk]}
    assert "1 stored" in body(admin_client.post(listed("quarantinedobject"), chosen, follow=True))
    assert not QuarantinedObject.objects.exists()


@pytest.mark.parametrize("number", ["0", "2"])
def test_defects_are_exported_a_row_each(admin_client: Client, platform: Platform, number: str) -> None:
    """Demand 18: what a partner can work through."""
    response = admin_client.post(
        reverse("admin:roaming_quarantinedobject_export"), {"format": number, "resource": "0", **_columns()}
    )
    assert response.status_code == 200
    text = response.content.decode("utf-8-sig")
    assert "/country" in text and "/city" in text and "mod_locations_location_object" in text


def _columns() -> dict[str, str]:
    from roaming.admin.quarantine import COLUMNS

    return {f"defectresource_{name}": "on" for name in COLUMNS}


def test_the_defect_report_is_a_page_and_two_files(admin_client: Client, platform: Platform) -> None:
    reports = body(admin_client.get(reverse("admin:roaming_quarantinedobject_defect_reports")))
    url = reverse("admin:roaming_defect_report", args=[platform.pk])
    assert url in reports
    assert "§mod_locations_location_object" in body(admin_client.get(url))
    assert json.loads(body(admin_client.get(url, {"format": "json"})))["quarantined"] == 1
    assert "unusable: missing" in body(admin_client.get(url, {"format": "md"}))


def test_the_defect_report_is_for_those_who_may_see_the_quarantine(
    client: Client, platform: Platform, django_user_model: Any
) -> None:
    client.force_login(django_user_model.objects.create_user("staff", is_staff=True))
    assert client.get(reverse("admin:roaming_defect_report", args=[platform.pk])).status_code == 403
