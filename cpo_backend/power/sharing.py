"""Who gets how much of a site's power. Pure; all in W.

What holds whatever the numbers are: all shares together are within the budget; nobody gets more than the most it can
take; nobody gets something from which no car charges: a share is 0 (paused) or at least the minimum; among equals, no
one could get more unless one with as little or less got less (but for the watt that does not divide); and whoever is
paused has its turn.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, pairwise
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

TURN_SECONDS = 900
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Claim:
    """A Session. `reserved` counts whatever its share is: so much a car that comes next may draw before we know.

    The lower the `rank`, the sooner it is served; then by `urgency`, the power it takes to be ready in time.
    """

    minimum: Decimal
    maximum: Decimal
    reserved: Decimal = _ZERO
    rank: int = 1
    urgency: Decimal = _ZERO

    @property
    def entry(self) -> Decimal:
        """What it costs, beyond what is reserved, not to be paused."""
        return max(_ZERO, self.minimum - self.reserved)

    @property
    def first(self) -> Decimal:
        """What it has once it is not paused."""
        return max(self.minimum, min(self.reserved, self.maximum))


def share(budget: Decimal, claims: Mapping[Key, Claim], turn: int, *, by_priority: bool) -> dict[Key, Decimal]:
    """The share of each. `turn` counts quarters of an hour: who is paused takes part in another one."""
    shares = dict.fromkeys(claims, _ZERO)
    left = budget - sum((claim.reserved for claim in claims.values()), _ZERO)
    able = [key for key, claim in claims.items() if max(claim.minimum, Decimal(1)) <= claim.maximum]
    if left < 0 or not able:
        return shares
    admitted = _by_priority(able, claims, left, turn) if by_priority else _in_turn(able, claims, left, turn)
    for key in admitted:
        left -= claims[key].entry
        shares[key] = claims[key].first
    for group in _groups(admitted, claims) if by_priority else [admitted]:
        left = _fill({key: claims[key].maximum for key in group}, shares, left)
    return shares


def _in_turn(keys: Sequence[Key], claims: Mapping[Key, Claim], left: Decimal, turn: int) -> list[Key]:
    """Each is the first in one of as many turns as there are."""
    begin = turn % len(keys)
    return _admit([*keys[begin:], *keys[:begin]], claims, left)


def _by_priority(keys: Sequence[Key], claims: Mapping[Key, Claim], left: Decimal, turn: int) -> list[Key]:
    """By priority; but each of those who would have to wait for ever comes first in a turn of its own."""
    order = sorted(keys, key=lambda key: _place(claims[key]))
    admitted = _admit(order, claims, left)
    waiting = [key for key in order if key not in admitted and claims[key].entry <= left]
    guest = turn % (len(waiting) + 1)
    if not guest:
        return admitted
    return _admit(sorted(order, key=lambda key: key != waiting[guest - 1]), claims, left)


def _place(claim: Claim) -> tuple[int, Decimal]:
    return claim.rank, -claim.urgency


def _admit(order: Iterable[Key], claims: Mapping[Key, Claim], left: Decimal) -> list[Key]:
    """In this order, whoever still can have its minimum."""
    admitted = []
    for key in order:
        if claims[key].entry <= left:
            left -= claims[key].entry
            admitted.append(key)
    return admitted


def _groups(keys: Iterable[Key], claims: Mapping[Key, Claim]) -> list[list[Key]]:
    """Equals together, the first to be served first."""
    ordered = sorted(keys, key=lambda key: _place(claims[key]))
    return [list(group) for _, group in groupby(ordered, key=lambda key: _place(claims[key]))]


def _fill(ceilings: Mapping[Key, Decimal], shares: dict[Key, Decimal], left: Decimal) -> Decimal:
    """Raise the lowest first, as water would rise between them, in whole watts; returns what is left."""
    levels = sorted({*(shares[key] for key in ceilings), *ceilings.values()})
    for low, high in pairwise(levels):
        rising = [key for key, most in ceilings.items() if shares[key] == low and most >= high]
        if not rising:
            continue
        step = min(high - low, left // len(rising))
        for key in rising:
            shares[key] += step
        left -= step * len(rising)
        if low + step < high:
            break
    return left
