"""Files of Tokens, in and out: nothing is guessed, nothing lost, faulty rows are named and left out."""

import csv
import io
import os
import re
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms.models import model_to_dict
from django.http import HttpResponse
from django.test import Client

from ocpi.admin import files
from ocpi.admin.files import neutralise, restore
from ocpi.models import Token
from ocpi.store.objects import Arrival
from ocpi.store.tokens import Terms, tokens
from ocpi.types import codec, times
from tests.kit.objects import Document, token

pytestmark = pytest.mark.django_db
LIST = "/admin/ocpi/token/"
IMPORT, CONFIRM, EXPORT = f"{LIST}import/", f"{LIST}process_import/", f"{LIST}export/"
CSV, XLSX = "0", "1"
FUTURE = times.parse("2090-01-31T12:00:00Z")
ROW = {"party": "NL*OSP", "uid": "0471", "type": "RFID", "contract_id": "C-1", "whitelist": "ALWAYS"}


@pytest.fixture(autouse=True)
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Uploaded files go where this test can count them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def as_csv(*rows: dict[str, Any], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerows([list(rows[0]), *(list(row.values()) for row in rows)])
    return out.getvalue().encode(encoding)


def as_xlsx(*rows: dict[str, Any]) -> bytes:
    book = openpyxl.Workbook()
    for line in [list(rows[0]), *(list(row.values()) for row in rows)]:
        book.active.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def upload(admin: Client, data: bytes, format: str = CSV) -> HttpResponse:
    name = f"cards.{'csv' if format == CSV else 'xlsx'}"
    return admin.post(IMPORT, {"format": format, "import_file": SimpleUploadedFile(name, data)}, follow=True)


def confirm(admin: Client, previewed: HttpResponse) -> HttpResponse:
    return admin.post(CONFIRM, previewed.context["confirm_form"].initial, follow=True)


def imported(admin: Client, data: bytes, format: str = CSV) -> dict[str, int]:
    """Preview and confirm; returns the counts."""
    previewed = upload(admin, data, format)
    confirm(admin, previewed)
    return dict(previewed.context["result"].totals)


def faults(previewed: HttpResponse) -> list[tuple[int, str, str]]:
    return [
        (row.number, column, message)
        for row in previewed.context["result"].read
        for column, messages in row.faults.items()
        for message in messages
    ]


def exported(admin: Client, format: str = CSV, **filters: str) -> bytes:
    answer = admin.post(EXPORT, {"format": format}, query_params=filters)
    assert answer.status_code == 200 and "attachment" in answer["Content-Disposition"]
    return answer.content


def document(uid: str) -> Document:
    found: Document = codec.decode(Token.objects.get(uid=uid).document.encode())
    return found


def told(response: HttpResponse) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# --- import ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("written", "format"), [(as_csv, CSV), (as_xlsx, XLSX)])
def test_a_file_is_previewed_and_then_stored(admin_client: Client, written: Any, format: str, uploads: Path) -> None:
    rest = {
        "visual_number": "0001",
        "issuer": "Öl & Strom",
        "group_id": "G",
        "valid": "false",
        "language": "de",
        "default_profile_type": "GREEN",
        "energy_supplier": "Green",
        "energy_contract_id": "E-1",
        "expires_at": "2090-01-31T12:00:00Z",
        "has_credit": "true",
        "places": "DE*CPO, FR*CPO",
    }
    previewed = upload(admin_client, written({**ROW, **rest}), format)
    shown = previewed.content.decode()
    for expected in ("1 new", "0471", "Import 1", "Öl &amp; Strom", "DE*CPO"):
        assert expected in shown, expected
    assert not Token.objects.exists()
    answer = confirm(admin_client, previewed)
    assert told(answer) == ["Imported: 1 new, 0 updated, 0 unchanged."]
    stored = document("0471")
    assert times.parse(stored.pop("last_updated"))
    assert stored == {
        "country_code": "NL",
        "party_id": "OSP",
        "uid": "0471",
        "type": "RFID",
        "contract_id": "C-1",
        "visual_number": "0001",
        "issuer": "Öl & Strom",
        "group_id": "G",
        "valid": False,
        "whitelist": "ALWAYS",
        "language": "de",
        "default_profile_type": "GREEN",
        "energy_contract": {"supplier_name": "Green", "contract_id": "E-1"},
    }
    row = Token.objects.get()
    assert (row.expires_at, row.has_credit, row.places) == (FUTURE, True, "DE*CPO\nFR*CPO")
    assert not list(uploads.iterdir())


def test_what_is_not_given_is_supposed(admin_client: Client) -> None:
    """RFID is what the specification supposes; the issuer is the party; a Token is valid unless the file says no."""
    row = {"country_code": "nl", "party_id": "osp", "uid": "A", "contract_id": "C-1", "whitelist": "ALWAYS"}
    assert imported(admin_client, as_csv(row))["new"] == 1
    found = document("a")
    assert (found["type"], found["issuer"], found["valid"]) == ("RFID", "Example Mobility", True)


def test_a_column_that_is_not_there_changes_nothing_and_an_empty_cell_takes_away(admin_client: Client) -> None:
    tokens.issue(token(uid="A", contract_id="C-1", group_id="G", vendor=1), Terms(expires_at=FUTURE))
    counts = imported(admin_client, as_csv({"party": "NL*OSP", "uid": "a", "group_id": "", "contract_id": ""}))
    assert (counts["new"], counts["update"]) == (0, 1)
    found = document("a")
    assert (found["uid"], found["contract_id"], found["vendor"]) == ("A", "C-1", 1) and "group_id" not in found
    assert Token.objects.get().expires_at == FUTURE
    imported(admin_client, as_csv({"party": "NL*OSP", "uid": "a", "expires_at": ""}))
    assert Token.objects.get().expires_at is None


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"uid": ""}, "uid", "is required"),
        ({"uid": "x" * 37}, "uid", "at most 36"),
        ({"uid": "4.7E+15"}, "uid", "rewritten by a spreadsheet"),
        ({"party": ""}, "party", "is required"),
        ({"party": "NLOSP"}, "party", "CC*PID"),
        ({"party": "DE*MSP"}, "party", "no eMSP of this node"),
        ({"party": "NL*OCP"}, "party", "no eMSP of this node"),  # ours, as a CPO
        ({"type": "CARD"}, "type", "no TokenType"),
        ({"contract_id": ""}, "contract_id", "is required"),
        ({"whitelist": "SOMETIMES"}, "whitelist", "no WhitelistType"),
        ({"valid": "perhaps"}, "valid", "true or false"),
        ({"language": "german"}, "language", "at most 2"),
        ({"expires_at": "2090-01-31"}, "expires_at", "not a UTC date and time"),
        ({"expires_at": "31.01.2090 12:00"}, "expires_at", "not a UTC date and time"),
        ({"has_credit": "2"}, "has_credit", "true or false"),
        ({"places": "everywhere"}, "places", "CC*PID"),
        ({"energy_contract_id": "E"}, "energy_supplier", "is required"),
    ],
)
def test_a_faulty_row_is_named_and_left_out(
    admin_client: Client, changes: dict[str, str], column: str, reason: str
) -> None:
    empty = dict.fromkeys(changes.keys() - ROW.keys(), "")
    previewed = upload(admin_client, as_csv({**ROW, **empty, "uid": "GOOD"}, {**ROW, **changes}))
    ((number, found, message),) = faults(previewed)
    assert (number, found) == (3, column) and reason in message
    shown = previewed.content.decode()
    assert "Import 1 and leave out 1" in shown and column in shown
    answer = confirm(admin_client, previewed)
    assert told(answer) == ["Imported: 1 new, 0 updated, 0 unchanged.", "Left out, being faulty: 1 (rows 3)."]
    assert [row.uid for row in Token.objects.all()] == ["good"]


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("uid", 4711, "is a number"),
        ("uid", 4711.0, "is a number"),
        ("visual_number", 12345678901234567, "is a number"),
        ("contract_id", datetime(2026, 12, 4), "is a date"),
        ("contract_id", True, "is true or false"),
        ("expires_at", datetime(2090, 1, 31, 12), "is a date"),
        ("expires_at", 69000.5, "is a number"),
    ],
)
def test_a_cell_that_is_no_text_is_refused(admin_client: Client, column: str, cell: Any, reason: str) -> None:
    """A spreadsheet has taken its leading zeros, long digits or time zone; what it was cannot be known."""
    ((number, found, message),) = faults(upload(admin_client, as_xlsx({**ROW, column: cell}), XLSX))
    assert (number, found) == (2, column) and reason in message and "format the column as text" in message


