"""Which Tariff is relevant for each charging period (§mod_cdrs_chargingperiod_class, §mod_tariffs_tariff_object)."""

from collections.abc import Sequence
from dataclasses import dataclass

from ocpi.pricing.faults import BadInput
from ocpi.pricing.notes import Code, Note
from ocpi.pricing.reading import Period, Usage
from ocpi.pricing.tariffs import Tariff


@dataclass(frozen=True, slots=True)
class Offer:
    """The tariffs a price may be taken from; `is_given`: by whoever asks, not by the document."""

    tariffs: tuple[Tariff, ...]
    is_given: bool = False

    @property
    def imposes_one(self) -> bool:
        return self.is_given and len(self.tariffs) == 1


def select(usage: Usage, offer: Offer) -> tuple[Tariff | None, ...]:
    """A Tariff for each period, None where the document says that none is relevant.

    A session keeps the tariff it started with. Raises `BadInput`: no tariff at all, a tariff_id nobody knows, tariffs
    in several currencies.
    """
    if not offer.tariffs:
        raise BadInput("there is no tariff to price with", "tariffs")
    if offer.imposes_one:
        return (offer.tariffs[0],) * len(usage.periods)
    named = {period.tariff_id for period in usage.periods} - {None}
    if not named:
        return (_valid_at_start(usage, offer.tariffs),) * len(usage.periods)
    by_id: dict[str, list[Tariff]] = {}
    for tariff in offer.tariffs:
        by_id.setdefault(tariff.id.casefold(), []).append(tariff)
    chosen = {None: None} | {
        period.tariff_id: _valid_at_start(usage, _known(period, by_id))
        for period in usage.periods
        if period.tariff_id is not None
    }
    if len({tariff.currency for tariff in chosen.values() if tariff}) > 1:
        raise BadInput("the tariffs of the session have several currencies", "tariffs")
    return tuple(chosen[period.tariff_id] for period in usage.periods)


def notes(usage: Usage, offer: Offer, selected: Sequence[Tariff | None]) -> list[Note]:
    """What is remarkable about the choice."""
    found = []
    for period, tariff in zip(usage.periods, selected, strict=True):
        at = f"/charging_periods/{period.index}"
        if tariff is None:
            found.append(Note(Code.PERIOD_WITHOUT_TARIFF, at))
        elif offer.imposes_one and period.tariff_id and period.tariff_id.casefold() != tariff.id.casefold():
            found.append(Note(Code.TARIFF_OVERRIDDEN, f"{at}/tariff_id", {"tariff_id": period.tariff_id}))
    for tariff in distinct(selected):
        if not tariff.is_active(usage.start):
            found.append(Note(Code.TARIFF_NOT_ACTIVE, "", {"tariff_id": tariff.id}))
    return found


def distinct(selected: Sequence[Tariff | None]) -> list[Tariff]:
    """The tariffs in the order in which they first apply."""
    return list(dict.fromkeys(tariff for tariff in selected if tariff is not None))


def _known(period: Period, by_id: dict[str, list[Tariff]]) -> list[Tariff]:
    if not isinstance(period.tariff_id, str):
        raise BadInput("is not a string", "charging_periods", period.index, "tariff_id")
    found = by_id.get(period.tariff_id.casefold())
    if found is None:
        raise BadInput(
            f"tariff {period.tariff_id!r} is not among the tariffs", "charging_periods", period.index, "tariff_id"
        )
    return found


def _valid_at_start(usage: Usage, tariffs: Sequence[Tariff]) -> Tariff:
    return next((tariff for tariff in tariffs if tariff.is_active(usage.start)), tariffs[0])
