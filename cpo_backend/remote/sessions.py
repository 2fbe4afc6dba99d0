"""The Session of what has been accepted but has not begun: a remote start, or a reservation.

Its transaction goes on with it (`billing`); without one it ends as INVALID, which tells the eMSP, or as COMPLETED where
a reservation that nobody used has its price.
"""

from dataclasses import dataclass
from datetime import datetime

from cpo_backend.billing import terms
from cpo_backend.models import Charger
from ocpi.ids import PartyId
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival
from ocpi.store.sessions import sessions
from ocpi.types import codec, times, validation
from ocpi.v221.cdrs import AuthMethod
from ocpi.v221.sessions import Session as Shape
from ocpi.v221.sessions import SessionStatus

_NOT_BEGUN = (SessionStatus.PENDING, SessionStatus.RESERVATION)


@dataclass(frozen=True, slots=True)
class Prospect:
    """A Session that may come: its id, whose it will be, and where. `cdr_token` is JSON."""

    session_id: str
    charger: Charger
    number: int
    connector: int
    cdr_token: str
    reference: str
    since: datetime


def announce(prospect: Prospect, status: SessionStatus) -> bool:
    """Store the Session; False when there is no such EVSE any more."""
    place = terms.place_at(prospect.charger, prospect.number, prospect.connector)
    if place is None:
        return False
    document: Document = {
        "country_code": place.owner.country_code,
        "party_id": place.owner.party_id,
        "id": prospect.session_id,
        "start_date_time": times.format(prospect.since),
        "kwh": 0,
        "cdr_token": codec.decode(prospect.cdr_token.encode()),
        "auth_method": str(AuthMethod.COMMAND),
        "location_id": place.location["id"],
        "evse_uid": place.evse["uid"],
        "connector_id": place.connector["id"],
        "currency": terms.tariff(place, prospect.since)["currency"],
        "status": str(status),
        "last_updated": times.now(),
    }
    if prospect.reference:
        document["authorization_reference"] = prospect.reference
    _store(document)
    return True


def withdraw(owner: str, session_id: str) -> None:
    """Nothing came of it."""
    text = sessions.find(PartyId(owner), session_id)
    document: Document = codec.decode(text.encode()) if text else {}
    if document.get("status") in _NOT_BEGUN:
        now = times.now()
        _store(document | {"status": str(SessionStatus.INVALID), "end_date_time": now, "last_updated": now})


def complete(owner: str, session_id: str, members: Document) -> None:
    """It is over without a transaction, and costs something all the same."""
    text = sessions.find(PartyId(owner), session_id)
    if text:
        document: Document = codec.decode(text.encode())
        _store(document | members | {"status": str(SessionStatus.COMPLETED), "last_updated": times.now()})


def _store(document: Document) -> None:
    sessions.put(Arrival(document, validation.check(document, Shape)), None)