def test_leading_zeros_survive(admin_client: Client) -> None:
    imported(admin_client, as_csv({**ROW, "uid": "000471", "visual_number": "007"}))
    imported(admin_client, as_xlsx({**ROW, "uid": "00000471", "visual_number": "007"}), XLSX)
    assert document("000471")["visual_number"] == document("00000471")["visual_number"] == "007"


@pytest.mark.parametrize("cell", [True, "TRUE", "yes", "1", 1, 1.0])
def test_true_may_be_written_in_several_ways(admin_client: Client, cell: Any) -> None:
    imported(admin_client, as_xlsx({**ROW, "valid": cell}), XLSX)
    assert document("0471")["valid"] is True


def test_a_token_stands_in_a_file_once(admin_client: Client) -> None:
    """Ids are compared without case; another type is another Token."""
    rows = [{**ROW, "uid": "A"}, {**ROW, "uid": "A", "type": "OTHER"}, {**ROW, "uid": "a"}]
    assert faults(upload(admin_client, as_csv(*rows))) == [(4, "uid", "is in row 2 already")]


def test_a_token_that_a_partner_sent_us_is_not_overwritten(admin_client: Client) -> None:
    tokens.put(Arrival(token(uid="A")), 3)
    ((_, column, reason),) = faults(upload(admin_client, as_csv({**ROW, "uid": "A"})))
    assert column == "uid" and "partner" in reason


