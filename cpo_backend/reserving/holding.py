"""What becomes of reservations: they stand, are canceled, expire; the EVSE is RESERVED meanwhile, the eMSP is told."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from cpo_backend import pruning
from cpo_backend.billing.wake import wake
from cpo_backend.commanding import queue
from cpo_backend.models import OcppCommand, RemoteCommand, Reservation
from cpo_backend.remote import sessions
from cpo_backend.remote.outcomes import Outcome
from cpo_backend.remote.sessions import Prospect
from cpo_backend.status import publishing
from ocpi import ports
from ocpi.v221.commands import CommandResultType
from ocpi.v221.sessions import SessionStatus

State = Reservation.State


def answered(row: RemoteCommand, call: OcppCommand, found: Outcome) -> None:
    """The charger's answer to ReserveNow. One that gave none may hold it all the same, so it is taken back."""
    reservation = _locked(row.subject_id or 0)
    if reservation is None or reservation.state != State.ASKED:
        return
    if not found.is_accepted:
        _close(reservation, State.REFUSED)
        if call.status == OcppCommand.Status.TIMEOUT:
            _give_back(reservation)
        return
    reservation.state, reservation.active_since = State.ACTIVE, timezone.now()
    replaced = _replaced(reservation)
    if held_since := [before.active_since for before in replaced if before.active_since]:
        reservation.active_since = min(held_since)
    reservation.save(update_fields=["state", "active_since"])
    for before in replaced:
        _close(before, State.REPLACED)
        if before.told_id != reservation.told_id:
            _give_back(before)
    sessions.announce(prospect(reservation), SessionStatus.RESERVATION)
    publishing.judge_charger(reservation.charger_id)


def _replaced(reservation: Reservation) -> list[Reservation]:
    """Those that are the same for their eMSP."""
    same = Reservation.objects.select_for_update().select_related("charger")
    named = same.filter(
        party=reservation.party,
        commander=reservation.commander,
        location_id__iexact=reservation.location_id,
        reservation_id__iexact=reservation.reservation_id,
        state=State.ACTIVE,
    )
    return list(named.exclude(pk=reservation.pk))


def canceled(row: RemoteCommand, call: OcppCommand, found: Outcome) -> None:
    """The charger's answer to CancelReservation: one that it does not know stands no more either."""
    reservation = _locked(row.subject_id or 0)
    is_gone = found.result in (CommandResultType.ACCEPTED, CommandResultType.UNKNOWN_RESERVATION)
    if reservation is not None and reservation.state in (State.ASKED, State.ACTIVE) and is_gone:
        end(reservation, State.CANCELED)


@transaction.atomic
def ended_by_charger(charger_id: int, told_id: int, *, is_expired: bool) -> None:
    """The charger has given up a reservation: its time was over, or it had to."""
    active = Reservation.objects.select_for_update().select_related("charger")
    reservation = active.filter(charger=charger_id, told_id=told_id, state=State.ACTIVE).first()
    if reservation is None:
        return
    end(reservation, State.EXPIRED if is_expired else State.CANCELED)
    if not is_expired:
        _tell_canceled(reservation)


@transaction.atomic
def cancel_ourselves(reservation_id: int) -> bool:
    """Take a reservation back from its driver; False when it does not stand any more."""
    reservation = _locked(reservation_id)
    if reservation is None or reservation.state != State.ACTIVE:
        return False
    _give_back(reservation)
    end(reservation, State.CANCELED)
    _tell_canceled(reservation)
    return True


def _tell_canceled(reservation: Reservation) -> None:
    """§mod_commands_flow: at the response_url that the reservation came with."""
    ports.commands().resolve(reservation.command_id, str(CommandResultType.CANCELED_RESERVATION))


def sweep() -> int:
    """End reservations whose time is over; returns how many."""
    over = Reservation.objects.filter(state=State.ACTIVE, expires_at__lt=timezone.now())
    return sum(_expire(pk) for pk in list(over.values_list("pk", flat=True)))


def prune(days: int = 90) -> int:
    """Forget reservations of long ago."""
    old = Reservation.objects.filter(expires_at__lt=timezone.now() - timedelta(days=days)).exclude(state=State.ACTIVE)
    return pruning.delete(old.filter(bill_due_at=None))


@transaction.atomic
def _expire(pk: int) -> bool:
    reservation = _locked(pk)
    if reservation is None or reservation.state != State.ACTIVE or reservation.expires_at > timezone.now():
        return False
    end(reservation, State.EXPIRED)
    return True


def end(reservation: Reservation, state: State) -> None:
    """Nobody charged; the caller holds its lock. What expired while it stood may have its price (`unused`)."""
    if state == State.EXPIRED and reservation.active_since is not None:
        reservation.bill_due_at = timezone.now()
        transaction.on_commit(wake)
    else:
        sessions.withdraw(reservation.party, reservation.session_id)
    _close(reservation, state)


def use(reservation: Reservation, by: str) -> None:
    """The driver came; the caller holds its lock."""
    reservation.taken_by = by
    _close(reservation, State.USED)


def _close(reservation: Reservation, state: State) -> None:
    was_active = reservation.state == State.ACTIVE
    reservation.state, reservation.ended_at = state, min(timezone.now(), reservation.expires_at)
    reservation.save(update_fields=["state", "taken_by", "ended_at", "bill_due_at"])
    if was_active:
        publishing.judge_charger(reservation.charger_id)


def _give_back(reservation: Reservation) -> None:
    purpose = OcppCommand.Purpose.REMOTE
    queue.put(reservation.charger, "CancelReservation", {"reservationId": reservation.told_id}, purpose=purpose)


def _locked(pk: int) -> Reservation | None:
    return Reservation.objects.select_for_update().select_related("charger").filter(pk=pk).first()


def prospect(reservation: Reservation) -> Prospect:
    return Prospect(
        session_id=reservation.session_id,
        charger=reservation.charger,
        number=reservation.number,
        connector=1,
        cdr_token=reservation.cdr_token,
        reference=reservation.authorization_reference,
        since=reservation.created_at,
    )
