"""`price_cdr`, as staff and scripts call it; pricing notes 6."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocpi.types import codec
from tests.kit.pricing import Document, cdr, costs, element, flat, period, price, tariff
from tests.ocpi.pricing.conftest import Run

PRICES = flat(price("ENERGY", "0.5", vat="20"))
RIGHT = cdr(period(30, kwh=10), total_cost=costs("5", "6"))


def test_a_cdr_that_agrees_is_exit_0_and_one_document(run: Run, file: Any) -> None:
    code, out, err = run(file(RIGHT | {"tariffs": [PRICES]}), "--json")
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert result["agrees"] is True and result["total_cost"] == {"excl_vat": 5, "incl_vat": 6}


def test_a_cdr_that_differs_is_exit_1(run: Run, file: Any) -> None:
    code, out, _ = run(file(RIGHT | {"tariffs": [PRICES], "total_cost": costs("7")}), "--json")
    assert code == 1
    assert json.loads(out)["differences"][0]["field"] == "total_cost.excl_vat"


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one], lambda one: {"data": one, "status_code": 1000}])
def test_documents_may_come_in_an_envelope_or_a_list(run: Run, file: Any, wrap: Callable[[Document], Any]) -> None:
    assert run(file(wrap(RIGHT)), "--tariff", file(wrap(PRICES)), "--json")[0] == 0


def test_the_document_may_come_from_stdin(run: Run, file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(codec.encode(RIGHT))))
    assert run("-", "--tariff", file(PRICES), "--json")[0] == 0


@pytest.mark.parametrize(
    ("document", "arguments", "pointer"),
    [
        (b"{", [], ""),
        (RIGHT, [], "/tariffs"),
        (RIGHT | {"tariffs": [PRICES]}, ["--timezone", "Mars"], ""),
        (RIGHT | {"tariffs": [PRICES], "charging_periods": [{}]}, [], "/charging_periods/0/start_date_time"),
        (cdr(period(9, kwh=1, tariff_id="X"), tariffs=[PRICES]), [], "/charging_periods/0/tariff_id"),
    ],
)
def test_bad_input_is_exit_2_with_a_pointer(run: Run, file: Any, document: Any, arguments: Any, pointer: str) -> None:
    code, out, err = run(file(document), *arguments, "--json")
    assert code == 2 and err
    assert json.loads(out)["error"]["pointer"] == pointer


def test_a_file_that_is_not_there_is_exit_2(run: Run, tmp_path: Path) -> None:
    assert run(tmp_path / "none.json", "--json")[0] == 2


def test_a_fault_in_the_tariff_file_names_that_file(run: Run, file: Any) -> None:
    code, out, _ = run(file(RIGHT), "--tariff", path := file({"elements": []}), "--json")
    assert code == 2
    assert json.loads(out)["error"] == {
        "file": str(path),
        "pointer": "/elements",
        "message": "must be a list of at least one tariff element",
    }


def test_notes_alone_change_the_exit_code_only_when_strict(run: Run, file: Any) -> None:
    document = file(RIGHT | {"tariffs": [PRICES | {"end_date_time": "2020-01-01T00:00:00Z"}]})
    assert run(document, "--json")[0] == 0
    assert run(document, "--json", "--strict")[0] == 1


def test_what_became_of_a_reservation_and_when_a_session_ends_can_be_said(run: Run, file: Any) -> None:
    held = element(price("TIME", "6"), reservation="RESERVATION")
    lost = element(price("TIME", "60"), reservation="RESERVATION_EXPIRES")
    document = file(cdr(period(30, reservation=True), tariffs=[tariff(held, lost)]))
    assert json.loads(run(document, "--json", "--reservation", "used")[1])["total_cost"]["excl_vat"] == 3
    assert json.loads(run(document, "--json")[1])["total_cost"]["excl_vat"] == 30
    session = {**RIGHT, "kwh": 10, "tariffs": [PRICES]}
    del session["end_date_time"], session["total_energy"]
    assert json.loads(run(file(session), "--json", "--end", "2026-03-09T12:00:00Z")[1])["total_time"] == 2


def test_a_person_gets_a_table_and_the_verdict(run: Run, file: Any) -> None:
    night = element(price("ENERGY", "0.1"), start_time="22:00", end_time="06:00")
    prices = tariff(night, element(price("ENERGY", "0.5", vat="20", step=1000)))
    _, out, _ = run(file(cdr(period(30, kwh="9.5"), total_cost=costs("4.75"), tariffs=[prices])), "--explain")
    assert "0.5/kWh" in out and "The document differs." in out
    assert "not /tariffs/0/elements/0/price_components/0 (time 22:00-06:00: 10:00:00)" in out
    assert "step_size 1000 adds 0.50 kWh" in out


def test_numbers_leave_as_they_are(run: Run, file: Any) -> None:
    """Never by way of a binary fraction."""
    out = run(file(cdr(period(9, kwh="0.1"), period(9, kwh="0.2"), tariffs=[PRICES])), "--json")[1]
    assert '"total_energy":0.30,' in out


def test_no_database_is_asked(run: Run, file: Any) -> None:
    """This test has none: any query would be an error."""
    assert run(file(RIGHT | {"tariffs": [PRICES]}))[0] == 0
