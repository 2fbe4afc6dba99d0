"""Simulated chargers against the real front door: what they charge is what is billed."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cpo_backend.commanding import asking
from cpo_backend.models import Charger, ReportedStatus, Transaction
from ocpi.models import Cdr
from ocpi.types import codec
from tests.kit import charging
from tests.kit.chargers import PASSWORD, eventually

ROOT = Path(__file__).parents[3]


def simulate(url: str, capsys: Any, identity: str = "CP-1", *arguments: str) -> Any:
    options = ("--password", PASSWORD, "--url", url, "--json", "--speed", "7200", "--samples", "4")
    call_command("simulate_charger", identity, *options, *arguments)
    return codec.decode(capsys.readouterr().out.encode())


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_sessions_by_themselves_are_billed_to_the_wh(url: str, charger: Charger, capsys: Any, version: str) -> None:
    told = simulate(url, capsys, "CP-1", "--ocpp", version, "--token", charging.TAG, "--sessions", "2")
    charging.make()
    billed = sum(codec.decode(row.document.encode())["total_energy"] for row in Cdr.objects.all())
    assert (told["sessions"], Cdr.objects.count()) == (2, 2)
    assert billed * 1000 == told["wh"]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_what_happens_offline_is_told_later(url: str, charger: Charger, capsys: Any, version: str) -> None:
    arguments = ("--ocpp", version, "--token", charging.TAG, "--sessions", "2", "--offline", "0.5", "--seed", "3")
    told = simulate(url, capsys, "CP-1", *arguments)
    assert told["reconnects"] > 0
    charging.make()
    billed = sum(codec.decode(row.document.encode())["total_energy"] for row in Cdr.objects.all())
    assert billed * 1000 == told["wh"]


def test_many_at_once(url: str, charger: Charger, capsys: Any) -> None:
    for number in (1, 2, 3):
        charging.add_charger(f"MANY-{number}", f"LOC-M{number}")
    arguments = ("--count", "3", "--token", charging.TAG, "--sessions", "1", "--faults", "1")
    told = simulate(url, capsys, "MANY", *arguments)
    assert (told["sessions"], told["faults"]) == (3, 3)
    assert Transaction.objects.exclude(closed_by="").count() == 3


@pytest.mark.parametrize(
    ("version", "start", "stop"),
    [
        (
            "1.6",
            ("RemoteStartTransaction", {"idTag": charging.TAG, "connectorId": 1}),
            ("RemoteStopTransaction", "transactionId"),
        ),
        (
            "2.0.1",
            (
                "RequestStartTransaction",
                {"idToken": {"idToken": charging.TAG, "type": "Central"}, "remoteStartId": 7, "evseId": 1},
            ),
            ("RequestStopTransaction", "transactionId"),
        ),
    ],
)
def test_it_charges_by_command(url: str, charger: Charger, version: str, start: Any, stop: Any) -> None:
    options = ["--password", PASSWORD, "--url", url, "--ocpp", version, "--minutes", "600"]
    process = subprocess.Popen([sys.executable, "manage.py", "simulate_charger", "CP-1", *options], cwd=ROOT)
    try:
        eventually(lambda: ReportedStatus.objects.exists(), "the charger")
        assert asking.ask("CP-1", *start, 5)["result"] == {"status": "Accepted"}
        found = eventually(lambda: Transaction.objects.first(), "a transaction")
        eventually(lambda: ReportedStatus.objects.exclude(word="Available").exists(), "its status")
        assert asking.ask("CP-1", stop[0], {stop[1]: found.told_id or found.pk}, 5)["result"] == {"status": "Accepted"}
        eventually(lambda: Transaction.objects.get().closed_by == "charger", "its end")
    finally:
        process.terminate()
        process.wait()
    assert Transaction.objects.get().stop_reason == "Remote"


def test_sessions_need_a_token() -> None:
    with pytest.raises(CommandError, match="needs a --token"):
        call_command("simulate_charger", "CP-1", "--password", PASSWORD, "--sessions", "1")
