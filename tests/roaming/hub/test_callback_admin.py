"""Results through the hub as staff see them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from roaming.hub_models import Callback
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db

CHANGELIST = "admin:roaming_callback_changelist"


def callback(**changes: Any) -> Callback:
    requester, receiver = register("EMSP:DE*MSP", name="eMSP").platform, register("CPO:DE*CPO", name="CPO").platform
    given = {
        "uid": "secret-of-the-url",
        "requester": requester,
        "requester_party": "DE*MSP",
        "receiver": receiver,
        "receiver_party": "DE*CPO",
        "what": "START_SESSION",
        "response_url": "https://emsp.example/results/7",
        "correlation_id": "story",
        "expires_at": timezone.now() + timedelta(days=1),
    }
    return Callback.objects.create(**given | changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "awaited"),
        ({"expires_at": timezone.now() - timedelta(days=1)}, "never came"),
        ({"result": "ACCEPTED", "results": 1, "passed_on_at": timezone.now()}, "passed on"),
    ],
)
def test_the_list_says_what_has_become_of_a_result(
    admin_client: Client, changes: dict[str, Any], expected: str
) -> None:
    callback(**changes)
    shown = admin_client.get(reverse(CHANGELIST)).content.decode()
    assert expected in shown and "START_SESSION" in shown


def test_a_page_leads_to_the_whole_story_and_does_not_give_the_url_away(admin_client: Client) -> None:
    row = callback()
    shown = admin_client.get(reverse("admin:roaming_callback_change", args=[row.pk])).content.decode()
    assert "https://emsp.example/results/7" in shown and "q=story" in shown
    assert row.uid not in shown


def test_staff_write_nothing(admin_client: Client) -> None:
    row = callback()
    assert admin_client.get(reverse("admin:roaming_callback_add")).status_code == 403
    assert (
        admin_client.post(reverse("admin:roaming_callback_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    )
