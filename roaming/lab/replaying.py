"""A month of the CDRs of one CPO, ours or a partner's, priced by a draft."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ocpi.ids import PartyId
from ocpi.models import Cdr, Location
from ocpi.pricing.faults import BadInput
from ocpi.pricing.lab.comparing import compare, uses
from ocpi.pricing.lab.reports import Report
from ocpi.pricing.scalars import instant, instant_of
from ocpi.pricing.zones import place_named
from ocpi.store.documents import Document
from ocpi.types import codec
from roaming.lab.drafts import Draft, month_of

BATCH = 500
_MOST_ZONES = 50_000

Progress = Callable[[int, int], None]
"""Is told how many CDRs have been looked at, and of how many."""


class _Face(msgspec.Struct):
    """What is needed of a Location."""

    time_zone: Any = None


_faces = msgspec.json.Decoder(_Face)


def replay(
    owner: PartyId, month: str, draft: Draft, replacing: str = "", progress: Progress = lambda done, total: None
) -> Report:
    """The report on the sessions that began in the month (UTC), of all or of those priced by the Tariff `replacing`."""
    first, following = (instant_of(moment) for moment in month_of(month))
    report, zones = Report(draft.currency), _Zones(owner)
    # A CDR is written after its session began: what was written before the month is not in it.
    rows = Cdr.objects.filter(owner=owner, last_updated__gte=month_of(month)[0])
    done, total = 0, rows.count()
    for batch in _batches(rows):
        documents = [(partner, codec.decode(text.encode())) for _, partner, text in batch]
        zones.learn(documents)
        for partner, document in documents:
            if _began(document, first, following) and (not replacing or uses(document, replacing)):
                _judge(report, draft, partner, document, zones.of(document))
        progress(done := done + len(batch), total)
    return report


def _batches(rows: Any) -> Iterator[list[tuple[int, str, str]]]:
    """In the order of their creation, a few at a time: the database is not kept waiting meanwhile."""
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", "token_owner", "document")[:BATCH]):
        yield batch
        last = batch[-1][0]


def _began(document: Document, first: int, following: int) -> bool:
    """Whether the session began in between; if nobody can say when, it is in no month."""
    try:
        return first <= instant(document.get("start_date_time")) < following
    except BadInput:
        return False


def _judge(report: Report, draft: Draft, partner: str, document: Document, zone: str | None) -> None:
    id = str(document.get("id"))
    try:
        compared = compare(document, draft.tariff, zone)
    except BadInput as fault:
        report.refuse(id, fault)
    else:
        report.add(id, partner, compared)


class _Zones:
    """The time zones of the Locations of one owner, looked up batch by batch and remembered."""

    def __init__(self, owner: PartyId) -> None:
        self._owner = owner
        self._known: dict[str, str | None] = {}

    def learn(self, documents: list[tuple[str, Document]]) -> None:
        """Look up the Locations of these CDRs that are not known yet."""
        if len(self._known) > _MOST_ZONES:
            self._known.clear()
        wanted = {_location(document) for _, document in documents} - self._known.keys()
        self._known |= dict.fromkeys(wanted)
        rows = Location.objects.filter(owner=self._owner, key__in=wanted).values_list("key", "document")
        self._known |= {key: _zone(text) for key, text in rows}

    def of(self, document: Document) -> str | None:
        return self._known[_location(document)]


def _location(document: Document) -> str:
    found = document.get("cdr_location")
    return str(found.get("id")).lower() if isinstance(found, dict) else ""


def _zone(text: str) -> str | None:
    """None for what is no zone of this world: then the country decides."""
    found = _faces.decode(text).time_zone
    try:
        return place_named(found).zone if isinstance(found, str) else None
    except BadInput:
        return None
