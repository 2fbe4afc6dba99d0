"""Brings results to response_urls, and news of charging profiles to those who follow them.

Each row is claimed by a conditional UPDATE, sent, and settled; what was acknowledged is never sent again. One worker
at a time is with a platform, so a partner that hangs holds up nobody else's results.
"""

from datetime import datetime, timedelta
from itertools import chain
from urllib.parse import quote

import structlog
from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from ocpi.client.http import OcpiClient
from ocpi.client.messages import PartnerError, TimedOut, Unreachable
from ocpi.ids import PartyId
from ocpi.transport.headers import MessageIds, RoutingHeaders
from ocpi.types import codec
from ocpi.v221.versions import InterfaceRole, ModuleID
from roaming.command_models import CommandOutcome, Outgoing, ProfileFollower
from roaming.directory import directory
from roaming.models import Platform

log = structlog.get_logger(__name__)

# Pauses after failed attempts; then, after nearly a day, we give up.
LADDER = (
    *(timedelta(seconds=seconds) for seconds in (5, 15)),
    *(timedelta(minutes=minutes) for minutes in (1, 5, 15)),
    *(timedelta(hours=hours) for hours in (1, 3, 6, 12)),
)
_KINDS: tuple[type[Outgoing], ...] = (CommandOutcome, ProfileFollower)


def waiting() -> set[int]:
    """The platforms that something is due for and no worker is with."""
    now = timezone.now()
    due = set(chain.from_iterable(_platforms(kind, _due(now)) for kind in _KINDS))
    return due - set(chain.from_iterable(_platforms(kind, _under_way(now)) for kind in _KINDS))


def deliver(platform_id: int) -> int:
    """Send what is due to a platform; stops when it cannot be reached. Returns how much was acknowledged."""
    platform = Platform.objects.get(pk=platform_id)
    delivered = 0
    if platform.offline_since:  # what is due waits until it is back
        return delivered
    for kind in _KINDS:
        while (row := _claim(kind, platform)) is not None:
            try:
                _send(platform, row)
            except (Unreachable, TimedOut) as error:
                _failed(row, str(error))
                return delivered
            except PartnerError as error:
                _failed(row, str(error))
            else:
                _acknowledged(row)
                delivered += 1
    return delivered


def _due(now: datetime) -> Q:
    return Q(due_at__lte=now) & (Q(claimed_until=None) | Q(claimed_until__lt=now))


def _under_way(now: datetime) -> Q:
    return Q(claimed_until__gt=now, due_at__isnull=False)


def _platforms(kind: type[Outgoing], condition: Q) -> QuerySet[Outgoing, int]:
    rows = kind._default_manager.filter(condition, **{f"{kind.platform_path}__offline_since": None})
    found: QuerySet[Outgoing, int] = rows.values_list(f"{kind.platform_path}_id", flat=True)
    return found


def _claim(kind: type[Outgoing], platform: Platform) -> Outgoing | None:
    """The oldest row that is due, ours for the time of one attempt; None when there is none, or somebody is here."""
    now = timezone.now()
    of_platform = kind._default_manager.filter(**{kind.platform_path: platform})
    if of_platform.filter(_under_way(now)).exists():
        return None
    rows = of_platform.filter(_due(now)).order_by("due_at", "pk")
    if kind is CommandOutcome:  # a cancellation comes after what it cancels
        earlier = CommandOutcome.objects.filter(
            command=OuterRef("command"), rank__lt=OuterRef("rank"), due_at__isnull=False
        )
        rows = rows.exclude(Exists(earlier))
    until = now + timedelta(seconds=30 + 2 * settings.NODE_PARTNER_TIMEOUT)
    for pk in rows.values_list("pk", flat=True)[:10]:
        # The conditions stand on the row itself: of two that try at once, one finds it claimed.
        mine = kind._default_manager.filter(_due(now), pk=pk)
        if mine.update(claimed_until=until, attempts=F("attempts") + 1):
            return kind._default_manager.get(pk=pk)
    return None


def _send(platform: Platform, row: Outgoing) -> None:
    """One attempt; raises PartnerError."""
    if platform.state != Platform.State.CONNECTED:
        raise Unreachable(f"{platform} is {platform.get_state_display()}")
    presented = platform.presented
    if isinstance(row, CommandOutcome):
        method, url, ids = "POST", row.command.response_url, MessageIds(correlation_id=row.command.correlation_id)
        routing = RoutingHeaders(PartyId(row.command.commander), PartyId(row.command.party))
    elif isinstance(row, ProfileFollower):
        method, url, ids = "PUT", _profile_url(row), MessageIds()
        routing = RoutingHeaders(PartyId(row.party), PartyId(row.owner))
    with OcpiClient(presented, routing, ids) as client:
        client.request(method, url, codec.decode(row.document.encode()))


def _profile_url(row: ProfileFollower) -> str:
    peer = directory.picture().peers.get(row.platform_id)
    url = peer.endpoint(ModuleID.CHARGING_PROFILES, InterfaceRole.SENDER) if peer else None
    if url is None:
        raise PartnerError("the platform has no Sender endpoint of chargingprofiles")
    return f"{url.rstrip('/')}/{quote(row.session_id, safe='')}"


def _acknowledged(row: Outgoing) -> None:
    rows = type(row)._default_manager.filter(pk=row.pk)
    rows.filter(revision=row.revision).update(due_at=None)  # unless there is more to tell by now
    rows.update(claimed_until=None, delivered_at=timezone.now(), error="")


def _failed(row: Outgoing, error: str) -> None:
    given_up = row.attempts > len(LADDER)
    log.warning("not delivered", row=str(row), attempts=row.attempts, given_up=given_up, error=error)
    rows = type(row)._default_manager.filter(pk=row.pk)
    next_attempt = None if given_up else timezone.now() + LADDER[row.attempts - 1]
    rows.filter(revision=row.revision).update(due_at=next_attempt)
    rows.update(claimed_until=None, error=error)
