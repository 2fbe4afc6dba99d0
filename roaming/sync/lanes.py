"""A lane brings one platform up to date with one module: it reads the change feed from where it stands and sends
each changed object as it is now. Ten changes of an object are one send; a late send is newer, never stale.

At most one worker is in a lane (`claimed_until`); waking it twice is harmless, and beat repairs a lost wake-up. An
object that the platform refuses is passed and tried again on a ladder of its own; a platform that cannot be reached
stops the lane where it stands, to be tried again after a pause that grows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import F, Q
from django.utils import timezone

from ocpi.client.messages import Answer, NotOcpi, PartnerError, Refused, TimedOut, Unreachable
from ocpi.client.pushing import push, withdraw
from ocpi.client.sending import Request, send_all
from ocpi.ids import PartyId
from ocpi.store import revisions
from ocpi.store.catalogue import STORES
from ocpi.store.revisions import Change, Position
from ocpi.store.scope import Scope
from ocpi.transport.headers import MessageIds
from ocpi.types import codec
from ocpi.v221.versions import ModuleID
from roaming import breaker
from roaming.directory import directory
from roaming.models import Lane, Platform, RefusedDelivery
from roaming.sync.audience import PRIVATE, Audience, audience

# It does not know us, wants us to slow down, or is out of order: nothing is wrong with the object.
_UNUSABLE = frozenset({401, 429, 500, 502, 503, 504})
log = structlog.get_logger(__name__)

BATCH = 500
IN_FLIGHT = 8
CLAIM = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(minutes=30)
# A platform that has just registered is still writing down our answer, and would refuse parties it does not know yet.
SETTLING = timedelta(seconds=2)
LADDER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(days=1))


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
        for module in STORES:
            if audience(picture, peer, module):
                Lane.objects.get_or_create(platform_id=peer.id, module=module.value)
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    waited = Q(retry_at=None) | Q(retry_at__lte=now)
    usable = Q(platform__state=Platform.State.CONNECTED, platform__offline_since=None)
    settled = usable & Q(platform__connected_at__lte=now - SETTLING)
    return list(Lane.objects.filter(free, waited, settled))


def is_behind(lane: Lane) -> bool:
    """Whether the feed holds something the lane has not passed yet, or a refused object is to be tried again."""
    wanted = _audience(lane)
    if wanted is None:
        return False
    if lane.owners != wanted.scope.as_json():
        return True
    since, model = Position(lane.xid, lane.revision), STORES[ModuleID(lane.module)].model
    return bool(revisions.changes(model, wanted.scope, since, 1) or _retries(lane, wanted, 1))


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
    return audience(picture, peer, ModuleID(lane.module)) if peer and peer.is_usable else None


def _step(lane: Lane, done: Drained) -> bool:
    """Send one batch; False when the lane is empty or must stop."""
    wanted = _audience(lane)
    if wanted is None:
        return False
    _follow(lane, wanted.scope)
    since = Position(lane.xid, lane.revision)
    changes = revisions.changes(STORES[ModuleID(lane.module)].model, wanted.scope, since, BATCH)
    own = lane.platform_id
    outgoing = [change for change in changes if change.source != own] if changes else _retries(lane, wanted, BATCH)
    if not changes and not outgoing:
        return False
    reached, accepted, trouble = _settle(lane, outgoing, _send(lane, wanted, outgoing), done)
    _advance(lane, reached if trouble or not changes else changes[-1].position, accepted, trouble)
    done.error = trouble
    return not trouble


def _follow(lane: Lane, scope: Scope) -> None:
    """Step back to the first change of owners that are new to the lane, for an agreement began or another one ended.

    What others changed since then is sent once more, which is allowed, and simpler than a cursor for each owner.
    """
    if lane.owners == scope.as_json():
        return
    position = Position(lane.xid, lane.revision)
    if lane.owners is not None:
        added = scope.without(Scope.from_json(lane.owners))
        for first in revisions.changes(STORES[ModuleID(lane.module)].model, added, Position(), 1):
            position = min(position, Position(first.position.xid, first.position.revision - 1))
    lane.owners, (lane.xid, lane.revision) = scope.as_json(), position
    lane.save(update_fields=["owners", "xid", "revision"])


def _retries(lane: Lane, wanted: Audience, limit: int) -> list[Change]:
    """Refused objects whose time to be tried again has come, as changes at the place where the lane stands."""
    due = lane.refusals.filter(retry_at__lte=timezone.now()).order_by("retry_at")[:limit]
    here = Position(lane.xid, lane.revision)
    found = []
    for refusal in due:
        row = STORES[ModuleID(lane.module)].model._default_manager.filter(owner=refusal.owner, key=refusal.key).first()
        if row is None or not wanted.scope.includes(PartyId(refusal.owner)):
            refusal.delete()  # should the owner be allowed again, the lane steps back to its objects
        else:
            found.append(Change(row.pk, PartyId(row.owner), row.key, row.source, here))
    return found


def _send(lane: Lane, wanted: Audience, changes: Sequence[Change]) -> list[Answer | PartnerError]:
    platform, module = lane.platform, ModuleID(lane.module)
    texts = STORES[module].texts([change.id for change in changes])
    withdrawn = STORES[module].withdrawn([change.id for change in changes if change.id not in texts])
    requests = [
        _request(module, wanted, change, texts[change.id])
        if change.id in texts
        else withdraw(module, wanted.url, withdrawn[change.id], wanted.routing(change.owner, None))
        for change in changes
    ]
    presented = platform.presented
    results = send_all(requests, presented, MessageIds(), IN_FLIGHT)
    breaker.judge(platform.pk, results)
    return [_judged(request, result) for request, result in zip(requests, results, strict=True)]


def _request(module: ModuleID, wanted: Audience, change: Change, text: str) -> Request:
    return push(module, wanted.url, text, wanted.routing(change.owner, _token_owner(module, text)))


def _judged(request: Request, result: Answer | PartnerError) -> Answer | PartnerError:
    """A platform that never held what it is to delete is where we want it."""
    if request.method == "DELETE" and isinstance(result, Refused | NotOcpi) and result.http_status == 404:
        return Answer(result.http_status, {}, None)
    return result


def _token_owner(module: ModuleID, text: str) -> PartyId | None:
    if module not in PRIVATE:
        return None
    token = codec.decode(text.encode())["cdr_token"]
    return PartyId.of(token["country_code"], token["party_id"])


def _settle(
    lane: Lane, changes: Sequence[Change], results: Sequence[Answer | PartnerError], done: Drained
) -> tuple[Position, int, str]:
    """Book each result; returns the last position before the first transport failure, how many were accepted, and
    that failure.
    """
    reached = Position(lane.xid, lane.revision)
    accepted: list[Change] = []
    trouble = ""
    for change, result in zip(changes, results, strict=True):
        match result:
            case Unreachable() | TimedOut():
                trouble = str(result)
                break
            case Refused(http_status=status) | NotOcpi(http_status=status) if status in _UNUSABLE:
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
    return reached, len(accepted), trouble


def _refused(lane: Lane, change: Change, error: str) -> None:
    log.warning("object refused", platform=lane.platform.name, owner=change.owner, key=change.key, error=error)
    row, created = RefusedDelivery.objects.get_or_create(
        lane=lane, owner=change.owner, key=change.key, defaults={"error": error[:2000]}
    )
    if not created:
        row.attempts, row.error = row.attempts + 1, error[:2000]
    row.retry_at = timezone.now() + LADDER[min(row.attempts, len(LADDER)) - 1]
    row.save()


def _advance(lane: Lane, position: Position, accepted: int, trouble: str) -> None:
    now = timezone.now()
    lane.xid, lane.revision = position
    retry_at: datetime | None = None
    if trouble:
        lane.platform.record_error(trouble)
        lane.platform.refresh_from_db(fields=["failures"])
        retry_at = now + min(timedelta(seconds=5) * 2 ** min(lane.platform.failures, 10), LONGEST_PAUSE)
    else:
        lane.platform.record_success()
    Lane.objects.filter(pk=lane.pk).update(
        xid=position.xid,
        revision=position.revision,
        sent=F("sent") + accepted,
        last_sent_at=now,
        retry_at=retry_at,
        claimed_until=now + CLAIM,
    )
