"""Turns the requests of the ChargingProfiles module into CALLs (§mod_charging_profiles_module)."""

from django.db import transaction as database
from django.utils import timezone

from cpo_backend.billing import terms
from cpo_backend.models import SessionProfile
from cpo_backend.power import sending
from cpo_backend.profiles import composite, payloads, schedules
from cpo_backend.profiles.schedules import Unfit
from cpo_backend.remote.ordering import ACCEPTED, order, rejected, running, send
from ocpi.ports import CommandRequest, Verdict
from ocpi.types import codec
from ocpi.v221.charging_profiles import ChargingProfileResponseType

_SET, _CLEAR = "SetChargingProfile", "ClearChargingProfile"
_NOT_RUNNING = "the Session does not go on at a charge point"


def apply(command_id: int, request: CommandRequest) -> Verdict:
    """SetChargingProfile: one profile for each Session, in the place of the one before.

    The lock of a profile comes before that of a site, here as where an answer is taken; so it is written first.
    """
    transaction = running(request.session)
    if transaction is None:
        return rejected(_NOT_RUNNING)
    profile = request.document["charging_profile"]
    try:
        with database.atomic():
            wanted = {"wanted": codec.encode_text(profile)}
            SessionProfile.objects.update_or_create(transaction=transaction, defaults=wanted)
            seat = sending.seat_of(transaction)
            watts = sending.ceiling(seat) if seat else None
            told = profile if seat is None or watts is None else sending.within(seat, profile, watts)
            place = terms.place(transaction)
            per_ampere = schedules.watts_per_ampere(place.connector) if place else None
            payload = payloads.of_transaction(transaction, told, per_ampere)
    except Unfit as error:
        return Verdict(ChargingProfileResponseType.REJECTED, message=str(error))
    call = send(command_id, request.command, transaction.charger, _SET, payload, transaction.pk)
    if seat is not None and watts is not None:
        sending.note(seat, call, told, watts, timezone.now())
    return ACCEPTED


def clear(command_id: int, request: CommandRequest) -> Verdict:
    """ClearChargingProfile, of ours alone; where power is shared, the share takes its place."""
    transaction = running(request.session)
    if transaction is None:
        return rejected(_NOT_RUNNING)
    SessionProfile.objects.select_for_update().filter(transaction=transaction).first()
    seat = sending.seat_of(transaction)
    if seat is None:
        payload = payloads.cleared(transaction.charger, transaction.pk)
        return order(command_id, request.command, transaction.charger, _CLEAR, payload, transaction.pk)
    watts = sending.ceiling(seat)
    told = sending.within(seat, None, watts)
    payload = payloads.of_transaction(transaction, told, seat.per_ampere)
    call = send(command_id, request.command, transaction.charger, _SET, payload, transaction.pk)
    sending.note(seat, call, told, watts, timezone.now())
    return ACCEPTED


def ask(command_id: int, request: CommandRequest) -> Verdict:
    """GetCompositeSchedule, for as many seconds as were asked for."""
    transaction = running(request.session)
    if transaction is None:
        return rejected(_NOT_RUNNING)
    payload = composite.request(transaction, request.document["duration"])
    return order(command_id, request.command, transaction.charger, "GetCompositeSchedule", payload, transaction.pk)
