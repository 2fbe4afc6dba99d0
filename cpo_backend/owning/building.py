"""Makes the statement of a month: chooses, sums, shares, and keeps the list with a hash of each CDR and of the list.

The CDRs pass by in batches; what stays in memory is a sum for each site, currency and rate.
"""

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from cpo_backend.models import CdrFigures, ChargePointOwner, OwnerStatement, StatedCdr
from cpo_backend.owning import choosing, sharing
from cpo_backend.owning.choosing import Span
from cpo_backend.owning.sharing import Shares
from cpo_backend.reporting import following, sites
from cpo_backend.reporting.figures import PLACES
from ocpi.accounts import shares
from ocpi.accounts.months import Month
from ocpi.accounts.sums import Json, Sums
from ocpi.pricing.exact import plain
from ocpi.store import writing
from ocpi.types import codec

RULE = (
    "A CDR belongs to who owned its EVSE on the day the session ended, by the clock of the site, and to the month of "
    "that day. One that comes after that month was closed belongs to the month after the last closed one."
)
HASHES = (
    "SHA-256 of each CDR as it is stored; of the list: SHA-256 of the lines '<hash> <id>' in its order, each ended by "
    "a line feed, without those that do not count."
)


def draft(owner: ChargePointOwner, month: Month, now: datetime) -> OwnerStatement | None:
    """The statement of a month: as it was closed, else drawn up anew; None when there is nothing to state.

    Raises `NotOpen` for a month that was never drawn up, and is before the last one closed.
    """
    following.follow()
    with transaction.atomic():
        row = locked(owner, month)
        if row.state == OwnerStatement.State.CLOSED:
            return row
        if build(row, choosing.span(owner, month), now):
            return row
        row.delete()
    return None


def locked(owner: ChargePointOwner, month: Month) -> OwnerStatement:
    """The row of a month, new if need be; who holds it is the only one at work on this statement."""
    rows = OwnerStatement.objects.select_for_update(of=("self",))
    return rows.get_or_create(owner=owner, month=str(month))[0]


def build(row: OwnerStatement, days: Span, now: datetime) -> bool:
    """Draw up a locked draft anew; whether there is something in it."""
    row.cdrs.all().delete()
    listing = _Listing(row, days)
    for batch in choosing.batches(row.owner, days):
        listing.add(batch)
    lines = listing.shares.lines(days)
    row.built_at, row.sha256 = now, listing.digest.hexdigest()
    row.cdr_count, row.late_count, row.fault_count = listing.number - listing.faults, listing.late, listing.faults
    row.statement = codec.encode_text(_statement(row, listing, lines))
    row.save()
    return bool(listing.number or lines)


class _Listing:
    """The list of a statement while it is made."""

    def __init__(self, row: OwnerStatement, days: Span) -> None:
        self.number = self.late = self.faults = 0
        self.sums, self.digest = Sums(), hashlib.sha256()
        self.sites: dict[tuple[str, str], Sums] = {}
        self.shares = Shares(list(row.owner.shares.order_by("first_day")))
        self._row, self._days = row, days

    def add(self, batch: list[CdrFigures]) -> None:
        entries = [self._entry(figures) for figures in batch]
        writing.upsert(StatedCdr, ("statement_id", "cdr_id"), entries)  # the ORM takes ten times as long

    def _entry(self, figures: CdrFigures) -> dict[str, Any]:
        """Count a CDR and write it down."""
        self.number += 1
        is_late = figures.day < self._days.begins
        sha256 = hashlib.sha256(figures.cdr.document.encode()).hexdigest()
        if figures.fault:
            self.faults += 1
        else:
            self.late += is_late
        return {
            "statement_id": self._row.pk,
            "cdr_id": figures.cdr_id,
            "number": self.number,
            "day": figures.day.isoformat(),
            "sha256": sha256,
            "vat": "" if figures.fault else self._count(figures, sha256),
            "is_late": is_late,
            "fault": figures.fault,
            "is_final": False,
        }

    def _count(self, figures: CdrFigures, sha256: str) -> str:
        """Add a CDR to all sums; returns its rates."""
        text = figures.cdr.document
        face = shares.face(text)
        found = shares.shares(face, text)
        energy = Decimal(figures.energy).scaleb(-PLACES)
        site = self.sites.setdefault((figures.owner, figures.location_key), Sums())
        for sums in (self.sums, site, self.shares.on(figures.day)):
            if sums is not None:
                sums.add(figures.currency, figures.cdr.is_credit, energy, found)
        self.digest.update(f"{sha256} {face.id}\n".encode())
        return ", ".join(share.rate for share in found)[:60]


def _statement(row: OwnerStatement, listing: _Listing, lines: list[Json]) -> Json:
    owner = row.owner
    names = ("name", "contact", "address", "vat_number", "bank_reference")
    return {
        "owner": {name: getattr(owner, name) for name in names},
        "month": row.month,
        "rule": RULE,
        "cdrs": row.cdr_count,
        "late": row.late_count,
        "not_counted": row.fault_count,
        "without_share": listing.shares.nobodys,
        "sessions": listing.sums.sessions,
        "kwh": plain(listing.sums.energy),
        "revenue": listing.sums.total_lines(),
        "vat": listing.sums.vat_lines(),
        "sites": _sites(listing.sites),
        "shares": lines,
        "share_totals": sharing.totals(lines),
        "rounding": sharing.ROUNDING,
        "sha256": row.sha256,
        "hashes": HASHES,
    }


def _sites(found: dict[tuple[str, str], Sums]) -> list[Json]:
    """A line for each site and currency."""
    known = sites.known(key for _, key in found)
    return [
        {
            "cpo": place[0],
            "site": known[place].id if place in known else place[1],
            "name": known[place].name if place in known else "",
            **total,
        }
        for place, sums in sorted(found.items())
        for total in sums.total_lines()
    ]
