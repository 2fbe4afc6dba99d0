"""Taking in what a partner listed: each object is judged by itself, so that a bad one never costs the others.

What cannot be used is quarantined with its defects, the rest is stored; what is named and not held is remembered.
When we judge differently after an upgrade, what is in quarantine is taken in without the partner's doing (`retry`).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from ocpi.ids import PartyId
from ocpi.ports import Caller
from ocpi.store.catalogue import STORES
from ocpi.store.objects import Arrival, Objects
from ocpi.types import codec, times, validation
from ocpi.types.validation import Violation
from ocpi.v221.versions import ModuleID
from roaming.directory import Peer, directory
from roaming.pull_models import QuarantinedObject, SyncRun
from roaming.sync import dangling, quarantine

CHANGED = Violation("", "rule", "differs from the CDR of this id that came before; a CDR cannot be changed", True)
Key = tuple[PartyId, str]


@dataclass(slots=True)
class Taken:
    """Which objects were on a page: by owner and key, and how many nobody could tell."""

    keys: set[Key] = field(default_factory=set)
    nameless: int = 0


def take(run: SyncRun, peer: Peer, module: ModuleID, items: Sequence[Any]) -> Taken:
    """Store a page and count it in `run`."""
    store, taken = STORES[module], Taken()
    usable: list[Arrival] = []
    for document in items:
        violations, fatal = _judge(peer, store, document)
        run.defects += len(violations)
        if fatal:
            _put_aside(run, peer, store, document, fatal, taken)
        else:
            usable.append(Arrival(document, violations))
    conflicting = store.conflicting(usable)
    usable = [arrival for arrival in usable if arrival not in conflicting]
    stored = {(arrival.owner, store.key(arrival.document, peer.id)) for arrival in usable}
    taken.keys |= stored
    changed = _but_for_stamps(store, usable, peer.id)
    outcome = store.put_many(changed, source=peer.id)
    run.created += outcome.created
    run.updated += outcome.updated
    run.unchanged += outcome.unchanged + len(usable) - len(changed)
    documents = [arrival.document for arrival in usable]
    quarantine.release(peer.id, module, documents)
    for arrival in conflicting:
        _put_aside(run, peer, store, arrival.document, [CHANGED], taken)
    dangling.release(peer.id, module, stored)
    run.dangling += dangling.note(peer.id, module, documents)
    return taken


def _put_aside(
    run: SyncRun, peer: Peer, store: Objects, document: Any, defects: Sequence[Violation], taken: Taken
) -> None:
    """An object that cannot be used is on the list all the same, and has not disappeared."""
    quarantine.keep(peer.id, store.module, document, defects)
    run.quarantined += 1
    try:
        taken.keys.add((PartyId.of(document["country_code"], document["party_id"]), store.key(document, peer.id)))
    except (KeyError, TypeError, AttributeError):
        taken.nameless += 1


def retry(rows: QuerySet[QuarantinedObject]) -> Counter[str]:
    """Judge objects in quarantine again; counts those `stored` now, `overtaken` by what we hold, and `kept`."""
    peers = directory.picture(fresh=True).peers
    return Counter(_retry(row, peers[row.platform_id]) for row in rows.order_by("pk").iterator(chunk_size=200))


def _retry(row: QuarantinedObject, peer: Peer) -> str:
    store, document = STORES[ModuleID(row.module)], codec.decode(row.document.encode())
    violations, fatal = _judge(peer, store, document)
    arrival = Arrival(document, violations)
    if fatal or store.conflicting([arrival]):
        QuarantinedObject.objects.filter(pk=row.pk).update(defects=codec.encode_text(fatal or [CHANGED]))
        return "kept"
    held = store.seen(arrival.owner, store.key(document, peer.id))
    moment = times.parse(document["last_updated"])
    is_news = held is None or times.parse(store.current(held)["last_updated"]) < moment
    if is_news:
        store.put_many([arrival], source=peer.id)
    row.delete()
    return "stored" if is_news else "overtaken"


def _judge(peer: Peer, store: Objects, document: Any) -> tuple[list[Violation], list[Violation]]:
    """All that is wrong with an object, and what of it makes it unusable."""
    violations = validation.check(document, store.shape)
    fatal = [found for found in violations if found.fatal]
    return violations, fatal or foreign(peer, store.module, document)


def foreign(peer: Peer, module: ModuleID, document: dict[str, Any]) -> list[Violation]:
    """Objects of others than the platform's parties may be ignored (§transport_and_format_client_owned_object_pull).

    A hub's ClientInfos are about others.
    """
    if module == ModuleID.HUB_CLIENT_INFO:
        return []
    owner = PartyId.of(document["country_code"], document["party_id"])
    if directory.may_write(Caller(peer.id, peer.name, registered=True, roles=peer.roles), owner):
        return []
    return [Violation("/party_id", "rule", f"{owner} is not a party of {peer.name}", True)]


def _but_for_stamps(store: Objects, arrivals: list[Arrival], source: int) -> list[Arrival]:
    """Without those that differ from what we hold in nothing but `last_updated`, where all carry the same.

    Some partners stamp whatever they list with the time of the request: to store that would be to tell everybody,
    every few minutes, that everything has changed.
    """
    stamps = {arrival.document["last_updated"] for arrival in arrivals}
    if len(stamps) != 1 or len(arrivals) == 1:
        return arrivals
    moment = times.parse(stamps.pop())
    by_owner: dict[PartyId, dict[str, Arrival]] = {}
    for arrival in arrivals:
        by_owner.setdefault(arrival.owner, {})[store.key(arrival.document, source)] = arrival
    same = {
        id(arrival)
        for owner, keyed in by_owner.items()
        for key, text in _otherwise_stamped(store, owner, keyed, moment)
        if _unstamped(codec.decode(text.encode())) == _unstamped((arrival := keyed[key]).document)
    }
    return [arrival for arrival in arrivals if id(arrival) not in same]


def _otherwise_stamped(
    store: Objects, owner: PartyId, keys: Collection[str], moment: datetime
) -> Iterable[tuple[str, str]]:
    """Key and document of those that we hold with another `last_updated`."""
    rows = store.rows(owner=owner, key__in=keys).exclude(last_updated=moment)
    return rows.values_list("key", "document")


def _unstamped(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unstamped(member) for name, member in value.items() if name != "last_updated"}
    return [_unstamped(item) for item in value] if isinstance(value, list) else value
