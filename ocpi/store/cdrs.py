"""CDRs: once stored, never changed (§mod_cdrs_flow_and_lifecycle)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from ocpi.errors import InvalidParameters
from ocpi.ids import PartyId
from ocpi.models import Cdr
from ocpi.store import writing
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival, Objects, Stored, party, short
from ocpi.types import codec, times
from ocpi.v221 import cdrs as wire


def ended_at(document: Document) -> datetime:
    """When the session of a CDR ended; where that is no time, when the CDR was made."""
    try:
        return times.parse(document["end_date_time"])
    except (KeyError, TypeError, ValueError):
        return times.parse(document["last_updated"])


class Cdrs(Objects):
    model, shape, unknown = Cdr, wire.Cdr, InvalidParameters

    def columns(self, document: Document) -> dict[str, Any]:
        return {
            "token_owner": party(document["cdr_token"]),
            "session_key": short(document.get("session_id"), 36).lower(),
            "is_credit": document.get("credit") is True,
            "credits": short(document.get("credit_reference_id"), 39).lower() if document.get("credit") is True else "",
            "ended_at": writing.adapted(ended_at(document)),
        }

    def differs(self, stored: Stored | None, arrival: Arrival) -> bool:
        return stored is None

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
        """Those that say something else than the stored CDR of the same id, or than an earlier one among them."""
        held = self._held(arrivals)
        found = []
        for arrival in arrivals:
            text = held.setdefault((arrival.owner, self.key(arrival.document, None)), arrival.text)
            if text != arrival.text and codec.decode(text.encode()) != arrival.document:
                found.append(arrival)
        return found

    def _held(self, arrivals: Sequence[Arrival]) -> dict[tuple[str, str], str]:
        """The stored CDRs of the same ids."""
        keys: dict[PartyId, list[str]] = {}
        for arrival in arrivals:
            keys.setdefault(arrival.owner, []).append(self.key(arrival.document, None))
        return {
            (owner, key): text
            for owner, wanted in keys.items()
            for key, text in self.rows(owner=owner, key__in=wanted).values_list("key", "document")
        }

    def find_for(self, platform: int, parties: Collection[PartyId], owner: PartyId, key: str) -> str | None:
        """The JSON of a CDR, for the platform that holds its owner or sent it (§mod_cdrs_msp_get_method)."""
        rows = self.rows(owner=owner, key=key.lower())
        if owner not in parties:
            rows = rows.filter(source=platform)
        return next(iter(rows.values_list("document", flat=True)), None)


cdrs = Cdrs()
