"""Pulling a module from a partner's Sender interface: a delta since the last complete run, or everything.

Every page survives bad objects: what cannot be used is quarantined with its defects, the rest is stored. The cursor
advances last, to the start of the run, and the next delta overlaps it, for partners' clocks differ.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.db.models import Q
from django.utils import timezone

from ocpi.client.http import OcpiClient
from ocpi.client.messages import Answer, PartnerError, Presented
from ocpi.ids import CONFIGURATION_MODULES, PartyId
from ocpi.ports import Caller
from ocpi.store.catalogue import STORES
from ocpi.store.objects import Arrival
from ocpi.transport.headers import RoutingHeaders
from ocpi.types import times, validation
from ocpi.types.validation import Violation
from ocpi.v221.versions import InterfaceRole, ModuleID
from roaming import breaker
from roaming.directory import Peer, directory
from roaming.models import Platform, PullCursor, SyncRun
from roaming.sync import quarantine
from roaming.sync.audience import CONSUMERS, OWNERS

log = structlog.get_logger(__name__)

PAGE = 500
OVERLAP = timedelta(minutes=5)
INTERVAL = timedelta(minutes=5)
CLAIM = timedelta(minutes=30)
# Tariffs and Tokens before what refers to them.
MODULES = (
    ModuleID.HUB_CLIENT_INFO,
    ModuleID.TARIFFS,
    ModuleID.TOKENS,
    ModuleID.LOCATIONS,
    ModuleID.SESSIONS,
    ModuleID.CDRS,
)
# Partners may insist on date_from in these lists (errata E8); everything came after the beginning.
DATED = frozenset({ModuleID.SESSIONS})
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
CHANGED = Violation("", "rule", "differs from the CDR of this id that came before; a CDR cannot be changed", True)
Progress = Callable[[int, int], None]
Client = Callable[[Presented, RoutingHeaders], OcpiClient]
Page = tuple[list[Any], Answer]


class UnderWay(Exception):
    """Another run of the same module and platform has not ended yet."""


def may_pull(platform: Platform, module: ModuleID) -> bool:
    """Whether the platform offers the module, one of its parties owns such objects, and one of ours consumes them."""
    picture = directory.picture()
    peer = picture.peers.get(platform.pk)
    if peer is None or not peer.is_usable or peer.endpoint(module, InterfaceRole.SENDER) is None:
        return False
    offers = peer.hub_party is not None or peer.party_in(OWNERS[module]) is not None
    wants = picture.own_party(*CONSUMERS[module]) is not None or picture.hub_party is not None
    return offers and wants


def pull(
    platform: Platform,
    module: ModuleID,
    *,
    full: bool = False,
    progress: Progress = lambda done, total: None,
    client: Client = OcpiClient,
) -> SyncRun:
    """Pull once; the returned SyncRun holds counts, and the error if the partner failed half way.

    Raises UnderWay while another run of the same module is at work.
    """
    cursor = _claim(platform, module)
    date_from = None if full or cursor.date_from is None else cursor.date_from - OVERLAP
    run = SyncRun.objects.create(platform=platform, module=module.value, full=date_from is None, date_from=date_from)
    try:
        with breaker.watched(platform.pk):
            _crawl(run, platform, module, progress, client)
    except PartnerError as error:
        run.error = str(error)
        platform.record_error(run.error)
    else:
        cursor.date_from = run.started_at
        platform.record_success()
    finally:
        cursor.claimed_until = None
        cursor.save()
        run.finished_at = timezone.now()
        run.save()
    log.info("pulled", platform=platform.name, module=module, pages=run.pages, created=run.created, error=run.error)
    return run


def _claim(platform: Platform, module: ModuleID) -> PullCursor:
    """The cursor of the module, ours until the run ends; raises UnderWay when it is somebody else's."""
    cursor, _ = PullCursor.objects.get_or_create(platform=platform, module=module.value)
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    if not PullCursor.objects.filter(free, pk=cursor.pk).update(claimed_until=now + CLAIM):
        raise UnderWay(f"{module.value} is being pulled from {platform.name} already")
    cursor.refresh_from_db()
    return cursor


def _crawl(run: SyncRun, platform: Platform, module: ModuleID, progress: Progress, client: Client) -> None:
    picture = directory.picture(fresh=True)
    peer = picture.peers[platform.pk]
    url = peer.endpoint(module, InterfaceRole.SENDER)
    if url is None:
        raise PartnerError(f"{platform.name} offers no {module.value} Sender interface")
    sender = picture.own_party(*CONSUMERS[module]) or picture.hub_party
    routing = RoutingHeaders(to=peer.hub_party or peer.party_in(OWNERS[module]), from_=sender)
    if module in CONFIGURATION_MODULES:
        routing = RoutingHeaders()
    params = {"limit": str(PAGE)}
    if run.date_from or module in DATED:
        params["date_from"] = times.format(run.date_from or BEGINNING)
    seen = 0
    with client(platform.presented, routing) as partner:
        for items, answer in _ahead(partner.pages(url, params)):
            _store(run, peer, module, items)
            run.pages += 1
            seen += len(items)
            total = str(answer.headers.get("X-Total-Count", ""))
            progress(seen, int(total) if total.isdecimal() else seen)


def _ahead(pages: Iterator[Page]) -> Iterator[Page]:
    """The same pages, the next one being fetched while the last is stored."""
    with ThreadPoolExecutor(1, thread_name_prefix="pull") as pool:
        following = pool.submit(next, pages, None)
        while (page := following.result()) is not None:
            following = pool.submit(next, pages, None)
            yield page


def _store(run: SyncRun, peer: Peer, module: ModuleID, items: list[Any]) -> None:
    store = STORES[module]
    usable: list[Arrival] = []
    for document in items:
        violations = validation.check(document, store.shape)
        if not (fatal := [found for found in violations if found.fatal] or _foreign(peer, module, document)):
            usable.append(Arrival(document, violations))
            continue
        quarantine.keep(peer.id, module, document, fatal)
        run.quarantined += 1
    conflicting = store.conflicting(usable)
    usable = [arrival for arrival in usable if arrival not in conflicting]
    outcome = store.put_many(usable, source=peer.id)
    quarantine.release(peer.id, module, [arrival.document for arrival in usable])
    for arrival in conflicting:
        quarantine.keep(peer.id, module, arrival.document, [CHANGED])
    run.quarantined += len(conflicting)
    run.created += outcome.created
    run.updated += outcome.updated
    run.unchanged += outcome.unchanged


def _foreign(peer: Peer, module: ModuleID, document: dict[str, Any]) -> list[Violation]:
    """Objects of others than the platform's parties may be ignored (§transport_and_format_client_owned_object_pull).

    A hub's ClientInfos are about others.
    """
    if module == ModuleID.HUB_CLIENT_INFO:
        return []
    owner = PartyId.of(document["country_code"], document["party_id"])
    if directory.may_write(Caller(peer.id, peer.name, registered=True, roles=peer.roles), owner):
        return []
    return [Violation("/party_id", "rule", f"{owner} is not a party of {peer.name}", True)]


def is_due(platform: Platform, module: ModuleID) -> bool:
    """Whether the last run is long enough ago; failures are retried at the same pace."""
    latest = SyncRun.objects.filter(platform=platform, module=module.value).order_by("-started_at").first()
    return latest is None or latest.started_at < timezone.now() - INTERVAL
