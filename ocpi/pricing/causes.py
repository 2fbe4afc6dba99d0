"""Who reproduces a claim: other roundings, then other readings, each a run of the one engine."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial
from itertools import product

from msgspec.structs import replace

from ocpi.pricing.case import Case
from ocpi.pricing.engine import Priced
from ocpi.pricing.exact import ONE, ZERO, arithmetic, percent
from ocpi.pricing.figures import WIRE_PLACES, Figures, Mode, Rounding, Stage, figures, minor_unit
from ocpi.pricing.kinds import COSTS
from ocpi.pricing.limits import limiting
from ocpi.pricing.readings import CAUSES, Readings, Vat

Claim = tuple[str, str]
"""Field and part, such as total_cost and incl_vat."""


@dataclass(frozen=True, eq=False)
class Cause:
    """A way to get at other figures, in a word and in a sentence.

    `compute` gives them, at the places an equal claim may have. They are no further than `reach` from those `beside`
    it; None: however far.
    """

    name: str
    sentence: str
    compute: Callable[[], tuple[Figures, ...]]
    beside: Figures
    reach: Decimal | None

    @cached_property
    def figures(self) -> tuple[Figures, ...]:
        with arithmetic():
            return self.compute()

    def explains(self, claim: Claim, claimed: Decimal) -> bool:
        near = figure(self.beside, claim)
        if self.reach is not None and near is not None and abs(claimed - near) > self.reach:
            return False
        return any(figure(found, claim) == claimed for found in self.figures)


class Causes:
    """The causes of a case in the order of their likelihood, each worked out when it is asked for."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._minor = minor_unit(case.currency)
        self._source = self._all()
        self._known: list[Cause] = []

    def rounding(self, claim: Claim, claimed: Decimal) -> Cause | None:
        """The rounding policy that gives the claim."""
        for cause in self:
            if not cause.name.startswith(_ROUNDING):
                return None
            if cause.explains(claim, claimed):
                return cause
        return None

    def of(self, claim: Claim, differing: Mapping[Claim, Decimal]) -> Cause | None:
        """The first cause that gives all that differs, else the first that gives this claim."""
        whole = (cause for cause in self if all(cause.explains(*item) for item in differing.items()))
        own = (cause for cause in self if cause.explains(claim, differing[claim]))
        return next(whole, None) or next(own, None)

    def __iter__(self) -> Iterator[Cause]:
        yield from self._known
        while (cause := next(self._source, None)) is not None:
            self._known.append(cause)
            yield cause

    def _all(self) -> Iterator[Cause]:
        case, priced = self._case, self._case.priced
        with arithmetic():
            beside = figures(priced)
        for policy in _policies(self._minor):
            sentence, compute = "Amounts were rounded in another way.", partial(_by_policy, priced, policy)
            yield Cause(name_of(policy), sentence, compute, beside, _reach(priced, policy))
        for variant in CAUSES:
            compute = partial(_by_reading, case, variant.of(case.readings), self._minor)
            yield Cause(variant.name, variant.sentence, compute, beside, None)


_ROUNDING = "rounding"


def _by_policy(priced: Priced, policy: Rounding) -> tuple[Figures, ...]:
    return (figures(priced, policy),)


def _by_reading(case: Case, readings: Readings, minor: int) -> tuple[Figures, ...]:
    other = case.under(readings)
    return tuple(figures(other, Rounding(places=places)) for places in (WIRE_PLACES, minor))


def _reach(priced: Priced, policy: Rounding) -> Decimal | None:
    """How far a rounding can move a figure: less than a unit for each part, with its tax; limits can move it anywhere.

    Two units more for the figure itself and for the one it is compared with.
    """
    tariff = limiting(priced.course)
    if priced.course.readings.vat is not Vat.ADDED or (tariff and (tariff.minimum or tariff.maximum)):
        return None
    taxes = [abs(ONE + percent(rate.vat or ZERO)) for _, rate in priced.by_rate]
    return (len(priced.segments) * max([ONE, *taxes]) + 2) * ONE.scaleb(-policy.places)


def name_of(policy: Rounding) -> str:
    """A rounding policy in a word."""
    tax = "_tax_too" if policy.rounds_tax else ""
    return f"{_ROUNDING}_{policy.mode}_per_{policy.stage}_to_{policy.places}{tax}"


def figure(found: Figures, claim: Claim) -> Decimal | None:
    """The figure a claim is about."""
    field, part = claim
    amount = found.total if field == "total_cost" else found.costs[COSTS.index(field)]
    return amount.excl if part == "excl_vat" else amount.incl


def _policies(minor: int) -> Iterator[Rounding]:
    """To the smallest unit before to four decimals, half up before half even, coarse before fine."""
    stages = (Stage.PERIOD, Stage.SEGMENT, Stage.BUCKET, Stage.TOTAL)
    for mode, places, stage, rounds_tax in product(Mode, dict.fromkeys((minor, WIRE_PLACES)), stages, (False, True)):
        if stage is not Stage.TOTAL or (mode is not Mode.HALF_UP and not rounds_tax):
            yield Rounding(mode, stage, places, rounds_tax)


def credited(found: Figures, is_credit: bool) -> Figures:
    """A credit CDR has the negative of the total, and all else unchanged (§mod_cdrs_credit_cdrs)."""
    return replace(found, total=found.total.negated()) if is_credit else found
