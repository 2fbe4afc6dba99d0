"""Run in a node's environment: `acknowledged` enters what partners hold, `change` changes the status of EVSEs.

python -m tests.bench.statuses acknowledged
python -m tests.bench.statuses change COUNT [--rate PER_SECOND] [--round N]
"""

import argparse
import json
import os
import random
import time

import django

_ROWS = """
    INSERT INTO roaming_delivery (platform_id, module, object_id, version, image, acknowledged_at, attempts, error,
        request, correlation_id)
    SELECT %s, 'locations', id, version, json_build_object(
        'path', replace(owner, '*', '/') || '/' || upper(key), 'digest', 'x', 'evses', json_build_object(
            'E' || substr(key, 4) || '-1', json_build_array('x', 'AVAILABLE'),
            'E' || substr(key, 4) || '-2', json_build_array('x', 'AVAILABLE'))
        )::text, now(), 0, '', '', ''
    FROM ocpi_location
"""
_ROUNDS = ("CHARGING", "BLOCKED", "RESERVED", "INOPERATIVE", "OUTOFORDER")


def acknowledged() -> int:
    """Every platform holds every Location, and is up to date."""
    from django.db import connection

    from roaming.delivery import feeds
    from roaming.delivery.streams import Stream
    from roaming.delivery_models import FeedCursor
    from roaming.directory import directory
    from roaming.sync.audience import audience

    ends, picture = feeds.ends(), directory.picture(fresh=True)
    for peer in picture.peers.values():
        with connection.cursor() as cursor:
            cursor.execute(_ROWS, [peer.id])
        for stream in Stream.of("locations"):
            wanted = audience(picture, peer, stream.module)
            place = {"xid": ends[stream].xid, "revision": ends[stream].revision}
            owners = wanted.scope.as_json() if wanted else None
            FeedCursor.objects.create(platform_id=peer.id, stream=stream.value, owners=owners, **place)
    return len(picture.peers)


def change(count: int, rate: float, number: int) -> int:
    """Change the status of so many EVSEs, each of another Location, at an even pace; 0: as fast as can be."""
    from ocpi.ids import PartyId
    from ocpi.models import Location
    from ocpi.store.locations import Path, locations

    found = list(Location.objects.order_by("pk").values_list("owner", "key"))
    status, stamp = _ROUNDS[number % len(_ROUNDS)], f"2030-01-01T00:00:{number:02}Z"
    started = time.monotonic()
    for index, (owner, key) in enumerate(random.Random(number).sample(found, count)):
        if rate:
            time.sleep(max(0.0, started + index / rate - time.monotonic()))
        path = Path(PartyId(owner), key, f"e{key[3:]}-{number % 2 + 1}")
        locations.patch_part(path, {"status": status, "last_updated": stamp}, None, lambda document: [])
    time.sleep(1)  # for the last wake-up
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("acknowledged")
    changing = steps.add_parser("change")
    changing.add_argument("count", type=int)
    changing.add_argument("--rate", type=float, default=0)
    changing.add_argument("--round", type=int, default=0)
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    done = acknowledged() if asked.step == "acknowledged" else change(asked.count, asked.rate, asked.round)
    print(json.dumps({"done": done}))


if __name__ == "__main__":
    main()
