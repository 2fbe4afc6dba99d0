"""The objects of one module: read, put, patched, deleted. What all modules do alike; the others override what differs.

`STORES` in `catalogue.py` has one of these for each module.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, ClassVar

from django.db import models, transaction

from ocpi.errors import OcpiError
from ocpi.events import object_changed
from ocpi.ids import PartyId
from ocpi.models import OwnedObject
from ocpi.store import paging, revisions, single, writing
from ocpi.store.documents import Document
from ocpi.store.scope import Scope
from ocpi.store.writing import Outcome
from ocpi.transport.pagination import Page, PageQuery
from ocpi.types import codec, times
from ocpi.types.scalars import Wire
from ocpi.types.validation import Violation
from ocpi.v221.versions import ModuleID

Check = Callable[[Document], Sequence[Violation]]
Reconcile = Callable[[Document, Document], Document]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A valid document to store, with the defects found in it."""

    document: Document
    defects: Sequence[Violation] = ()

    @property
    def owner(self) -> PartyId:
        return PartyId.of(self.document["country_code"], self.document["party_id"])

    @property
    def text(self) -> str:
        return codec.encode_text(self.document)


@dataclass(frozen=True, slots=True)
class Stored:
    """A row as it was read."""

    id: int
    text: str
    revision: int


