"""`connect_platform`: we start the credentials handshake with a partner that has invited us."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from ocpi.cli import NodeCommand, fail
from roaming import registration


class Command(NodeCommand):
    help = (
        "Register with a partner: reads its versions, sends our credentials, takes over its token, endpoints and "
        "parties. The node must be running, for the partner calls back before it answers."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what we call the partner's platform")
        parser.add_argument("versions_url", help="the partner's versions endpoint")
        parser.add_argument("token", help="the token the partner gave us (CREDENTIALS_TOKEN_A)")

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        try:
            platform = registration.connect(options["name"], options["versions_url"], options["token"])
        except registration.HandshakeFailed as error:
            fail(str(error))
        return {
            "name": platform.name,
            "state": platform.state,
            "parties": [str(party) for party in platform.parties.order_by("party")],
            "endpoints": {str(endpoint): endpoint.url for endpoint in platform.endpoints.order_by("module", "role")},
        }, 0
