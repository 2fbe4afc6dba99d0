"""Run in a node's environment: enter connected platforms into its database, without a handshake.

python -m tests.bench.enter_partners < '[["name", "CC*PID …", "ROLE", "base URL or empty"], …]'
"""

import json
import os
import sys

import django

from tests.bench.nodes import TOKEN


def enter(number: int, name: str, party: str, role: str, url: str) -> int:
    """One platform; the first of a node presents TOKEN, further ones TOKEN with their number. Returns its id."""
    from django.utils import timezone

    from roaming import secrets
    from roaming.models import CredentialsToken, Endpoint, Party, Platform

    now = timezone.now()
    platform = Platform.objects.create(
        name=name,
        state=Platform.State.CONNECTED,
        connected_at=now,
        versions_url=f"{url}/ocpi/versions" if url else "",
        outbound_token=TOKEN,
    )
    token = f"{TOKEN}-{number}" if number else TOKEN
    platform.tokens.create(kind=CredentialsToken.Kind.INBOUND, digest=secrets.digests(token)[0], used_at=now)
    Party.objects.bulk_create(Party(platform=platform, party=one, role=role, name=name) for one in party.split())
    if url:
        for interface in ("sender", "receiver"):
            at = f"{url}/ocpi/2.2.1/{interface}/locations"
            Endpoint.objects.create(platform=platform, module="locations", role=interface.upper(), url=at)
    return int(platform.pk)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from roaming import directory

    entered = {row[0]: enter(number, *row) for number, row in enumerate(json.load(sys.stdin))}
    directory.changed()
    print(json.dumps(entered))


if __name__ == "__main__":
    main()
