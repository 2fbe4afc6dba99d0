"""The status of EVSEs whose chargers are connected to another system."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone

from cpo_backend import tasks
from cpo_backend.ingest import sources
from cpo_backend.models import FedStatus, StatusSource
from tests.kit import chargers
from tests.kit.chargers import OWNER, add_location, status_of

URL = "/api/v1/evse-status"
Send = Callable[..., Any]

pytestmark = pytest.mark.django_db


@pytest.fixture
def token() -> str:
    """Of a source for the EVSEs of LOC-1."""
    add_location()
    return sources.add("other system", OWNER)[1]


@pytest.fixture
def send(token: str) -> Send:
    """Sends a batch and returns the receipt, or the HTTP status of a refusal."""

    def post(*items: Any, raw: bytes | None = None, token: str = token) -> Any:
        body = raw if raw is not None else json.dumps(items).encode()
        headers = {"Authorization": f"Token {token}"} if token else {}
        answer = Client().post(URL, body, content_type="application/json", headers=headers)
        return answer.json() if answer.status_code == 200 else answer.status_code

    return post


def told(uid: str = "EVSE-1", status: Any = "AVAILABLE", **more: Any) -> dict[str, Any]:
    return {"evse_uid": uid, "status": status, **more}


def test_a_batch_is_what_partners_read(send: Send) -> None:
    receipt = send(told(), told("evse-2", "CHARGING"))
    assert (receipt["taken"], receipt["rejected"]) == (2, 0)
    assert (status_of("EVSE-1"), status_of("EVSE-2")) == ("AVAILABLE", "CHARGING")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Available", "AVAILABLE"),
        ("Preparing", "AVAILABLE"),
        ("SuspendedEV", "CHARGING"),
        ("Finishing", "BLOCKED"),
        ("Unavailable", "INOPERATIVE"),
        ("Faulted", "OUTOFORDER"),
        ("Occupied", "AVAILABLE"),
    ],
)
def test_words_of_chargers_mean_what_they_mean_from_chargers(send: Send, word: str, status: str) -> None:
    assert send(told(status=word))["taken"] == 1
    assert status_of("EVSE-1") == status


def test_a_car_that_is_only_plugged_in_blocks_in_the_end(send: Send) -> None:
    send(told(status="Preparing"))
    long_ago = timezone.now() - timedelta(hours=1)
    FedStatus.objects.update(since=long_ago, due_at=long_ago)
    tasks.sweep_chargers()
    assert status_of("EVSE-1") == "BLOCKED"


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        ("EVSE-1", "/1"),
        (told(status="BUSY"), "/1/status"),
        (told(status="REMOVED"), "/1/status"),
        (told(status=7), "/1/status"),
        ({"status": "AVAILABLE"}, "/1/evse_uid"),
        (told("NO-SUCH-EVSE"), "/1/evse_uid"),
        (told("E" * 37), "/1/evse_uid"),
        (told(location_id="LOC-9"), "/1/location_id"),
        (told(timestamp="yesterday"), "/1/timestamp"),
        (told(timestamp="2096-01-01T00:00:00Z"), "/1/timestamp"),
    ],
)
def test_what_is_wrong_is_said_in_its_place_and_the_rest_counts(send: Send, item: Any, pointer: str) -> None:
    receipt = send(told(status="CHARGING"), item, told("EVSE-2"))
    assert (receipt["taken"], receipt["rejected"]) == (2, 1)
    assert receipt["results"][1]["result"] == "rejected"
    assert receipt["results"][1]["pointer"] == pointer
    assert receipt["results"][1]["message"]
    assert (status_of("EVSE-1"), status_of("EVSE-2")) == ("CHARGING", "AVAILABLE")


def test_what_is_older_than_what_is_known_changes_nothing(send: Send) -> None:
    send(told(status="CHARGING", timestamp="2026-03-01T12:00:00Z"))
    assert send(told(timestamp="2026-03-01T11:00:00Z"))["outdated"] == 1
    assert status_of("EVSE-1") == "CHARGING"


def test_an_evse_in_two_locations_takes_the_location(send: Send) -> None:
    add_location("LOC-2")
    assert send(told())["rejected"] == 1
    assert send(told(location_id="loc-2"))["taken"] == 1
    assert (status_of("EVSE-1"), status_of("EVSE-1", "LOC-2")) == ("UNKNOWN", "AVAILABLE")


def test_a_charger_of_ours_has_the_say(send: Send) -> None:
    chargers.add_charger()
    assert send(told())["rejected"] == 1
    assert status_of("EVSE-1") == "UNKNOWN"


def test_the_evse_of_another_source_is_not_touched(send: Send) -> None:
    send(told())
    other = sources.add("another system", OWNER)[1]
    assert send(told(status="CHARGING"), token=other)["rejected"] == 1


def test_a_source_that_is_silent_is_not_believed(send: Send) -> None:
    """The rule for chargers that are away; what it says anew counts, and nothing else."""
    send(told(), told("EVSE-2"))
    StatusSource.objects.update(last_seen_at=timezone.now() - timedelta(seconds=901))
    tasks.sweep_chargers()
    assert (status_of("EVSE-1"), status_of("EVSE-2")) == ("UNKNOWN", "UNKNOWN")
    send(told())
    tasks.sweep_chargers()
    assert (status_of("EVSE-1"), status_of("EVSE-2")) == ("AVAILABLE", "UNKNOWN")


def test_an_empty_batch_is_a_sign_of_life(send: Send) -> None:
    send(told())
    StatusSource.objects.update(last_seen_at=timezone.now() - timedelta(seconds=901))
    assert send()["taken"] == 0
    tasks.sweep_chargers()
    assert status_of("EVSE-1") == "AVAILABLE"


@pytest.mark.parametrize("raw", [b"", b"nonsense", b"7", b"{}", b"[" * 100_000, b'{"items": 1}'])
def test_what_is_no_batch_is_refused(send: Send, raw: bytes) -> None:
    assert send(raw=raw) == 400


def test_a_batch_may_be_an_object_with_items(send: Send) -> None:
    assert send(raw=json.dumps({"items": [told()]}).encode())["taken"] == 1


@pytest.mark.parametrize("wrong", ["", "0" * 40])
def test_only_sources_may_tell(send: Send, wrong: str) -> None:
    assert send(told(), token=wrong) == 401
    assert status_of("EVSE-1") == "UNKNOWN"


def test_a_source_that_is_switched_off_may_tell_nothing(send: Send) -> None:
    StatusSource.objects.update(is_enabled=False)
    assert send(told()) == 401


def test_a_file_is_taken_like_a_batch(token: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feed = tmp_path / "feed.csv"
    feed.write_text("evse_uid,status,timestamp\nEVSE-1,AVAILABLE,\nEVSE-2,BUSY,\n")
    with pytest.raises(SystemExit) as ended:
        call_command("import_evse_status", str(feed), source="other system", json=True)
    receipt = json.loads(capsys.readouterr().out)
    assert (ended.value.code, receipt["taken"], receipt["results"][1]["pointer"]) == (3, 1, "/1/status")
    assert status_of("EVSE-1") == "AVAILABLE"


def test_a_file_that_is_none_is_2(token: str, tmp_path: Path) -> None:
    feed = tmp_path / "feed.json"
    for content in ("nonsense", "7"):
        feed.write_text(content)
        with pytest.raises(CommandError) as error:
            call_command("import_evse_status", str(feed), source="other system")
        assert error.value.returncode == 2
    with pytest.raises(CommandError):
        call_command("import_evse_status", str(feed), source="nobody")


def test_a_token_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("add_status_source", "other system", party=OWNER, json=True)
    source = sources.known(json.loads(capsys.readouterr().out)["token"])
    assert source is not None and source.name == "other system"
    with pytest.raises(CommandError) as error:
        call_command("add_status_source", "other system", party=OWNER)
    assert error.value.returncode == 2
