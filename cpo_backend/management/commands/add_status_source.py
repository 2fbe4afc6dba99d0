"""`add_status_source`: a system that tells the status of EVSEs, and its token."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser
from django.db import IntegrityError, transaction

from cpo_backend.ingest import sources
from cpo_backend.management.commands.import_locations import own_party
from ocpi.cli import BAD_INPUT, NodeCommand, fail


class Command(NodeCommand):
    help = "Let another system tell the status of EVSEs. Its token is shown once. Exit 2: there is one of that name."

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--party", required=True, help="the own party whose EVSEs it tells of, CC*PID")
        parser.add_argument("--grace", type=int, default=900, help="seconds of silence until its EVSEs are UNKNOWN")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        party = own_party(options["party"])
        try:
            with transaction.atomic():
                source, token = sources.add(options["name"], party, options["grace"])
        except IntegrityError:
            fail(f"there is a status source {options['name']}", BAD_INPUT)
        return {"name": source.name, "party": str(source.party), "token": token}, 0