def test_who_may_not_charge_is_not_valid(admin_client: Client) -> None:
    rows = [
        {**ROW, "uid": "A", "valid": "true", "has_credit": "false", "expires_at": ""},
        {**ROW, "uid": "B", "valid": "true", "has_credit": "", "expires_at": "2020-01-31 12:00"},
    ]
    assert imported(admin_client, as_csv(*rows))["new"] == 2
    assert not Token.objects.filter(valid=True).exists()
    assert imported(admin_client, as_csv(*rows))["skip"] == 2
    imported(admin_client, as_csv({"party": "NL*OSP", "uid": "a", "valid": "true"}))
    assert document("a")["valid"] is False


def test_terms_that_end_block_a_token(admin_client: Client) -> None:
    tokens.issue(token(uid="A"))
    assert imported(admin_client, as_csv({"party": "NL*OSP", "uid": "A", "has_credit": "no"}))["update"] == 1
    assert document("a")["valid"] is False and Token.objects.get().has_credit is False


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"party,uid,colour\nNL*OSP,1,red\n", "Unknown columns: colour."),
        (b"party,type\nNL*OSP,RFID\n", "Missing columns: uid."),
        (b"uid,country_code\n1,NL\n", "Missing columns: party."),
        (b"uid,uid\n1,2\n", "each once"),
        (b"uid,,party\n1,2,3\n", "each once"),
        (b"party,uid\nNL*OSP,1,2\n", "Row 2 has more values"),
        (b'party,uid\nNL*OSP,"1', "no CSV"),
        ("party,uid,issuer\nNL*OSP,1,Öl\n".encode("cp1252"), "UTF-8"),
        (b"party,uid\n", "No valid data"),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(admin_client: Client, data: bytes, reason: str) -> None:
    answer = upload(admin_client, data)
    assert reason in answer.content.decode() and "result" not in answer.context


