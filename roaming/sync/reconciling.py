"""What a partner's whole list does not have any more: told apart from what we hold, and removed as staff have decided.

A Location is removed by its EVSEs (§mod_locations_status_enum), a Tariff is deleted, a Token made invalid; those who
hold copies learn it as they learn any change. An object that comes again is taken back as it comes. Sessions, CDRs and
ClientInfos are never removed.

Nothing is removed when the list may not have been whole, nor when more than a third of what we hold would go: a
partner's fault must not empty our map. Staff may confirm that it is no fault.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.store import documents, writing
from ocpi.store.catalogue import STORES
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival
from ocpi.store.tariffs import tariffs
from ocpi.types import codec, times, validation
from ocpi.v221.locations import Status
from ocpi.v221.versions import ModuleID
from roaming.directory import Peer, directory
from roaming.pull_models import MissingObject, PullCursor, SeenObject, SyncRun

REMOVABLE = (ModuleID.LOCATIONS, ModuleID.TARIFFS, ModuleID.TOKENS)
SPARED = 10  # so many may go at once, whatever share of the whole they are
SHARE = 3  # of more, no more than one in three
CHUNK = 500
Policy = PullCursor.Policy
Key = tuple[PartyId, str]


def begin(cursor: PullCursor) -> None:
    """Forget what an earlier crawl has seen."""
    SeenObject.objects.filter(cursor=cursor).delete()


def see(cursor: PullCursor, keys: Collection[Key]) -> None:
    """Remember that these objects are on the list."""
    if keys and cursor.module in REMOVABLE:
        rows = [{"cursor_id": cursor.pk, "owner": str(owner), "key": key} for owner, key in keys]
        writing.upsert(SeenObject, ("cursor_id", "owner", "key"), rows)


def reconcile(run: SyncRun, cursor: PullCursor, peer: Peer, *, total: int | None, nameless: int) -> list[str]:
    """Compare what the crawl has seen with what we hold, remove what is due, count both in `run`.

    `total` is how many objects the partner says there are, `nameless` how many came that could not be told apart.
    Returns what staff should know.
    """
    if cursor.module not in REMOVABLE:
        return []
    seen = SeenObject.objects.filter(cursor=cursor)
    came = seen.count() + nameless
    doubts = []
    if total is not None and came < total:
        doubts.append(f"X-Total-Count says {total}, {came} different objects came: the list may not be whole")
    if nameless:
        doubts.append(f"{nameless} objects came without a readable id: they may be the missing ones")
    accepted = PullCursor.objects.filter(pk=cursor.pk, accepts_disappearance=True).exists()
    if doubts and not accepted:
        run.disappeared = _unseen(cursor, peer).count()
        begin(cursor)
        return [f"{doubt}; nothing is removed" for doubt in doubts] if run.disappeared else []
    _record(cursor, peer)
    begin(cursor)
    run.disappeared = _missing(cursor).count()
    told = _remove_due(run, cursor, peer, accepted=accepted)
    PullCursor.objects.filter(pk=cursor.pk).update(accepts_disappearance=False)
    return told


def _missing(cursor: PullCursor) -> QuerySet[MissingObject]:
    return MissingObject.objects.filter(cursor=cursor, removed_at=None)


def _held(cursor: PullCursor, peer: Peer) -> QuerySet[Any]:
    """What this platform's list should have of what we hold: what came from it, of owners that it speaks for."""
    rows = STORES[ModuleID(cursor.module)].rows(source=peer.id)
    if peer.hub_party is None:
        return rows.filter(owner__in=peer.parties)
    picture = directory.picture()
    others = {party for other in picture.peers.values() if other.id != peer.id for party in other.parties}
    return rows.exclude(owner__in=(picture.own_parties | others) - peer.parties)


def _is_in(marks: QuerySet[Any]) -> Exists:
    return Exists(marks.filter(owner=OuterRef("owner"), key=OuterRef("key")))


def _unseen(cursor: PullCursor, peer: Peer) -> QuerySet[Any]:
    """What the list did not have, but for what came by another way while it was read."""
    unseen = ~_is_in(SeenObject.objects.filter(cursor=cursor))
    return _held(cursor, peer).filter(unseen, received_at__lt=cursor.began_at)


