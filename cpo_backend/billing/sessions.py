"""The Session of a transaction (§mod_sessions_session_object)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from cpo_backend.billing.terms import Place
from cpo_backend.models import Bill
from cpo_backend.transactions.accounts import Account
from ocpi.pricing.exact import plain
from ocpi.pricing.faults import BadInput
from ocpi.pricing.periods.generating import cdr_figures, session_figures
from ocpi.pricing.periods.history import Change, History, State
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival
from ocpi.store.sessions import sessions
from ocpi.types import codec, times, validation
from ocpi.v221.sessions import Session as Shape
from ocpi.v221.sessions import SessionStatus

_KILO = Decimal(1000)


def history(account: Account, place: Place, tariff: Document) -> History:
    """The account as periods are made of it; what was reserved before the start is part of it."""
    return History(
        start=account.begin,
        end=account.end,
        zone=place.zone,
        tariff=tariff,
        samples=account.samples,
        changes=_changes(account),
    )


def _changes(account: Account) -> Sequence[Change]:
    """Until the start it is reserved, whatever the connector said meanwhile; then it is as it said last."""
    if account.begin == account.start:
        return account.changes
    before = sorted((one for one in account.changes if one.at <= account.start), key=lambda one: one.at)
    state = before[-1].state if before else State.CHARGING
    after = (one for one in account.changes if one.at > account.start)
    return [Change(account.begin, State.RESERVED), Change(account.start, state), *after]


def write(bill: Bill, account: Account, place: Place, tariff: Document) -> Document:
    """Store the Session as the account says; returns it."""
    status = _status(account)
    document = _who_and_where(bill, account, place) | _figures(account, place, tariff, status)
    document |= {"status": str(status), "last_updated": times.now()}
    sessions.put(Arrival(document, validation.check(document, Shape)), None)
    return document


def _status(account: Account) -> SessionStatus:
    if account.end is None:
        return SessionStatus.ACTIVE
    return SessionStatus.COMPLETED if account.wh else SessionStatus.INVALID


def _who_and_where(bill: Bill, account: Account, place: Place) -> Document:
    return common(bill, account, place) | {
        "id": bill.session_id,
        "start_date_time": times.format(account.start),
        "location_id": place.location["id"],
        "evse_uid": place.evse["uid"],
        "connector_id": place.connector["id"],
    }


def common(bill: Bill, account: Account, place: Place) -> Document:
    """What Session and CDR say alike."""
    transaction = account.transaction
    document: dict[str, Any] = {
        "country_code": place.owner.country_code,
        "party_id": place.owner.party_id,
        "cdr_token": codec.decode(transaction.cdr_token.encode()),
        "auth_method": transaction.auth_method,
    }
    if transaction.authorization_reference:
        document["authorization_reference"] = transaction.authorization_reference
    if transaction.charger.meter_serial_number:
        document["meter_id"] = transaction.charger.meter_serial_number
    return document


def _figures(account: Account, place: Place, tariff: Document, status: SessionStatus) -> Document:
    """Energy, periods and cost; energy alone where the rest cannot be told."""
    told = history(account, place, tariff)
    ended = {} if account.end is None else {"end_date_time": times.format(account.end)}
    energy = {"kwh": plain(account.wh / _KILO), "currency": tariff["currency"]}
    if status is SessionStatus.INVALID:
        return energy | ended
    try:
        if account.end is None:
            return session_figures(told, account.until).members
        members = cdr_figures(told).members
    except BadInput:
        return energy | ended
    kept = {name: members[name] for name in ("currency", "charging_periods", "total_cost")}
    return kept | {"kwh": members["total_energy"], "end_date_time": members["end_date_time"]}
