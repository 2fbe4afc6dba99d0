"""`ocppctl`: ask a charge point, or what is known of one."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from cpo_backend.commanding import asking, queue
from ocpi.cli import BAD_INPUT, FAILED, fail
from ocpi.types import codec

_LONGEST = 3600.0


class Command(BaseCommand):
    help = (
        "One JSON document on stdin, one JSON line on stdout. call: {identity, action, payload, timeout} sends a CALL "
        "to the charge point and waits for its answer. state: {identity} tells whether it is connected and what its "
        "connectors last said. Exit code 0 ok, 1 when a call was not answered with a result, 2 bad input."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("call", "state"))

    def handle(self, *args: Any, **options: Any) -> None:
        asked = _document(sys.stdin.buffer.read())
        if options["what"] == "state":
            self._say(asking.state(asked["identity"]))
            return
        try:
            told = asking.ask(asked["identity"], _action(asked), _payload(asked), _timeout(asked))
        except asking.BadCall as error:
            fail(str(error), BAD_INPUT)
        self._say(told)
        if told["status"] != "ok":
            self.stdout.flush()
            sys.exit(FAILED)

    def _say(self, document: dict[str, Any]) -> None:
        self.stdout.write(codec.encode_text(document))


def _document(raw: bytes) -> dict[str, Any]:
    try:
        document = codec.decode(raw)
    except codec.MalformedJson as error:
        fail(f"stdin is no JSON: {error}", BAD_INPUT)
    if not isinstance(document, dict) or not isinstance(document.get("identity"), str):
        fail("stdin must be a JSON object with an identity", BAD_INPUT)
    return document


def _action(asked: dict[str, Any]) -> str:
    action = asked.get("action")
    if not isinstance(action, str) or not action:
        fail("a call needs an action", BAD_INPUT)
    return action


def _payload(asked: dict[str, Any]) -> dict[str, Any]:
    payload = asked.get("payload") or {}
    if not isinstance(payload, dict):
        fail("the payload must be a JSON object", BAD_INPUT)
    return payload


def _timeout(asked: dict[str, Any]) -> float:
    try:
        timeout = float(asked.get("timeout") or queue.TIMEOUT)
    except (TypeError, ValueError):
        fail("the timeout must be a number of seconds", BAD_INPUT)
    return min(max(timeout, 0.1), _LONGEST)
