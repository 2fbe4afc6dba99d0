"""Sessions: a PATCH appends charging periods where it replaces everything else, and COMPLETED is final."""

from typing import Any

from ocpi.errors import InvalidParameters
from ocpi.models import Session
from ocpi.store import documents
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival, Objects, Reconcile, party, short
from ocpi.v221 import sessions as wire
from ocpi.v221.sessions import SessionStatus

_UNFINISHED = (SessionStatus.PENDING, SessionStatus.RESERVATION, SessionStatus.ACTIVE)


class Sessions(Objects):
    model, shape, unknown = Session, wire.Session, InvalidParameters

    def columns(self, document: Document) -> dict[str, Any]:
        return {"token_owner": party(document["cdr_token"]), "status": short(document["status"], 40)}

    def merge(self, document: Document, changes: Document) -> None:
        """§mod_sessions_patch_method: charging periods are added to those there are; none given changes none.

        Raises InvalidParameters when the change would reopen a finished Session.
        """
        _refuse_reopening(document, changes)
        periods = [*documents.items(document, "charging_periods"), *documents.items(changes, "charging_periods")]
        super().merge(document, {name: value for name, value in changes.items() if name != "charging_periods"})
        if periods:
            document["charging_periods"] = periods

    def put(self, arrival: Arrival, source: int | None, reconcile: Reconcile | None = None) -> bool:
        """Store a Session; raises InvalidParameters when that would reopen a finished one.

        Only what is pushed is refused: a list that is pulled says how things stand, in whatever order it was written.
        """
        return super().put(arrival, source, reconcile or _replacing)


def _replacing(stored: Document, new: Document) -> Document:
    _refuse_reopening(stored, new)
    return new


def _refuse_reopening(stored: Document, changes: Document) -> None:
    """§mod_sessions_sessionstatus_enum: COMPLETED is final; what says otherwise was overtaken on its way."""
    if stored["status"] == SessionStatus.COMPLETED and changes.get("status") in _UNFINISHED:
        raise InvalidParameters(f"/status: the Session is COMPLETED and cannot become {changes['status']} again")


sessions = Sessions()
