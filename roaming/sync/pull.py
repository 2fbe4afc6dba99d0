"""Pulling a module from a partner's Sender interface: a delta since the last complete run, or everything.

The cursor advances last, to the start of a crawl that came to its end, and the next delta overlaps it, for partners'
clocks differ. A delta asks for what changed until its start and no later, so that it ends. A list of everything has no
such bound: what changes while it is read must not be missing from it.

After each page the place is remembered where the next begins. A crawl that was cut, by the partner or by us, is resumed
there within the hour: `cursors.py`. Crawling: `crawling.py`; what becomes of the objects: `intake.py`; of what is
missing: `reconciling.py`; when: `schedule.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import structlog
from django.utils import timezone

from ocpi.client.http import OcpiClient
from ocpi.client.messages import Answer, PartnerError, Presented, SlowDown, TimedOut, Unreachable
from ocpi.ids import PartyId
from ocpi.transport.headers import RoutingHeaders
from ocpi.types import times
from ocpi.v221.versions import InterfaceRole, ModuleID
from roaming import breaker
from roaming.directory import Peer, Picture, directory
from roaming.models import Platform
from roaming.pull_models import PullCursor, SyncRun
from roaming.sync import cursors, dangling, intake, reconciling, schedule
from roaming.sync.audience import CONSUMERS, OWNERS, PRIVATE, asking
from roaming.sync.crawling import crawl
from roaming.sync.cursors import Ending, UnderWay
from roaming.sync.oddities import Oddities

log = structlog.get_logger(__name__)

PAGE = 500
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
Progress = Callable[[int, int], None]
Client = Callable[[Presented, RoutingHeaders], OcpiClient]


def may_pull(platform: Platform, module: ModuleID) -> bool:
    """Whether the platform offers the module, one of its parties owns such objects, and one of ours consumes them."""
    picture = directory.picture()
    peer = picture.peers.get(platform.pk)
    if peer is None or not peer.is_usable or peer.endpoint(module, InterfaceRole.SENDER) is None:
        return False
    offers = peer.hub_party is not None or peer.party_in(OWNERS[module]) is not None
    wants = picture.own_party(*CONSUMERS[module]) is not None or picture.hub_party is not None
    return offers and wants


def offered(platform: Platform) -> Iterator[tuple[ModuleID, PullCursor]]:
    """What may be pulled from a platform, in the order to do it in; a schedule is made where there is none yet."""
    found = {cursor.module: cursor for cursor in PullCursor.objects.filter(platform=platform)}
    for module in MODULES:
        if may_pull(platform, module):
            cursor = found.get(module.value)
            yield module, cursor or PullCursor.objects.get_or_create(platform=platform, module=module.value)[0]


def due(platform: Platform) -> list[ModuleID]:
    """The modules whose time has come; none while one is being pulled, for a platform is pulled from in order."""
    now, found = timezone.now(), list(offered(platform))
    if any(cursor.claimed_until and cursor.claimed_until > now for _, cursor in found):
        return []
    return [module for module, cursor in found if schedule.is_due(cursor, now)]


def pull(
    platform: Platform,
    module: ModuleID,
    *,
    full: bool = False,
    accept: bool = False,
    progress: Progress = lambda done, total: None,
    client: Client = OcpiClient,
) -> SyncRun:
    """Pull once; the returned SyncRun holds counts, and the error if the partner failed half way.

    Everything when `full`, or when that is due; else what has changed. With `accept`, staff have said that what the
    whole list does not have any more is gone. A crawl that was cut is resumed, unless it was a delta and now everything
    is wanted. Raises UnderWay while another run of the same module is at work.
    """
    cursor = cursors.claim(platform, module)
    if accept:
        cursors.save(cursor, accepts_disappearance=True)
    run = cursors.begin(cursor, full=full)
    ending = Ending(resumable=True)  # unless we get to know better, we were interrupted
    try:
        with breaker.watched(platform.pk):
            _run(run, cursor, platform, module, progress, client)
        ending = Ending(complete=True)
        platform.record_success()
    except PartnerError as error:
        ending = _failed(error, run)
        run.error = str(error)
        platform.record_error(run.error)
    except Exception as error:
        ending = Ending()
        run.error = str(error) if isinstance(error, UnderWay) else "a fault of this node; its log says more"
        raise
    finally:
        cursors.end(run, cursor, ending)
    log.info("pulled", platform=platform.name, module=module, pages=run.pages, created=run.created, error=run.error)
    return run


def _failed(error: PartnerError, run: SyncRun) -> Ending:
    """Who was not there can be asked for the same page again; where a page fails at once, its URL may be the fault."""
    if isinstance(error, SlowDown):
        seconds = min(error.retry_after or 0, cursors.MOST_PAUSE.total_seconds())
        return Ending(resumable=True, pause=timedelta(seconds=seconds))
    is_away = isinstance(error, Unreachable | TimedOut)
    return Ending(resumable=is_away or (breaker.is_transport_failure(error) and run.pages > 0))


@dataclass(frozen=True, slots=True)
class _Partner:
    """Whom we ask, by which picture of everybody."""

    platform: Platform
    picture: Picture
    client: Client

    @property
    def peer(self) -> Peer:
        return self.picture.peers[self.platform.pk]

    def url(self, module: ModuleID) -> str:
        if url := self.peer.endpoint(module, InterfaceRole.SENDER):
            return url
        raise PartnerError(f"{self.platform.name} offers no {module.value} Sender interface")

    def connected(self, module: ModuleID, to: PartyId | None = None) -> OcpiClient:
        """A client that speaks to the owner of one object, or to whoever lists them all."""
        return self.client(self.platform.presented, asking(self.picture, self.peer, module, to))


def _run(
    run: SyncRun, cursor: PullCursor, platform: Platform, module: ModuleID, progress: Progress, client: Client
) -> None:
    partner = _Partner(platform, directory.picture(fresh=True), client)
    oddities, nameless = _crawl(run, cursor, partner, module, progress)
    notes = oddities.notes()
    cursors.renew(cursor)
    if run.full:
        notes += reconciling.reconcile(run, cursor, partner.peer, total=oddities.total, nameless=nameless)
    if module in PRIVATE:
        notes += _fetch_named(run, partner)
    run.notes = "\n".join(notes)


def _crawl(
    run: SyncRun, cursor: PullCursor, partner: _Partner, module: ModuleID, progress: Progress
) -> tuple[Oddities, int]:
    """Take in every page; returns what was odd, and how many objects nobody could tell."""
    url = cursor.next_url if run.resumed else _first_page(partner.url(module), cursor, module)
    oddities, nameless = Oddities(run.date_from, whole=not run.resumed), 0
    with partner.connected(module) as client:
        for page in crawl(client.get, url):
            taken = intake.take(run, partner.peer, module, page.items)
            if run.full:
                reconciling.see(cursor, taken.keys)
            nameless += taken.nameless
            run.pages += 1
            oddities.look(page)
            cursors.reach(cursor, page.following, page.limit)
            progress(oddities.received, max(page.total or 0, oddities.received))
    return oddities, nameless


def _first_page(url: str, cursor: PullCursor, module: ModuleID) -> str:
    """What a crawl begins with; pages no larger than the partner said it gives."""
    params = {"limit": str(min(PAGE, cursor.page_limit or PAGE))}
    if cursor.crawls_from and cursor.began_at:
        params |= {"date_from": times.format(cursor.crawls_from), "date_to": times.format(cursor.began_at)}
    elif module in DATED:
        params["date_from"] = times.format(BEGINNING)
    return f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"


def _fetch_named(run: SyncRun, partner: _Partner) -> list[str]:
    """Ask for the Locations that were named and are not held; that it fails does not fail the run."""
    if not may_pull(partner.platform, ModuleID.LOCATIONS):
        return []

    def get(owner: PartyId, path: str) -> Answer:
        with partner.connected(ModuleID.LOCATIONS, to=owner) as client:
            return client.get(f"{partner.url(ModuleID.LOCATIONS).rstrip('/')}/{path}")

    def take(document: Any) -> None:
        uncounted = SyncRun()  # what is fetched is no part of the list that this run counts
        intake.take(uncounted, partner.peer, ModuleID.LOCATIONS, [document])

    try:
        run.fetched = dangling.fetch(partner.peer.id, get, take)
    except PartnerError as error:
        return [f"Locations that were named could not be fetched: {error}"]
    return []
