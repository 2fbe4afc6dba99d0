"""Which Tariff is relevant for each charging period (§mod_cdrs_chargingperiod_class, §mod_tariffs_tariff_object)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct

from ocpi.pricing.faults import BadInput
from ocpi.pricing.notes import Code, Note
from ocpi.pricing.once import once
from ocpi.pricing.reading import Usage
from ocpi.pricing.tariffs import Tariff


@dataclass(frozen=True)
class Offer:
    """The tariffs a price may be taken from; `is_given`: by whoever asks, not by the document."""

    tariffs: tuple[Tariff, ...]
    is_given: bool = False

    @once
    def imposes_one(self) -> bool:
        return self.is_given and len(self.tariffs) == 1

    @once
    def needs_clock(self) -> bool:
        """Whether a restriction asks for the local time."""
        return any(tariff.needs_clock for tariff in self.tariffs)

    @once
    def by_name(self) -> Mapping[str, Sequence[Tariff]]:
        """The tariffs by their id, which is compared without regard to case (§types_cistring_type)."""
        found: dict[str, list[Tariff]] = {}
        for tariff in self.tariffs:
            found.setdefault(tariff.id.casefold(), []).append(tariff)
        return found


class Selection(Struct, frozen=True):
    """What was chosen: a Tariff for each period, None where the document says that none is relevant."""

    tariffs: Sequence[Tariff | None]
    distinct: Sequence[Tariff]
    """In the order in which they first apply."""
    throughout: Tariff | None
    """The one that applies to all periods alike."""


def select(usage: Usage, offer: Offer) -> Selection:
    """The tariffs of the session.

    A session keeps the tariff it started with. Raises `BadInput`: no tariff at all, a tariff_id nobody knows, tariffs
    in several currencies.
    """
    if not offer.tariffs:
        raise BadInput("there is no tariff to price with", "tariffs")
    names = usage.tariff_ids
    first = names[0] if names else None
    if offer.imposes_one or names.count(first) == len(names):
        known = offer.tariffs if offer.imposes_one or first is None else _known(first, usage, offer)
        tariff = _valid_at_start(usage, known)
        return Selection([tariff] * len(names), (tariff,), tariff) if names else Selection((), (), None)
    chosen: dict[str | None, Tariff | None] = {
        name: None if name is None else _valid_at_start(usage, _known(name, usage, offer)) for name in set(names)
    }
    if len({tariff.currency for tariff in chosen.values() if tariff}) > 1:
        raise BadInput("the tariffs of the session have several currencies", "tariffs")
    tariffs = [chosen[name] for name in names]
    distinct = [tariff for tariff in dict.fromkeys(tariffs) if tariff is not None]
    return Selection(tariffs, distinct, distinct[0] if len(distinct) == 1 and None not in tariffs else None)


def notes(usage: Usage, offer: Offer, selected: Selection) -> list[Note]:
    """What is remarkable about the choice."""
    found = []
    for period, (tariff, name) in enumerate(zip(selected.tariffs, usage.tariff_ids, strict=True)):
        if tariff is None:
            found.append(Note(Code.PERIOD_WITHOUT_TARIFF, usage.at(period)))
        elif offer.imposes_one and name and name.casefold() != tariff.id.casefold():
            found.append(Note(Code.TARIFF_OVERRIDDEN, f"{usage.at(period)}/tariff_id", {"tariff_id": name}))
    for tariff in selected.distinct:
        if not tariff.is_active(usage.start):
            found.append(Note(Code.TARIFF_NOT_ACTIVE, "", {"tariff_id": tariff.id}))
    return found


def _known(name: str, usage: Usage, offer: Offer) -> Sequence[Tariff]:
    found = offer.by_name.get(name.casefold())
    if found is None:
        period = usage.indices[usage.tariff_ids.index(name)]
        raise BadInput(f"tariff {name!r} is not among the tariffs", "charging_periods", period, "tariff_id")
    return found


def _valid_at_start(usage: Usage, tariffs: Sequence[Tariff]) -> Tariff:
    for tariff in tariffs:
        if tariff.is_active(usage.start):
            return tariff
    return tariffs[0]
