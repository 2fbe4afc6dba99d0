"""The embedded node as a real process."""

import contextlib
import json
import os
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
def running(directory):
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
            [sys.executable, "manage.py", "runnode", "--port", str(port)], cwd=ROOT, env=environment, stderr=log
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
def test_a_signal_ends_it_with_exit_code_0(tmp_path, number):
    with running(tmp_path) as (_, process, _):
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
