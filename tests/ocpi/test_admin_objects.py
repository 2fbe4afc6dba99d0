"""Sessions, CDRs, Tariffs and ClientInfos for staff: found at once among millions, readable, linked, never written."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from ocpi.ids import PartyId
from ocpi.models import Cdr, OwnedObject, Session
from ocpi.store.catalogue import STORES
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.store.tariffs import tariffs
from ocpi.types import validation
from ocpi.v221.versions import ModuleID
from tests.kit.objects import (
    Document,
    cdr,
    cdr_token,
    client_info,
    connector,
    credit_cdr,
    evse,
    location,
    price,
    session,
    tariff,
)

pytestmark = pytest.mark.django_db
OCP = PartyId("NL*OCP")
COST = "0.8125 EUR (0.9831 incl. VAT)"
ATTACK = "<script>alert(1)</script>"


class Kind(NamedTuple):
    """A list of the admin."""

    module: ModuleID
    make: Callable[..., Document]

    @property
    def model(self) -> type[OwnedObject]:
        return STORES[self.module].model

    @property
    def list(self) -> str:
        return reverse(f"admin:ocpi_{self.model._meta.model_name}_changelist")

    def put(self, *documents: Document, source: int | None = None) -> None:
        store = STORES[self.module]
        arrivals = [Arrival(document, validation.check(document, store.shape)) for document in documents]
        store.put_many(arrivals, source)


SESSIONS, CDRS = Kind(ModuleID.SESSIONS, session), Kind(ModuleID.CDRS, cdr)
TARIFFS, CLIENT_INFOS = Kind(ModuleID.TARIFFS, tariff), Kind(ModuleID.HUB_CLIENT_INFO, client_info)
KINDS = [SESSIONS, CDRS, TARIFFS, CLIENT_INFOS]
ALL = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.module.value)
WITH_ID = pytest.mark.parametrize("kind", KINDS[:3], ids=lambda kind: kind.module.value)


def text(response: HttpResponse) -> str:
    return response.content.decode().replace("\N{NO-BREAK SPACE}", " ")


def page(row: OwnedObject) -> str:
    return reverse(f"admin:ocpi_{row._meta.model_name}_change", args=[row.pk])


def of(model: type[OwnedObject], **which: Any) -> OwnedObject:
    return model._default_manager.get(**which)


def found(admin: Client, kind: Kind, **params: str) -> list[str]:
    return sorted(row.key for row in admin.get(kind.list, params).context["cl"].result_list)


# --- lists ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "document", "expected"),
    [
        (SESSIONS, session(), ["SESSION-1", "1.2500", COST, "ACTIVE", "LOC-1 EVSE-1", "DE*MSP"]),
        (CDRS, cdr(), ["CDR-1", "1.2500", COST, "SESSION-1", "DE*MSP", "2026-03-01T12:15:00Z"]),
        (CDRS, credit_cdr(), ["CDR-1-C", "-0.8125 EUR", "credit"]),
        (TARIFFS, tariff(), ["TARIFF-1", "EUR ENERGY 0.2500, FLAT 0.50", "REGULAR", "always", "in use"]),
        (CLIENT_INFOS, client_info(), ["DE*MSP", "EMSP", "CONNECTED", "this hub"]),
    ],
)  # fmt: skip
def test_a_list_shows_what_operators_look_for(
    admin_client: Client, kind: Kind, document: Document, expected: list[str]
) -> None:
    kind.put(document)
    shown = text(admin_client.get(kind.list))
    for part in expected:
        assert part in shown, part


@ALL
def test_a_list_takes_as_many_queries_for_a_page_as_for_one(
    admin_client: Client, kind: Kind, django_assert_max_num_queries: Any
) -> None:
    name = "role" if kind is CLIENT_INFOS else "id"
    kind.put(*(kind.make(**{name: f"N{number}"}) for number in range(12)))
    with django_assert_max_num_queries(8):
        response = admin_client.get(kind.list)
    assert response.context["cl"].result_count == 12


@pytest.mark.parametrize("kind", [SESSIONS, CDRS, CLIENT_INFOS], ids=lambda kind: kind.module.value)
def test_a_whole_table_is_never_counted(admin_client: Client, kind: Kind) -> None:
    """The counters know; nor does any filter look for the values there are."""
    kind.put(kind.make())
    seen: list[str] = []

    def note(execute: Any, sql: str, *arguments: Any) -> Any:
        seen.append(sql)
        return execute(sql, *arguments)

    with connection.execute_wrapper(note):
        admin_client.get(kind.list)
    table = kind.model._meta.db_table
    assert not [sql for sql in seen if table in sql and ("COUNT(" in sql or "DISTINCT" in sql)]


@WITH_ID
@pytest.mark.parametrize("query", ["x-1", "X-1", "NL*OCP X-1", "nl*ocp x-1", " X-1 "])
def test_an_object_is_found_by_its_exact_id(admin_client: Client, kind: Kind, query: str) -> None:
    kind.put(kind.make(id="X-1"), kind.make(id="X-12"))
    assert found(admin_client, kind, q=query) == ["x-1"]


@WITH_ID
def test_search_by_owner_and_for_what_there_is_not(admin_client: Client, kind: Kind) -> None:
    kind.put(kind.make(id="ours"), kind.make(id="with space"))
    kind.put(kind.make(id="theirs", country_code="DE"), source=4)
    assert found(admin_client, kind, q="DE*OCP") == ["theirs"]
    assert (
        found(admin_client, kind, q="NL*OCP with space") == found(admin_client, kind, q="with SPACE") == ["with space"]
    )
    for nothing in ("our", "DE*OCP ours", "FR*OCP", "%", "' OR 1=1 --"):
        assert found(admin_client, kind, q=nothing) == []
    assert admin_client.get(kind.list, {"q": "\x00"}).status_code == 200


def test_a_cdr_is_found_by_its_session(admin_client: Client) -> None:
    CDRS.put(cdr(), credit_cdr(), cdr(id="OTHER", session_id="S-2"))
    assert found(admin_client, CDRS, q="session-1") == ["cdr-1", "cdr-1-c"]


@WITH_ID
def test_search_uses_an_index(admin_client: Client, kind: Kind) -> None:
    """With millions of rows anything else is a scan of the table."""
    kind.put(*(kind.make(id=f"N{number}") for number in range(3)))
    response = admin_client.get(kind.list, {"q": "N1"})
    if connection.vendor == "sqlite":  # PostgreSQL rightly scans three rows
        assert "SCAN" not in response.context["cl"].queryset.order_by().explain()


def test_lists_are_filtered(admin_client: Client) -> None:
    SESSIONS.put(session(id="A"), session(id="B", status="COMPLETED"))
    SESSIONS.put(session(id="C", country_code="DE", currency="euro"), source=4)
    assert found(admin_client, SESSIONS, status="COMPLETED") == ["b"]
    for condition in ({"owner": "DE*OCP"}, {"defects": "some"}, {"source__isempty": "0"}):
        assert found(admin_client, SESSIONS, **condition) == ["c"]
    CDRS.put(cdr(), credit_cdr())
    assert found(admin_client, CDRS, is_credit__exact="1") == ["cdr-1-c"]
    TARIFFS.put(tariff(id="A"), tariff(id="B"))
    tariffs.delete(OCP, "A", None)
    assert found(admin_client, TARIFFS, deleted__exact="1") == ["a"]
    assert "deleted" in text(admin_client.get(TARIFFS.list))
    CLIENT_INFOS.put(client_info(), client_info(role="CPO", status="OFFLINE"))
    assert (
        found(admin_client, CLIENT_INFOS, status="OFFLINE") == found(admin_client, CLIENT_INFOS, role="CPO") == ["cpo@"]
    )


# --- pages ----------------------------------------------------------------------------------------------------------


@ALL
def test_a_page_shows_the_exact_document_and_its_defects(admin_client: Client, kind: Kind) -> None:
    document = kind.make(vendor={"exact": Decimal("33.3300"), "big": 9007199254740993}, currency=7, role="x" * 30)
    kind.put(document, source=3)
    shown = text(admin_client.get(page(of(kind.model))))
    for expected in ("33.3300", "9007199254740993", "platform 3"):
        assert expected in shown
    assert ("/role" if kind is CLIENT_INFOS else "/currency") in shown


def test_session_cdr_and_location_lead_to_each_other(admin_client: Client) -> None:
    """In any order of arrival: what we do not hold yet is named."""
    SESSIONS.put(session())
    CDRS.put(cdr(session_id="session-1"))
    going, final = of(Session), of(Cdr)
    assert page(final) in text(admin_client.get(page(going)))
    shown = text(admin_client.get(page(final)))
    assert page(going) in shown and "LOC-1 (not held here)" in shown
    locations.put(Arrival(location()), None)
    (place,) = locations.rows(key="loc-1")
    for row in (going, final):
        assert page(place) in text(admin_client.get(page(row)))


def test_a_credit_cdr_and_its_original_lead_to_each_other(admin_client: Client) -> None:
    """R9.9: also when the credit came first."""
    CDRS.put(credit_cdr())
    credit = of(Cdr)
    assert "CDR-1 (not held here)" in text(admin_client.get(page(credit)))
    CDRS.put(cdr(), credit_cdr(id="OTHER-C", credit_reference_id="OTHER"))
    original = of(Cdr, key="cdr-1")
    assert page(original) in text(admin_client.get(page(credit)))
    shown = text(admin_client.get(page(original)))
    assert page(credit) in shown and page(of(Cdr, key="other-c")) not in shown


def test_the_page_of_a_cdr_breaks_its_cost_down(admin_client: Client) -> None:
    CDRS.put(cdr(total_energy_cost=price("0.3125", "0.3781"), total_fixed_cost=price("0.5000")))
    shown = text(admin_client.get(page(of(Cdr))))
    for expected in ("0.3125 EUR (0.3781 incl. VAT)", "0.5000 EUR", "0.8125 EUR (0.9831 incl. VAT)"):
        assert expected in shown


@ALL
def test_what_a_partner_wrote_is_never_markup(admin_client: Client, kind: Kind) -> None:
    document = kind.make(currency=ATTACK, vendor=ATTACK, type=ATTACK, status=ATTACK, location_id=ATTACK)
    if kind is not CLIENT_INFOS:
        document["id"] = ATTACK
    if kind in (SESSIONS, CDRS):
        document |= {"session_id": ATTACK, "credit_reference_id": ATTACK, "cdr_token": cdr_token(party_id=ATTACK)}
    kind.put(document, source=3)
    for url in (kind.list, page(of(kind.model))):
        assert ATTACK not in text(admin_client.get(url))


@ALL
@pytest.mark.parametrize("odd", [None, 7, Decimal("1e30"), "text", ["a", None], {"an": {"object": []}}])
def test_odd_values_within_a_document_do_not_break_its_pages(admin_client: Client, kind: Kind, odd: Any) -> None:
    names = [
        "kwh", "total_cost", "currency", "start_date_time", "end_date_time", "location_id", "evse_uid", "session_id",
        "cdr_location", "total_energy", "total_time_cost", "credit_reference_id", "type", "elements", "vendor",
    ]  # fmt: skip
    document = kind.make(**dict.fromkeys(names, odd))
    STORES[kind.module].put_many([Arrival(document)], 3)
    for url in (kind.list, page(of(kind.model))):
        assert admin_client.get(url).status_code == 200


@ALL
def test_nothing_can_be_written(admin_client: Client, kind: Kind) -> None:
    kind.put(kind.make())
    row = of(kind.model)
    if kind.module is not ModuleID.TARIFFS:  # our own are added by a page that is not Django's
        assert admin_client.get(f"{kind.list}add/").status_code == 403
    assert admin_client.post(page(row), {"owner": "XX*XXX"}).status_code == 403
    gone = reverse(f"admin:ocpi_{kind.model._meta.model_name}_delete", args=[row.pk])
    assert admin_client.post(gone, {"post": "yes"}).status_code == 403


@ALL
def test_the_sidebar_leads_to_every_list(admin_client: Client, kind: Kind) -> None:
    assert f'href="{kind.list}"' in text(admin_client.get(reverse("admin:index")))


# --- Tariffs that are named and not held ----------------------------------------------------------------------------


def naming(id: str, *tariff_ids: str, **changes: Any) -> Document:
    return location(id=id, evses=[evse(connectors=[connector(tariff_ids=list(tariff_ids))])], **changes)


def test_the_page_of_a_location_names_the_tariffs_we_do_not_hold(admin_client: Client) -> None:
    """§mod_tariffs_delete_method: reported, not refused."""
    tariffs.put(Arrival(tariff(id="HELD")), None)
    locations.put(Arrival(naming("L", "held", "Lost", "Gone")), None)
    (row,) = locations.rows(key="l")
    assert "Lost, Gone" in text(admin_client.get(page(row)))


def test_the_list_of_tariffs_checks_every_location(admin_client: Client) -> None:
    """Each owner by itself, with how many Locations are concerned."""
    check = reverse("admin:ocpi_tariff_check_references")
    tariffs.put(Arrival(tariff(id="HELD")), None)
    locations.put_many([Arrival(naming("A", "HELD")), Arrival(location(id="B"))], None)
    assert "Every Tariff that a Location names is held here." in text(admin_client.get(check, follow=True))
    locations.put_many([Arrival(naming("C", "LOST", "HELD")), Arrival(naming("D", "LOST", "GONE"))], None)
    locations.put(Arrival(naming("E", "HELD", country_code="DE")), 4)
    shown = text(admin_client.get(check, follow=True))
    assert "(by how many): LOST (2), GONE (1)" in shown and "(by how many): HELD (1)" in shown
