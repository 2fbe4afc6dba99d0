"""Run in a node's environment: migrate its database, and enter connected platforms, without a handshake.

python -m tests.kit.enter < '[{"party": "ROLE:CC*PID", "endpoints": [[module, role, url], …], "versions_url": …,
                               "outbound_token": …}, …]'

Prints the token of each as JSON, by its party.
"""

import json
import os
import sys
from typing import Any

import django


def enter(party: str, endpoints: list[list[str]], **contact: Any) -> str:
    from tests.kit.platforms import register

    return register(party, endpoints={(module, role): url for module, role, url in endpoints}, **contact).token


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    print(json.dumps({row["party"].partition(":")[2]: enter(**row) for row in json.load(sys.stdin)}))


if __name__ == "__main__":
    main()
