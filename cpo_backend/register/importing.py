"""Own Locations from a file into the store: what changed is written, what did not is left alone.

A register knows nothing of live state and has no time stamps of its own. So an EVSE that is stored already keeps its
status, an EVSE that reads as before keeps its `last_updated`, and one that vanished from its Location becomes REMOVED
(§mod_locations_flow_and_lifecycle): EVSEs are never deleted. OCPI documents speak for themselves and are taken as
they are. What we send is always valid, so an own Location with any violation is rejected.
"""

from collections.abc import Callable
from typing import Any

from cpo_backend.register.sites import RejectedRow, Site, SiteList
from ocpi.ids import PartyId
from ocpi.store.documents import Document
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.store.writing import Outcome
from ocpi.types import validation
from ocpi.v221.locations import Location, Status

BATCH = 500
Progress = Callable[[int, int], None]


def store_sites(
    sites: SiteList, owner: PartyId, *, from_register: bool, progress: Progress = lambda done, total: None
) -> tuple[Outcome, list[RejectedRow]]:
    """Write the Locations of `owner`; returns the counts and everything rejected, by the reader or here."""
    outcome, rejected = Outcome(), list(sites.rejected)
    for start in range(0, len(sites.sites), BATCH):
        arrivals = []
        for site in sites.sites[start : start + BATCH]:
            if (refusal := _refusal(site, owner)) is not None:
                rejected.append(refusal)
            else:
                arrivals.append(Arrival(site.document))
        outcome += locations.put_many(arrivals, source=None, reconcile=keep_live if from_register else None)
        progress(min(start + BATCH, len(sites.sites)), len(sites.sites))
    return outcome, rejected


def _refusal(site: Site, owner: PartyId) -> RejectedRow | None:
    violations = validation.check(site.document, Location)
    line, where = site.lines[0], str(site.document.get("id", ""))
    points = len(site.document["evses"]) if isinstance(site.document.get("evses"), list) else 0
    if violations:
        reason = "; ".join(f"{found.pointer}: {found.message}" for found in violations[:5])
        return RejectedRow(line=line, code="invalid", reason=reason, where=where, charging_points=points)
    if PartyId.of(site.document["country_code"], site.document["party_id"]) != owner:
        return RejectedRow(
            line=line, code="foreign_owner", reason=f"not owned by {owner}", where=where, charging_points=points
        )
    return None


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
