"""Firmware that chargers fetch, diagnostics that they send (notes 9)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.asgi import application
from cpo_backend import tasks
from cpo_backend.files import keeping, links, ranges
from cpo_backend.files.door import FileDoor
from cpo_backend.files.links import Mode
from cpo_backend.models import Charger, ChargerFile, OperationJob, OperationStep
from cpo_backend.operations.ordering import order
from tests.kit import chargers
from tests.kit.charger import V16, V201
from tests.kit.chargers import connected, eventually
from tests.kit.front_door import serve

HOUR = timedelta(hours=1)
CONTENT = bytes(range(256)) * 4000
ACCEPTED = {"status": "Accepted"}


@pytest.fixture(autouse=True)
def _place(settings: Any, tmp_path: Path) -> None:
    settings.OCPP_FILES_DIR = tmp_path / "files"


@pytest.fixture
def door(transactional_db: None, settings: Any) -> Iterator[str]:
    with serve(FileDoor(), lifespan="off") as url:
        settings.OCPP_FILES_URL = url
        yield url


def new(**columns: Any) -> ChargerFile:
    return ChargerFile.objects.create(**{"name": "fw-1.2.bin", "created_at": timezone.now(), **columns})


@pytest.fixture
def firmware(door: str) -> ChargerFile:
    row = new()
    assert httpx.put(links.url(row.pk, Mode.PUT, HOUR), content=CONTENT).status_code == 201
    row.refresh_from_db()
    return row


def fetch(row: ChargerFile, method: str = "GET", **headers: str) -> httpx.Response:
    return httpx.request(method, links.url(row.pk, Mode.GET, HOUR, row.name), headers=headers)


def test_what_was_sent_is_fetched_whole(firmware: ChargerFile) -> None:
    answer = fetch(firmware)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert firmware.size == len(CONTENT)
    assert answer.headers["etag"] == f'"{firmware.digest}"'
    assert 'filename="fw-1.2.bin"' in answer.headers["content-disposition"]
    head = fetch(firmware, "HEAD")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(CONTENT)))


def test_a_charger_goes_on_where_it_was_cut_off(firmware: ChargerFile) -> None:
    answer = fetch(firmware, Range="bytes=1000000-")
    assert (answer.status_code, answer.content) == (206, CONTENT[1_000_000:])
    assert answer.headers["content-range"] == f"bytes 1000000-{len(CONTENT) - 1}/{len(CONTENT)}"
    assert fetch(firmware, Range="bytes=0-9", **{"If-Range": '"other"'}).status_code == 200
    beyond = fetch(firmware, Range=f"bytes={len(CONTENT)}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(CONTENT)}")


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("", None),
        ("bytes=0-0", (0, 1)),
        ("bytes=5-", (5, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes=8-99", (8, 10)),
        ("bytes=5-4", None),
        ("bytes=1-2,4-5", None),
        ("lines=1-2", None),
    ],
)
def test_ranges(header: str, span: tuple[int, int] | None) -> None:
    """RFC 9110, section 14."""
    assert ranges.read(header, 10) == span


def test_nobody_guesses_a_url_or_uses_it_for_long(firmware: ChargerFile, door: str) -> None:
    good = links.path(firmware.pk, Mode.GET, HOUR)
    forged = good.replace(f"g{firmware.pk}-", f"p{firmware.pk}-")
    over = links.path(firmware.pk, Mode.GET, -HOUR)
    for path in (forged, over, links.PREFIX, links.PREFIX + "x", good[:-1]):
        assert httpx.get(door + path).status_code == 404, path
    assert httpx.get(links.url(firmware.pk + 99, Mode.GET, HOUR)).status_code == 404
    assert httpx.put(door + good, content=b"x").status_code == 405


def test_nothing_is_no_file(door: str) -> None:
    url = links.url(new().pk, Mode.PUT, HOUR)
    assert httpx.put(url).status_code == 400
    assert httpx.put(url, content=b"x").status_code == 201


def test_a_file_is_taken_once(firmware: ChargerFile) -> None:
    assert httpx.put(links.url(firmware.pk, Mode.PUT, HOUR), content=b"other").status_code == 409
    assert fetch(firmware).content == CONTENT


@pytest.mark.parametrize("is_declared", [True, False])
def test_what_is_too_big_is_refused_and_leaves_nothing(door: str, settings: Any, is_declared: bool) -> None:
    settings.OCPP_FILE_LIMIT = 1000
    row = new()
    content = CONTENT[:1001] if is_declared else iter([CONTENT[:600], CONTENT[:600]])
    assert httpx.put(links.url(row.pk, Mode.PUT, HOUR), content=content).status_code == 413
    assert not list(settings.OCPP_FILES_DIR.glob("*"))
    assert fetch(row).status_code == 404


def test_the_file_in_a_form_is_unwrapped(door: str) -> None:
    """As some chargers send it."""
    row = new(name="")
    url = links.url(row.pk, Mode.PUT, HOUR)
    assert httpx.post(url, files={"file": ("../log.zip", CONTENT)}).status_code == 201
    row.refresh_from_db()
    assert (row.name, keeping.where(row.pk).read_bytes()) == ("log.zip", CONTENT)
    assert len(list(keeping.where(row.pk).parent.glob("*"))) == 1


@pytest.mark.parametrize(("subprotocol", "action"), [(V16, "GetDiagnostics"), (V201, "GetLog")])
def test_diagnostics_come_to_us_unless_told_elsewhere(
    url: str, charger: Charger, door: str, subprotocol: str, action: str
) -> None:
    """What has come is done, also when the charger says nothing more about it."""
    with connected(url, subprotocol=subprotocol) as cp:
        cp.answers[action] = {"fileName": "log.zip"} if subprotocol == V16 else ACCEPTED
        order(OperationJob.Kind.DIAGNOSTICS, {}, Charger.objects.all())
        asked = cp.wait_asked(action)
        location = asked["location"] if subprotocol == V16 else asked["log"]["remoteLocation"]
        eventually(lambda: OperationStep.objects.get().state == "running", "running")
        assert httpx.put(f"{location}/log.zip", content=CONTENT).status_code == 201
    assert OperationStep.objects.get().state == "done"
    row = ChargerFile.objects.get()
    assert (row.charger, row.name, row.size) == (charger, "log.zip", len(CONTENT))


def test_firmware_of_ours_is_fetched_by_a_url_of_ours(url: str, charger: Charger, firmware: ChargerFile) -> None:
    with connected(url) as cp:
        cp.answers["UpdateFirmware"] = {}
        order(OperationJob.Kind.FIRMWARE, {"file": firmware.pk}, Charger.objects.all())
        location = cp.wait_asked("UpdateFirmware")["location"]
    assert location.endswith("/fw-1.2.bin")
    assert httpx.get(location).content == CONTENT


def test_firmware_that_has_not_come_cannot_be_ordered(charger: Charger) -> None:
    order(OperationJob.Kind.FIRMWARE, {"file": new().pk}, [charger])
    step = OperationStep.objects.get()
    assert (step.state, "has not come" in step.detail) == ("failed", True)


def test_staff_upload_and_fetch_files(door: str, charger: Charger, admin_client: Client) -> None:
    answer = admin_client.post(reverse("admin:cpo_backend_chargerfile_add"), {"name": "fw.bin", "note": "all"})
    page = answer["location"]
    row = ChargerFile.objects.get()
    text = admin_client.get(page).content.decode()
    path = text.split('data-upload-url="')[1].split('"')[0]
    assert "cpo_backend/upload.js" in text
    assert httpx.put(door + path, content=CONTENT).status_code == 201
    text = admin_client.get(page).content.decode()
    path = text.split('href="/api/v1/charger-files/')[1].split('"')[0]
    assert httpx.get(f"{door}{links.PREFIX}{path}").content == CONTENT
    assert "fw.bin" in admin_client.get(reverse("admin:cpo_backend_operationjob_add")).content.decode()
    admin_client.post(reverse("admin:cpo_backend_chargerfile_delete", args=[row.pk]), {"post": "yes"})
    assert not keeping.where(row.pk).exists()
    assert not ChargerFile.objects.exists()


def test_old_diagnostics_are_forgotten_and_firmware_is_not(door: str, charger: Charger, firmware: ChargerFile) -> None:
    row = new(kind=ChargerFile.Kind.DIAGNOSTICS, charger=charger)
    assert httpx.put(links.url(row.pk, Mode.PUT, HOUR), content=b"x").status_code == 201
    ChargerFile.objects.update(created_at=timezone.now() - timedelta(days=91))
    tasks.prune_chargers()
    assert [file.pk for file in ChargerFile.objects.all()] == [firmware.pk]
    assert not keeping.where(row.pk).exists()
    assert keeping.where(firmware.pk).exists()


def test_the_front_door_leads_there(transactional_db: None) -> None:
    row = new()
    with serve(application, lifespan="off") as url:
        assert httpx.put(url + links.path(row.pk, Mode.PUT, HOUR), content=b"x").status_code == 201
        assert httpx.get(url + links.path(row.pk, Mode.GET, HOUR)).content == b"x"


@pytest.fixture
def charger(transactional_db: None) -> Charger:
    return chargers.add_charger()
