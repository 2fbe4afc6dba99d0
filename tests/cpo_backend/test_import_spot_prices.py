"""`import_spot_prices`: own Tariffs from a price curve, as often as one comes; pricing notes 7."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ocpi.ids import PartyId
from ocpi.store.tariffs import tariffs
from ocpi.types import codec, times

pytestmark = pytest.mark.django_db
CPO = PartyId("NL*OCP")
AUTUMN = datetime(2026, 10, 24, 22, tzinfo=UTC)


def curve(hours: int, start: datetime = AUTUMN, price: str = "50") -> str:
    lines = [f"{times.format(start + timedelta(hours=hour))},{price}" for hour in range(hours)]
    return "\n".join(["start,price", *lines])


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(content: str, *arguments: str) -> Any:
        file = tmp_path / "curve"
        file.write_text(content)
        options = ("--party", CPO, "--tariff-id", "SPOT", "--timezone", "Europe/Amsterdam", "--vat", "21", "--json")
        try:
            call_command("import_spot_prices", str(file), *options, *arguments)
        except SystemExit as end:
            return end.code
        return codec.decode(capsys.readouterr().out.encode())

    return run


def counts(result: Any) -> tuple[int, int, int]:
    return result["created"], result["updated"], result["unchanged"]


def test_a_curve_becomes_tariffs_and_once_more_changes_nothing(run: Any) -> None:
    result = run(curve(25))
    assert counts(result) == (2, 0, 0) and result["slots"] == 25
    assert result["tariffs"] == ["SPOT-E0200", "SPOT-E0100"]
    assert counts(run(curve(25))) == (0, 0, 2)
    stored = codec.decode(str(tariffs.find(CPO, "spot-e0100")).encode())
    assert stored["elements"][0]["price_components"][0] == {
        "type": "ENERGY", "price": Decimal("0.05"), "vat": 21, "step_size": 1
    }  # fmt: skip


def test_a_corrected_curve_updates_and_the_next_day_joins(run: Any) -> None:
    run(curve(25))
    assert counts(run(curve(25, price="60"))) == (0, 2, 0)
    assert counts(run(curve(24, AUTUMN + timedelta(hours=25)))) == (0, 1, 0)
    assert counts(run(curve(25, price="60"))) == (0, 0, 2)


def test_a_markup_and_a_ceiling_are_added(run: Any) -> None:
    run(curve(25), "--markup", "0.1", "--ceiling", "0.8", "--unit", "kwh")
    stored = codec.decode(str(tariffs.find(CPO, "spot-e0200")).encode())
    prices = [element["price_components"][0]["price"] for element in stored["elements"]]
    assert prices == [Decimal("50.10"), Decimal("0.80")]


@pytest.mark.parametrize(
    ("content", "arguments", "words"),
    [
        (curve(24), (), "row 25: the curve ends within a day"),
        ("start,price\n", (), "has no prices"),
        ("\x00", (), "no prices|no CSV"),
        (curve(25), ("--timezone", "Europe/Atlantis"), "time zone"),
        (curve(25), ("--party", "NL*XXX"), "not a party of this node"),
        (curve(25), ("--currency", "EURO"), "/currency"),
        (curve(25), ("--markup", "ten"), "markup"),
    ],
)
def test_what_cannot_be_used_is_bad_input_and_leaves_nothing_behind(
    run: Any, content: str, arguments: tuple[str, ...], words: str
) -> None:
    with pytest.raises(CommandError, match=words) as caught:
        run(content, *arguments)
    assert getattr(caught.value, "returncode", 2) in (1, 2)
    assert not tariffs.rows().exists()
