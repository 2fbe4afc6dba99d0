"""Staff have chargers do things, and look after what partners asked of them, in the admin."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from cpo_backend.ingest import sources
from cpo_backend.models import Charger, OperationJob, OperationStep, StatusSource
from cpo_backend.operations.ordering import order
from tests.kit.chargers import OWNER

pytestmark = pytest.mark.django_db(transaction=True)

CHARGERS, JOBS = reverse("admin:cpo_backend_charger_changelist"), reverse("admin:cpo_backend_operationjob_changelist")
ADD = reverse("admin:cpo_backend_operationjob_add")


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff"))
    return client


def posted(staff: Client, **changes: Any) -> Any:
    return staff.post(ADD, {"kind": "clear cache", "chargers": "CP-1", **changes}, follow=True)


def test_chosen_chargers_are_asked_and_their_outcomes_shown(staff: Client, charger: Charger) -> None:
    chosen = staff.post(CHARGERS, {"action": "operate", "_selected_action": [charger.pk]}, follow=True)
    assert "CP-1" in chosen.content.decode()
    assert posted(staff, kind="availability", operative="on", number=2).status_code == 200
    job = OperationJob.objects.get()
    assert (job.created_by, job.parameters) == ("staff", '{"number":2,"operative":true}')
    page = staff.get(reverse("admin:cpo_backend_operationjob_change", args=[job.pk])).content.decode()
    assert "the charger is not connected" in page
    assert "1 failed" in staff.get(JOBS).content.decode()


def test_an_unknown_charger_is_named(staff: Client, charger: Charger) -> None:
    assert "no such charger: CP-9" in posted(staff, chargers="CP-1\nCP-9").content.decode()
    assert not OperationStep.objects.exists()


def test_a_password_is_not_set_like_that(staff: Client, charger: Charger) -> None:
    """It would be read by everybody."""
    page = posted(staff, kind="configure", name="AuthorizationKey", value="0" * 40).content.decode()
    assert "new password" in page
    assert not OperationJob.objects.exists()


def test_who_may_not_change_chargers_may_not_have_them_do_anything(charger: Charger) -> None:
    client = Client()
    client.force_login(User.objects.create_user("guest", is_staff=True))
    assert posted(client).status_code == 403


def test_the_token_of_a_source_is_shown_once(staff: Client) -> None:
    values = {"name": "other system", "party": OWNER, "grace": 900, "is_enabled": "on"}
    added = staff.post(reverse("admin:cpo_backend_statussource_add"), values, follow=True).content.decode()
    source = StatusSource.objects.get()
    assert "shown this once" in added
    assert source.key_hash
    assert source.key_hash not in added


@pytest.mark.parametrize(
    "name", ["operationjob", "reservation", "remotestart", "sessionprofile", "statussource", "fedstatus"]
)
def test_every_list_opens(staff: Client, charger: Charger, name: str) -> None:
    order("clear cache", {}, [charger])
    sources.add("other system", OWNER)
    assert staff.get(reverse(f"admin:cpo_backend_{name}_changelist")).status_code == 200
