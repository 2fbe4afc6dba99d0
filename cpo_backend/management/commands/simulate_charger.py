"""Simulate chargers: `manage.py simulate_charger CP-1 --password … --token … --sessions 2 --json`."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cpo_backend.simulating.life import Habits, Tally, live
from cpo_backend.simulating.line import Line
from cpo_backend.simulating.speech import SPEECH
from cpo_backend.simulating.station import Clock, Station
from ocpi.types import codec

_WAITING = 60  # seconds for which the node may keep a charger waiting in all


class Command(BaseCommand):
    help = (
        "Simulate charge points that boot, show their status, charge by themselves or by command, fail and are cut "
        "off now and then. Several have their identity with -1, -2 … behind it. Without --sessions "
        "they wait for commands until they are ended."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("identity")
        parser.add_argument("--password", required=True, help="{} in it stands for the identity")
        parser.add_argument("--url", default=settings.NODE_URL, help="of the node (default: %(default)s)")
        parser.add_argument("--ocpp", choices=list(SPEECH), default="1.6", dest="dialect", help="its version")
        parser.add_argument("--count", type=int, default=1)
        parser.add_argument("--connectors", type=int, default=1)
        parser.add_argument("--token", default="", help="uid with which cars charge by themselves")
        parser.add_argument("--sessions", type=int, default=0, help="how many charge at each by themselves")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--speed", type=float, default=1.0, help="of its clock; above 1 it begins in the past")
        parser.add_argument("--minutes", type=float, default=60.0, help="of a session (default: %(default)s)")
        parser.add_argument("--samples", type=int, default=12, help="of a session (default: %(default)s)")
        parser.add_argument("--watts", type=int, default=11_000)
        parser.add_argument("--faults", type=float, default=0.0, help="chance of a fault after a session")
        parser.add_argument("--offline", type=float, default=0.0, help="chance, at each sample, of being cut off")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["sessions"] and not options["token"]:
            raise CommandError("--sessions needs a --token", returncode=2)
        if min(options["count"], options["connectors"], options["samples"], options["speed"]) <= 0:
            raise CommandError("--count, --connectors, --samples and --speed must be above zero", returncode=2)
        found = asyncio.run(_all(options))
        told = {name: sum(asdict(tally)[name] for tally in found) for name in asdict(Tally())}
        if options["json"]:
            self.stdout.write(codec.encode_text(told))
        else:
            self.stdout.write(", ".join(f"{name} {value}" for name, value in told.items()))


async def _all(options: dict[str, Any]) -> Sequence[Tally]:
    names = [options["identity"]]
    if options["count"] > 1:
        names = [f"{options['identity']}-{number}" for number in range(1, options["count"] + 1)]
    return await asyncio.gather(*(_one(name, options) for name in names))


async def _one(identity: str, options: dict[str, Any]) -> Tally:
    seconds = options["minutes"] * 60
    habits = Habits(
        tag=options["token"],
        sessions=options["sessions"],
        watts=options["watts"],
        duration=round(seconds),
        samples=options["samples"],
        wait=seconds / options["samples"] / options["speed"],
        faults=options["faults"],
        offline=options["offline"],
    )
    speech = SPEECH[options["dialect"]]()
    line = Line(options["url"], identity, options["password"].replace("{}", identity), speech.subprotocol)
    # Begun ten times as long ago as it takes, and a minute of its fast time besides: what it waits for the node goes by
    # fast as well, and a clock that has caught up leaves no time for what is charged then.
    behind = seconds * max(options["sessions"], 1) * 10 + _WAITING * options["speed"]
    clock = Clock(options["speed"], timedelta(seconds=behind))
    station = Station(line, speech, clock, options["connectors"])
    return await live(station, habits, random.Random(f"{options['seed']} {identity}"))
