"""The log as staff read it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from roaming.exchange_models import Exchange
from roaming.exchanges.masking import hidden
from tests.kit.platforms import Registered

pytestmark = pytest.mark.django_db
LIST = "admin:roaming_exchange_changelist"
ENTRY: dict[str, Any] = {
    "direction": "IN",
    "from_party": "DE*CPO",
    "to_party": "DE*MSP",
    "module": "locations",
    "interface": "RECEIVER",
    "method": "PUT",
    "url": "/ocpi/2.2.1/receiver/locations/DE/CPO/LOC-1",
    "http_status": 200,
    "status_code": 1000,
    "milliseconds": 17,
    "request_id": "request-1",
    "correlation_id": "story-1",
    "route": "DIRECT",
    "reason": "DE*MSP is connected to this hub",
    "request_body": '{"id":"LOC-1","power":1.50}',
    "request_size": 27,
    "response_body": "<html>",
    "response_size": 6000,
}


def entry(**changes: Any) -> Exchange:
    return Exchange.objects.create(**{**ENTRY, "at": timezone.now(), **changes})


def listed(client: Client, **query: str) -> list[Exchange]:
    response = client.get(reverse(LIST), query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def page(client: Client, row: Exchange) -> str:
    return client.get(reverse("admin:roaming_exchange_change", args=[row.pk])).content.decode()


def test_an_entry_shows_route_reason_and_both_bodies(admin_client: Client) -> None:
    text = page(admin_client, entry(platform_name="Example CPO"))
    for expected in ("DIRECT", "DE*MSP is connected to this hub", "Example CPO", "request-1", "story-1"):
        assert expected in text
    assert "&quot;power&quot;: 1.50" in text
    assert "&lt;html&gt;" in text and "The beginning of 6000 bytes" in text


def test_an_entry_links_to_the_whole_story(admin_client: Client) -> None:
    first, second, _ = entry(), entry(direction="OUT"), entry(correlation_id="another")
    assert f"{reverse(LIST)}?q=story-1" in page(admin_client, first)
    assert listed(admin_client, q="story-1") == [second, first]


@pytest.mark.parametrize("term", ["story-1", "request-1", "de*cpo", "DE*MSP", "/DE/CPO/LOC-1", "locations/DE"])
def test_entries_are_found(admin_client: Client, term: str) -> None:
    row = entry()
    entry(correlation_id="x", request_id="y", from_party="", to_party="", url="/ocpi/versions")
    assert listed(admin_client, q=term) == [row]


def test_a_card_is_found_though_it_is_hidden(admin_client: Client) -> None:
    row = entry(url=f"/ocpi/2.2.1/receiver/tokens/DE/MSP/{hidden('CARD-1')}?type=RFID")
    assert listed(admin_client, q="DE/MSP/CARD-1") == [row]


@pytest.mark.parametrize(
    ("query", "other"),
    [
        ({"direction__exact": "IN"}, {"direction": "OUT"}),
        ({"module": "locations"}, {"module": "cdrs"}),
        ({"http": "2"}, {"http_status": 404}),
        ({"outcome": "ok"}, {"status_code": 2001}),
        ({"outcome": "ok"}, {"status_code": None}),
        ({"route": "DIRECT"}, {"route": "LOCAL"}),
    ],
)
def test_entries_are_filtered(admin_client: Client, query: dict[str, str], other: dict[str, Any]) -> None:
    row = entry()
    entry(**other)
    assert listed(admin_client, **query) == [row]


def test_failures_are_what_is_no_success(admin_client: Client) -> None:
    entry()
    refused, silent = entry(status_code=4003), entry(status_code=None, http_status=None)
    assert listed(admin_client, outcome="failed") == [silent, refused]
    assert listed(admin_client, http="none") == [silent]


def test_entries_are_filtered_by_platform(admin_client: Client, cpo: Registered) -> None:
    row, _ = entry(platform=cpo.platform), entry()
    assert listed(admin_client, platform=str(cpo.platform.pk)) == [row]
    cpo.platform.delete()
    assert listed(admin_client, q="story-1")[-1] == row


def test_the_list_counts_no_further_than_pages_go_and_reads_no_bodies(admin_client: Client) -> None:
    entry()
    with CaptureQueriesContext(connection) as queries:
        listed(admin_client)
    about = [query["sql"] for query in queries if "roaming_exchange" in query["sql"]]
    assert all("LIMIT" in sql for sql in about if "COUNT" in sql)
    assert about and not any("request_body" in sql for sql in about)


def test_nobody_changes_the_log(admin_client: Client) -> None:
    row = entry()
    assert admin_client.post(reverse("admin:roaming_exchange_delete", args=[row.pk])).status_code == 403
    assert admin_client.get(reverse("admin:roaming_exchange_add")).status_code == 403


def test_staff_without_permission_see_no_log(client: Client) -> None:
    client.force_login(User.objects.create_user("someone", is_staff=True))
    assert client.get(reverse(LIST)).status_code == 403
