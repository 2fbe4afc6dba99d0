"""Which sites share their power, and how: set by staff, and taken back."""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from cpo_backend.commanding import queue
from cpo_backend.models import OcppCommand, PowerDecision, PowerSite, SessionProfile
from cpo_backend.power import seats
from cpo_backend.power.seats import Seat
from cpo_backend.power_models import key
from cpo_backend.profiles import payloads
from ocpi.ids import PartyId
from ocpi.pricing.exact import plain
from ocpi.store.locations import Path, locations
from ocpi.types import codec

_PURPOSE = OcppCommand.Purpose.POWER


class Unshareable(ValueError):
    """What is wrong with a site, in words."""


def check(site: PowerSite) -> None:
    """Raises Unshareable for what could not be kept to."""
    if not locations.find_part(Path(PartyId(site.party), site.location_id)):
        raise Unshareable(f"we have no Location {site.location_id} of {site.party}")
    if site.limit <= 0 or site.minimum <= 0:
        raise Unshareable("the limit and the minimum must be above zero")
    if 0 < site.kept < site.minimum:
        raise Unshareable("the reserve must be 0 or at least the minimum: below it no car charges")
    found = seats.sketch(site)
    reserves = sum((seat.reserve for seat in found), Decimal(0))
    if reserves > site.limit:
        raise Unshareable(
            f"the reserves of its {len(found)} EVSEs come to {reserves:f} W, above the limit of {site.limit:f} W: "
            "raise the limit or lower the reserve; with 0, cars wait for their share"
        )


@transaction.atomic
def save(site: PowerSite) -> None:
    """Begin to share the power of a site, or share it otherwise; raises Unshareable."""
    check(site)
    site.due_at = timezone.now()
    site.save()


@transaction.atomic
def release(site: PowerSite) -> None:
    """Share no more: chargers that are connected forget their limits, but for those that partners have set."""
    held = PowerSite.objects.select_for_update(no_key=True).get(pk=site.pk)
    for seat in seats.of(held):
        if seat.is_online:
            _let_go(seat)
    held.delete()


def _let_go(seat: Seat) -> None:
    id = payloads.default_id(seat.share.number)
    queue.put(seat.charger, "ClearChargingProfile", payloads.cleared(seat.charger, id), purpose=_PURPOSE)
    if seat.transaction is None:
        return
    profile = SessionProfile.objects.filter(transaction=seat.transaction).exclude(applied="").first()
    if profile is None:
        clear = payloads.cleared(seat.charger, seat.transaction.pk)
        queue.put(seat.charger, "ClearChargingProfile", clear, purpose=_PURPOSE)
        return
    wanted = codec.decode(profile.applied.encode())
    payload = payloads.of_transaction(seat.transaction, wanted, seat.per_ampere)
    queue.put(seat.charger, "SetChargingProfile", payload, purpose=_PURPOSE)


def find(party: str, location_id: str) -> PowerSite | None:
    return PowerSite.objects.filter(key=key(party, location_id)).first()


def committed(site: PowerSite) -> Decimal | None:
    """The most that may be drawn, in W, as of the last decision; None before the first."""
    last = _last(site)
    return Decimal(sum(row["committed"] for row in codec.decode(last.rows.encode()))) if last else None


def _last(site: PowerSite) -> PowerDecision | None:
    return PowerDecision.objects.filter(site=site).order_by("-pk").first()


def told(site: PowerSite) -> dict[str, Any]:
    """A site with its last decision; power in W, current in A per phase."""
    last = _last(site)
    return {
        "party": site.party,
        "location_id": site.location_id,
        "limit": plain(site.limit),
        "way": site.way,
        "minimum": plain(site.minimum),
        "reserve": plain(site.kept),
        "decided_at": last and last.decided_at.isoformat(),
        "evses": codec.decode(last.rows.encode()) if last else [],
    }
