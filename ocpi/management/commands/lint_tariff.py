"""`lint_tariff`: what is wrong with a Tariff before anybody pays by it. Needs no database."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from ocpi.cli import BAD_INPUT, FAILED, NodeCommand
from ocpi.management.documents import Unusable, console, load
from ocpi.pricing.faults import BadInput
from ocpi.pricing.lint.checking import lint, lint_connector, passes
from ocpi.pricing.lint.findings import Finding
from ocpi.pricing.lint.table import render
from ocpi.pricing.scalars import instant_of


class Command(NodeCommand):
    help = "Check a Tariff. Exit 0: nothing but remarks, 1: errors, when strict also warnings, 2: it cannot be read."

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tariff", help="a Tariff as JSON, a list of them, or an OCPI envelope; - is stdin")
        parser.add_argument("--connector", action="store_true", help="the list is that of one connector's tariffs")
        parser.add_argument("--strict", action="store_true", help="warnings count as errors: exit 1")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        source = options["tariff"]
        try:
            found = _findings(source, load(source), is_connector=options["connector"])
        except Unusable as fault:
            self.stderr.write(str(fault))
            return {"error": fault.details}, BAD_INPUT
        result = {"passes": passes(found, strict=options["strict"]), "findings": [one.document() for one in found]}
        return result, 0 if result["passes"] else FAILED

    def show(self, result: Mapping[str, Any]) -> None:
        if "error" not in result:
            console(self.stdout).print(render(result["findings"]))


def _findings(source: str, document: Any, *, is_connector: bool) -> list[Finding]:
    """The findings of a Tariff, or of each of a list, with pointers into the file's data."""
    now = instant_of(datetime.now(UTC))
    try:
        if not isinstance(document, list):
            return lint(document, now)
        if not document:
            raise BadInput("has no tariff")
        found = []
        for index, tariff in enumerate(document):
            try:
                found += [one._replace(pointer=f"/{index}{one.pointer}") for one in lint(tariff, now)]
            except BadInput as fault:
                raise fault.below(index) from None
        return found + (lint_connector(document) if is_connector else [])
    except BadInput as fault:
        raise Unusable(source, fault) from None