class Objects:
    """The objects of one module in its table."""

    model: ClassVar[type[OwnedObject]]
    shape: ClassVar[type[Wire]]
    unknown: ClassVar[type[OcpiError]]  # raised when the object to change does not exist
    page_columns: ClassVar[str] = "document"

    @property
    def module(self) -> ModuleID:
        return self.model.module

    def key(self, document: Document, source: int | None) -> str:
        """What tells the objects of one owner apart."""
        return str(document["id"]).lower()

    def columns(self, document: Document) -> dict[str, Any]:
        """The columns of the module's own table, copied from the document to be searched by."""
        return {}

    def merge(self, document: Document, changes: Document) -> None:
        """Apply a PATCH: named fields change, lists and objects are replaced whole (§transport_and_format_patch)."""
        document.update(changes)

    # --- reading ----------------------------------------------------------------------------------------------------

    def page(self, scope: Scope, query: PageQuery) -> Page:
        """A page as it is stored."""
        rows = writing.fetch(*self.page_statement(scope, query))
        return self.page_of([(id, text.encode(), *more) for id, text, *more in rows], scope, query)

    def page_statement(self, scope: Scope, query: PageQuery) -> tuple[str, list[Any]]:
        """The query whose rows `page_of` makes a page of, for whoever runs it himself."""
        return paging.statement(self.model, scope, query, self.page_columns)

    def is_whole(self, rows: list[tuple[Any, ...]]) -> bool:
        """Whether `page_of` needs nothing but these rows."""
        return bool(rows)

    def page_of(self, rows: list[tuple[Any, ...]], scope: Scope, query: PageQuery) -> Page:
        """The page, with further queries if it takes them. The documents in `rows` are JSON in UTF-8."""
        found, total, last = paging.cut(self.model, scope, query, rows)
        return Page([row[1] for row in found], total, last)

    def find(self, owner: PartyId, key: str) -> str | None:
        """The JSON of one object."""
        stored = self.seen(owner, key.lower())
        return stored.text if stored else None

    def find_within(self, scope: Scope, key: str) -> tuple[PartyId, str] | None:
        """Owner and JSON of the oldest object of that key within `scope`, for URLs that name no owner."""
        condition, params = scope.sql()
        rows = self._select("owner, document", f"key = %s AND {condition} ORDER BY id LIMIT 1", [key.lower(), *params])
        return (PartyId(rows[0][0]), rows[0][1]) if rows else None

    def texts(self, ids: Sequence[int]) -> dict[int, str]:
        """The current documents of some rows; deleted ones have none."""
        return dict(self.rows(id__in=ids).values_list("id", "document"))

    def withdrawn(self, ids: Sequence[int]) -> dict[int, str]:
        """The last documents of rows that are objects no more."""
        return dict(self.model._default_manager.filter(pk__in=ids).values_list("pk", "document"))

    def rows(self, **which: Any) -> "models.QuerySet[Any]":
        """The rows that are objects to others."""
        return self.model._default_manager.filter(**which)

    def _select(self, columns: str, condition: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Rows that are objects to others, for single objects: building a QuerySet costs more than the query."""
        visible = f"{self.model.visible} AND " if self.model.visible else ""
        table = self.model._meta.db_table
        return writing.fetch(f"SELECT {columns} FROM {table} WHERE {visible}{condition}", params)  # noqa: S608

    def conflicting(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Those that would change what cannot be changed."""
        return []

    # --- writing ----------------------------------------------------------------------------------------------------

    def put(self, arrival: Arrival, source: int | None, reconcile: Reconcile | None = None) -> bool:
        """Store one whole object; True when it is new. `reconcile` as in `put_many`."""
        owner, key = arrival.owner, self.key(arrival.document, source)
        while True:
            stored = self.seen(owner, key)
            if stored is None:
                if single.insert(self.model, {"owner": str(owner), "key": key, **self.row(arrival, source)}):
                    self.announce(owner, source)
                    return True
                continue
            if reconcile:
                arrival = Arrival(reconcile(self.current(stored), arrival.document), arrival.defects)
            if self._swapped(owner, stored, arrival, source):
                return False

    def put_many(self, arrivals: Iterable[Arrival], source: int | None, reconcile: Reconcile | None = None) -> Outcome:
        """Store whole objects, new or replacing; equal ones change nothing. The last of several with one key counts.

        `reconcile(stored, new)` may decide under lock what becomes of an object that is stored already.
        """
        outcome = Outcome()
        newest = {(arrival.owner, self.key(arrival.document, source)): arrival for arrival in arrivals}
        for owner, group in groupby(sorted(newest.items(), key=lambda item: item[0]), key=lambda item: item[0][0]):
            outcome += self._put_owner(owner, {key: arrival for (_, key), arrival in group}, source, reconcile)
        return outcome

    @transaction.atomic
    def _put_owner(
        self, owner: PartyId, arrivals: dict[str, Arrival], source: int | None, reconcile: Reconcile | None
    ) -> Outcome:
        # The lock on creation comes before any row, or two batches could wait for each other. One object that exists
        # can do without; where objects come and go, none is sure to exist.
        existing = self.locked(owner, arrivals) if len(arrivals) == 1 and not self.model.visible else {}
        if not existing:
            writing.lock_creation(self.model, owner)
            existing = self.locked(owner, arrivals)
        if reconcile:
            for key, row in existing.items():
                arrivals[key] = Arrival(reconcile(self.current(row), arrivals[key].document), arrivals[key].defects)
        changed = {key: arrival for key, arrival in arrivals.items() if self.differs(existing.get(key), arrival)}
        created = len(arrivals.keys() - existing.keys())
        if changed:
            self.save(owner, changed, source)
        if created:
            writing.count_created(self.model, owner, created)
        return Outcome(created, len(changed) - created, len(arrivals) - len(changed))

    def _swapped(self, owner: PartyId, stored: Stored, arrival: Arrival, source: int | None) -> bool:
        """Replace a row unless it says the same; False when somebody else replaced it first."""
        if self.differs(stored, arrival):
            if not single.swap(self.model, stored.id, stored.revision, self.row(arrival, source)):
                return False
            self.announce(owner, source)
        return True

    def seen(self, owner: PartyId, key: str) -> Stored | None:
        """One object as it is, not locked."""
        rows = self._select("id, document, revision", "owner = %s AND key = %s", [str(owner), key])
        return Stored(*rows[0]) if rows else None

    def differs(self, stored: Stored | None, arrival: Arrival) -> bool:
        """Whether an arrival is to be written."""
        return stored is None or stored.text != arrival.text

    def locked(self, owner: PartyId, keys: Collection[str]) -> Mapping[str, Stored]:
        """The existing objects by key, locked."""
        rows = writing.locked(self.model, owner, keys, "id, document, revision")
        return {key: Stored(*row) for key, row in rows.items()}

    def current(self, stored: Stored) -> Document:
        """The document of a locked row."""
        document: Document = codec.decode(stored.text.encode())
        return document

    def save(self, owner: PartyId, arrivals: Mapping[str, Arrival], source: int | None) -> list[tuple[Any, ...]]:
        """Write whole objects of one owner; the caller holds the locks. Returns id and key of each."""
        places = revisions.take(len(arrivals))
        saved = writing.upsert(
            self.model,
            ("owner", "key"),
            [
                {
                    "owner": str(owner),
                    "key": key,
                    **dict.fromkeys(("revision", self.model.version_column), place.revision),
                    "xid": place.xid,
                    **self.row(arrival, source),
                }
                for (key, arrival), place in zip(arrivals.items(), places, strict=True)
            ],
            returning="id, key",
        )
        self.announce(owner, source)
        return saved

    def row(self, arrival: Arrival, source: int | None) -> dict[str, Any]:
        """The columns of a row beside its key and its place in the feed."""
        return {
            "last_updated": writing.adapted(times.parse(arrival.document["last_updated"])),
            "document": arrival.text,
            "defects": codec.encode_text(arrival.defects) if arrival.defects else "",
            "source": source,
            "received_at": writing.adapted(datetime.now(UTC)),
            **self.columns(arrival.document),
        }

    def patch(self, owner: PartyId, key: str, changes: Document, source: int | None, check: Check) -> None:
        """Change the named fields of an object.

        `changes` has passed `check_patch`; `check` is called with the whole resulting object and returns its defects,
        or raises. Raises `unknown` when the object does not exist; nothing is created.
        """
        while True:
            stored = self.seen(owner, key.lower())
            if stored is None:
                raise self.unknown(f"unknown: {key} of {owner}; PUT it first")
            document = self.current(stored)
            self.merge(document, changes)
            if self._swapped(owner, stored, Arrival(document, check(document)), source):
                return

    def announce(self, owner: PartyId, source: int | None) -> None:
        """Tell on commit that objects of an owner changed."""
        transaction.on_commit(lambda: self.tell(owner, source))

    def tell(self, owner: PartyId, source: int | None) -> None:
        """Tell that objects of an owner changed, and that this is committed."""
        object_changed.send(sender=self.model, module=self.module, owner=owner, source=source)


def short(value: object, length: int) -> str:
    """A text for a column to search by; empty when a partner wrote something too odd, which the document keeps."""
    return value if isinstance(value, str) and len(value) <= length else ""


def party(value: object) -> str:
    """The party named in a part of a document, as a column; empty when it cannot be one."""
    if not isinstance(value, dict):
        return ""
    return short(str(PartyId.of(str(value.get("country_code")), str(value.get("party_id")))), 6)
