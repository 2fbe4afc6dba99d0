"""A lane brings one platform up to date with one module: it reads the change feed from where it stands and sends
each changed object as it is now. Ten changes of an object are one send; a late send is newer, never stale.

At most one worker is in a lane (`claimed_until`); waking it twice is harmless, and beat repairs a lost wake-up. An
object that the platform refuses is remembered and passed; a platform that cannot be reached stops the lane where it
stands, to be tried again after a pause that grows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import structlog
from django.db.models import F, Q
from django.utils import timezone

from ocpi import models as objects
from ocpi.client.messages import Answer, NotOcpi, PartnerError, Presented, Refused, TimedOut, Unreachable
from ocpi.client.sending import Request, send_all
from ocpi.store import locations, revisions
from ocpi.store.revisions import Change, Position
from ocpi.transport.headers import MessageIds
from ocpi.types import codec
from ocpi.v221.versions import ModuleID
from roaming.directory import directory
from roaming.models import Lane, Platform, RefusedDelivery
from roaming.sync.audience import Audience, audience

log = structlog.get_logger(__name__)

BATCH = 500
IN_FLIGHT = 8
CLAIM = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(minutes=30)
MODELS: dict[ModuleID, type[objects.OwnedObject]] = {ModuleID.LOCATIONS: objects.Location}


@dataclass(slots=True)
class Drained:
    """What one visit to a lane did."""

    sent: int = 0
    refused: int = 0
    error: str = ""


def due() -> list[Lane]:
    """The lanes of all connected platforms that may be worked on now; creates those that are missing."""
    picture = directory.picture(fresh=True)
    for peer in picture.peers.values():
        for module in MODELS:
            if audience(picture, peer, module):
                Lane.objects.get_or_create(platform_id=peer.id, module=module.value)
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    waited = Q(retry_at=None) | Q(retry_at__lte=now)
    return list(Lane.objects.filter(free, waited, platform__state=Platform.State.CONNECTED))


def is_behind(lane: Lane) -> bool:
    """Whether the feed holds something the lane has not passed yet."""
    wanted = _audience(lane)
    since = Position(lane.xid, lane.revision)
    return wanted is not None and bool(revisions.changes(MODELS[ModuleID(lane.module)], wanted.scope, since, 1))


def drain(lane_id: int) -> Drained:
    """Work in the lane until nothing is left; returns at once when another worker is in it."""
    done = Drained()
    while not done.error and _claim(lane_id):
        lane = Lane.objects.select_related("platform").get(pk=lane_id)
        try:
            while _step(lane, done):
                pass
        finally:
            Lane.objects.filter(pk=lane_id).update(claimed_until=None)
        # A change that came after the last look and woke a worker that found the lane claimed: look once more.
        if done.error or not is_behind(lane):
            break
    return done


def _claim(lane_id: int) -> bool:
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    return bool(Lane.objects.filter(free, pk=lane_id).update(claimed_until=now + CLAIM))


def _audience(lane: Lane) -> Audience | None:
    picture = directory.picture()
    peer = picture.peers.get(lane.platform_id)
    return audience(picture, peer, ModuleID(lane.module)) if peer else None


def _step(lane: Lane, done: Drained) -> bool:
    """Send one batch; False when the lane is empty or must stop."""
    wanted = _audience(lane)
    if wanted is None:
        return False
    since = Position(lane.xid, lane.revision)
    changes = revisions.changes(MODELS[ModuleID(lane.module)], wanted.scope, since, BATCH)
    if not changes:
        return False
    outgoing = [change for change in changes if change.source != lane.platform_id]
    results = _send(lane.platform, wanted, outgoing)
    reached, trouble = _settle(lane, outgoing, results, done)
    _advance(lane, reached if trouble else changes[-1].position, trouble, done)
    return not trouble


def _send(platform: Platform, wanted: Audience, changes: Sequence[Change]) -> list[Answer | PartnerError]:
    texts = locations.texts([change.id for change in changes])
    requests = [
        Request("PUT", _url(wanted.url, change.owner, texts[change.id]), wanted.routing(change.owner), text.encode())
        for change in changes
        if (text := texts[change.id])
    ]
    presented = Presented(platform.outbound_token, platform.sends_plain_token)
    return send_all(requests, presented, MessageIds(), IN_FLIGHT)


def _url(base: str, owner: Any, text: str) -> str:
    object_id = codec.decode(text.encode())["id"]
    return f"{base.rstrip('/')}/{owner.country_code}/{owner.party_id}/{quote(object_id, safe='')}"


def _settle(
    lane: Lane, changes: Sequence[Change], results: Sequence[Answer | PartnerError], done: Drained
) -> tuple[Position, str]:
    """Book each result; returns the last position before the first transport failure, and that failure."""
    reached = Position(lane.xid, lane.revision)
    accepted: list[Change] = []
    trouble = ""
    for change, result in zip(changes, results, strict=True):
        match result:
            case Unreachable() | TimedOut() | NotOcpi(http_status=401 | 429 | 500 | 502 | 503 | 504):
                trouble = str(result)
                break
            case Refused() | NotOcpi():
                _refused(lane, change, str(result))
                done.refused += 1
            case Answer():
                accepted.append(change)
        reached = change.position
    done.sent += len(accepted)
    if accepted and lane.refusals.exists():
        for change in accepted:
            lane.refusals.filter(owner=change.owner, key=change.key).delete()
    return reached, trouble


def _refused(lane: Lane, change: Change, error: str) -> None:
    log.warning("object refused", platform=lane.platform.name, owner=change.owner, key=change.key, error=error)
    row, created = RefusedDelivery.objects.get_or_create(
        lane=lane, owner=change.owner, key=change.key, defaults={"error": error[:2000]}
    )
    if not created:
        row.attempts, row.error = row.attempts + 1, error[:2000]
        row.save()


def _advance(lane: Lane, position: Position, trouble: str, done: Drained) -> None:
    now = timezone.now()
    lane.xid, lane.revision = position
    retry_at: datetime | None = None
    if trouble:
        done.error = trouble
        lane.platform.record_error(trouble)
        lane.platform.refresh_from_db(fields=["failures"])
        retry_at = now + min(timedelta(seconds=5) * 2 ** min(lane.platform.failures, 10), LONGEST_PAUSE)
    else:
        lane.platform.record_success()
    Lane.objects.filter(pk=lane.pk).update(
        xid=position.xid,
        revision=position.revision,
        sent=F("sent") + done.sent,
        last_sent_at=now,
        retry_at=retry_at,
        claimed_until=now + CLAIM,
    )
    lane.refresh_from_db(fields=["sent"])
