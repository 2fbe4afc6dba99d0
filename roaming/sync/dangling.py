"""Objects that a partner's objects name and that we do not hold.

Locations name Tariffs, Sessions and CDRs name Locations. The Sender interface of Locations answers for a single one
(§mod_locations_get_object_request_parameters), so those are asked for, one by one; that of Tariffs lists and nothing
else, so those can only be reported. What came to light is forgotten when the object comes.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.db.models import Q
from django.utils import timezone

from ocpi.client.messages import Answer, PartnerError, Refused
from ocpi.ids import PartyId
from ocpi.store import tariffs
from ocpi.store.catalogue import STORES
from ocpi.v221.versions import ModuleID
from roaming.pull_models import DanglingReference

MOST = 50  # single objects asked for in a run
PAUSE = timedelta(days=1)  # until one that was not there is asked for again
_NAMES = {
    ModuleID.LOCATIONS: ModuleID.TARIFFS,
    ModuleID.SESSIONS: ModuleID.LOCATIONS,
    ModuleID.CDRS: ModuleID.LOCATIONS,
}
Key = tuple[PartyId, str]


def note(platform_id: int, module: ModuleID, documents: Sequence[dict[str, Any]]) -> int:
    """Remember what these objects name and we do not hold; returns how many that are."""
    target = _NAMES.get(module)
    if target is None:
        return 0
    named: dict[Key, tuple[str, str]] = {}
    for document in documents:
        for spelling in _named(module, document):
            owner = PartyId.of(document["country_code"], document["party_id"])
            named.setdefault((owner, spelling.lower()), (spelling, f"{module.value} {document['id']}"))
    held = set(_held(target, named))
    missing = [key for key in named if key not in held]
    DanglingReference.objects.bulk_create(
        [
            DanglingReference(
                platform_id=platform_id,
                module=target.value,
                owner=owner,
                key=key,
                spelling=named[owner, key][0],
                named_by=named[owner, key][1],
            )
            for owner, key in missing
        ],
        ignore_conflicts=True,
    )
    return len(missing)


def _named(module: ModuleID, document: dict[str, Any]) -> Iterator[str]:
    if module == ModuleID.LOCATIONS:
        ids: Iterable[Any] = tariffs.named(document).values()
    elif module == ModuleID.SESSIONS:
        ids = [document.get("location_id")]
    else:
        ids = [document["cdr_location"].get("id")] if isinstance(document.get("cdr_location"), dict) else []
    return (id for id in ids if isinstance(id, str) and 0 < len(id) <= 36)


def _held(module: ModuleID, keys: Collection[Key]) -> Iterator[Key]:
    by_owner: dict[PartyId, list[str]] = {}
    for owner, key in keys:
        by_owner.setdefault(owner, []).append(key)
    for owner, wanted in by_owner.items():
        for key in STORES[module].rows(owner=owner, key__in=wanted).values_list("key", flat=True):
            yield owner, key


def release(platform_id: int, module: ModuleID, keys: Collection[Key]) -> None:
    """Forget what was missed of these objects, now that they came."""
    if module not in _NAMES.values():
        return
    noted = DanglingReference.objects.filter(platform_id=platform_id, module=module.value)
    if noted.exists():
        for owner in {owner for owner, _ in keys}:
            noted.filter(owner=owner, key__in=[key for party, key in keys if party == owner]).delete()


def fetch(platform_id: int, get: Callable[[PartyId, str], Answer], take: Callable[[Any], object]) -> int:
    """Ask for Locations that were named: `get(owner, path)` each, at most MOST, and `take` what comes.

    Returns how many of them we hold now. One that we do not is not asked for again for a while. Raises PartnerError
    when the partner cannot be used.
    """
    unasked = Q(asked_at=None) | Q(asked_at__lt=timezone.now() - PAUSE)
    noted = DanglingReference.objects.filter(unasked, platform_id=platform_id, module=ModuleID.LOCATIONS.value)
    taken = 0
    for reference in noted.order_by("asked_at", "pk")[:MOST]:
        try:
            take(get(PartyId(reference.owner), quote(reference.spelling, safe="")).data)
            taken += not _remember(reference, "what came is not this object, or cannot be used")
        except Refused as error:
            _remember(reference, str(error))
        except PartnerError as error:
            _remember(reference, str(error))
            raise
    return taken


def _remember(reference: DanglingReference, answer: str) -> int:
    """Note the answer; 0 when the reference leads somewhere now and is forgotten."""
    return DanglingReference.objects.filter(pk=reference.pk).update(asked_at=timezone.now(), answer=answer)
