"""The permit of a transaction that begins: from a remote start, from a reservation, or from whoever knows its token.

Waits for partners: call it outside any transaction. The same transaction gets the same permit, however often it begins.
"""

from dataclasses import replace

from cpo_backend.models import Charger, Transaction
from cpo_backend.remote import sessions, starts
from cpo_backend.reserving import using
from cpo_backend.tokens import identifying
from cpo_backend.transactions import permits
from cpo_backend.transactions.facts import Event, Permit, Start
from ocpi.types import codec


def of_start(charger_id: int, start: Start) -> Permit:
    """Of OCPP 1.6."""
    by = codec.encode_text([start.id_tag, start.told, str(start.meter)])[:200]
    taken = starts.permit_of_start(charger_id, start, by)
    reserved = using.permit(charger_id, start.number, start.id_tag, start.reservation_id, by)
    _withdraw_other(charger_id, taken, reserved)
    return _both(taken, reserved) or permits.ask(charger_id, start.id_tag)


def of_event(charger_id: int, event: Event) -> Permit | None:
    """Of OCPP 2.0.1; None where nothing is told of who pays."""
    taken = starts.permit_of_event(charger_id, event, event.told_id)
    reserved = using.permit(charger_id, event.number, event.id_tag, event.reservation_id, event.told_id)
    _withdraw_other(charger_id, taken, reserved)
    commanded = _both(taken, reserved)
    if commanded and _has_session_of_its_own(charger_id, event.told_id, commanded):
        _withdraw(charger_id, commanded)
    if commanded or not event.id_tag:
        return commanded
    return permits.ask(charger_id, *identifying.identify(event.id_tag, event.token_type))


def _both(taken: Permit | None, reserved: Permit | None) -> Permit | None:
    """Of a start and a reservation the start; whoever reserved pays for that, too, if it is the same driver."""
    if taken is not None and reserved is not None and taken.cdr_token == reserved.cdr_token:
        return replace(taken, reserved_since=reserved.reserved_since)
    return taken or reserved


def _withdraw_other(charger_id: int, taken: Permit | None, reserved: Permit | None) -> None:
    """A start that was asked for besides has a Session of its own; that of the reservation ends."""
    if taken is not None and reserved is not None:
        _withdraw(charger_id, reserved)


def _has_session_of_its_own(charger_id: int, told_id: str, permit: Permit) -> bool:
    """Whether an event that did not say what began it came first."""
    known = Transaction.objects.filter(charger=charger_id, told_id=told_id, bill__isnull=False)
    return known.exclude(bill__session_id=permit.session_id).exists()


def _withdraw(charger_id: int, permit: Permit) -> None:
    sessions.withdraw(Charger.objects.get(pk=charger_id).party, permit.session_id)
