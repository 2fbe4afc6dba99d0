"""What each EVSE of a site shall have, once all that can be told have been."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cpo_backend.models import PowerSite
from cpo_backend.power import sharing, wishes
from cpo_backend.power.seats import Seat
from cpo_backend.power.sharing import Claim

_ZERO = Decimal(0)


@dataclass(slots=True)
class Plan:
    """What shall be: for cars that come (`reserve`), and for who charges here (`share`; None: it stays as it is)."""

    seat: Seat
    reserve: Decimal
    share: Decimal | None = None
    wanted: Decimal = _ZERO
    minimum: Decimal = _ZERO
    waits: bool = False

    @property
    def is_paused(self) -> bool:
        return self.share == 0 and self.wanted >= self.minimum


def plan(site: PowerSite, found: list[Seat], now: datetime, turn: int) -> list[Plan]:
    """Who shall get what, once all who can be told have been."""
    reserves = sum((seat.reserve for seat in found), _ZERO)
    plans = [Plan(seat, _ZERO if reserves > site.limit else seat.reserve) for seat in found]
    ranks = wishes.places([seat.transaction for seat in found if seat.transaction], now)
    fixed, claims = _ZERO, dict[int, Claim]()
    for number, one in enumerate(plans):
        kept = one.reserve if one.seat.obeys(now) else one.seat.by_default
        if one.seat.transaction is None:
            fixed += kept
        elif one.seat.is_told(now):
            one.wanted, one.minimum = one.seat.wanted(now)[0], one.seat.minimum
            rank, urgency = ranks[one.seat.transaction.pk]
            claims[number] = Claim(one.minimum, one.wanted, kept, rank, urgency)
        else:
            fixed += one.seat.committed
    by_priority = site.way == PowerSite.Way.PRIORITY
    for number, watts in sharing.share(site.limit - fixed, claims, turn, by_priority=by_priority).items():
        plans[number].share = watts
    return plans
