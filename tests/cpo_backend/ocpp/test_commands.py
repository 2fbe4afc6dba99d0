"""Commands: rows first, one at a time for each charger, each with one outcome; `ocppctl` on top."""

import io
import json
import os
import shutil
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from cpo_backend import tasks
from cpo_backend.commanding import asking, concluding, queue
from cpo_backend.models import Charger, OcppCommand, OcppConnection, OcppNode
from tests.kit.charger import V201, CallError, FakeCharger
from tests.kit.chargers import PASSWORD, connected, eventually
from tests.kit.objects import location
from tests.kit.services import free_port

Status = OcppCommand.Status
RESET = {"type": "Soft"}


def test_a_call_is_answered_with_what_the_charger_says(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.answers["GetConfiguration"] = {"configurationKey": [{"key": "K", "readonly": True, "value": "1"}]}
        told = asking.ask("CP-1", "GetConfiguration", {"key": ["K"]}, 5)
        assert told == {"status": "ok", "result": cp.answers["GetConfiguration"]}
        assert cp.asked == [("GetConfiguration", {"key": ["K"]})]
    command = OcppCommand.objects.get()
    assert command.status == Status.OK
    assert command.sent_at is not None and command.answered_at is not None


def test_an_error_is_told_with_its_code(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.answers["Reset"] = CallError("NotSupported", "never heard of it")
        told = asking.ask("CP-1", "Reset", RESET, 5)
    assert told == {"status": "error", "code": "NotSupported", "description": "never heard of it"}


def test_an_answer_that_does_not_fit_its_action_is_an_error(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.answers["Reset"] = {"outcome": "Accepted"}
        told = asking.ask("CP-1", "Reset", RESET, 5)
    assert (told["status"], told["code"]) == ("error", "OccurenceConstraintViolation")


def test_null_is_an_answer_without_members(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.reply_raw["UpdateFirmware"] = "null"
        firmware = {"location": "https://example.org/f.bin", "retrieveDate": "2026-03-01T12:00:00Z"}
        assert asking.ask("CP-1", "UpdateFirmware", firmware, 5) == {"status": "ok", "result": {}}


def test_without_an_answer_it_is_a_timeout(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.answers["Reset"] = None
        assert asking.ask("CP-1", "Reset", RESET, 0.3) == {"status": "timeout"}
        cp.answers["Reset"] = {"status": "Accepted"}
        assert asking.ask("CP-1", "Reset", RESET, 5)["status"] == "ok"


def test_a_charger_that_is_not_connected_is_offline_at_once(charger: Charger) -> None:
    assert asking.ask("CP-1", "Reset", RESET, 5) == {"status": "offline"}
    assert asking.ask("CP-9", "Reset", RESET, 5) == {"status": "offline"}
    assert OcppCommand.objects.get().status == Status.OFFLINE


def test_a_charger_that_leaves_before_it_answers_is_offline(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.answers["Reset"] = None
        command = queue.put(charger, "Reset", RESET)
        cp.wait_asked("Reset")
    eventually(lambda: OcppCommand.objects.get(pk=command.pk).status == Status.OFFLINE, "offline")


def test_one_call_is_outstanding_and_their_order_is_kept(url: str, charger: Charger) -> None:
    release = threading.Event()

    def slow(_: dict[str, Any]) -> dict[str, Any]:
        release.wait(5)
        return {"status": "Accepted"}

    with connected(url) as cp:
        cp.answers |= {"Reset": slow, "ClearCache": {"status": "Accepted"}}
        first = queue.put(charger, "Reset", RESET)
        second = queue.put(charger, "ClearCache", {})
        cp.wait_asked("Reset")
        assert "currentTime" not in str(cp.asked)
        assert [action for action, _ in cp.asked] == ["Reset"]
        assert OcppCommand.objects.get(pk=second.pk).status == Status.QUEUED
        release.set()
        cp.wait_asked("ClearCache")
        eventually(lambda: OcppCommand.objects.filter(status=Status.OK).count() == 2, "both")
    assert first.pk < second.pk


def test_whom_somebody_waits_for_passes_what_we_ask_by_ourselves(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.answers |= {"ClearCache": {"status": "Accepted"}, "Reset": {"status": "Accepted"}}
        with transaction.atomic():  # both are there when the first is looked for
            queue.put(charger, "ClearCache", {}, purpose=OcppCommand.Purpose.STATUS)
            queue.put(charger, "Reset", RESET)
        cp.wait_asked("ClearCache")
        assert [action for action, _ in cp.asked] == ["Reset", "ClearCache"]


def test_many_commands_to_one_charger_are_answered_in_their_order(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.answers["GetConfiguration"] = {}
        commands = [queue.put(charger, "GetConfiguration", {"key": [f"{place}"]}) for place in range(20)]
        eventually(lambda: OcppCommand.objects.filter(status=Status.OK).count() == len(commands), "all of them")
        assert [payload["key"] for _, payload in cp.asked] == [[f"{place}"] for place in range(20)]


def test_an_answer_that_comes_too_late_changes_nothing(charger: Charger) -> None:
    command = OcppCommand.objects.create(
        charger=charger, action="Reset", payload="{}", status=Status.SENT, timeout=1, **_moments(-10)
    )
    tasks.sweep_chargers()
    assert not concluding.conclude(command.pk, Status.OK, "{}")
    command.refresh_from_db()
    assert command.status == Status.TIMEOUT


def _moments(seconds: float) -> dict[str, Any]:
    now = timezone.now()
    return {"created_at": now, "due_at": now, "expires_at": now + timedelta(seconds=seconds)}


def test_what_a_dead_process_had_to_send_is_ended(charger: Charger) -> None:
    """Its connections are given up, too, and the grace of its chargers begins."""
    long_ago = timezone.now() - timedelta(minutes=1)
    node = OcppNode.objects.create(id="0" * 32, host="dead", started_at=long_ago, seen_at=long_ago)
    OcppConnection.objects.create(
        charger=charger, node=node, generation="1" * 32, version="1.6", security_profile=1, connected_at=long_ago
    )
    command = OcppCommand.objects.create(charger=charger, action="Reset", payload="{}", timeout=1, **_moments(60))
    assert asking.state("CP-1")["online"] is False
    tasks.sweep_chargers()
    command.refresh_from_db()
    charger.refresh_from_db()
    assert command.status == Status.OFFLINE
    assert charger.offline_since is not None
    assert not OcppConnection.objects.exists()


# --- ocppctl ----------------------------------------------------------------------------------------------------------


def ctl(monkeypatch: pytest.MonkeyPatch, what: str, document: Any) -> tuple[int, Any]:
    """Exit code, and what is on stdout."""
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    out, code = io.StringIO(), 0
    try:
        call_command("ocppctl", what, stdout=out)
    except SystemExit as ended:
        code = int(str(ended.code))
    except CommandError as error:
        code = error.returncode
    text = out.getvalue()
    assert text.count("\n") <= 1
    return code, json.loads(text) if text else None


def test_ocppctl_call_prints_one_line(url: str, charger: Charger, monkeypatch: pytest.MonkeyPatch) -> None:
    with connected(url) as cp:
        cp.answers["Reset"] = {"status": "Accepted"}
        call = {"identity": "CP-1", "action": "Reset", "payload": RESET, "timeout": 5}
        assert ctl(monkeypatch, "call", call) == (0, {"status": "ok", "result": {"status": "Accepted"}})
        cp.answers["Reset"] = CallError("InternalError")
        assert ctl(monkeypatch, "call", call)[0] == 1


def test_ocppctl_state_names_connectors_as_the_version_does(
    url: str, charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(url) as cp:
        cp.status(0, "Available")
        cp.status(2, "Preparing")
        cp.status(1, "Available")
        state = {"online": True, "connectors": {"1": "Available", "2": "Preparing"}, "transactions": []}
        assert ctl(monkeypatch, "state", {"identity": "CP-1"}) == (0, state)
    eventually(lambda: not asking.state("CP-1")["online"], "offline")


def test_ocppctl_state_of_the_newer_version(url: str, charger: Charger, monkeypatch: pytest.MonkeyPatch) -> None:
    with connected(url, subprotocol=V201) as cp:
        cp.status(1, "Occupied", connector=2)
        assert ctl(monkeypatch, "state", {"identity": "CP-1"})[1]["connectors"] == {"1.2": "Occupied"}


def test_ocppctl_state_of_nobody(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = {"online": False, "connectors": {}, "transactions": []}
    assert ctl(monkeypatch, "state", {"identity": "CP-9"}) == (0, nobody)


@pytest.mark.parametrize(
    "document",
    [b"nonsense", [], {}, {"identity": 7}, {"identity": "CP-1"}, {"identity": "CP-1", "action": "Reset", "payload": 1}],
)
def test_ocppctl_call_with_bad_input_is_2(db: None, monkeypatch: pytest.MonkeyPatch, document: Any) -> None:
    assert ctl(monkeypatch, "call", document) == (2, None)


@pytest.mark.parametrize(
    ("action", "payload"), [("Heartbeat", {}), ("Nonsense", {}), ("Reset", {}), ("Reset", {"type": 7})]
)
def test_a_call_that_no_charger_could_be_asked_is_2(
    charger: Charger, monkeypatch: pytest.MonkeyPatch, action: str, payload: Any
) -> None:
    Charger.objects.filter(pk=charger.pk).update(version="1.6")
    call = {"identity": "CP-1", "action": action, "payload": payload}
    assert ctl(monkeypatch, "call", call) == (2, None)


def test_ocppctl_reaches_a_node_in_another_process(tmp_path: Path, migrated_sqlite: Path) -> None:
    """No bus between them but the database."""
    shutil.copyfile(migrated_sqlite, tmp_path / "node.sqlite3")
    port = free_port()
    env = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "DATABASE_URLS")}
    env |= {"DATABASE_URL": f"sqlite:///{tmp_path / 'node.sqlite3'}", "NODE_URL": f"http://127.0.0.1:{port}"}
    places = tmp_path / "locations.json"
    places.write_text(json.dumps([location()]))

    def run(*arguments: str, stdin: str = "") -> Any:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], env=env, input=stdin, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout) if done.stdout else None

    arguments = [sys.executable, "manage.py", "runnode", "--port", str(port)]
    with subprocess.Popen(arguments, env=env, stderr=subprocess.PIPE) as node:
        try:
            assert node.stderr is not None
            while b"OCPI node on" not in node.stderr.readline():
                assert node.poll() is None
            run("import_locations", str(places), "--party", "NL*OCP", "--json")
            added = run(
                "add_charger", "CP-1", "--password", PASSWORD, "--location", "LOC-1", "--evse", "EVSE-1", "--json"
            )
            assert added["url"] == f"ws://127.0.0.1:{port}/ocpp/CP-1"
            with FakeCharger(f"http://127.0.0.1:{port}", "CP-1", PASSWORD) as cp:
                cp.answers["Reset"] = {"status": "Accepted"}
                cp.boot()
                cp.status(1, "Available")
                call = json.dumps({"identity": "CP-1", "action": "Reset", "payload": RESET, "timeout": 5})
                assert run("ocppctl", "call", stdin=call) == {"status": "ok", "result": {"status": "Accepted"}}
                assert run("ocppctl", "state", stdin='{"identity":"CP-1"}')["connectors"] == {"1": "Available"}
                node.terminate()
                assert cp.wait_closed() == 1012  # come again
        finally:
            node.terminate()
    assert node.returncode == 0
