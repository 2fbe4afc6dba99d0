"""`lint_tariff`, as staff and scripts call it; pricing notes 8."""

import json
from typing import Any

import pytest

from tests.kit.pricing import element, flat, price, tariff
from tests.ocpi.pricing.conftest import Run

CLEAN = flat(price("ENERGY", "0.5", vat="20", step=1))
REMARKABLE = flat(price("ENERGY", "0.5", vat="20", step=0))
DOUBTFUL = tariff(element(price("ENERGY", "0.5", vat="20", step=1), start_time="08:00", end_time="20:00"))
WRONG = flat(price("ENERGY", "0.5", vat="200", step=1))


@pytest.mark.parametrize(
    ("document", "code", "strict"), [(CLEAN, 0, 0), (REMARKABLE, 0, 0), (DOUBTFUL, 0, 1), (WRONG, 1, 1)]
)
def test_the_exit_code_tells_how_bad_it_is(run: Run, file: Any, document: Any, code: int, strict: int) -> None:
    assert run(file(document), "--json")[0] == code
    assert run(file(document), "--json", "--strict")[0] == strict


def test_json_is_one_document_with_everything(run: Run, file: Any) -> None:
    _, out, err = run(file(DOUBTFUL), "--json")
    assert err == ""
    (finding,) = json.loads(out)["findings"]
    assert finding.keys() == {"code", "severity", "pointer", "message", "witness"}
    assert (finding["code"], finding["severity"], finding["pointer"]) == ("gap", "W", "/elements")
    assert finding["witness"] == {"time": "00:00"}


@pytest.mark.parametrize(
    ("document", "pointer"),
    [(b"{", ""), ([], ""), ({}, "/elements"), ([CLEAN, {"elements": [{}]}], "/1/elements/0/price_components")],
)
def test_bad_input_is_exit_2_with_a_pointer(run: Run, file: Any, document: Any, pointer: str) -> None:
    code, out, err = run(file(document), "--json")
    assert code == 2 and err
    assert json.loads(out)["error"]["pointer"] == pointer


def test_a_list_may_be_that_of_a_connector(run: Run, file: Any) -> None:
    """P8: two tariffs for all sessions."""
    both = file({"data": [CLEAN, CLEAN | {"id": "B"}], "status_code": 1000})
    assert run(both, "--json")[0] == 0
    code, out, _ = run(both, "--json", "--connector")
    assert code == 1
    assert json.loads(out)["findings"][0]["code"] == "type_duplicate_on_connector"


def test_a_person_gets_a_table(run: Run, file: Any) -> None:
    _, out, _ = run(file(DOUBTFUL))
    assert "gap" in out and "time 00:00" in out and "0 errors, 1 warnings, 0 remarks" in out
    assert "Nothing was found." in run(file(CLEAN))[1]
