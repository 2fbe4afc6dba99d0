"""Which Tariff is relevant for each charging period (§mod_cdrs_chargingperiod_class, §mod_tariffs_tariff_object)."""

from collections.abc import Sequence
from dataclasses import dataclass

from ocpi.pricing.faults import BadInput
from ocpi.pricing.notes import Code, Note
from ocpi.pricing.reading import Usage
from ocpi.pricing.tariffs import Tariff


@dataclass(frozen=True, slots=True)
class Offer:
    """The tariffs a price may be taken from; `is_given`: by whoever asks, not by the document."""

    tariffs: tuple[Tariff, ...]
    is_given: bool = False

    @property
    def imposes_one(self) -> bool:
        return self.is_given and len(self.tariffs) == 1


def select(usage: Usage, offer: Offer) -> Sequence[Tariff | None]:
    """A Tariff for each period, None where the document says that none is relevant.

    A session keeps the tariff it started with. Raises `BadInput`: no tariff at all, a tariff_id nobody knows, tariffs
    in several currencies.
    """
    if not offer.tariffs:
        raise BadInput("there is no tariff to price with", "tariffs")
    if offer.imposes_one:
        return [offer.tariffs[0]] * len(usage.starts)
    names = set(usage.tariff_ids)
    if len(names) <= 1:
        (name,) = names or {None}
        known = offer.tariffs if name is None else _known(name, usage, offer)
        return [_valid_at_start(usage, known)] * len(usage.starts)
    chosen: dict[str | None, Tariff | None] = {
        name: None if name is None else _valid_at_start(usage, _known(name, usage, offer)) for name in names
    }
    if len({tariff.currency for tariff in chosen.values() if tariff}) > 1:
        raise BadInput("the tariffs of the session have several currencies", "tariffs")
    return [chosen[name] for name in usage.tariff_ids]


def notes(usage: Usage, offer: Offer, selected: Sequence[Tariff | None]) -> list[Note]:
    """What is remarkable about the choice."""
    found = []
    for period, (tariff, name) in enumerate(zip(selected, usage.tariff_ids, strict=True)):
        if tariff is None:
            found.append(Note(Code.PERIOD_WITHOUT_TARIFF, usage.at(period)))
        elif offer.imposes_one and name and name.casefold() != tariff.id.casefold():
            found.append(Note(Code.TARIFF_OVERRIDDEN, f"{usage.at(period)}/tariff_id", {"tariff_id": name}))
    for tariff in distinct(selected):
        if not tariff.is_active(usage.start):
            found.append(Note(Code.TARIFF_NOT_ACTIVE, "", {"tariff_id": tariff.id}))
    return found


def distinct(selected: Sequence[Tariff | None]) -> list[Tariff]:
    """The tariffs in the order in which they first apply."""
    return [tariff for tariff in dict.fromkeys(selected) if tariff is not None]


def _known(name: str | None, usage: Usage, offer: Offer) -> Sequence[Tariff]:
    """The tariffs of that id, which is compared without regard to case (§types_cistring_type)."""
    found = [tariff for tariff in offer.tariffs if tariff.id.casefold() == str(name).casefold()]
    if not found:
        period = usage.indices[usage.tariff_ids.index(name)]
        raise BadInput(f"tariff {name!r} is not among the tariffs", "charging_periods", period, "tariff_id")
    return found


def _valid_at_start(usage: Usage, tariffs: Sequence[Tariff]) -> Tariff:
    for tariff in tariffs:
        if tariff.is_active(usage.start):
            return tariff
    return tariffs[0]
