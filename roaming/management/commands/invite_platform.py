"""`invite_platform`: a new partner, who registers with us using the token printed here."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from ocpi.cli import BAD_INPUT, NodeCommand, fail
from roaming import registration


class Command(NodeCommand):
    help = (
        "Invite a partner: prints our versions URL and a one-time token (CREDENTIALS_TOKEN_A) to hand over securely. "
        "The token is stored as a hash only and cannot be shown again; inviting again replaces it."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what we call the partner's platform")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        try:
            token = registration.invite(options["name"])
        except ValueError as error:
            fail(str(error), BAD_INPUT)
        return {"versions_url": registration.own_versions_url(), "token": token}, 0
