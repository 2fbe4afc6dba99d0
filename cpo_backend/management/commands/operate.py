"""`operate`: have one or many chargers do something, and wait for what each of them says."""

import time
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from cpo_backend.models import Charger, OperationJob, OperationStep
from cpo_backend.operations import ordering
from cpo_backend.operations.requests import Unfit
from ocpi.cli import BAD_INPUT, FAILED, PARTLY, NodeCommand, fail
from ocpi.types import codec

_LOOK_SECONDS = 0.2
State = OperationStep.State


class Command(NodeCommand):
    help = (
        "Have chargers do something and wait for their answers. Exit 1: all failed, 2: bad input, 3: some failed. "
        "What goes on after its answer, an update say, is told as running."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=OperationJob.Kind.values)
        parser.add_argument("identities", nargs="+", metavar="IDENTITY")
        parser.add_argument("--with", dest="parameters", default="{}", metavar="JSON", help='such as {"hard": true}')
        parser.add_argument("--timeout", type=float, default=35.0, help="seconds to wait for the answers")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        chargers = list(Charger.objects.filter(identity__in=options["identities"]).order_by("identity"))
        if unknown := set(options["identities"]) - {charger.identity for charger in chargers}:
            fail(f"no such charger: {', '.join(sorted(unknown))}", BAD_INPUT)
        try:
            job = ordering.order(options["kind"], _parameters(options["parameters"]), chargers, "command line")
        except Unfit as error:
            fail(str(error), BAD_INPUT)
        _wait(job, options["timeout"])
        steps = job.steps.select_related("charger").order_by("charger__identity")
        outcomes = {step.charger.identity: {"state": step.state, "detail": step.detail} for step in steps}
        failed = sum(outcome["state"] == State.FAILED for outcome in outcomes.values())
        return {"job": job.pk, "chargers": outcomes}, (FAILED if failed == len(outcomes) else PARTLY) if failed else 0

    def show(self, result: Mapping[str, Any]) -> None:
        super().show({identity: " ".join(told.values()).strip() for identity, told in result["chargers"].items()})


def _parameters(text: str) -> dict[str, Any]:
    try:
        found = codec.decode(text.encode())
    except codec.MalformedJson as error:
        fail(f"--with: {error}", BAD_INPUT)
    if not isinstance(found, dict):
        fail("--with: is no JSON object", BAD_INPUT)
    return found


def _wait(job: OperationJob, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while job.steps.filter(state=State.ASKED).exists() and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
