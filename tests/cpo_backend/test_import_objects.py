"""`import_objects`: own objects of every module from a file, one by one judged."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ocpi.models import Cdr, Session, Tariff, Token
from ocpi.store.cdrs import cdrs
from ocpi.types import codec
from tests.kit.objects import cdr, session, tariff

pytestmark = pytest.mark.django_db
OWN = {"country_code": "NL", "party_id": "OCP"}
EMSP = "NL*OSP"
TOKEN = {
    "country_code": "NL",
    "party_id": "OSP",
    "uid": "04A1",
    "type": "RFID",
    "contract_id": "NLOSPC1",
    "issuer": "Example Mobility",
    "valid": True,
    "whitelist": "ALWAYS",
    "last_updated": "2026-03-01T12:00:00Z",
}


@pytest.fixture
def run(tmp_path, capsys):
    """Imports documents; returns the report and the exit code."""

    def run(module: str, documents: Any, party: str = "NL*OCP") -> tuple[Any, int]:
        path = tmp_path / "objects.json"
        path.write_bytes(documents if isinstance(documents, bytes) else codec.encode(documents))
        code = 0
        try:
            call_command("import_objects", module, str(path), "--party", party, "--json")
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        return json.loads(capsys.readouterr().out), code

    return run


@pytest.mark.parametrize(
    ("module", "model", "document", "party"),
    [
        ("tariffs", Tariff, tariff(**OWN), "NL*OCP"),
        ("sessions", Session, session(**OWN), "NL*OCP"),
        ("cdrs", Cdr, cdr(**OWN), "NL*OCP"),
        ("tokens", Token, TOKEN, EMSP),
    ],
)
def test_importing_the_same_file_again_changes_nothing(run, module, model, document, party):
    first, code = run(module, [document], party)
    assert (first["created"], code) == (1, 0)
    revision = model.objects.get().revision
    again, _ = run(module, [document], party)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 1)
    assert model.objects.get().revision == revision
    assert codec.decode(model.objects.get().document.encode()) == document


def test_a_bad_object_does_not_lose_the_good_ones(run):
    report, code = run("tariffs", [tariff(**OWN), tariff(**OWN, id="T2", elements=[]), "not an object"])
    assert (report["created"], report["rejected"], code) == (1, 2, 3)
    assert {row["code"] for row in report["rejections"]} == {"invalid", "not_an_object"}
    assert "/elements" in next(row["reason"] for row in report["rejections"] if row["code"] == "invalid")


def test_objects_of_others_are_rejected(run):
    report, code = run("sessions", [session(country_code="DE", party_id="CPO")])
    assert (report["created"], code) == (0, 3)
    assert report["rejections"][0]["code"] == "foreign_owner"


def test_a_cdr_is_never_changed_by_an_import(run):
    run("cdrs", [cdr(**OWN)])
    report, code = run("cdrs", [cdr(**OWN, remark="changed")])
    assert (report["rejections"][0]["code"], code) == ("changed", 3)
    assert "remark" not in (cdrs.find("NL*OCP", cdr()["id"]) or "")


def test_json_lines_are_read_line_by_line(run):
    lines = codec.encode(TOKEN) + b"\n" + codec.encode({**TOKEN, "uid": "04A2"}) + b"\n{broken\n"
    report, code = run("tokens", lines, EMSP)
    assert (report["created"], report["rejected"], code) == (2, 1, 3)


def test_a_party_that_is_not_ours_is_bad_usage(run):
    with pytest.raises(CommandError) as failed:
        run("tariffs", [tariff(**OWN)], "DE*CPO")
    assert failed.value.returncode == 2
