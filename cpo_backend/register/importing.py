"""Own objects from a file into the store: what changed is written, what did not is left alone.

A register knows nothing of live state and has no time stamps of its own. So an EVSE that is stored already keeps its
status, an EVSE that reads as before keeps its `last_updated`, and one that vanished from its Location becomes REMOVED
(§mod_locations_flow_and_lifecycle): EVSEs are never deleted. OCPI documents speak for themselves and are taken as
they are. What we send is always valid, so an own object with any violation is rejected.
"""

from collections.abc import Callable
from typing import Any

from cpo_backend.register.sites import RejectedRow, Site, SiteList
from ocpi.ids import PartyId
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival, Objects, Reconcile
from ocpi.store.writing import Outcome
from ocpi.types import validation
from ocpi.v221.locations import Status

BATCH = 500
Progress = Callable[[int, int], None]


def store_sites(
    sites: SiteList,
    owner: PartyId,
    store: Objects,
    *,
    reconcile: Reconcile | None = None,
    progress: Progress = lambda done, total: None,
) -> tuple[Outcome, list[RejectedRow]]:
    """Write the objects of `owner`; returns the counts and everything rejected, by the reader or here."""
    outcome, rejected = Outcome(), list(sites.rejected)
    for start in range(0, len(sites.sites), BATCH):
        usable: dict[int, Site] = {}
        for index, site in enumerate(sites.sites[start : start + BATCH]):
            if (refusal := _refusal(site, owner, store)) is not None:
                rejected.append(refusal)
            else:
                usable[index] = site
        arrivals = {index: Arrival(site.document) for index, site in usable.items()}
        conflicting = store.conflicting(list(arrivals.values()))
        for index in [index for index, arrival in arrivals.items() if arrival in conflicting]:
            del arrivals[index]
            rejected.append(_rejected(usable[index], "changed", "was imported before with another content"))
        outcome += store.put_many(arrivals.values(), None, reconcile)
        progress(min(start + BATCH, len(sites.sites)), len(sites.sites))
    return outcome, rejected


def _refusal(site: Site, owner: PartyId, store: Objects) -> RejectedRow | None:
    violations = validation.check(site.document, store.shape)
    if violations:
        return _rejected(site, "invalid", "; ".join(f"{found.pointer}: {found.message}" for found in violations[:5]))
    if PartyId.of(site.document["country_code"], site.document["party_id"]) != owner:
        return _rejected(site, "foreign_owner", f"not owned by {owner}")
    return None


def _rejected(site: Site, code: str, reason: str) -> RejectedRow:
    document = site.document
    points = len(document["evses"]) if isinstance(document.get("evses"), list) else 0
    where = str(document.get("id") or document.get("uid") or "")
    return RejectedRow(line=site.lines[0], code=code, reason=reason, where=where, charging_points=points)


def keep_live(current: Document, new: Document) -> Document:
    """The new reading of a Location with everything kept that the register does not know better."""
    before = {str(evse["uid"]).lower(): evse for evse in current.get("evses") or ()}
    evses = [_evse(before.pop(evse["uid"].lower(), None), evse) for evse in new.get("evses") or ()]
    evses += [_removed(evse, new["last_updated"]) for evse in before.values()]
    merged = {**new, "evses": evses}
    return current if _timeless(merged) == _timeless(current) else merged


def _evse(current: Document | None, new: Document) -> Document:
    if current is None:
        return new
    live = {**new, "status": Status.UNKNOWN if current["status"] == Status.REMOVED else current["status"]}
    return current if _timeless(live) == _timeless(current) else live


def _removed(evse: Document, now: str) -> Document:
    return evse if evse["status"] == Status.REMOVED else {**evse, "status": str(Status.REMOVED), "last_updated": now}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(item) for name, item in value.items() if name != "last_updated"}
    return [_timeless(item) for item in value] if isinstance(value, list) else value