def _record(cursor: PullCursor, peer: Peer) -> None:
    """Bring the list of missing objects up to date: those that are back leave it, those newly missed join it."""
    known = MissingObject.objects.filter(cursor=cursor)
    written = _held(cursor, peer).filter(
        owner=OuterRef("owner"), key=OuterRef("key"), received_at__gt=OuterRef("missed_at")
    )
    known.filter(_is_in(SeenObject.objects.filter(cursor=cursor))).delete()
    known.annotate(missed_at=Coalesce(F("removed_at"), F("since"))).filter(Exists(written)).delete()
    now = timezone.now()
    news = _unseen(cursor, peer).exclude(_is_in(known)).order_by().values_list("owner", "key")
    for chunk in _chunks(news.iterator(chunk_size=CHUNK)):
        MissingObject.objects.bulk_create(
            [MissingObject(cursor=cursor, owner=owner, key=key, since=now) for owner, key in chunk],
            ignore_conflicts=True,
        )


def _remove_due(run: SyncRun, cursor: PullCursor, peer: Peer, *, accepted: bool) -> list[str]:
    """Apply the policy; with `accepted`, staff have said that what is missing is gone."""
    if cursor.policy == Policy.IGNORE:
        return []
    grace = timedelta(days=cursor.grace_days if cursor.policy == Policy.GRACE and not accepted else 0)
    due = _missing(cursor).filter(since__lte=timezone.now() - grace)
    number = due.count()
    removed = MissingObject.objects.filter(cursor=cursor).exclude(removed_at=None)
    held = _held(cursor, peer).exclude(_is_in(removed)).count()
    if number > SPARED and number * SHARE > held and not accepted:
        run.withheld = number
        return [
            f"{number} of {held} objects would be removed, more than a third: nothing is; "
            "if they are gone indeed, “Full resync, accept disappearance”"
        ]
    for owner, keys in _by_owner(due.values_list("owner", "key")):
        _remove(ModuleID(cursor.module), PartyId(owner), keys, peer.id)
        due.filter(owner=owner, key__in=keys).update(removed_at=timezone.now())
        run.removed += len(keys)
    return []


def _by_owner(keys: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """The keys of each owner, a bounded number at a time."""
    by_owner: dict[str, list[str]] = {}
    for owner, key in keys:
        by_owner.setdefault(owner, []).append(key)
    return [(owner, chunk) for owner, found in by_owner.items() for chunk in _chunks(iter(found))]


def _chunks(items: Any) -> Iterable[list[Any]]:
    return iter(lambda: list(islice(items, CHUNK)), [])


def _remove(module: ModuleID, owner: PartyId, keys: list[str], source: int) -> None:
    if module == ModuleID.TARIFFS:
        for key in keys:
            tariffs.delete(owner, key, source)
        return
    store, now = STORES[module], times.now()
    ids = store.rows(owner=owner, key__in=keys).values_list("pk", flat=True)
    held = [codec.decode(text.encode()) for text in store.texts(list(ids)).values()]

    def unless_written(stored: Document, read: Document) -> Document:
        """Under lock: what was written since we looked is no longer missing."""
        return _removed(module, stored, now) if stored == read else stored

    arrivals = [Arrival(document, validation.check(document, store.shape)) for document in held]
    store.put_many(arrivals, source, unless_written)


def _removed(module: ModuleID, document: Document, now: str) -> Document:
    """The object as it is when it is gone, with a `last_updated` of now, so that others learn it."""
    gone = codec.decode(codec.encode(document))
    parts = [gone] if module == ModuleID.TOKENS else documents.objects(gone, "evses")
    name, value = ("valid", False) if module == ModuleID.TOKENS else ("status", Status.REMOVED.value)
    changed = [part for part in parts if part.get(name) != value]
    for part in changed:
        part[name] = value
        documents.raise_stamp(part, now)
    if changed:
        documents.raise_stamp(gone, now)
    return gone  # type: ignore[no-any-return]
