"""What becomes of charging profiles: the answers of chargers, and who is told what applies."""

from typing import Any

from django.utils import timezone

from cpo_backend.billing import terms
from cpo_backend.models import OcppCommand, RemoteCommand, SessionProfile, Transaction
from cpo_backend.ocpp.wire import times as charger_times
from cpo_backend.profiles import composite, schedules
from cpo_backend.remote.outcomes import Outcome
from ocpi import ports
from ocpi.ids import PartyId
from ocpi.store.documents import Document
from ocpi.types import codec, times


def applied(row: RemoteCommand, call: OcppCommand, found: Outcome) -> None:
    """The answer to SetChargingProfile."""
    profile = _locked(row.subject_id or 0)
    if profile is not None and found.is_accepted:
        profile.applied = profile.wanted
        profile.save(update_fields=["applied"])
        composite.ask(profile.transaction)


def cleared(row: RemoteCommand, call: OcppCommand, found: Outcome) -> None:
    """The answer to ClearChargingProfile."""
    profile = _locked(row.subject_id or 0)
    if profile is not None and found.is_accepted:
        profile.applied = ""
        profile.save(update_fields=["applied"])
        composite.ask(profile.transaction)


def _locked(transaction_id: int) -> SessionProfile | None:
    rows = SessionProfile.objects.select_for_update(of=("self",)).select_related("transaction__charger")
    return rows.filter(pk=transaction_id).first()


def told(row: RemoteCommand, call: OcppCommand) -> Document | None:
    """The ActiveChargingProfile in the answer to GetCompositeSchedule."""
    transaction = Transaction.objects.select_related("charger").get(pk=row.subject_id or 0)
    return _active(transaction, call)


def take(call: OcppCommand) -> None:
    """The outcome of what we asked ourselves: told to those who have set the profile, if it is another."""
    if call.status != OcppCommand.Status.OK:
        return
    asked = codec.decode(call.payload.encode())
    number = asked.get("connectorId", asked.get("evseId"))
    transaction = Transaction.objects.filter(charger=call.charger_id, number=number, closed_by="").first()
    profile = _locked(transaction.pk) if transaction else None
    active = _active(profile.transaction, call) if profile else None
    if profile is None or active is None or codec.encode_text(active) == profile.active:
        return
    profile.active = codec.encode_text(active)
    profile.save(update_fields=["active"])
    owner = PartyId(profile.transaction.charger.party)
    ports.commands().push_active_profile(owner, profile.transaction.bill.session_id, active)


def _active(transaction: Transaction, call: OcppCommand) -> Document | None:
    """What the charger says; without any schedule it is what the Connector can do."""
    asked, answer = codec.decode(call.payload.encode()), codec.decode(call.result.encode())
    if answer.get("status") != "Accepted":
        return None
    schedule: dict[str, Any] = answer.get("schedule") or answer.get("chargingSchedule") or {}
    at = charger_times.read(answer.get("scheduleStart") or schedule.get("scheduleStart"))
    start = times.format(at or call.answered_at or timezone.now())
    if schedule.get("chargingSchedulePeriod"):
        return schedules.active(start, schedule, asked["duration"])
    place = terms.place(transaction)
    return schedules.unlimited(start, place.connector, asked["duration"]) if place else None
