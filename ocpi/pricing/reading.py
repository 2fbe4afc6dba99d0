"""A CDR or Session as what pricing needs of it; OCPI 2.2.1 and 2.1.1 shapes (§mod_cdrs_cdr_object).

Only what is priced is read, and only what cannot be priced is refused. Judging the rest is `ocpi.types.validation`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from ocpi.pricing.faults import BadInput
from ocpi.pricing.notes import Code, Note
from ocpi.pricing.scalars import instant, number

Document = Mapping[str, Any]

_GAUGES = frozenset({"MIN_CURRENT", "MAX_CURRENT", "CURRENT", "MIN_POWER", "MAX_POWER", "POWER"})
_STARTS = ("start_date_time", "start_datetime")
_ENDS = ("end_date_time", "stop_date_time", "end_datetime")


class Period(NamedTuple):
    """A charging period: volumes as reported, in kWh and hours; None where the dimension is absent."""

    index: int
    start: int
    tariff_id: str | None
    energy: Decimal | None
    time: Decimal | None
    parking: Decimal | None
    reservation: Decimal | None
    gauges: Mapping[str, Decimal] | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used, when, and where. Points in time are microseconds, UTC; periods are in order."""

    document: Document
    start: int
    end: int
    periods: tuple[Period, ...]
    is_cdr: bool
    is_credit: bool
    is_running: bool
    awaits_driver: bool
    """A Session that is a reservation still: it has not expired, whatever its dimensions say."""
    knows_vat: bool
    """OCPI 2.1.1 has no VAT."""
    notes: tuple[Note, ...] = field(default=())

    @property
    def location(self) -> Document:
        for name in ("cdr_location", "location"):
            if isinstance(found := self.document.get(name), Mapping):
                return found
        return {}


def read(document: Any, end: int | None = None) -> Usage:
    """A CDR or Session. A Session without an end ends at `end`, else when it was last updated.

    Raises `BadInput`: no object, no start, no end to be found, a CDR without periods, a volume that is no number.
    """
    if not isinstance(document, Mapping):
        raise BadInput("is not an object")
    is_cdr = not _is_session(document)
    start, ended = _first(document, _STARTS), _first(document, _ENDS)
    if start is None:
        raise BadInput("is missing", _STARTS[0])
    is_running = ended is None and not is_cdr
    if ended is None:
        ended = end if end is not None or is_cdr else _first(document, ("last_updated",))
    if ended is None:
        raise BadInput("is missing", _ENDS[0])
    items = document.get("charging_periods")
    if not isinstance(items, Sequence) or isinstance(items, str) or (is_cdr and not items):
        if items is not None or is_cdr:
            raise BadInput("must be a list of at least one charging period", "charging_periods")
        items = ()
    periods, twice = _periods(items)
    notes = [Note(Code.DUPLICATE_DIMENSION, at) for at in twice]
    if any(later.start < earlier.start for earlier, later in zip(periods, periods[1:], strict=False)):
        periods.sort(key=lambda period: period.start)
        notes.append(Note(Code.PERIODS_OUT_OF_ORDER, "/charging_periods"))
    return Usage(
        document=document,
        start=start,
        end=ended,
        periods=tuple(periods),
        is_cdr=is_cdr,
        is_credit=is_cdr and document.get("credit") is True,
        is_running=is_running,
        awaits_driver=document.get("status") == "RESERVATION",
        knows_vat=not _is_211(document),
        notes=tuple(notes),
    )


def volume(period: Period, name: str | None) -> Decimal | None:
    """The volume of a dimension by its name on the wire."""
    match name:
        case "ENERGY":
            return period.energy
        case "TIME":
            return period.time
        case "PARKING_TIME":
            return period.parking
        case "RESERVATION_TIME":
            return period.reservation
    return None


def _is_session(document: Document) -> bool:
    return "total_energy" not in document and any(name in document for name in ("kwh", "status", "location_id"))


def _is_211(document: Document) -> bool:
    return (
        any(name in document for name in ("auth_id", "stop_date_time", "start_datetime"))
        or isinstance(document.get("total_cost"), (int, Decimal, str))
        or ("location" in document and "cdr_location" not in document)
    )


def _first(document: Document, names: Sequence[str]) -> int | None:
    for name in names:
        if (value := document.get(name)) is not None:
            try:
                return instant(value)
            except BadInput as fault:
                raise fault.below(name) from None
    return None


def _periods(items: Sequence[Any]) -> tuple[list[Period], list[str]]:
    """The periods in the order of the document, and pointers to what is reported twice.

    One flat loop, because it is most of the time that pricing takes.
    """
    periods: list[Period] = []
    twice: list[str] = []
    index, path = 0, ()
    try:
        for index, item in enumerate(items):
            path = ()
            start, tariff_id = item["start_date_time"], item.get("tariff_id") or None
            try:
                start = instant(start)
            except BadInput as fault:
                raise fault.below("start_date_time") from None
            volumes: dict[str, Decimal] = {}
            for at, dimension in enumerate(item.get("dimensions") or ()):
                path = ("dimensions", at)
                kind, amount = dimension["type"], dimension["volume"]
                try:
                    amount = number(amount)
                except BadInput as fault:
                    raise fault.below("volume") from None
                if kind in volumes:
                    amount += volumes[kind]
                    twice.append(f"/charging_periods/{index}/dimensions/{at}")
                volumes[kind] = amount
            find = volumes.get
            gauges = None if volumes.keys().isdisjoint(_GAUGES) else volumes
            periods.append(
                Period(
                    index,
                    start,
                    tariff_id,
                    find("ENERGY"),
                    find("TIME"),
                    find("PARKING_TIME"),
                    find("RESERVATION_TIME"),
                    gauges,
                )
            )
    except (BadInput, KeyError, TypeError, AttributeError) as error:
        raise BadInput.of(error).below("charging_periods", index, *path) from None
    return periods, twice
