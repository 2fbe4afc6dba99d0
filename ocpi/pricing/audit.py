"""Whether a document claims what its usage costs, and if not, why that may be.

A figure agrees when it is equal at four decimals or in the smallest unit of the currency, or within one such unit and
the result of a rounding we can name. Whatever else differs is a difference; a note is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from ocpi.pricing import claims, kinds
from ocpi.pricing.case import Case
from ocpi.pricing.causes import Causes, Claim, credited, figure
from ocpi.pricing.claims import Claims
from ocpi.pricing.exact import ONE, ZERO, arithmetic, money
from ocpi.pricing.figures import WIRE_PLACES, Figures, Rounding, figures, minor_unit
from ocpi.pricing.notes import Code, Note
from ocpi.pricing.scalars import seconds

_TOLERANCE = Decimal("0.0005")  # kWh and hours
_TOGETHER = ("total_fixed_cost", "total_parking_cost")


class Severity(StrEnum):
    """What a difference is about."""

    MONEY = "money"
    QUANTITY = "quantity"
    ROUNDING = "rounding"


@dataclass(frozen=True, slots=True)
class Difference:
    """A claim that does not follow from the usage. `delta` is what is claimed too much."""

    field: str
    claimed: Any
    computed: Any
    severity: Severity
    likely_cause: str | None = None
    explanation: str | None = None

    def document(self) -> dict[str, Any]:
        delta = self.claimed - self.computed if isinstance(self.claimed, Decimal) else None
        return {
            "field": self.field,
            "claimed": self.claimed,
            "computed": self.computed,
            "delta": delta,
            "severity": str(self.severity),
            "likely_cause": self.likely_cause,
            "explanation": self.explanation,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of an audit. `notes` are those of the comparison only."""

    differences: tuple[Difference, ...]
    notes: tuple[Note, ...]

    @property
    def agrees(self) -> bool:
        return not self.differences


def audit(case: Case) -> Verdict:
    """Compares the claims of the document with the price; raises `BadInput` for a claim that is no number."""
    claimed = claims.read(case.usage)
    notes: list[Note] = []
    if not any(field == "total_cost" for field, _ in claimed.money):
        notes.append(Note(Code.NO_CLAIM, "/total_cost"))
    with arithmetic():
        differences = [
            *_currency(case, claimed),
            *_money(case, claimed, notes),
            *_quantities(case, claimed),
        ]
    return Verdict(tuple(differences), tuple(notes))


def _currency(case: Case, claimed: Claims) -> Iterator[Difference]:
    computed = case.tariff_currency
    if claimed.currency and computed and claimed.currency.upper() != computed.upper():
        yield Difference("currency", claimed.currency, computed, Severity.MONEY)


class _Comparison:
    """The computed figures beside the claimed ones, at both precisions."""

    def __init__(self, case: Case, claimed: Claims) -> None:
        self.minor = minor_unit(case.currency)
        self.wire, self.coin = (
            credited(figures(case.priced, Rounding(places=places)), case.usage.is_credit)
            for places in (WIRE_PLACES, self.minor)
        )
        fields = ("total_cost",) if case.usage.is_credit else ("total_cost", *kinds.COSTS)
        self.claims = {
            claim: amount
            for claim, amount in claimed.money.items()
            if claim[0] in fields and figure(self.wire, claim) is not None
        }

    def computed(self, *claims: Claim, of: Figures | None = None) -> Decimal:
        return sum((figure(of or self.wire, claim) or ZERO for claim in claims), ZERO)

    def is_near(self, claimed: Decimal, claim: Claim) -> bool:
        """Within one smallest unit, both rounded to it."""
        rounded = Rounding(places=self.minor).round(claimed)
        return abs(rounded - self.computed(claim, of=self.coin)) <= ONE.scaleb(-self.minor)

    def agrees(self, claimed: Decimal, *claims: Claim) -> bool:
        """Equal at four decimals, or when both are rounded to the smallest unit."""
        wire, coin = Rounding(), Rounding(places=self.minor)
        return wire.round(claimed) == self.computed(*claims) or coin.round(claimed) == self.computed(
            *claims, of=self.coin
        )


def _money(case: Case, claimed: Claims, notes: list[Note]) -> Iterator[Difference]:
    compared = _Comparison(case, claimed)
    differing = {claim: amount for claim, amount in compared.claims.items() if not compared.agrees(amount, claim)}
    for part in ("excl_vat", "incl_vat"):
        _forgive_fixed_within_parking(compared, part, differing, notes)
    sign = -ONE if case.usage.is_credit else ONE
    causes = Causes(case)
    for claim in list(differing):
        if compared.is_near(differing[claim], claim) and (policy := causes.rounding(claim, sign * differing[claim])):
            detail = {"claimed": differing.pop(claim), "policy": policy.name}
            notes.append(Note(Code.ROUNDING_POLICY, "/" + "/".join(claim), detail))
    for claim, amount in differing.items():
        cause = causes.of(claim, {other: sign * found for other, found in differing.items()})
        rounds = compared.is_near(amount, claim) or (cause is not None and cause.name.startswith("rounding"))
        yield Difference(
            ".".join(claim),
            amount,
            compared.computed(claim),
            Severity.ROUNDING if rounds else Severity.MONEY,
            cause.name if cause else None,
            cause.sentence if cause else None,
        )


def _forgive_fixed_within_parking(
    compared: _Comparison, part: str, differing: dict[Claim, Decimal], notes: list[Note]
) -> None:
    """Fixed components of parking cannot be told from others, so the two costs are compared as a sum first."""
    pair = [(field, part) for field in _TOGETHER]
    if not any(claim in differing for claim in pair):
        return
    claimed = sum((compared.claims.get(claim, ZERO) for claim in pair), ZERO)
    if compared.agrees(claimed, *pair):
        for claim in pair:
            differing.pop(claim, None)
        notes.append(Note(Code.FIXED_WITHIN_PARKING, "/total_parking_cost", {"part": part}))


def _quantities(case: Case, claimed: Claims) -> Iterator[Difference]:
    """Energy and parking against the periods, the total time against the clock; a credit CDR repeats them."""
    usage, course = case.usage, case.priced.course
    energy, reported = (
        sum((volume for volume in usage.volumes[kind] if volume), ZERO) for kind in (kinds.ENERGY, kinds.PARKING_TIME)
    )
    accepted = {
        "total_energy": [energy],
        "total_time": [_hours(usage.end - usage.start), _hours(usage.end - course.moments.origin)],
        "total_parking_time": [money(course.stretches.total(kinds.PARKING_TIME)), reported],
    }
    if course.is_expired:
        accepted["total_time"].append(ZERO)
    for name, amount in claimed.quantities.items():
        if all(abs(amount - computed) > _TOLERANCE for computed in accepted[name]):
            cause = None
            if name == "total_energy" and amount and abs(amount * 1000 - energy) <= _TOLERANCE * 1000:
                cause = "energy_in_wh"
            yield Difference(
                claimed.names[name],
                amount,
                Rounding().round(accepted[name][0]),
                Severity.QUANTITY,
                cause,
                "The periods report Wh where kWh is meant." if cause else None,
            )


def _hours(microseconds: int) -> Decimal:
    return money(seconds(max(microseconds, 0)))
