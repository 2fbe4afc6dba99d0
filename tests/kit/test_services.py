"""The private servers, by their command line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from tests.kit import services

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "tests.kit.services"]


@pytest.fixture
def environment():
    """Ours, with no servers configured."""
    return {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")}


@pytest.fixture
def installed():
    try:
        services.postgres_bin()
        services.redis_server()
    except services.Missing as error:
        pytest.skip(str(error))


def run(environment, *arguments):
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.usefixtures("installed")
def test_both_servers_serve_while_the_command_runs_and_are_gone_afterwards(environment):
    script = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL']); input()"
    with subprocess.Popen(
        [*COMMAND, "run", "--", sys.executable, "-uc", script],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        database, broker = process.stdout.readline().split()
        with psycopg.connect(database) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("off",)
        with redis.Redis.from_url(broker) as client:
            assert client.ping()
        process.communicate("\n")
    assert process.returncode == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(database)


@pytest.mark.usefixtures("installed")
def test_sigterm_reaches_the_command_and_its_exit_code_is_ours(environment):
    command = ["sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"]
    with subprocess.Popen(
        [*COMMAND, "run", "--durable", "--", *command], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 7


def test_servers_that_are_configured_are_used_instead(environment):
    configured = {**environment, "DATABASE_URL": "postgres://elsewhere/node", "REDIS_URL": ""}
    done = run(
        configured, "run", "--", "sh", "-c", 'echo "$DATABASE_URL [$REDIS_URL] $*"; exit 3', "sh", "a", "--", "b"
    )
    assert done.stdout == "postgres://elsewhere/node [] a -- b\n"
    assert done.returncode == 3


def test_a_command_killed_by_a_signal_has_the_shells_exit_code(environment):
    configured = {**environment, "DATABASE_URL": "", "REDIS_URL": ""}
    assert run(configured, "run", "--", "sh", "-c", "kill -KILL $$").returncode == 137


def test_a_missing_server_is_named_with_its_debian_package(environment):
    done = run({**environment, "PATH": "/nowhere", "DATABASE_URL": ""}, "run", "--", "true")
    assert done.returncode == 1
    assert "Debian package: redis-server" in done.stderr
