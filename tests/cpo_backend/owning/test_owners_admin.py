"""Owners, statements and reports in the admin."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from cpo_backend.models import ChargePointOwner, Ownership, OwnerStatement, RevenueShare
from cpo_backend.owning import building
from ocpi.accounts.months import Month
from tests.kit.own_cdrs import OCP, ours, site, store

pytestmark = pytest.mark.django_db(transaction=True)

IN_MARCH = datetime(2025, 3, 10, 12, tzinfo=UTC)
BEGIN = date(2025, 1, 1)
REPORTS = "/admin/cpo_backend/cdrfigures/"
PERIOD = {"first": "2025-03-01", "last": "2025-03-31"}
ATTACK = "<script>alert(1)</script>"


@pytest.fixture
def statement() -> OwnerStatement:
    """A draft of March, of one CDR."""
    owner = ChargePointOwner.objects.create(name="Harbour Ltd")
    Ownership.objects.create(owner=owner, party=OCP, location_id="LOC-1", first_day=BEGIN)
    RevenueShare.objects.create(owner=owner, first_day=BEGIN, percent=10)
    store(ours(IN_MARCH))
    found = building.draft(owner, Month(2025, 3), datetime(2025, 8, 1, tzinfo=UTC))
    assert found is not None
    return found


def form(*ownerships: dict[str, str], shares: int = 0) -> dict[str, Any]:
    """An owner as staff enter it."""
    found: dict[str, Any] = {
        "name": "Harbour Ltd",
        "ownerships-TOTAL_FORMS": len(ownerships),
        "ownerships-INITIAL_FORMS": 0,
        "shares-TOTAL_FORMS": shares,
        "shares-INITIAL_FORMS": 0,
    }
    for number, ownership in enumerate(ownerships):
        found |= {f"ownerships-{number}-{name}": value for name, value in ownership.items()}
    return found


def text(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


def step(name: str, row: OwnerStatement) -> str:
    return reverse(f"admin:cpo_backend_ownerstatement_{name}", args=[row.pk])


PLACE = {"party": "nl*ocp", "location_id": "LOC-1", "first_day": "2025-01-01"}
TERMS = {"first_day": "2025-01-01", "percent": "10", "per_kwh": "0", "per_session": "0", "per_month": "0"}


def test_staff_enter_an_owner_with_what_is_theirs_and_its_share(admin_client: Client) -> None:
    share = {f"shares-0-{name}": value for name, value in {**TERMS, "currency": "eur"}.items()}
    answer = admin_client.post(reverse("admin:cpo_backend_chargepointowner_add"), form(PLACE, shares=1) | share)
    assert answer.status_code == 302
    owner = ChargePointOwner.objects.get()
    assert (owner.ownerships.get().party, owner.shares.get().currency) == (OCP, "EUR")
    assert "Harbour" in text(admin_client.get(reverse("admin:cpo_backend_chargepointowner_changelist")))
    assert "Statements" in text(admin_client.get(reverse("admin:cpo_backend_chargepointowner_change", args=[owner.pk])))


def test_staff_are_told_who_owns_it_already(admin_client: Client) -> None:
    first = ChargePointOwner.objects.create(name="First")
    Ownership.objects.create(owner=first, party=OCP, location_id="loc-1", evse_uid="A", first_day=BEGIN)
    page = text(admin_client.post(reverse("admin:cpo_backend_chargepointowner_add"), form(PLACE)))
    assert "First owns EVSE A of loc-1 from 2025-01-01 already, until further notice." in page
    assert ChargePointOwner.objects.count() == 1


def test_staff_are_told_when_two_lines_of_their_own_meet(admin_client: Client) -> None:
    page = text(admin_client.post(reverse("admin:cpo_backend_chargepointowner_add"), form(PLACE, PLACE)))
    assert "owns all of LOC-1 from 2025-01-01 already" in page and not ChargePointOwner.objects.exists()


def entered(owner: ChargePointOwner, *days: tuple[str, str]) -> dict[str, Any]:
    """Its shares as staff leave them, the stored ones first."""
    stored = list(owner.shares.order_by("first_day"))
    found = form(shares=len(days)) | {"shares-INITIAL_FORMS": len(stored)}
    for number, (first, last) in enumerate(days):
        terms = {**TERMS, "currency": "EUR", "first_day": first, "last_day": last}
        found |= {f"shares-{number}-{name}": value for name, value in terms.items()}
    for number, share in enumerate(stored):
        found |= {f"shares-{number}-id": share.pk, f"shares-{number}-owner": owner.pk}
    return found


def test_staff_end_a_share_and_begin_another_at_once(admin_client: Client, statement: OwnerStatement) -> None:
    owner = statement.owner
    url = reverse("admin:cpo_backend_chargepointowner_change", args=[owner.pk])
    turns = entered(owner, ("2025-01-01", "2025-03-31"), ("2025-04-01", ""))
    assert admin_client.post(url, turns).status_code == 302
    assert list(owner.shares.values_list("last_day", flat=True)) == [date(2025, 3, 31), None]


def test_nothing_is_saved_where_the_database_refuses(admin_client: Client, statement: OwnerStatement) -> None:
    """The first share would meet the second as it is still stored."""
    owner = statement.owner
    owner.shares.update(last_day=date(2025, 3, 31))
    RevenueShare.objects.create(owner=owner, first_day=date(2025, 4, 1), percent=20)
    url = reverse("admin:cpo_backend_chargepointowner_change", args=[owner.pk])
    turns = entered(owner, ("2025-01-01", "2025-04-30"), ("2025-05-01", ""))
    assert "Not saved" in text(admin_client.post(url, turns, follow=True))
    assert list(owner.shares.values_list("last_day", flat=True)) == [date(2025, 3, 31), None]


def test_staff_are_told_of_places_that_nobody_finds(admin_client: Client) -> None:
    site("LOC-1", "A")
    places = (PLACE | {"evse_uid": "a"}, PLACE | {"evse_uid": "B"}, PLACE | {"location_id": "LOC-2"})
    page = text(admin_client.post(reverse("admin:cpo_backend_chargepointowner_add"), form(*places), follow=True))
    assert "We have no LOC-1/B now." in page and "We have no Location LOC-2 now." in page
    assert "We have no LOC-1/a" not in page


def test_staff_read_a_statement_and_its_list(admin_client: Client, statement: OwnerStatement) -> None:
    page = text(admin_client.get(step("change", statement)))
    assert "0.25" in page and statement.sha256 in page
    listed = f"{reverse('admin:cpo_backend_statedcdr_changelist')}?statement__id__exact={statement.pk}"
    assert "LOC-1" in text(admin_client.get(listed))
    assert "0.25 EUR" in text(admin_client.get(reverse("admin:cpo_backend_ownerstatement_changelist")))


def test_staff_draw_up_a_month(admin_client: Client, statement: OwnerStatement) -> None:
    statement.delete()
    url = reverse("admin:cpo_backend_ownerstatement_draw_up")
    assert "not a month" in text(admin_client.post(url, {"month": "March"}))
    assert admin_client.post(url, {"month": "2025-03"}).status_code == 302
    assert OwnerStatement.objects.get().cdr_count == 1


def test_staff_close_a_month_after_a_question(admin_client: Client, statement: OwnerStatement) -> None:
    assert "Closing is final" in text(admin_client.get(step("close", statement)))
    statement.refresh_from_db()
    assert statement.state == OwnerStatement.State.DRAFT
    assert "Closed with 1 CDRs" in text(admin_client.post(step("close", statement), follow=True))
    statement.refresh_from_db()
    assert (statement.state, statement.closed_by) == (OwnerStatement.State.CLOSED, "admin")
    assert step("close", statement) not in text(admin_client.get(step("change", statement)))


def test_staff_are_told_why_a_month_cannot_be_closed(admin_client: Client, statement: OwnerStatement) -> None:
    store(ours(datetime(2025, 2, 10, tzinfo=UTC), "EARLIER"))
    assert "close 2025-02 first" in text(admin_client.post(step("close", statement), follow=True))
    assert "Draft with 1 CDRs" in text(admin_client.post(step("again", statement), follow=True))


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl", "page"])
def test_staff_take_a_statement_away(admin_client: Client, statement: OwnerStatement, kind: str) -> None:
    answer: Any = admin_client.get(step(kind, statement))
    assert answer.status_code == 200 and b"".join(answer.streaming_content)


def test_who_may_only_look_cannot_close(client: Client, statement: OwnerStatement) -> None:
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_ownerstatement"))
    client.force_login(user)
    assert step("close", statement) not in text(client.get(step("change", statement)))
    assert client.post(step("close", statement)).status_code == 403
    assert client.get(REPORTS).status_code == 403


def test_staff_read_a_report_with_charts_and_sums(admin_client: Client) -> None:
    site(name=ATTACK)
    store(ours(IN_MARCH), ours(IN_MARCH, "BAD", total_energy="ten"))
    page = text(admin_client.get(REPORTS, {**PERIOD, "kind": "revenue", "by": "site"}))
    assert "Revenue by site, 2025-03-01 to 2025-03-31" in page and "sum" in page
    assert "/total_energy: it is no amount" in page and ATTACK not in page
    assert page.count('class="node-chart"') == 4
    assert "Revenue by site" in text(admin_client.get(REPORTS))


def test_a_report_is_of_one_site_or_partner_where_staff_say_so(admin_client: Client) -> None:
    store(ours(IN_MARCH), ours(IN_MARCH, "OTHER", site="LOC-2", msp="XXX"))
    found = admin_client.get(REPORTS, {**PERIOD, "site": "loc-2", "by": "partner"}).context["report"]
    assert [row["partner"] for row in found.rows] == ["DE*XXX"]
    assert "expected CC*PID" in text(admin_client.get(REPORTS, {**PERIOD, "partner": "X"}))
    assert "ends before it begins" in text(admin_client.get(REPORTS, {"first": "2025-03-02", "last": "2025-03-01"}))


@pytest.mark.parametrize("kind", ["energy", "sessions", "revenue", "average", "utilisation"])
def test_staff_take_a_report_away(admin_client: Client, kind: str) -> None:
    store(ours(IN_MARCH))
    for ending in ("csv", "xlsx", "json"):
        answer: Any = admin_client.get(REPORTS, {**PERIOD, "kind": kind, "by": "month", "format": ending})
        assert f"{kind}-by-month-2025-03-01-2025-03-31.{ending}" in answer["Content-Disposition"]
        assert b"".join(answer.streaming_content)
