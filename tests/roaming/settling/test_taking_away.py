"""What people take away: the command, the files, and the pages of a month's end."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from ocpi.accounts.months import Month
from ocpi.models import Cdr
from ocpi.types import codec
from roaming.agreement_models import Agreement
from roaming.dispute_models import Dispute
from roaming.settlement_models import Settlement
from roaming.settling import building, files
from tests.kit import cli
from tests.kit.billing import CPO, MSP, bill, credit, receive
from tests.kit.objects import cdr_token, price

pytestmark = pytest.mark.django_db(transaction=True)

MARCH = Month(2025, 3)
IN_MARCH, IN_APRIL = (datetime(2025, number, 10, 12, tzinfo=UTC) for number in (3, 4))
NOW = datetime(2025, 8, 1, tzinfo=UTC)


def drawn_up() -> Settlement:
    row = building.draft(CPO, MSP, MARCH, NOW)
    assert row is not None
    return row


def command(*arguments: str) -> tuple[Any, int]:
    return cli.run("settle", *arguments)


# --- command --------------------------------------------------------------------------------------------------------


def test_the_command_draws_up_a_month() -> None:
    receive(bill(IN_MARCH))
    result, code = command("2025-03")
    (row,) = result["settlements"]
    assert (code, row["cpo"], row["emsp"], row["state"], row["cdrs"]) == (0, CPO, MSP, "draft", 1)
    assert row["totals"][0]["excl_vat"] == Decimal("2.50") and result["refused"] == []


def test_it_closes_once_and_says_the_same_again() -> None:
    receive(bill(IN_MARCH))
    first, code = command("2025-03", "--close", "--by", "clerk")
    assert (code, first["settlements"][0]["state"]) == (0, "closed")
    assert command("2025-03", "--close") == (first, 0)
    assert Settlement.objects.get().closed_by == "clerk"


def test_one_party_alone() -> None:
    receive(bill(IN_MARCH), bill(IN_MARCH, id="B", cdr_token=cdr_token(party_id="XXX")))
    assert [row["emsp"] for row in command("2025-03", "--party", "de*xxx")[0]["settlements"]] == ["DE*XXX"]
    assert len(command("2025-03", "--party", CPO)[0]["settlements"]) == 2


def test_what_cannot_be_closed_is_told_and_the_rest_is_done() -> None:
    receive(bill(IN_APRIL), bill(IN_MARCH, id="OLD"), bill(IN_APRIL, id="B", cdr_token=cdr_token(party_id="XXX")))
    result, code = command("2025-04", "--close")
    assert (code, [row["emsp"] for row in result["settlements"]]) == (3, ["DE*XXX"])
    assert "2025-03 first" in result["refused"][0]["why"]
    assert command("2025-04", "--close", "--party", MSP)[1] == 1


@pytest.mark.parametrize("arguments", [("2025-13",), ("2025-03", "--party", "nobody")])
def test_bad_input_is_told(arguments: tuple[str, ...]) -> None:
    result, code = command(*arguments)
    assert code == 2 and result["error"]["message"]


def test_a_credit_that_came_in_between_resolves_its_dispute_first() -> None:
    receive(bill(IN_MARCH))
    Dispute.objects.create(cdr=Cdr.objects.get(), reason="too dear", evidence="{}")
    assert command("2025-03")[0]["settlements"][0]["held_back"] == 1
    receive(credit(bill(IN_MARCH)))
    assert command("2025-03")[0]["settlements"][0]["held_back"] == 0
    assert Dispute.objects.get().state == Dispute.State.RESOLVED


def test_it_writes_the_three_files(tmp_path: Path) -> None:
    receive(bill(IN_MARCH))
    result, _ = command("2025-03", "--out", str(tmp_path / "out"))
    written = result["settlements"][0]["files"]
    assert sorted(written) == ["csv", "jsonl", "xlsx"]
    assert Path(written["csv"]).name == "settlement-2025-03-DE-CPO-DE-MSP.csv"
    assert all(Path(path).stat().st_size for path in written.values())


# --- files ----------------------------------------------------------------------------------------------------------


def test_csv_has_every_digit_and_no_formulas() -> None:
    receive(bill(IN_MARCH, id="=1+1", total_cost=price("2.5000", "3.0000")), bill(IN_MARCH, id="B"))
    Dispute.objects.create(cdr=Cdr.objects.get(key="b"), reason="too dear", evidence="{}")
    first, second = csv.DictReader(io.StringIO("".join(files.as_csv(drawn_up()))))
    assert (first["id"], first["excl_vat"], first["vat"], first["vat_rates"]) == ("'=1+1", "2.5000", "0.5000", "20")
    assert (second["held_back"].split()[0], second["late"]) == ("dispute", "")


def test_json_lines_begin_with_the_statement() -> None:
    receive(bill(IN_MARCH), credit(bill(IN_MARCH)))
    statement, first, second = (codec.decode(line.encode()) for line in files.as_json_lines(drawn_up()))
    assert statement["month"] == "2025-03" and len(statement["sha256"]) == 64
    assert (first["kind"], second["kind"], second["credits"]) == ("charge", "credit", "CDR-1")
    assert second["excl_vat"] == Decimal("-2.50")


def test_xlsx_has_the_figures_and_the_list() -> None:
    Agreement.objects.create(
        party_a=CPO, party_b=MSP, valid_from=datetime(2025, 1, 1, tzinfo=UTC), fee_per_session=Decimal("0.40")
    )
    receive(bill(IN_MARCH))
    file = io.BytesIO()
    files.as_xlsx(drawn_up(), file)
    book = openpyxl.load_workbook(file)
    figures = [[cell.value for cell in row] for row in book["Statement"]]
    assert ["month", "2025-03"] in [row[:2] for row in figures]
    assert any(row[0] == "fees" for row in figures) and any("per session" in row for row in figures)
    header, line = ([cell.value for cell in row] for row in book["CDRs"])
    assert dict(zip(header, line, strict=True))["excl_vat"] == 2.5


def test_the_list_is_written_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_BATCH", 2)
    receive(*(bill(IN_MARCH, id=f"C{n}") for n in range(5)))
    assert [row["number"] for row in files.rows(drawn_up())] == [1, 2, 3, 4, 5]


# --- admin ----------------------------------------------------------------------------------------------------------


def page(name: str, row: Settlement) -> str:
    return reverse(f"admin:roaming_settlement_{name}", args=[row.pk])


def body(answer: HttpResponse) -> bytes:
    parts: Iterator[bytes] = answer.streaming_content  # type: ignore[attr-defined]
    return b"".join(parts)


def test_staff_see_totals_vat_fees_and_what_is_held_back(admin_client: Client) -> None:
    Agreement.objects.create(
        party_a=CPO, party_b=MSP, valid_from=datetime(2025, 1, 1, tzinfo=UTC), fee_per_session=Decimal("0.40")
    )
    receive(bill(IN_MARCH), bill(IN_MARCH, id="B", cost="7.77"))
    Dispute.objects.create(cdr=Cdr.objects.get(key="b"), reason="too dear", evidence="{}")
    row = drawn_up()
    shown = admin_client.get(page("change", row)).content.decode()
    for text in ("2.50", "per session", "0.40", "7.77", "is open", row.sha256, "2 CDRs"):
        assert text in shown
    assert "2.50 EUR" in admin_client.get(reverse("admin:roaming_settlement_changelist")).content.decode()


def test_staff_page_through_the_list(admin_client: Client) -> None:
    receive(*(bill(IN_MARCH, id=f"C{n:02}") for n in range(60)))
    row = drawn_up()
    url = reverse("admin:roaming_settledcdr_changelist")
    first = admin_client.get(url, {"settlement__id__exact": row.pk}).content.decode()
    assert "c00" in first and "c55" not in first
    assert "c55" in admin_client.get(url, {"settlement__id__exact": row.pk, "p": 2}).content.decode()


def test_staff_draw_up_and_close_after_a_question(admin_client: Client) -> None:
    receive(bill(IN_MARCH))
    draw_up = reverse("admin:roaming_settlement_draw_up")
    assert "YYYY-MM" in admin_client.get(draw_up).content.decode()
    assert "not a month" in admin_client.post(draw_up, {"month": "2025-3"}).content.decode()
    admin_client.post(draw_up, {"month": "2025-03"})
    row = Settlement.objects.get()
    assert "Closing is final" in admin_client.get(page("close", row)).content.decode()
    receive(bill(IN_MARCH, id="B"))
    admin_client.post(page("again", row))
    admin_client.post(page("close", row))
    row.refresh_from_db()
    assert (row.state, row.closed_by, row.cdr_count) == ("CLOSED", "admin", 2)
    assert page("close", row) not in admin_client.get(page("change", row)).content.decode()


def test_staff_are_told_why_a_month_cannot_be_closed(admin_client: Client) -> None:
    receive(bill(IN_MARCH), bill(IN_APRIL, id="B"))
    row = building.draft(CPO, MSP, Month(2025, 4), NOW)
    assert row is not None
    assert "2025-03 first" in admin_client.post(page("close", row), follow=True).content.decode()


def test_staff_download_each_format(admin_client: Client) -> None:
    receive(bill(IN_MARCH))
    row = drawn_up()
    found = {ending: admin_client.get(page(ending, row)) for ending in files.FORMATS}
    assert found["csv"]["Content-Disposition"] == 'attachment; filename="settlement-2025-03-DE-CPO-DE-MSP.csv"'
    assert body(found["csv"]).decode("utf-8-sig").startswith("number,id,")
    assert json.loads(body(found["jsonl"]).splitlines()[0])["cpo"] == CPO
    assert body(found["xlsx"]).startswith(b"PK")


def test_who_may_only_look_closes_nothing(client: Client, django_user_model: Any) -> None:
    receive(bill(IN_MARCH))
    row = drawn_up()
    user = django_user_model.objects.create_user("looker", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_settlement"))
    client.force_login(user)
    assert client.get(page("change", row)).status_code == 200
    listed = client.get(reverse("admin:roaming_settledcdr_changelist"), {"settlement__id__exact": row.pk})
    assert listed.status_code == 200
    assert client.post(page("close", row)).status_code == 403
    assert client.post(reverse("admin:roaming_settlement_draw_up"), {"month": "2025-03"}).status_code == 403
    row.refresh_from_db()
    assert row.state == "DRAFT"


def test_who_may_not_look_at_settlements_does_not_see_their_list(client: Client, django_user_model: Any) -> None:
    receive(bill(IN_MARCH))
    drawn_up()
    client.force_login(django_user_model.objects.create_user("other", is_staff=True))
    assert client.get(reverse("admin:roaming_settledcdr_changelist")).status_code == 403


def test_an_agreement_names_a_zone_and_a_currency_of_this_world(admin_client: Client) -> None:
    form = {
        "party_a": CPO, "party_b": MSP, "valid_from_0": "2025-01-01", "valid_from_1": "00:00", "cdr_tolerance": "0",
        "cdr_rounding": "ONCE", "fee_per_session": "0.40", "fee_percent": "0",
        "tariff_offers-TOTAL_FORMS": "0", "tariff_offers-INITIAL_FORMS": "0",
    }  # fmt: skip
    url = reverse("admin:roaming_agreement_add")
    refused = admin_client.post(url, {**form, "settle_zone": "Mars/Phobos", "fee_currency": "E"}).content.decode()
    assert "no time zone" in refused and "no currency" in refused
    admin_client.post(url, {**form, "settle_zone": "Europe/Berlin", "fee_currency": "eur"})
    assert Agreement.objects.get().fee_currency == "EUR"
