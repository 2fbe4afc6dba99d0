"""Who gets how much, whatever the numbers are."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cpo_backend.power.sharing import Claim, share

WATTS = st.integers(0, 30_000).map(Decimal)
CLAIM = st.builds(
    Claim,
    minimum=st.integers(1, 5_000).map(Decimal),
    maximum=WATTS,
    reserved=st.one_of(st.just(Decimal(0)), st.integers(0, 5_000).map(Decimal)),
    rank=st.integers(0, 2),
    urgency=st.sampled_from([Decimal(0), Decimal(2000), Decimal(9000)]),
)
CLAIMS = st.lists(CLAIM, min_size=1, max_size=8).map(lambda found: dict(enumerate(found)))
TURN = st.integers(0, 10_000)


def claim(minimum: int = 1380, maximum: int = 7360, **more: int) -> Claim:
    return Claim(Decimal(minimum), Decimal(maximum), **{name: Decimal(value) for name, value in more.items()})


def drawn(shares: dict[int, Decimal], claims: dict[int, Claim]) -> Decimal:
    """The most that may be drawn: by who charges, or by who comes next."""
    return sum((max(shares[key], one.reserved) for key, one in claims.items()), Decimal(0))


@given(WATTS, CLAIMS, TURN, st.booleans())
def test_all_together_are_within_the_budget(budget: Decimal, claims: dict[int, Claim], turn: int, way: bool) -> None:
    shares = share(budget, claims, turn, by_priority=way)
    reserved = sum((one.reserved for one in claims.values()), Decimal(0))
    assert drawn(shares, claims) <= max(budget, reserved)
    if reserved > budget:
        assert not any(shares.values())


@given(WATTS, CLAIMS, TURN, st.booleans())
def test_a_share_is_nothing_or_what_a_car_can_charge_with(
    budget: Decimal, claims: dict[int, Claim], turn: int, way: bool
) -> None:
    for key, watts in share(budget, claims, turn, by_priority=way).items():
        assert watts == 0 or claims[key].minimum <= watts <= claims[key].maximum


@given(WATTS, CLAIMS, TURN)
def test_fair_to_raise_one_takes_from_one_with_as_little(budget: Decimal, claims: dict[int, Claim], turn: int) -> None:
    shares = share(budget, claims, turn, by_priority=False)
    left = budget - drawn(shares, claims)
    served = [key for key, watts in shares.items() if watts]
    for key in served:
        if shares[key] >= claims[key].maximum or left >= len(served):
            assert shares[key] >= claims[key].maximum
            continue
        # What is left does not divide; whoever has more has it because nothing of it can be given away.
        for other in served:
            assert shares[other] <= shares[key] + 1 or shares[other] <= max(
                claims[other].minimum, claims[other].reserved
            )


@given(WATTS, CLAIMS, TURN, st.booleans())
def test_nobody_is_paused_for_whom_there_is_enough(
    budget: Decimal, claims: dict[int, Claim], turn: int, way: bool
) -> None:
    """What others have beyond their minimum does not keep anybody out, nor does what nobody has."""
    shares = share(budget, claims, turn, by_priority=way)
    left = budget - drawn(shares, claims)
    for key, one in claims.items():
        if not shares[key] and one.minimum <= one.maximum and left >= 0:
            assert one.entry > left


@given(WATTS, CLAIMS, st.booleans())
def test_nobody_waits_for_ever(budget: Decimal, claims: dict[int, Claim], way: bool) -> None:
    free = budget - sum((one.reserved for one in claims.values()), Decimal(0))
    could = {key for key, one in claims.items() if one.minimum <= one.maximum and 0 <= one.entry <= free}
    served = {
        key
        for turn in range(len(claims) + 1)
        for key, watts in share(budget, claims, turn, by_priority=way).items()
        if watts
    }
    assert served == (could if free >= 0 else set())


@given(WATTS, CLAIMS, TURN, st.booleans())
def test_the_same_again_is_the_same(budget: Decimal, claims: dict[int, Claim], turn: int, way: bool) -> None:
    assert share(budget, claims, turn, by_priority=way) == share(budget, claims, turn, by_priority=way)


def test_what_one_does_not_want_goes_to_the_others() -> None:
    found = share(Decimal(11_000), {1: claim(maximum=2000), 2: claim(), 3: claim()}, 0, by_priority=False)
    assert found == {1: 2000, 2: 4500, 3: 4500}


def test_by_priority_the_first_has_all_that_it_can_take() -> None:
    claims = {1: claim(rank=2), 2: claim(rank=0), 3: claim(rank=1)}
    assert share(Decimal(11_000), claims, 0, by_priority=True) == {1: 1380, 2: 7360, 3: 2260}


def test_by_priority_who_is_in_a_hurry_comes_first_among_those_alike() -> None:
    claims = {1: claim(urgency=1000), 2: claim(urgency=5000)}
    assert share(Decimal(9_000), claims, 0, by_priority=True) == {1: 1640, 2: 7360}


def test_whoever_is_paused_has_a_turn() -> None:
    claims = {key: claim(minimum=4140, maximum=11_040) for key in range(3)}
    paused = [
        next(key for key, watts in share(Decimal(11_000), claims, turn, by_priority=False).items() if not watts)
        for turn in range(3)
    ]
    assert sorted(paused) == [0, 1, 2]
