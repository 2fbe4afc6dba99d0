"""Correcting a CDR of our own: a credit CDR takes it back, another one replaces it (§mod_cdrs_credit_cdrs).

A CDR is never edited. Both new ones are stored in one transaction, and go out by the ordinary feed, in any order.
A CDR is corrected at most once: the key of `CdrCorrection` is the CDR.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction

from ocpi.errors import InvalidParameters
from ocpi.ids import PartyId
from ocpi.models import Cdr, CdrCorrection
from ocpi.pricing import repricing
from ocpi.pricing.faults import BadInput
from ocpi.store.cdrs import cdrs
from ocpi.store.documents import Document
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.types import codec, times, validation
from ocpi.v221.cdrs import Cdr as Shape

_LONGEST_ID, _LONGEST_CREDIT_ID = 36, 39  # §mod_cdrs_cdr_object
_REPLACED = re.compile(r"(.*)-R(\d{1,3})", re.DOTALL)


class Uncorrectable(ValueError):
    """Why a CDR cannot be corrected, or not like that; in words for staff."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was stored."""

    credit: Document
    replacement: Document


def original(owner: PartyId, key: str) -> Cdr:
    """A CDR of our own that can be corrected; raises `Uncorrectable` with the reason why it cannot."""
    row: Cdr | None = cdrs.rows(owner=owner, key=key.lower()).first()
    if row is None:
        raise Uncorrectable(f"there is no CDR {key} of {owner}")
    if refusal := refused(row):
        raise Uncorrectable(refusal)
    return row


def repriced(row: Cdr) -> Document:
    """The CDR with the figures that our engine computes from its own periods and tariffs, in its Location's time.

    Raises `Uncorrectable` when it cannot be priced.
    """
    document = _decoded(row)
    place = document.get("cdr_location")
    stored = locations.find(PartyId(row.owner), str(place.get("id"))) if isinstance(place, dict) else None
    zone = codec.decode(stored.encode()).get("time_zone") if stored else None
    try:
        return repricing.repriced(document, zone=zone if isinstance(zone, str) else None)
    except BadInput as fault:
        raise Uncorrectable(f"it cannot be priced: {fault.pointer} {fault.message}") from None


def refused(row: Cdr) -> str:
    """Why this CDR cannot be corrected; empty when it can."""
    if row.source is not None:
        return f"CDR {row.key} is a partner's: only {row.owner} can credit it"
    if row.is_credit:
        return f"CDR {row.key} is a credit CDR itself, and is not credited"
    earlier = Cdr.objects.filter(owner=row.owner, credits=row.key, source=None).values_list("key", flat=True).first()
    return f"CDR {row.key} was credited before, by {earlier}" if earlier else ""


def correct(owner: PartyId, key: str, replacement: Document, by: str = "") -> Corrected:
    """Credit a CDR and store the one that replaces it.

    `replacement` is a whole CDR; it gets a new id unless it brings one, and is as new as now. Raises `Uncorrectable`:
    not ours, a credit CDR, credited before, or a replacement that is not valid.
    """
    row = original(owner, key)
    document, now = _decoded(row), times.now()
    credit = credit_of(document, now) | {"id": _free(owner, _credit_ids(document["id"]))}
    new = _replacement(owner, document, replacement, now)
    try:
        with transaction.atomic():
            CdrCorrection.objects.create(original=row, credit=credit["id"], replacement=new["id"], made_by=by)
            for made in (credit, new):
                cdrs.add(Arrival(made, validation.check(made, Shape)), None)
    except IntegrityError:
        raise Uncorrectable(f"CDR {row.key} was corrected before") from None
    except InvalidParameters as error:
        raise Uncorrectable(error.message) from None
    return Corrected(credit, new)


def credit_of(document: Document, now: str) -> Document:
    """All that the original says, but for the total, which is its negative; the id is yet to be given."""
    return document | {
        "credit": True,
        "credit_reference_id": document["id"],
        "total_cost": {name: _negative(amount) for name, amount in document["total_cost"].items()},
        "last_updated": now,
    }


def _negative(amount: Any) -> Any:
    """Digit for digit; a nothing has no sign. What is no amount stays."""
    if isinstance(amount, Decimal):
        return amount.copy_negate() if amount else amount
    return -amount if isinstance(amount, int) and not isinstance(amount, bool) else amount


def _replacement(owner: PartyId, document: Document, replacement: Document, now: str) -> Document:
    if not isinstance(replacement, dict):
        raise Uncorrectable("the corrected CDR is no JSON object")
    new = {name: value for name, value in replacement.items() if name not in ("credit", "credit_reference_id")}
    given = new.get("id")
    if given is None or str(given).lower() == str(document["id"]).lower():
        new["id"] = _free(owner, _replacing_ids(document["id"]))
    new["last_updated"] = now
    if violations := validation.check(new, Shape):
        faults = "; ".join(f"{found.pointer}: {found.message}" for found in violations[:5])
        raise Uncorrectable(f"the corrected CDR is not valid: {faults}")
    if PartyId.of(new["country_code"], new["party_id"]) != owner:
        raise Uncorrectable(f"/party_id: the corrected CDR is not owned by {owner}")
    if cdrs.find(owner, new["id"]) is not None:
        raise Uncorrectable(f"/id: there is a CDR {new['id']} already")
    return new


def _free(owner: PartyId, ids: Iterator[str]) -> str:
    """The first that no CDR has."""
    return next(id for id in ids if cdrs.find(owner, id) is None)


def _credit_ids(id: str) -> Iterator[str]:
    """The id of a credit CDR may be longer for exactly this."""
    yield from (made for tail in ("-C", "-C2", "-C3") if len(made := id + tail) <= _LONGEST_CREDIT_ID)
    yield str(uuid4())


def _replacing_ids(id: str) -> Iterator[str]:
    match = _REPLACED.fullmatch(id)
    base, last = (match[1], int(match[2])) if match else (id, 0)
    for number in count(last + 1):
        if len(made := f"{base}-R{number}") > _LONGEST_ID:
            break
        yield made
    yield str(uuid4())


def _decoded(row: Cdr) -> Document:
    document: Document = codec.decode(row.document.encode())
    return document
