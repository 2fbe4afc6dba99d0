"""What drivers want of their Sessions, and which Sessions that puts before others."""

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from django.utils import timezone

from cpo_backend.models import PowerSite, SessionPreferences, Transaction
from cpo_backend.power import waking
from cpo_backend.power_models import key
from ocpi.store.documents import Document
from ocpi.types import times
from ocpi.v221.common import ProfileType

REGULAR = 1
_RANKS = {str(ProfileType.FAST): 0, str(ProfileType.CHEAP): 2, str(ProfileType.GREEN): 2}
_HOUR, _KILO = Decimal(3600), Decimal(1000)
# What a car can need at most: kWh.
_MOST = Decimal(10_000)
# The shortest time over which a need is spread: seconds.
_SOON = 300


def take(transaction: Transaction, preferences: Document) -> bool:
    """Note what a driver wants; False where nothing follows from it: at a site that does not share by priority."""
    place = key(transaction.charger.party, transaction.charger.location_id)
    if not PowerSite.objects.filter(key=place, way=PowerSite.Way.PRIORITY).exists():
        return False
    departure, need = preferences.get("departure_time"), preferences.get("energy_need")
    wanted = {
        "profile_type": str(preferences["profile_type"]),
        "departure_at": None if departure is None else times.parse(departure),
        "energy_need": None if need is None else min(max(Decimal(need), Decimal(0)), _MOST) * _KILO,
        "received_at": timezone.now(),
    }
    SessionPreferences.objects.update_or_create(transaction=transaction, defaults=wanted)
    waking.after_commit([transaction.charger_id])
    return True


def places(transactions: Iterable[Transaction], now: datetime) -> dict[int, tuple[int, Decimal]]:
    """Rank and urgency by transaction: the power in W, by whole kW, that it takes to be ready at the departure."""
    known = {row.pk: row for row in SessionPreferences.objects.filter(pk__in=[one.pk for one in transactions])}
    return {one.pk: _place(one, known.get(one.pk), now) for one in transactions}


def _place(transaction: Transaction, wish: SessionPreferences | None, now: datetime) -> tuple[int, Decimal]:
    if wish is None:
        return REGULAR, Decimal(0)
    rank = _RANKS.get(wish.profile_type, REGULAR)
    if wish.departure_at is None or wish.energy_need is None:
        return rank, Decimal(0)
    missing = max(Decimal(0), wish.energy_need - (transaction.bill.energy or 0))
    seconds = max(Decimal((wish.departure_at - now).total_seconds()), Decimal(_SOON))
    # By whole kW, or two that are alike would change places with each look.
    return rank, (missing * _HOUR / seconds / _KILO).quantize(Decimal(1), ROUND_FLOOR) * _KILO
