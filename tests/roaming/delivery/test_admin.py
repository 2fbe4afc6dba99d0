"""What staff see of deliveries: who is behind, and what waits for them."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ocpi.models import Location
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from roaming.delivery import alarms
from roaming.delivery_models import Delivery, DeliveryHour, FeedCursor, Lane
from roaming.models import Platform
from tests.kit.objects import evse, location
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)

WAITING = {"outcome": "given_up"}
DELIVERIES = "admin:roaming_delivery_changelist"


@pytest.fixture
def platform() -> Platform:
    """A connected eMSP that refused Location HARBOUR until it was given up."""
    here = {("locations", "RECEIVER"): "https://e.example/locations"}
    platform = register("EMSP:DE*MSP", name="Example eMSP", endpoints=here).platform
    Lane.objects.create(platform=platform)
    locations.put(Arrival(location(id="HARBOUR")), None)
    place = Location.objects.get()
    FeedCursor.objects.create(platform=platform, stream="locations", xid=place.xid, revision=place.revision)
    now = timezone.now()
    Delivery.objects.create(
        platform=platform,
        module="locations",
        object_id=place.pk,
        attempts=5,
        error="2001: =cmd|too long",
        request="PUT https://e.example/locations/NL/OCP/HARBOUR",
        correlation_id="C-1",
        behind_since=now - timedelta(hours=3),
        failed_at=now,
        given_up_at=now,
    )
    return platform


def text(response: HttpResponse) -> str:
    return response.content.decode()


def page(platform: Platform) -> str:
    return reverse("admin:roaming_platform_change", args=[platform.pk])


# --- what waits for a person ----------------------------------------------------------------------------------------


def test_the_task_list_says_what_was_sent_to_whom_and_what_became_of_it(
    admin_client: Client, platform: Platform
) -> None:
    shown = text(admin_client.get(reverse(DELIVERIES), WAITING))
    for expected in ("harbour", "NL*OCP", "Example eMSP", "PUT https://e.example/", "2001", "waits for a person"):
        assert expected in shown
    assert f"{reverse('admin:roaming_exchange_changelist')}?q=C-1" in shown
    assert reverse("admin:roaming_feedcursor_change", args=[FeedCursor.objects.get().pk]) in shown


def test_the_task_list_takes_as_many_queries_for_ten_as_for_one(
    admin_client: Client, platform: Platform, django_assert_max_num_queries: Any
) -> None:
    places = [location(id=f"L-{number}") for number in range(9)]
    locations.put_many([Arrival(place) for place in places], None)
    Delivery.objects.bulk_create(
        Delivery(platform=platform, module="locations", object_id=row.pk, attempts=1, given_up_at=timezone.now())
        for row in Location.objects.exclude(key="harbour")
    )
    with django_assert_max_num_queries(9):
        shown = text(admin_client.get(reverse(DELIVERIES), WAITING))
    assert all(f"l-{number}" in shown for number in range(9))


def test_an_object_that_is_gone_is_shown_as_such(admin_client: Client, platform: Platform) -> None:
    Delivery.objects.update(object_id=4711)
    assert "row 4711, which is gone" in text(admin_client.get(reverse(DELIVERIES)))
    assert "row 4711, which is gone" in text(admin_client.get(page(platform)))


def test_a_task_is_opened_resent_and_skipped(admin_client: Client, platform: Platform) -> None:
    row = Delivery.objects.get()
    assert "whole story" in text(admin_client.get(reverse("admin:roaming_delivery_change", args=[row.pk])))
    admin_client.post(reverse(DELIVERIES), {"action": "skip", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert (row.given_up_at, row.retry_at) == (None, None)
    admin_client.post(reverse(DELIVERIES), {"action": "resend", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.retry_at is not None


def test_the_task_list_is_exported_as_it_is_filtered(admin_client: Client, platform: Platform) -> None:
    locations.put(Arrival(location(id="OTHER")), None)
    other = Location.objects.get(key="other")
    Delivery.objects.create(platform=platform, module="locations", object_id=other.pk)
    url = f"{reverse('admin:roaming_delivery_export')}?outcome=given_up"
    answer = admin_client.post(url, {"format": "0", "resource": "", "export_items": []})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["platform"], row["owner"], row["object"], row["attempts"]) for row in rows] == [
        ("Example eMSP", "NL*OCP", "harbour", "5")
    ]
    assert rows[0]["error"] == "2001: =cmd|too long" and rows[0]["behind_since"] < rows[0]["given_up_at"]


def is_chosen(who: Client, query: str) -> Any:
    groups = who.get(f"{reverse(DELIVERIES)}{query}").context["sidebar_navigation"]
    items = {item["title"]: item for group in groups for item in group["items"]}
    return items["Waiting for a person"]["active"]


def test_the_sidebar_counts_what_waits_for_whoever_may_see_it(
    admin_client: Client, client: Client, platform: Platform
) -> None:
    def badges(who: Client) -> dict[str, Any]:
        groups = who.get(reverse("admin:index")).context["sidebar_navigation"]
        return {item["title"]: item.get("badge") for group in groups for item in group["items"]}

    assert badges(admin_client)["Waiting for a person"] == "1"
    assert [is_chosen(admin_client, query) for query in ("", "?outcome=given_up")] == [False, True]
    Delivery.objects.update(given_up_at=None)
    assert badges(admin_client)["Waiting for a person"] is None
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert "Waiting for a person" not in badges(client)


def test_staff_who_may_only_look_may_neither_resend_nor_skip(client: Client, platform: Platform) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    client.force_login(clerk)
    row = Delivery.objects.get()
    for action in ("resend", "skip"):
        client.post(reverse(DELIVERIES), {"action": action, "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.given_up_at is not None and row.retry_at is None


# --- who is behind --------------------------------------------------------------------------------------------------


def be_late() -> None:
    """Statuses of three EVSEs have waited for five minutes."""
    locations.put(Arrival(location(id="HARBOUR", evses=[evse(uid=f"E-{number}") for number in range(3)])), None)
    place = Location.objects.get()
    FeedCursor.objects.update(xid=place.xid, revision=place.revision)
    FeedCursor.objects.create(
        platform=Platform.objects.get(), stream="statuses", xid=place.xid, revision=place.revision
    )
    Location.objects.update(received_at=timezone.now() - timedelta(minutes=5, seconds=1))
    place.evses.update(xid=place.xid, revision=place.revision + 1)


def test_the_page_of_a_platform_says_what_it_is_blind_to(admin_client: Client, platform: Platform) -> None:
    assert "on time" in text(admin_client.get(page(platform)))
    be_late()
    shown = text(admin_client.get(page(platform)))
    assert "Example eMSP has been blind to 3 EVSEs for 5\xa0minutes" in shown


def test_the_overview_counts_streams_that_are_late_and_leads_to_them(admin_client: Client, platform: Platform) -> None:
    def late() -> Any:
        tiles = admin_client.get(reverse("admin:index")).context["tiles"]
        return next(tile for tile in tiles if tile.title == "Late")

    assert (late().number, late().alarming) == (0, False)
    be_late()
    alarms.sound()
    assert (late().number, late().alarming) == (1, True)
    assert admin_client.get(late().url).context["cl"].queryset.get().stream == "statuses"


def test_the_last_hours_are_drawn(admin_client: Client, platform: Platform) -> None:
    assert "Nothing was sent in the last 48 hours." in text(admin_client.get(page(platform)))
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    for back, stream in ((0, "locations"), (0, "cdrs"), (2, "locations"), (100, "locations")):
        hour = now - timedelta(hours=back)
        DeliveryHour.objects.create(
            platform=platform, stream=stream, hour=hour, acknowledged=10, refused=1, within_2=9, later=1
        )
    answer = admin_client.get(page(platform))
    drawn = text(answer).split('data-value="')[1].split('"')[0].replace("&quot;", '"')
    acknowledged, refused, seconds = (dataset["data"] for dataset in json.loads(drawn)["datasets"])
    assert (len(acknowledged), acknowledged[-3:], refused[-1]) == (48, [10, 0, 20], 2)
    assert seconds[-3:] == [600, None, 600]
