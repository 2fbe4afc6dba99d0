"""Tariffs of our own as staff write them: seen before they are stored, refused with what is wrong at its field."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from ocpi.admin import tariff_lines as lines
from ocpi.ids import PartyId
from ocpi.models import Tariff
from ocpi.pricing.building.plans import Month, Window
from ocpi.store.objects import Arrival
from ocpi.store.tariffs import tariffs
from ocpi.types import codec
from tests.kit.objects import Document, tariff

pytestmark = pytest.mark.django_db
ADD = "/admin/ocpi/tariff/add/"
OCP = PartyId("NL*OCP")
ATTACK = "<script>alert(1)</script>"
FORM = {"party": OCP, "id": "AC", "currency": "EUR", "per_kwh": "0.49", "vat": "21", "zone": "Europe/Amsterdam"}
WARNED = {"per_kwh": "6"}  # an unusual price


def text(response: HttpResponse) -> str:
    assert response.status_code == 200
    return response.content.decode()


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["form"].errors)


def confirmed(admin: Client, url: str, form: Document) -> Any:
    """What staff get who look at the preview and store it."""
    shown = admin.post(url, form)
    return admin.post(url, {**form, "seen": shown.context["seen"], "base": shown.context["base"]})


def stored(id: str = "AC") -> Document:
    found: Document = codec.decode(str(tariffs.find(OCP, id)).encode())
    return found


def ours(**changes: Any) -> Tariff:
    tariffs.put(Arrival(tariff(**changes)), None)
    return Tariff.objects.latest("id")


def step(name: str, row: Tariff) -> str:
    return reverse(f"admin:ocpi_tariff_{name}", args=[row.pk])


# --- the builder ----------------------------------------------------------------------------------------------------


def test_a_preview_stores_nothing(admin_client: Client) -> None:
    assert "New Tariff" in text(admin_client.get(ADD))
    shown = text(admin_client.post(ADD, FORM))
    for words in ("Energy: 0.5929 EUR per kWh.", "Wednesday 12:00", "9.80", "Store"):
        assert words in shown.replace("\N{NO-BREAK SPACE}", " ")
    assert not Tariff.objects.exists()


def test_what_was_seen_is_stored_and_remembered(admin_client: Client) -> None:
    assert confirmed(admin_client, ADD, FORM).status_code == 302
    assert stored()["elements"][0]["price_components"][0]["price"] == Decimal("0.49")
    assert LogEntry.objects.get().get_change_message() == "Stored: AC."
    assert "AC" in text(admin_client.get("/admin/ocpi/tariff/"))


def test_what_was_changed_after_the_preview_is_shown_again(admin_client: Client) -> None:
    seen = admin_client.post(ADD, FORM).context["seen"]
    shown = admin_client.post(ADD, {**FORM, "per_kwh": "0.59", "seen": seen})
    assert "0.7139 EUR" in text(shown) and not Tariff.objects.exists()


def test_warnings_are_shown_with_their_witness_and_stored_only_in_spite_of_them(admin_client: Client) -> None:
    shown = text(admin_client.post(ADD, {**FORM, **WARNED}))
    assert "price_scale" in shown and "Store in spite of 1 warning" in shown
    assert confirmed(admin_client, ADD, {**FORM, **WARNED}).status_code == 302


def test_every_kind_at_once(admin_client: Client) -> None:
    form = {
        **FORM,
        "windows": "17:00-20:00 0.59 Mon-Fri\n22:00-06:00 0.29",
        "start_fee": "1",
        "parking_per_hour": "6",
        "parking_free_minutes": "240",
        "reservation_fee": "2",
        "expiry_fee": "5",
        "least": "1",
        "most": "50",
        "type": "AD_HOC_PAYMENT",
        "starts": "2026-12-01 00:00",
    }
    assert confirmed(admin_client, ADD, form).status_code == 302
    assert len(stored()["elements"]) == 6
    assert (stored()["type"], stored()["start_date_time"]) == ("AD_HOC_PAYMENT", "2026-12-01T00:00:00Z")


def test_a_price_list_by_month_stores_a_tariff_for_each(admin_client: Client) -> None:
    form = {**FORM, "per_kwh": "", "months": "2026-12 0.49\n2027-01 0.47"}
    assert confirmed(admin_client, ADD, form).status_code == 302
    assert [row.key for row in Tariff.objects.order_by("key")] == ["ac-2026-12", "ac-2027-01"]
    assert stored("ac-2027-01")["start_date_time"] == "2026-12-31T23:00:00Z"


def test_free_charging(admin_client: Client) -> None:
    assert "Charging is free." in text(admin_client.post(ADD, {**FORM, "per_kwh": "", "is_free": "on"}))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"per_kwh": ""}, "per_kwh"),
        ({"per_kwh": "-1"}, "per_kwh"),
        ({"per_kwh": "0.12345"}, "per_kwh"),
        ({"is_free": "on"}, "is_free"),
        ({"vat": "121"}, "vat"),
        ({"zone": "Europe/Atlantis"}, "zone"),
        ({"windows": "17:00"}, "windows"),
        ({"windows": "17:00-20:00 0.5\n19:00-21:00 0.4"}, "windows"),
        ({"months": "2026-13 0.4"}, "months"),
        ({"months": "2026-12 0.4"}, "per_kwh"),
        ({"parking_free_minutes": "10"}, "parking_per_hour"),
        ({"parking_per_hour": "1", "parking_free_minutes": "-1"}, "parking_free_minutes"),
        ({"reservation_per_hour": "-1"}, "reservation_per_hour"),
        ({"expiry_fee": "-1"}, "expiry_fee"),
        ({"least": "5", "most": "4"}, "least"),
        ({"starts": "2026-12-01 00:00", "ends": "2026-11-01 00:00"}, "ends"),
        ({"id": "A" * 37}, "id"),
        ({"party": "DE*XXX"}, "party"),
        ({"currency": "XXX"}, "__all__"),
        ({"id": "\u00fc"}, "__all__"),
    ],
)
def test_what_is_wrong_stands_at_its_field(admin_client: Client, changes: Document, field: str) -> None:
    response = admin_client.post(ADD, {**FORM, **changes})
    assert list(errors(response)) == [field]
    assert not response.context["previews"]


def test_a_tariff_that_is_there_already_is_not_replaced(admin_client: Client) -> None:
    ours(id="ac")
    assert "already" in errors(confirmed(admin_client, ADD, FORM))["id"][0]
    months = {**FORM, "per_kwh": "", "months": "2026-12 0.49\n2027-01 0.47"}
    ours(id="AC-2027-01")
    assert "AC-2027-01" in errors(confirmed(admin_client, ADD, months))["id"][0]
    assert Tariff.objects.count() == 2


def test_what_staff_write_is_escaped(admin_client: Client) -> None:
    assert ATTACK not in text(admin_client.post(ADD, {**FORM, "windows": ATTACK, "id": ATTACK}))


@pytest.mark.parametrize("codename", ["view_tariff", "change_tariff"])
def test_who_may_not_add_cannot(client: Client, codename: str) -> None:
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename=codename))
    client.force_login(user)
    assert client.get(ADD).status_code == client.post(ADD, FORM).status_code == 403


# --- as JSON --------------------------------------------------------------------------------------------------------


def as_json(**changes: Any) -> Document:
    return {"document": codec.encode_text(tariff(**changes)), "zone": "UTC"}


def test_a_tariff_is_changed_as_json(admin_client: Client) -> None:
    row = ours()
    page = step("revise", row)
    assert "TARIFF-1" in text(admin_client.get(page))
    assert confirmed(admin_client, page, as_json(type="AD_HOC_PAYMENT")).status_code == 302
    assert stored("TARIFF-1")["type"] == "AD_HOC_PAYMENT"
    assert stored("TARIFF-1")["last_updated"] > tariff()["last_updated"]


def test_what_somebody_else_changed_or_withdrew_meanwhile_is_not_overwritten(admin_client: Client) -> None:
    row = ours()
    page, form = step("revise", row), as_json(type="AD_HOC_PAYMENT")
    shown = admin_client.post(page, form)
    form |= {"seen": shown.context["seen"], "base": shown.context["base"]}
    ours(currency="CHF")
    assert "meanwhile" in errors(admin_client.post(page, form))["document"][0]
    assert stored("TARIFF-1")["currency"] == "CHF"
    tariffs.delete(OCP, "TARIFF-1", None)
    assert admin_client.post(page, form).status_code == 302
    assert Tariff.objects.get().deleted


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a Tariff"),
        (codec.encode_text(tariff(id="OTHER")), "/id"),
        (codec.encode_text(tariff(elements=[])), "/elements"),
        (codec.encode_text(tariff(currency="XXX")), "/currency"),
        (codec.encode_text(tariff(elements=[{"price_components": [{"type": "ENERGY", "price": "x"}]}])), "/elements/0"),
    ],
)
def test_json_that_cannot_be_stored_is_refused_with_a_pointer(admin_client: Client, document: str, words: str) -> None:
    response = admin_client.post(step("revise", ours()), {"document": document, "zone": ""})
    assert any(words in message for message in errors(response)["document"])


def test_partners_tariffs_are_not_changed(admin_client: Client) -> None:
    tariffs.put(Arrival(tariff(country_code="DE", party_id="CPO")), 3)
    row = Tariff.objects.get()
    for name in ("revise", "withdraw"):
        assert admin_client.post(step(name, row), as_json()).status_code == 302
    assert not Tariff.objects.get().deleted
    shown = text(admin_client.get(reverse("admin:ocpi_tariff_change", args=[row.pk])))
    assert "Change as JSON" not in shown and "Tariff lab" in shown


def test_a_tariff_is_withdrawn_after_a_question(admin_client: Client) -> None:
    row = ours()
    assert "Withdraw" in text(admin_client.get(step("withdraw", row)))
    assert not Tariff.objects.get().deleted
    assert admin_client.post(step("withdraw", row)).status_code == 302
    assert Tariff.objects.get().deleted
    assert "Change as JSON" not in text(admin_client.get(reverse("admin:ocpi_tariff_change", args=[row.pk])))


def test_from_a_tariff_staff_come_to_the_lab(admin_client: Client) -> None:
    row = ours()
    assert admin_client.get(step("lab", row)).url == f"/admin/roaming/labrun/add/?tariff={row.pk}"


# --- lines ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "days"),
    [
        ("17:00-20:00 0.5", ()),
        ("17:00 - 20:00 0.5 mon-wed", (0, 1, 2)),
        ("17:00-20:00 0.5 Sat, Sun", (5, 6)),
        ("17:00-20:00 0.5 Sat-Mon fri", (0, 4, 5, 6)),
    ],
)
def test_windows_are_read_from_lines(line: str, days: tuple[int, ...]) -> None:
    window = Window(per_kwh=Decimal("0.5"), start=1020, end=1200, days=frozenset(days))
    assert lines.windows(f"\n{line}\n\n{line}") == (window, window)


def test_months_are_read_from_lines() -> None:
    (found,) = lines.months("2026-03 0.49")
    assert isinstance(found, Month) and (str(found.first), found.per_kwh) == ("2026-03-01", Decimal("0.49"))


@pytest.mark.parametrize("line", ["17:00-20:00", "17:00-20:60 1", "17:00-20:00 x", "17:00-20:00 1 Xyz", "1-2 3"])
def test_a_line_that_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(lines.BadLine, match="Line 2"):
        lines.windows(f"17:00-20:00 0.5\n{line}")
