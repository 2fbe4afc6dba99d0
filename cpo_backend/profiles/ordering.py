"""Turns the requests of the ChargingProfiles module into CALLs (§mod_charging_profiles_module)."""

from typing import Any

from cpo_backend.billing import terms
from cpo_backend.models import SessionProfile, Transaction
from cpo_backend.ocpp.wire import times
from cpo_backend.profiles import composite, schedules
from cpo_backend.profiles.schedules import Unfit
from cpo_backend.remote.ordering import order, rejected, running
from ocpi.ports import CommandRequest, Verdict
from ocpi.store.documents import Document
from ocpi.types import codec
from ocpi.types import times as points
from ocpi.v221.charging_profiles import ChargingProfileResponseType

PURPOSE = "TxProfile"
_NOT_RUNNING = "the Session does not go on at a charge point"


def apply(command_id: int, request: CommandRequest) -> Verdict:
    """SetChargingProfile: one profile for each Session, in the place of the one before."""
    transaction = running(request.session)
    if transaction is None:
        return rejected(_NOT_RUNNING)
    profile = request.document["charging_profile"]
    try:
        payload = _set_profile(transaction, profile)
    except Unfit as error:
        return Verdict(ChargingProfileResponseType.REJECTED, message=str(error))
    wanted = {"wanted": codec.encode_text(profile)}
    SessionProfile.objects.update_or_create(transaction=transaction, defaults=wanted)
    return order(command_id, request.command, transaction.charger, "SetChargingProfile", payload, transaction.pk)


def _set_profile(transaction: Transaction, profile: Document) -> Document:
    charger = transaction.charger
    known: dict[str, Any] = codec.decode(charger.configuration.encode()) if charger.configuration else {}
    abilities = schedules.abilities(known)
    place = terms.place(transaction)
    per_ampere = schedules.watts_per_ampere(place.connector) if place else None
    schedule = schedules.schedule(profile, abilities, per_ampere) | {"startSchedule": _start(transaction, profile)}
    said: Document = {
        "stackLevel": abilities.level,
        "chargingProfilePurpose": PURPOSE,
        "chargingProfileKind": "Absolute",
    }
    if charger.version == "1.6":
        said |= {"chargingProfileId": transaction.pk, "transactionId": transaction.pk, "chargingSchedule": schedule}
        return {"connectorId": transaction.number, "csChargingProfiles": said}
    said |= {"id": transaction.pk, "transactionId": transaction.ocpp_id}
    said["chargingSchedule"] = [schedule | {"id": transaction.pk}]
    return {"evseId": transaction.number, "chargingProfile": said}


def _start(transaction: Transaction, profile: Document) -> str:
    """A profile without a time begins with the charging (§mod_charging_profiles_charging_profile_class)."""
    if profile.get("start_date_time") is not None:
        return times.format(points.parse(profile["start_date_time"]))
    return times.format(transaction.start_told_at or transaction.start_received_at)


def clear(command_id: int, request: CommandRequest) -> Verdict:
    """ClearChargingProfile, of ours alone."""
    transaction = running(request.session)
    if transaction is None:
        return rejected(_NOT_RUNNING)
    name = "id" if transaction.charger.version == "1.6" else "chargingProfileId"
    payload = {name: transaction.pk}
    return order(command_id, request.command, transaction.charger, "ClearChargingProfile", payload, transaction.pk)


def ask(command_id: int, request: CommandRequest) -> Verdict:
    """GetCompositeSchedule, for as many seconds as were asked for."""
    transaction = running(request.session)
    if transaction is None:
        return rejected(_NOT_RUNNING)
    payload = composite.request(transaction, request.document["duration"])
    return order(command_id, request.command, transaction.charger, "GetCompositeSchedule", payload, transaction.pk)
