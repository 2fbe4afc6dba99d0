"""The staff admin of the object store: everything can be found and read, nothing written."""

import json
import pathlib
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from ocpi.ids import PartyId
from ocpi.models import Location
from ocpi.store.locations import Path, locations
from ocpi.store.objects import Arrival
from ocpi.types import validation
from ocpi.v221.locations import Location as WireLocation
from tests.kit.objects import evse, location, odd_location

LIST = "/admin/ocpi/location/"
SAMPLE = pathlib.Path(settings.BASE_DIR) / "cpo_backend" / "register" / "sample.json"

pytestmark = pytest.mark.django_db


def text(response: HttpResponse) -> str:
    return response.content.decode()


def page(found: Location) -> str:
    return reverse("admin:ocpi_location_change", args=[found.pk])


@pytest.fixture
def sample() -> None:
    locations.put_many([Arrival(document) for document in json.loads(SAMPLE.read_bytes())], source=None)


def test_the_list_shows_what_staff_look_for(admin_client: Client, sample: None) -> None:
    shown = text(admin_client.get(LIST))
    for expected in ("LINDE-KASSEL-1", "Kassel Wilhelmshöhe Station", "2 AVAILABLE", "1 CHARGING", "own"):
        assert expected in shown


def test_the_list_takes_as_many_queries_for_a_page_as_for_one(
    admin_client: Client, sample: None, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(8):
        response = admin_client.get(LIST)
    assert response.context["cl"].result_count == Location.objects.count() > 10


@pytest.mark.parametrize("query", ["linde-kassel", "LINDE-KASSEL-1", "Wilhelmshöher Allee 259"])
def test_a_location_is_found_by_key_and_by_any_text_in_it(admin_client: Client, sample: None, query: str) -> None:
    response = admin_client.get(LIST, {"q": query})
    assert "linde-kassel-1" in {row.key for row in response.context["cl"].result_list}


def test_the_list_is_filtered_by_owner_origin_and_defects(admin_client: Client) -> None:
    odd = location(country_code="DE", party_id="CPO", city="x" * 60)
    locations.put_many([Arrival(location())], source=None)
    locations.put_many([Arrival(odd, validation.check(odd, WireLocation))], source=3)
    for condition in ({"owner": "DE*CPO"}, {"defects": "some"}, {"source__isempty": "0"}):
        assert [row.owner for row in admin_client.get(LIST, condition).context["cl"].result_list] == ["DE*CPO"]
    for condition in ({"owner": "NL*OCP"}, {"defects": "none"}, {"source__isempty": "1"}):
        assert [row.owner for row in admin_client.get(LIST, condition).context["cl"].result_list] == ["NL*OCP"]
    assert "1 defect" in text(admin_client.get(LIST))


def test_the_page_shows_the_defects_and_the_exact_document(admin_client: Client) -> None:
    document = odd_location(city="x" * 60)
    locations.put(Arrival(document, validation.check(document, WireLocation)), source=3)
    shown = text(admin_client.get(page(Location.objects.get())))
    for expected in ("/city", "platform 3", "33.3300", "9007199254740993", "Straße der Öl-Mühle ⚡", "PLUG_AND_CHARGE"):
        assert expected in shown


def test_the_page_shows_the_live_status(admin_client: Client) -> None:
    locations.put(Arrival(location(evses=[evse(status="AVAILABLE")])), source=None)
    path = Path(PartyId("NL*OCP"), "LOC-1", "EVSE-1")
    changes = {"status": "OUTOFORDER", "last_updated": "2026-03-01T13:00:00Z"}
    locations.patch_part(path, changes, None, lambda document: ())
    assert "1 OUTOFORDER" in text(admin_client.get(LIST))
    shown = text(admin_client.get(page(Location.objects.get())))
    assert "OUTOFORDER" in shown
    assert "AVAILABLE" not in shown


@pytest.mark.parametrize(
    ("operator", "shown"), [({"name": "Best Charging"}, "Best Charging"), (None, "from its credentials")]
)
def test_without_an_operator_its_owners_credentials_say_who_operates(
    admin_client: Client, operator: Any, shown: str
) -> None:
    """R9.2i"""
    locations.put(Arrival(location(operator=operator)), source=None)
    assert shown in text(admin_client.get(page(Location.objects.get())))


def test_what_a_partner_wrote_is_never_markup(admin_client: Client) -> None:
    attack = "<script>alert(1)</script>"
    odd = location(id=attack, name=attack, evses=[evse(uid=attack, status=attack)], vendor=attack)
    locations.put(Arrival(odd, validation.check(odd, WireLocation)), source=3)
    for url in (LIST, page(Location.objects.get())):
        assert attack not in text(admin_client.get(url))


def test_odd_types_within_a_document_do_not_break_its_page(admin_client: Client) -> None:
    odd = location(name=["a", "list"], city={"an": "object"}, evses=[evse(evse_id=7, connectors=["none", {}])])
    locations.put(Arrival(odd), source=3)
    assert admin_client.get(LIST).status_code == 200
    assert admin_client.get(page(Location.objects.get())).status_code == 200


def test_nothing_can_be_written(admin_client: Client, sample: None) -> None:
    found = Location.objects.all()[0]
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(page(found), {"owner": "NL*OCP"}).status_code == 403
    assert admin_client.post(reverse("admin:ocpi_location_delete", args=[found.pk]), {"post": "yes"}).status_code == 403
    assert "_save" not in text(admin_client.get(page(found)))
