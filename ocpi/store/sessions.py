"""Sessions: a PATCH appends charging periods where it replaces everything else."""

from typing import Any

from ocpi.errors import InvalidParameters
from ocpi.models import Session
from ocpi.store import documents
from ocpi.store.documents import Document
from ocpi.store.objects import Objects, party, short
from ocpi.v221 import sessions as wire


class Sessions(Objects):
    model, shape, unknown = Session, wire.Session, InvalidParameters

    def columns(self, document: Document) -> dict[str, Any]:
        return {"token_owner": party(document["cdr_token"]), "status": short(document["status"], 40)}

    def merge(self, document: Document, changes: Document) -> None:
        """§mod_sessions_patch_method: charging periods are added to those there are; none given changes none."""
        periods = [*documents.items(document, "charging_periods"), *documents.items(changes, "charging_periods")]
        super().merge(document, {name: value for name, value in changes.items() if name != "charging_periods"})
        if periods:
            document["charging_periods"] = periods


sessions = Sessions()
