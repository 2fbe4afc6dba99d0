"""Makes the settlement of a month: chooses, sums, and keeps the list with a hash of each CDR and one of the list.

A hundred thousand CDRs pass by in batches; what stays in memory is a sum for each currency and rate.
"""

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from ocpi.accounts import shares
from ocpi.accounts.months import Month
from ocpi.accounts.shares import Face, Unreadable
from ocpi.models import Cdr
from ocpi.store import writing
from ocpi.types import codec
from roaming.settlement_models import SettledCdr, Settlement
from roaming.settling import choosing
from roaming.settling.choosing import Span
from roaming.settling.sums import Settled
from roaming.settling.terms import Terms, agreed

RULE = (
    "A CDR belongs to the month of its end_date_time. One that comes after that month was closed, or was held back, "
    "belongs to the month after the last closed one."
)
HASHES = (
    "SHA-256 of each CDR as it is stored; of the list: SHA-256 of the lines '<hash> <id>' in its order, each ended by "
    "a line feed, without those that are held back."
)
_NOTHING = Decimal(0)


def draft(cpo: str, emsp: str, month: Month, now: datetime) -> Settlement | None:
    """The settlement of a month: as it was closed, else drawn up anew; None when there is nothing to settle.

    Raises `NotOpen` for a month that was never drawn up, and is before the last one closed.
    """
    with transaction.atomic():
        row = locked(cpo, emsp, month)
        if row.state == Settlement.State.CLOSED:
            return row
        terms = agreed(cpo, emsp, month)
        build(row, choosing.span(cpo, emsp, month, terms.zone), terms, now)
        if row.cdr_count or row.held_count:
            return row
        row.delete()
    return None


def locked(cpo: str, emsp: str, month: Month) -> Settlement:
    """The row of a month, new if need be; who holds it is the only one at work on this settlement."""
    utc = {"begins_at": month.begins("UTC"), "ends_at": month.ends("UTC"), "zone": "UTC"}
    rows = Settlement.objects.select_for_update()
    return rows.get_or_create(cpo=cpo, emsp=emsp, month=str(month), defaults=utc)[0]


def build(row: Settlement, span: Span, terms: Terms, now: datetime) -> None:
    """Draw up a locked draft anew."""
    row.cdrs.all().delete()
    listing = _Listing(row, span, terms)
    for batch in choosing.batches(row.cpo, row.emsp, span):
        listing.add(batch)
    row.zone, row.begins_at, row.ends_at, row.built_at = terms.zone, span.begins, span.ends, now
    row.cdr_count, row.late_count, row.held_count = listing.number - listing.held, listing.late, listing.held
    row.sha256 = listing.digest.hexdigest()
    row.statement = codec.encode_text(_statement(row, terms, listing.sums))
    row.save()


class _Listing:
    """The list of a settlement while it is made."""

    def __init__(self, row: Settlement, span: Span, terms: Terms) -> None:
        self.number = self.late = self.held = 0
        self.sums, self.digest = Settled(), hashlib.sha256()
        self._row, self._span, self._terms = row, span, terms

    def add(self, batch: list[Cdr]) -> None:
        held = choosing.held(batch, self._terms)
        entries = [self._entry(cdr, held.get(cdr.pk, "")) for cdr in batch]
        writing.upsert(SettledCdr, ("settlement_id", "cdr_id"), entries)  # the ORM takes ten times as long

    def _entry(self, cdr: Cdr, held: str) -> dict[str, Any]:
        """Count a CDR and write it down."""
        self.number += 1
        face = shares.face(cdr.document)
        sha256 = hashlib.sha256(cdr.document.encode()).hexdigest()
        rates = ""
        if not held:
            try:
                rates = self._count(cdr, face, sha256)
            except Unreadable as error:
                held = str(error)
        if held:
            self.held += 1
            self.sums.hold(shares.currency(face), _net(face))
        is_late = cdr.ended_at is not None and cdr.ended_at < self._span.begins
        self.late += is_late and not held
        return {
            "settlement_id": self._row.pk,
            "cdr_id": cdr.pk,
            "number": self.number,
            "sha256": sha256,
            "vat": rates,
            "is_late": is_late,
            "held": held[:60],
            "is_final": False,
        }

    def _count(self, cdr: Cdr, face: Face, sha256: str) -> str:
        """Add a CDR to the sums; returns its rates. Raises `Unreadable`."""
        found = shares.shares(face, cdr.document)
        energy = Decimal(face.total_energy if isinstance(face.total_energy, (int, Decimal)) else _NOTHING)
        self.sums.add(shares.currency(face), cdr.is_credit, -energy if cdr.is_credit else energy, found)
        self.digest.update(f"{sha256} {face.id}\n".encode())
        return ", ".join(share.rate for share in found)[:60]


def _net(face: Face) -> Decimal:
    try:
        return shares.total(face)[0]
    except Unreadable:
        return _NOTHING


def _statement(row: Settlement, terms: Terms, sums: Settled) -> dict[str, Any]:
    return {
        "cpo": row.cpo,
        "emsp": row.emsp,
        "month": row.month,
        "time_zone": row.zone,
        "begins": row.begins_at,
        "ends": row.ends_at,
        "rule": RULE,
        "terms": terms.document(),
        "cdrs": row.cdr_count,
        "late": row.late_count,
        "held_back": row.held_count,
        **sums.statement(terms),
        "sha256": row.sha256,
        "hashes": HASHES,
    }
