"""Run in a node's environment: a party gets another id.

python -m tests.bench.rename_party CC*OLD CC*NEW
"""

import os
import sys
import time

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import transaction

    from roaming import directory
    from roaming.models import Party

    old, new = sys.argv[1:]
    with transaction.atomic():
        if Party.objects.filter(party=old).update(party=new) != 1:
            sys.exit(f"there is no one party {old}")
        directory.changed()
        committing = time.monotonic()
    print(committing)


if __name__ == "__main__":
    main()
