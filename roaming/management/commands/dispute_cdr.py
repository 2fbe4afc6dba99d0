"""`dispute_cdr`: open a dispute about a CDR that a CPO has sent us, and write down the evidence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from ocpi.cli import BAD_INPUT, FAILED, NodeCommand
from ocpi.ids import PartyId
from ocpi.types import codec
from roaming.disputing import desk, page
from roaming.disputing.desk import NotDisputable


class Command(NodeCommand):
    help = "Dispute a CDR. Exit 0: it is disputed, also when it was before; 1: it cannot be, 2: bad input."

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("cdr", metavar="CDR_ID")
        parser.add_argument("--party", required=True, metavar="CC*PID", help="the CPO that the CDR is of")
        parser.add_argument("--reason", default="", help="for the CPO; else what the audit found")
        parser.add_argument("--out", type=Path, metavar="DIR", help="write the evidence there, as JSON and as HTML")
        parser.add_argument("--by", default="", metavar="NAME", help="who disputes it")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        directory = options["out"]
        try:
            owner = PartyId.parse(options["party"])
            if directory is not None:
                directory.mkdir(parents=True, exist_ok=True)
        except (ValueError, OSError) as error:
            return self._refused(str(error), BAD_INPUT)
        try:
            dispute, is_new = desk.open_dispute(desk.find(owner, options["cdr"]), options["reason"], options["by"])
        except NotDisputable as refusal:
            return self._refused(str(refusal), FAILED)
        files = {}
        if directory is not None:
            for ending, content in (
                ("json", codec.encode(page.document(dispute))),
                ("html", page.html(dispute).encode()),
            ):
                files[ending] = str(directory / page.file_name(dispute, ending))
                Path(files[ending]).write_bytes(content)
        return {**page.document(dispute), "is_new": is_new, "files": files}, 0

    def _refused(self, message: str, code: int) -> tuple[Mapping[str, Any], int]:
        self.stderr.write(message)
        return {"error": {"message": message}}, code

    def show(self, result: Mapping[str, Any]) -> None:
        if "error" in result:
            return
        found = result["dispute"]
        opened = "opened" if result["is_new"] else f"is {found['state'].lower()} already"
        self.stdout.write(f"dispute {found['number']} {opened}: {found['reason']}")
        self.stdout.write(f"at stake: {found['amount_at_stake_excl_vat']} {found['currency']} without VAT")
        for path in result["files"].values():
            self.stdout.write(path)
