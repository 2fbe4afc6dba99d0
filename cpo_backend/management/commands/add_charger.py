"""`add_charger`: register a charge point."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from cpo_backend.registry.adding import Registration, Unregistrable, numbered, register, url
from ocpi.cli import BAD_INPUT, NodeCommand, fail


class Command(NodeCommand):
    help = (
        "Register a charge point at a Location of ours, or change what is registered of it. Without --password a new "
        "charge point gets one that is printed here and never again."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("identity", help="as in the URL it connects to, exact case")
        parser.add_argument("--password", default="", help="16 to 40 bytes; hexadecimal digits may stand for bytes")
        parser.add_argument("--location", required=True, metavar="ID", help="the id of a Location of ours")
        parser.add_argument("--party", default="", help="the Location's owner, CC*PID; needed if several have that id")
        parser.add_argument(
            "--evse",
            required=True,
            action="append",
            metavar="UID[:NUMBER]",
            help="EVSE, and its connectorId in OCPP 1.6 or EVSE id in 2.0.1 (default: 1, 2, … in this order); repeat",
        )

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        wanted = Registration(
            identity=options["identity"],
            location_id=options["location"],
            evses=[numbered(text) for text in options["evse"]],
            party=options["party"],
            password=options["password"],
        )
        try:
            found = register(wanted)
        except Unregistrable as error:
            fail(str(error), BAD_INPUT)
        charger = found.charger
        evses = charger.evses.order_by("number").values_list("number", "evse_uid")
        return {
            "identity": charger.identity,
            "created": found.is_new,
            "password": found.password or None,
            "url": url(charger),
            "party": charger.party,
            "location_id": charger.location_id,
            "evses": [{"number": number, "evse_uid": uid} for number, uid in evses],
        }, 0