def test_a_file_of_another_format_says_so(admin_client: Client) -> None:
    assert "correct format" in upload(admin_client, as_csv(ROW), XLSX).content.decode()


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_csv_may_come_from_any_spreadsheet(admin_client: Client, delimiter: str) -> None:
    """With semicolons, a byte order mark, and empty lines that count as rows."""
    data = as_csv(ROW, dict.fromkeys(ROW, ""), {**ROW, "uid": ""}, delimiter=delimiter, encoding="utf-8-sig")
    assert faults(upload(admin_client, data)) == [(4, "uid", "is required")]


def test_a_file_that_is_gone_is_uploaded_again(admin_client: Client, uploads: Path) -> None:
    previewed = upload(admin_client, as_csv(ROW))
    for path in uploads.iterdir():
        path.unlink()
    assert "upload it again" in confirm(admin_client, previewed).content.decode()


def test_no_other_file_of_the_machine_can_be_named(admin_client: Client, uploads: Path) -> None:
    (uploads / "secret.csv").write_bytes(as_csv(ROW))
    form = {"format": CSV, "import_file_name": "secret.csv", "original_file_name": "x"}
    assert "upload it again" in admin_client.post(CONFIRM, form, follow=True).content.decode()
    assert not Token.objects.exists() and (uploads / "secret.csv").exists()


def test_what_nobody_confirmed_is_forgotten(admin_client: Client, uploads: Path) -> None:
    upload(admin_client, as_csv(ROW))
    for path in uploads.iterdir():
        os.utime(path, (0, 0))
    upload(admin_client, as_csv(ROW))
    assert len(list(uploads.iterdir())) == 1


def test_an_import_leaves_a_trace_at_each_token(admin_client: Client) -> None:
    tokens.issue(token(uid="A", contract_id="C-0"))
    imported(admin_client, as_csv({**ROW, "uid": "A", "whitelist": "NEVER"}, {**ROW, "uid": "B"}))
    entries = {entry.object_repr: entry for entry in LogEntry.objects.all()}
    assert {entry.user.username for entry in entries.values()} == {"admin"}
    assert entries["NL*OSP rfid a"].change_message == "Imported from cards.csv: contract_id C-0 → C-1"
    assert entries["NL*OSP rfid b"].is_addition()


def test_ten_thousand_cards_are_imported(admin_client: Client) -> None:
    rows = [{**ROW, "uid": f"{n:08}", "has_credit": "yes", "expires_at": "2090-01-31 12:00"} for n in range(10_000)]
    assert imported(admin_client, as_csv(*rows))["new"] == 10_000
    assert Token.objects.filter(expires_at=FUTURE, valid=True).count() == LogEntry.objects.count() == 10_000
    previewed = upload(admin_client, as_csv(*rows))
    assert previewed.context["result"].totals["skip"] == 10_000
    assert "every Token is stored as the file has it" in previewed.content.decode()


# --- export ---------------------------------------------------------------------------------------------------------

FORMULA = "=cmd|' /C calc'!A1"


@pytest.mark.parametrize("format", [CSV, XLSX])
def test_an_export_that_is_imported_changes_nothing(admin_client: Client, format: str) -> None:
    terms = Terms.of(times.parse("2090-01-31T12:00:00.123456Z"), False, "DE*CPO\nFR*CPO/loc,1")
    more = {"group_id": "000", "default_profile_type": "GREEN", "energy_contract": {"supplier_name": "Green"}}
    tokens.issue(token(uid="0471", visual_number="0008", **more), terms)
    tokens.issue(token(uid="A", type="APP_USER", visual_number='"quoted", ü ⚡'))
    for number, odd in enumerate([FORMULA, "-1", "+31", "@SUM(A1)", "'=quoted", "''", "'tis", "1e5"]):
        tokens.issue(token(uid=f"X{number}", contract_id=f"-{number}", visual_number=odd, issuer=odd))
    before = list(Token.objects.order_by("id").values("document", "revision", "places", "expires_at"))
    previewed = upload(admin_client, exported(admin_client, format), format)
    assert faults(previewed) == [] and previewed.context["result"].totals["skip"] == len(before)
    confirm(admin_client, previewed)
    assert list(Token.objects.order_by("id").values("document", "revision", "places", "expires_at")) == before


