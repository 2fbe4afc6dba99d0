"""The embedded node as a real process."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def running(directory, program=("manage.py",)):
    """`manage.py runnode` on a database of its own; yields its URL, its process and its environment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{directory / 'node.sqlite3'}",
        "REDIS_URL": "",
        "NODE_URL": url,
        "NODE_PARTIES": "CPO:DE*CPO:Example Charging,EMSP:DE*MSP:Example Mobility",
    }
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *program, "runnode", "--port", str(port)], cwd=ROOT, env=environment, stderr=log
        )
        try:
            _await(lambda: httpx.get(f"{url}/readyz").status_code == 200)
            yield url, process, environment
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with running(tmp_path_factory.mktemp("node")) as found:
        yield found


@pytest.fixture
def migrated_path(tmp_path, migrated_sqlite):
    """A directory whose database is migrated already, for nodes that need not do it."""
    shutil.copyfile(migrated_sqlite, tmp_path / "node.sqlite3")
    return tmp_path


def _await(holds, seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)


def manage(environment, *arguments):
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    return json.loads(done.stdout) if done.stdout.startswith(b"{") else None


def test_it_serves_partners_staff_and_probes(node):
    url, _, _ = node
    assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
    checks = httpx.get(f"{url}/readyz").json()["checks"]
    assert checks == {"database": "ok", "migrations": "ok", "redis": "ok", "jobs": "ok"}
    assert httpx.get(f"{url}/ocpi/versions").status_code == 401
    assert httpx.get(f"{url}/admin/login/").status_code == 200


def test_a_websocket_nobody_serves_is_404(node):
    url, _, _ = node
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    answer = httpx.get(f"{url}/nowhere", headers={**upgrade, "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="})
    assert answer.status_code == 404


def test_a_partner_invited_on_the_command_line_can_discover_the_node_at_once(node):
    url, _, environment = node
    invitation = manage(environment, "invite_platform", "Partner", "--json")
    assert invitation["versions_url"] == f"{url}/ocpi/versions"
    # An unencoded token, as 2.1.1 peers send it, is understood as well.
    answer = httpx.get(invitation["versions_url"], headers={"Authorization": f"Token {invitation['token']}"})
    assert answer.json()["data"] == [{"version": "2.2.1", "url": f"{url}/ocpi/2.2.1"}]


CONNECT_A_PARTNER_THAT_IS_DOWN = """
from django.utils import timezone
from roaming.models import *
from roaming import directory
partner = Platform.objects.create(name="down", state="CONNECTED", outbound_token="t", connected_at=timezone.now())
partner.parties.create(party="FR*XXX", role="CPO", name="Down")
partner.endpoints.create(module="locations", role="SENDER", url="https://127.0.0.1:1/locations")
directory.changed()
"""


def test_beat_ticks_and_the_worker_does_what_is_due(node):
    _, _, environment = node
    manage(environment, "shell", "--no-imports", "-c", CONNECT_A_PARTNER_THAT_IS_DOWN)
    database = environment["DATABASE_URL"].removeprefix("sqlite:///")

    def pulled():
        with contextlib.closing(sqlite3.connect(database)) as connection:
            return connection.execute("SELECT error FROM roaming_syncrun WHERE finished_at NOTNULL").fetchall()

    _await(pulled)
    assert "not a public address" in pulled()[0][0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_exit_code_0(migrated_path, number):
    with running(migrated_path) as (_, process, _):
        process.send_signal(number)
        assert process.wait(timeout=20) == 0


# The node with two seconds to drain and a task that takes as long as its URL says.
WITH_A_SLOW_TASK = """
import os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import path
from config import embedded, urls
from config.celery import app

@app.task(name="slow")
def slow(seconds):
    print("task began", file=sys.stderr, flush=True)
    time.sleep(seconds)
    print("task ended", file=sys.stderr, flush=True)

def start(request, seconds):
    slow.delay(seconds)
    return HttpResponse()

embedded.DRAIN_SECONDS = 5
urls.urlpatterns.append(path("slow/<int:seconds>", start))
execute_from_command_line(sys.argv)
"""


@pytest.mark.parametrize(("seconds", "ended"), [(2, True), (60, False)])
def test_a_running_task_is_waited_for_but_not_for_ever(migrated_path, seconds, ended):
    with running(migrated_path, ("-c", WITH_A_SLOW_TASK)) as (url, process, _):
        log = migrated_path / "log"
        httpx.get(f"{url}/slow/{seconds}")
        _await(lambda: "task began" in log.read_text())
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)  # an impatient second one changes nothing
        assert process.wait(timeout=15) == 0
        assert ("task ended" in log.read_text()) is ended
        assert ("left while at work" in log.read_text()) is not ended


def test_an_address_that_is_taken_is_an_error_before_anything_is_touched(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'node.sqlite3'}", "REDIS_URL": ""}
        command = [sys.executable, "manage.py", "runnode", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Address already in use" in done.stderr
    assert not (tmp_path / "node.sqlite3").exists()
