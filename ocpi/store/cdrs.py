"""CDRs: once stored, never changed (§mod_cdrs_flow_and_lifecycle)."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from ocpi.errors import InvalidParameters
from ocpi.models import Cdr
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival, Objects, Stored, party, short
from ocpi.types import codec
from ocpi.v221 import cdrs as wire


class Cdrs(Objects):
    model, shape, unknown = Cdr, wire.Cdr, InvalidParameters

    def columns(self, document: Document) -> dict[str, Any]:
        return {
            "token_owner": party(document["cdr_token"]),
            "session_key": short(document.get("session_id"), 36).lower(),
            "is_credit": document.get("credit") is True,
        }

    def differs(self, stored: Stored | None, arrival: Arrival) -> bool:
        return stored is None

    @transaction.atomic
    def add(self, arrival: Arrival, source: int | None) -> bool:
        """Store a CDR; False when the same one is there already, so that a lost answer can be asked for again.

        Raises InvalidParameters when another CDR has its id.
        """
        created = self.put(arrival, source)
        if not created and self.conflicting([arrival]):
            raise InvalidParameters(
                f"/id: another CDR {arrival.document['id']} of {arrival.owner} was received before; "
                "a CDR cannot be changed, send a credit CDR and a new one"
            )
        return created

    def conflicting(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Those that say something else than the stored CDR of the same id."""
        found = []
        for arrival in arrivals:
            stored = self.find(arrival.owner, self.key(arrival.document, None))
            if stored is not None and stored != arrival.text and codec.decode(stored.encode()) != arrival.document:
                found.append(arrival)
        return found


cdrs = Cdrs()