@pytest.mark.parametrize("format", [CSV, XLSX])
def test_an_export_makes_what_was_exported_elsewhere(admin_client: Client, format: str) -> None:
    odd = token(uid="0471", issuer=FORMULA, visual_number="-1", energy_contract={"supplier_name": "@Green"})
    tokens.issue(odd, Terms.of(FUTURE, True, "DE*CPO\nFR*CPO/loc,1"))
    data = exported(admin_client, format)
    Token.objects.all().delete()
    assert imported(admin_client, data, format)["new"] == 1
    assert {**document("0471"), "last_updated": 0} == {**odd, "last_updated": 0}
    assert Token.objects.get().places == "DE*CPO\nFR*CPO/loc,1"


@pytest.mark.parametrize("format", [CSV, XLSX])
def test_no_exported_value_is_a_formula(admin_client: Client, format: str) -> None:
    tokens.issue(token(uid="X", visual_number=FORMULA, issuer="+1"))
    data = exported(admin_client, format)
    if format == CSV:
        cells = [cell for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) for cell in row]
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(data)).active
        assert "f" not in {cell.data_type for row in sheet for cell in row}
        assert sheet["B2"].number_format == "@"
        cells = [str(cell.value) for row in sheet for cell in row]
    assert f"'{FORMULA}" in cells and "'+1" in cells
    assert not [cell for cell in cells if re.match(r"[=+\-@\t\r]", cell)]


@pytest.mark.parametrize("value", ["", "a", "=1", "'=1", "''=1", "'", "''", "'a", "\t", "-", "a=1", "@", "+-"])
def test_neutralising_can_be_undone(value: str) -> None:
    assert restore(neutralise(value)) == value
    assert not re.match(r"[=+\-@\t\r]", neutralise(value))


def test_an_export_holds_what_the_list_shows(admin_client: Client) -> None:
    """Filtered and searched; partners' Tokens too, without the terms we do not know."""
    tokens.issue(token(uid="A", whitelist="ALWAYS"))
    tokens.issue(token(uid="B"))
    tokens.put(Arrival(token(country_code="DE", party_id="MSP", uid="C", visual_number=["odd"])), 3)

    def uids(**filters: str) -> list[str]:
        return re.findall(r"(?m)^.{6},(\w+),", exported(admin_client, **filters).decode("utf-8-sig"))

    assert uids() == ["C", "A", "B"]
    assert uids(whitelist="ALWAYS") == uids(q="NL*OSP a") == ["A"]
    assert '"[""odd""]"' in exported(admin_client, owner="DE*MSP").decode()


def test_too_many_tokens_are_exported_in_parts(admin_client: Client) -> None:
    tokens.issue(token(uid="N"))
    one = model_to_dict(Token.objects.get(), exclude=["id"])
    Token.objects.bulk_create(Token(**one | {"key": f"n{number}"}) for number in range(files.MOST_ROWS))
    answer = admin_client.post(EXPORT, {"format": CSV})
    assert "more than 50,000 Tokens: filter the list" in answer.content.decode()


def test_a_file_of_too_many_rows_is_refused(admin_client: Client) -> None:
    rows = [{**ROW, "uid": f"N{number}"} for number in range(files.MOST_ROWS + 1)]
    assert "more than 50,000 rows" in upload(admin_client, as_csv(*rows)).content.decode()


# --- who may --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codenames", "may_import", "may_export"),
    [
        (["view_token"], False, True),
        (["view_token", "add_token"], False, True),
        (["view_token", "change_token"], False, True),
        (["view_token", "add_token", "change_token"], True, True),
        (["view_location"], False, False),
    ],
)
def test_importing_takes_adding_and_changing_and_exporting_takes_looking(
    client: Client, codenames: list[str], may_import: bool, may_export: bool
) -> None:
    tokens.issue(token(uid="A"))
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    assert (upload(client, as_csv(ROW)).status_code == 200) is may_import
    form = {"format": CSV, "import_file_name": "node-import-x", "original_file_name": "x"}
    assert (client.post(CONFIRM, form).status_code == 403) is not may_import
    assert (client.post(EXPORT, {"format": CSV}).status_code == 200) is may_export
    assert Token.objects.count() == 1
