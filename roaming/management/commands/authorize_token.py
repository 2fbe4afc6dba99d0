"""`authorize_token`: may this Token charge with a party of ours?"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import CommandParser

from ocpi import ports
from ocpi.cli import BAD_INPUT, FAILED, NodeCommand, fail
from ocpi.ids import PartyId
from ocpi.store import documents
from ocpi.store.documents import Document
from ocpi.store.locations import Path, locations
from ocpi.types import codec
from ocpi.v221.common import Role, TokenType
from ocpi.v221.tokens import AllowedType
from roaming.directory import directory


class Command(NodeCommand):
    help = (
        "Decide whether a Token may charge, as when a card is held to a charge point of ours: by our own Tokens, the "
        "whitelist, or asking its eMSP. Exit code 0 when it may, 1 when it may not. The decision is stored."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("uid", help="the Token's uid")
        parser.add_argument("--party", required=True, metavar="CC*PID", help="the CPO of ours it wants to charge with")
        parser.add_argument("--type", choices=[kind.value for kind in TokenType], default=TokenType.RFID.value)
        parser.add_argument("--location", metavar="ID", help="where: a Location of that CPO")
        parser.add_argument("--evse", metavar="UID", nargs="+", help="and there: the EVSEs in question")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        cpo = _cpo(options["party"])
        place = _place(cpo, options["location"], options["evse"] or ())
        decision = ports.authorizer().decide(cpo, options["uid"], TokenType(options["type"]), place)
        result = {
            "allowed": decision.allowed,
            "source": decision.source,
            "reason": decision.reason,
            "emsp": str(decision.emsp) if decision.emsp else None,
            "milliseconds": decision.milliseconds,
            "authorization_reference": decision.reference,
            "location": decision.place,
            "info": decision.info,
        }
        return result, 0 if decision.allowed == AllowedType.ALLOWED else FAILED

    def show(self, result: Mapping[str, Any]) -> None:
        self.stdout.write(f"{result['allowed']} ({result['source']}, {result['milliseconds']} ms)")
        self.stdout.write(result["reason"])
        if result["authorization_reference"]:
            self.stdout.write(f"authorization reference {result['authorization_reference']}")
        if evses := (result["location"] or {}).get("evse_uids"):
            self.stdout.write(f"only at {', '.join(evses)}")


def _cpo(text: str) -> PartyId:
    """A CPO of ours, or the end of the command."""
    try:
        party = PartyId.parse(text)
    except ValueError as error:
        fail(str(error), BAD_INPUT)
    if (Role.CPO, party) not in directory.picture().own:
        fail(f"{party} is no CPO of ours", BAD_INPUT)
    return party


def _place(cpo: PartyId, location_id: str | None, evse_uids: Sequence[str]) -> Document | None:
    """The LocationReferences, in our own spelling, or the end of the command."""
    if location_id is None:
        return fail("--evse takes --location", BAD_INPUT) if evse_uids else None
    text = locations.find_part(Path(cpo, location_id))
    if text is None:
        fail(f"{cpo} has no Location {location_id!r}", BAD_INPUT)
    location = codec.decode(text.encode())
    found = []
    for uid in evse_uids:
        evse = documents.child(location, "evses", "uid", uid)
        if evse is None:
            fail(f"Location {location['id']} has no EVSE {uid!r}", BAD_INPUT)
        found.append(evse["uid"])
    return {"location_id": location["id"]} | ({"evse_uids": found} if found else {})
