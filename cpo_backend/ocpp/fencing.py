"""Who holds a charger's socket: one row, and a generation that tells the newest connection from those before it.

The newest wins. A connection that ends takes away its own row only, never that of its successor; a process that dies
is given up when its row has not been renewed, and its connections with it.
"""

import os
import socket
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from cpo_backend.alarms import sounding
from cpo_backend.models import Alarm, Charger, ChargerEvse, OcppConnection, OcppNode
from cpo_backend.power import waking
from cpo_backend.status import publishing

RENEWED = timedelta(seconds=5)
TERM = timedelta(seconds=20)
# A second connection so soon after the first, again and again, is another device with the same identity.
FLAPPING = timedelta(seconds=10)


def enter() -> UUID:
    """A new process that may hold sockets."""
    now = timezone.now()
    return OcppNode.objects.create(id=uuid4(), host=_host(), started_at=now, seen_at=now).pk


def renew(node: UUID, received: int = 0, sent: int = 0) -> None:
    """Say that the process lives, and how many messages it has had; one that had been given up begins anew, without
    its connections.
    """
    now = timezone.now()
    told = {"seen_at": now, "received": received, "sent": sent}
    if not OcppNode.objects.filter(pk=node).update(**told):
        OcppNode.objects.create(id=node, host=_host(), started_at=now, **told)


def _host() -> str:
    return f"{socket.gethostname()[:60]} {os.getpid()}"


@transaction.atomic
def hold(node: UUID, charger_id: int, version: str, profile: int, address: str) -> UUID:
    """Make this process the holder; returns the generation that fences off the connection before, if there is one."""
    now, generation, address = timezone.now(), uuid4(), address[:60]
    charger = Charger.objects.select_for_update().get(pk=charger_id)
    if charger.offline_since is not None:
        publishing.judge_locked(charger, now)  # away for too long: what it said before does not count any more
    charger.version, charger.last_seen_at, charger.offline_since = version, now, None
    charger.security_profile = max(charger.security_profile, profile)
    charger.save(update_fields=["version", "last_seen_at", "offline_since", "security_profile"])
    before = OcppConnection.objects.filter(charger=charger).first()
    if before is not None and now - before.connected_at < FLAPPING and before.address != address:
        sounding.sound(charger_id, Alarm.Kind.FLAPPING, text=f"connects from {before.address} and from {address}")
    row = OcppConnection(
        charger=charger,
        node_id=node,
        generation=generation,
        version=version,
        security_profile=profile,
        address=address,
        connected_at=now,
    )
    row.save(force_insert=before is None, force_update=before is not None)
    sounding.clear(charger_id, Alarm.Kind.OFFLINE)
    waking.after_commit([charger_id])
    return generation


def release(generations: Collection[UUID]) -> None:
    """These connections have ended; one whose place a newer has taken is gone already."""
    _end(Q(generation__in=generations))


def expel(charger_id: int) -> None:
    """End whatever connection the charger has: whoever holds its socket finds the row gone and closes it."""
    release(list(OcppConnection.objects.filter(charger_id=charger_id).values_list("generation", flat=True)))


def lost(node: UUID, held: Collection[UUID]) -> set[UUID]:
    """The generations among `held` that this process does not hold any more."""
    return set(held) - set(OcppConnection.objects.filter(node=node).values_list("generation", flat=True))


def bury() -> int:
    """Give up processes that have not been seen for a while, with their connections; returns how many chargers."""
    gone = 0
    for node in OcppNode.objects.filter(seen_at__lt=timezone.now() - TERM):
        gone += leave(node.pk)
    return gone


@transaction.atomic
def leave(node: UUID) -> int:
    """The process ends, or has ended; returns how many chargers it held."""
    gone = _end(Q(node=node))
    OcppNode.objects.filter(pk=node).delete()
    return gone


@transaction.atomic
def _end(which: Q) -> int:
    """Take away connections: from now on the grace of their chargers runs. Returns how many chargers those are."""
    ended = OcppConnection.objects.filter(which)
    held = ended.values_list("charger_id", flat=True)
    list(Charger.objects.select_for_update().filter(pk__in=list(held)).order_by("pk").values_list("pk"))
    gone = list(held.all())  # once more: one of them may just have come back
    ended.delete()
    now = timezone.now()
    Charger.objects.filter(pk__in=gone).update(offline_since=now)
    grace = timedelta(seconds=settings.OCPP_OFFLINE_GRACE)
    ChargerEvse.objects.filter(charger_id__in=gone).update(due_at=now + grace)
    waking.after_commit(gone)
    return len(gone)


def online() -> Q:
    """The condition on chargers that they are connected to a process that lives."""
    return Q(connection__node__seen_at__gte=timezone.now() - TERM)


def seen(charger_ids: Collection[int]) -> None:
    """They have said something since the last time."""
    Charger.objects.filter(pk__in=charger_ids).update(last_seen_at=timezone.now())
