"""A CDR or Session as what pricing needs of it; OCPI 2.2.1 and 2.1.1 shapes (§mod_cdrs_cdr_object).

Only what is priced is read, and only what cannot be priced is refused. Judging the rest is `ocpi.types.validation`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ocpi.pricing import kinds
from ocpi.pricing.exact import HOUR, ZERO, arithmetic
from ocpi.pricing.faults import BadInput
from ocpi.pricing.notes import Code, Note
from ocpi.pricing.scalars import instant, number, seconds

Document = Mapping[str, Any]

_GAUGES = frozenset({"MIN_CURRENT", "MAX_CURRENT", "CURRENT", "MIN_POWER", "MAX_POWER", "POWER"})
_REPORTED = [(kind, name) for kind, name in enumerate(kinds.VOLUME) if name]
_STARTS = ("start_date_time", "start_datetime")
_ENDS = ("end_date_time", "stop_date_time", "end_datetime")


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used, when, and where: charging periods in order of their start, as columns.

    Points in time are microseconds, UTC. A period ends where the next one starts, the last one with the session.
    """

    document: Document
    start: int
    end: int
    indices: Sequence[int]
    """Of each period its place in the document."""
    starts: Sequence[int]
    ends: Sequence[int]
    lengths: Sequence[Decimal]
    """Seconds."""
    tariff_ids: Sequence[str | None]
    volumes: Mapping[int, Sequence[Decimal | None]]
    """By kind: kWh and hours as reported; None where the dimension is absent."""
    seconds: Mapping[int, Sequence[Decimal]]
    """By kind, only of those that take time and are reported: the hours as seconds, zero where they are absent."""
    gauges: Sequence[Mapping[str, Decimal] | None]
    """Currents and powers by dimension, None where there are none."""
    is_cdr: bool
    is_running: bool
    knows_vat: bool
    """OCPI 2.1.1 has no VAT."""
    notes: tuple[Note, ...] = ()

    @property
    def is_credit(self) -> bool:
        return self.is_cdr and self.document.get("credit") is True

    @property
    def awaits_driver(self) -> bool:
        """A Session that is a reservation still: it has not expired, whatever its dimensions say."""
        return self.document.get("status") == "RESERVATION"

    def at(self, period: int) -> str:
        """JSON Pointer to a period."""
        return f"/charging_periods/{self.indices[period]}"

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
    if is_running:
        ended = _first(document, ("last_updated",)) if end is None else end
    if ended is None:
        raise BadInput("is missing", _ENDS[0])
    columns = _columns(_periods(document, is_cdr))
    notes = [Note(Code.DUPLICATE_DIMENSION, at) for at in columns.twice]
    if columns.starts != sorted(columns.starts):
        columns.sort()
        notes.append(Note(Code.PERIODS_OUT_OF_ORDER, "/charging_periods"))
    ends = [*columns.starts[1:], max(ended, *columns.starts[-1:], ended)][: len(columns.starts)]
    return Usage(
        document=document,
        start=start,
        end=ended,
        indices=columns.indices,
        starts=columns.starts,
        ends=ends,
        lengths=[seconds(until - since) for since, until in zip(columns.starts, ends, strict=True)],
        tariff_ids=columns.tariff_ids,
        volumes=columns.volumes,
        seconds=columns.seconds,
        gauges=columns.gauges,
        is_cdr=is_cdr,
        is_running=is_running,
        knows_vat=not _is_211(document),
        notes=tuple(notes),
    )


def _periods(document: Document, is_cdr: bool) -> Sequence[Any]:
    """The charging periods; a Session may have none yet."""
    items = document.get("charging_periods")
    if items is None and not is_cdr:
        return ()
    if not isinstance(items, list) or (is_cdr and not items):
        raise BadInput("must be a list of at least one charging period", "charging_periods")
    return items


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


def _tariff_id(period: Document) -> str | None:
    name = period.get("tariff_id") or None
    if name is not None and not isinstance(name, str):
        raise BadInput("is not a string", "tariff_id")
    return name


class _Columns:
    """The charging periods while they are read; `twice` has pointers to what is reported twice."""

    def __init__(self) -> None:
        self.indices: Sequence[int] = ()
        self.starts: list[int] = []
        self.tariff_ids: list[str | None] = []
        self.volumes: dict[int, list[Decimal | None]] = {}
        self.seconds: dict[int, list[Decimal]] = {}
        self.gauges: list[Mapping[str, Decimal] | None] = []
        self.twice: list[str] = []

    def sort(self) -> None:
        """Puts the periods in the order of their start; those that start together stay as they were."""
        order = sorted(self.indices, key=self.starts.__getitem__)
        self.indices = order
        self.starts = [self.starts[at] for at in order]
        self.tariff_ids = [self.tariff_ids[at] for at in order]
        self.gauges = [self.gauges[at] for at in order]
        self.volumes = {kind: [column[at] for at in order] for kind, column in self.volumes.items()}
        self.seconds = {kind: [column[at] for at in order] for kind, column in self.seconds.items()}


def _columns(items: Sequence[Any]) -> _Columns:
    """The periods in the order of the document. One flat loop: most of the time of reading goes here."""
    columns = _Columns()
    columns.indices = range(len(items))
    rows: list[Mapping[str, Decimal]] = []
    index = 0
    path: tuple[str | int, ...] = ()
    try:
        for index, item in enumerate(items):
            path = ()
            start = item["start_date_time"]
            path = ("start_date_time",)
            columns.starts.append(instant(start))
            path = ()
            columns.tariff_ids.append(_tariff_id(item))
            volumes: dict[str, Decimal] = {}
            for at, dimension in enumerate(item.get("dimensions") or ()):
                path = ("dimensions", at)
                kind, volume = dimension["type"], dimension["volume"]
                if type(volume) is not Decimal or not volume.is_finite() or not -9 < volume.adjusted() < 9:
                    path = ("dimensions", at, "volume")
                    volume = number(volume)
                if kind in volumes:
                    volume += volumes[kind]
                    columns.twice.append(f"/charging_periods/{index}/dimensions/{at}")
                volumes[kind] = volume
            rows.append(volumes)
            columns.gauges.append(None if _GAUGES.isdisjoint(volumes) else volumes)
    except (BadInput, KeyError, TypeError, AttributeError) as error:
        raise BadInput.of(error).below("charging_periods", index, *path) from None
    dimensions = set().union(*rows)
    for kind, name in _REPORTED:
        columns.volumes[kind] = [row.get(name) for row in rows] if name in dimensions else [None] * len(rows)
        if name in dimensions and kind in kinds.CLOCKED:
            with arithmetic():
                columns.seconds[kind] = [ZERO if hours is None else hours * HOUR for hours in columns.volumes[kind]]
    return columns
