"""Files of Tokens: judged row by row against what is stored, then written together.

A row that cannot be taken is named with its column and reason, and left out; the others can be stored without it. The
same file may come again, corrected: what is stored already says the same and stays as it is.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from ocpi.admin import token_cells as cells
from ocpi.admin import token_members as members
from ocpi.admin.files import ROW, Unreadable
from ocpi.ids import PartyId
from ocpi.models import Token
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival
from ocpi.store.tokens import Terms, token_key, tokens
from ocpi.types import codec
from ocpi.v221.common import TokenType

_KEPT = frozenset({"contract_id", "issuer", "valid", "whitelist"})  # an empty cell leaves these as they are
_BATCH = 1000

Key = tuple[PartyId, str]


@dataclass(slots=True)
class Row:
    """A row of a file and what becomes of it: it is faulty, or has changes (old and new by column), or neither."""

    number: int
    cells: Mapping[str, Any]
    values: dict[str, Any]
    faults: dict[str, list[str]]
    key: Key | None = None
    stored: Token | None = None
    document: Document = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """As import-export names it."""
        if self.faults:
            return "invalid"
        if self.stored is None:
            return "new"
        return "update" if self.changes else "skip"

    def fault(self, column: str, message: str) -> None:
        self.faults.setdefault(column, []).append(message)


def judge(headers: Sequence[str], found: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Every row with its outcome, nothing being stored; raises `Unreadable` for columns that a Token does not have."""
    names = set(headers) - {ROW}
    if unknown := names - {*cells.COLUMNS, *cells.OWNER}:
        raise Unreadable(f"Unknown columns: {', '.join(sorted(unknown))}.")
    if missing := {"uid"} - names | ({"party"} - names if not names.issuperset(cells.OWNER) else set()):
        raise Unreadable(f"Missing columns: {', '.join(sorted(missing))}.")
    rows = [_row(entry) for entry in found]
    issuers = members.issuers()
    _find_keys(rows, issuers)
    stored = _stored(row.key for row in rows if row.key)
    for row in rows:
        if row.key:
            row.stored = stored.get(row.key)
            _decide(row, issuers)
    return rows


def _row(entry: Mapping[str, Any]) -> Row:
    given = {name: cell for name, cell in entry.items() if name != ROW}
    return Row(entry[ROW], given, *cells.read(given))


def _find_keys(rows: Iterable[Row], ours: Collection[PartyId]) -> None:
    """Whose Tokens they are: one of our own eMSPs', each once."""
    seen: dict[Key, int] = {}
    for row in rows:
        values = row.values
        party = _party(row)
        values["type"] = values.get("type") or TokenType.RFID.value
        if party is not None and party not in ours:
            row.fault("party", f"{party} is no eMSP of this node")
        if not values.get("uid"):
            row.faults.setdefault("uid", ["is required"])
        elif party is not None and party in ours:
            key = row.key = party, token_key(values["uid"], values["type"])
            first = seen.setdefault(key, row.number)
            if first != row.number:
                row.fault("uid", f"is in row {first} already")


def _party(row: Row) -> PartyId | None:
    """From one column or two; None when they do not name one, which is noted."""
    country_code, party_id = (row.values.pop(name, None) for name in cells.OWNER)
    named = row.values.pop("party", None) or (f"{country_code}*{party_id}" if country_code and party_id else "")
    try:
        return PartyId.parse(named)
    except ValueError as error:
        if not row.faults.keys() & {"party", *cells.OWNER}:
            row.fault("party", str(error) if named else "is required")
        return None


def _stored(keys: Iterable[Key]) -> dict[Key, Token]:
    by_owner: dict[PartyId, set[str]] = {}
    for owner, key in keys:
        by_owner.setdefault(owner, set()).add(key)
    found = {}
    for owner, wanted in by_owner.items():
        for batch in _batches(sorted(wanted)):
            for token in Token.objects.filter(owner=owner, key__in=batch):
                found[owner, token.key] = token
    return found


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def _decide(row: Row, issuers: Mapping[PartyId, str]) -> None:
    """The document and terms as they will be, and what that changes. Who may not charge is not valid either."""
    assert row.key is not None
    values = {name: value for name, value in row.values.items() if name in members.MEMBERS}
    values = {name: value for name, value in values.items() if not (value is None and name in _KEPT)}
    base: Document = {}
    before = Terms()
    if row.stored is not None:
        if row.stored.source is not None:
            row.fault("uid", "is a Token that a partner has sent us")
        base, before = codec.decode(row.stored.document.encode()), members.terms(row.stored)
        values = {name: value for name, value in values.items() if name not in members.IDENTITY}
    row.terms = _terms(row.values, before)
    if not row.terms.usable(timezone.now()) and (row.stored is None or "valid" in values):
        values["valid"] = False
    owner = row.key[0]
    row.document = members.revised(base, values) if row.stored else members.fresh(owner, values, issuers[owner])
    row.changes = members.changes(base, values) | _changed_terms(before, row.terms)
    if row.stored is None or row.changes:
        for column, messages in members.faults(row.document).items():
            row.faults.setdefault(column, messages)


def _terms(values: Mapping[str, Any], before: Terms) -> Terms:
    """With what the file has columns for; whether there is credit is kept where its cell is empty."""
    has_credit = values.get("has_credit")
    return Terms.of(
        values.get("expires_at", before.expires_at),
        before.has_credit if has_credit is None else has_credit,
        values.get("places", before.places),
    )


def _changed_terms(before: Terms, after: Terms) -> dict[str, tuple[Any, Any]]:
    """Times are compared as files write them, to the millisecond."""
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in cells.TERMS}
    return {name: (old, new) for name, (old, new) in pairs.items() if cells.shown(old) != cells.shown(new)}


@transaction.atomic
def store(headers: Sequence[str], rows: Sequence[Row]) -> list[tuple[Row, Token]]:
    """Write what changes; returns the rows written, each with its Token.

    What others have changed since the rows were judged stays where the file has no column for it.
    """
    columns = [name for name in headers if name in members.MEMBERS and name not in members.IDENTITY]

    def reconcile(stored: Document, new: Document) -> Document:
        return members.revised(stored, {name: members.value(new, name) for name in columns})

    due = [row for row in rows if row.outcome in ("new", "update")]
    for batch in _batches(due):
        tokens.put_many([Arrival(row.document) for row in batch], None, reconcile)
    found = _stored(row.key for row in due if row.key)
    written = [(row, found[row.key]) for row in due if row.key]
    for row, token in written:
        if row.changes.keys() & set(cells.TERMS):
            tokens.agree(token.pk, row.terms)
    return written
