"""Decisions as staff look them up."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from ocpi.models import Token
from ocpi.store.objects import Arrival
from ocpi.store.tokens import tokens
from roaming.authorization_models import Authorization
from tests.kit.commands import driver_token
from tests.kit.platforms import Registered

pytestmark = pytest.mark.django_db
LIST = "admin:roaming_authorization_changelist"
DECISION: dict[str, Any] = {
    "side": "CPO",
    "cpo": "NL*OCP",
    "emsp": "DE*MSP",
    "uid": "04a1b2c3d4",
    "type": "RFID",
    "allowed": "ALLOWED",
    "source": "REAL_TIME",
    "reason": "DE*MSP answered ALLOWED",
    "reference": "REF-1",
    "milliseconds": 17,
    "correlation_id": "story-1",
}


def decided(**changes: Any) -> Authorization:
    return Authorization.objects.create(**{**DECISION, **changes})


def listed(client: Client, **query: str) -> list[Authorization]:
    response = client.get(reverse(LIST), query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def test_a_decision_shows_why(admin_client: Client, emsp: Registered) -> None:
    row = decided(platform=emsp.platform, location_id="LOC-1", evse_uids='["EVSE-1"]')
    for url in (reverse(LIST), reverse("admin:roaming_authorization_change", args=[row.pk])):
        text = admin_client.get(url).content.decode()
        for expected in ("04a1b2c3d4", "NL*OCP", "DE*MSP", "ALLOWED", "real-time answer", "DE*MSP answered", "17"):
            assert expected in text
    assert "Example eMSP" in text and "LOC-1" in text and "story-1" in text


def test_the_token_is_linked_where_we_hold_it(admin_client: Client) -> None:
    decided()
    tokens.put(Arrival(driver_token(type="APP_USER")), None)
    assert "ocpi/token/" not in admin_client.get(reverse(LIST)).rendered_content.split("result_list")[-1]
    tokens.put(Arrival(driver_token(type="RFID")), None)
    held = Token.objects.get(type="RFID")
    assert reverse("admin:ocpi_token_change", args=[held.pk]) in admin_client.get(reverse(LIST)).content.decode()


@pytest.mark.parametrize("term", ["04A1B2C3D4", "REF-1", "story-1", " REF-1 "])
def test_decisions_are_found_by_uid_reference_and_correlation_id(admin_client: Client, term: str) -> None:
    row = decided()
    decided(uid="other", reference="REF-2", correlation_id="story-2")
    assert listed(admin_client, q=term) == [row]


def test_the_latest_comes_first(admin_client: Client) -> None:
    rows = [decided(), decided()]
    assert listed(admin_client) == rows[::-1]


@pytest.mark.parametrize(
    "query", [{"side__exact": "EMSP"}, {"allowed": "BLOCKED"}, {"source__exact": "UNKNOWN"}, {"q": "nobody"}]
)
def test_decisions_are_filtered(admin_client: Client, query: dict[str, str]) -> None:
    decided()
    other = decided(side="EMSP", allowed="BLOCKED", source="UNKNOWN", uid="nobody")
    assert listed(admin_client, **query) == [other]


def test_the_list_takes_as_many_queries_for_many_as_for_one(
    admin_client: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    tokens.put(Arrival(driver_token(type="RFID")), None)
    decided()
    with django_assert_max_num_queries(20) as one:
        listed(admin_client)
    for _ in range(20):
        decided()
    with django_assert_num_queries(len(one)):
        listed(admin_client)


def test_nobody_writes_a_decision(admin_client: Client) -> None:
    row = decided()
    assert admin_client.get(reverse("admin:roaming_authorization_add")).status_code == 403
    for what in ("change", "delete"):
        url = reverse(f"admin:roaming_authorization_{what}", args=[row.pk])
        assert admin_client.post(url, {"allowed": "BLOCKED", "post": "yes"}).status_code == 403
    row.refresh_from_db()
    assert row.allowed == "ALLOWED"


def test_looking_takes_the_permission(client: Client) -> None:
    user = User.objects.create_user("reader", password="x", is_staff=True)
    client.force_login(user)
    assert client.get(reverse(LIST)).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_authorization"))
    assert client.get(reverse(LIST)).status_code == 200
