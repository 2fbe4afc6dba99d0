"""SetChargingProfile in the words of each version: for a transaction, or for a car that just came."""

from decimal import Decimal
from typing import Any

from cpo_backend.models import Charger, Transaction
from cpo_backend.ocpp.wire import times
from cpo_backend.profiles import schedules
from ocpi.store.documents import Document
from ocpi.types import codec
from ocpi.types import times as points

# Far from the numbers of transactions, which are the ids of their profiles.
_FIRST_DEFAULT = 2_000_000_000


def of_transaction(transaction: Transaction, profile: Document, per_ampere: Decimal | None) -> Document:
    """The one profile of a transaction, in the place of the one before; raises `schedules.Unfit`."""
    kind = {"chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Absolute"}
    schedule = _schedule(transaction.charger, profile, per_ampere) | {"startSchedule": _start(transaction, profile)}
    charger, id = transaction.charger, transaction.pk
    told = transaction.pk if charger.version == "1.6" else transaction.ocpp_id
    return _said(charger, transaction.number, id, kind | {"transactionId": told}, schedule)


def of_newcomer(charger: Charger, number: int, profile: Document, per_ampere: Decimal | None) -> Document:
    """What applies from its begin to a transaction without a profile of its own, whatever the charger's clock says."""
    kind = {"chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Relative"}
    return _said(charger, number, default_id(number), kind, _schedule(charger, profile, per_ampere))


def default_id(number: int) -> int:
    return _FIRST_DEFAULT + number


def _schedule(charger: Charger, profile: Document, per_ampere: Decimal | None) -> Document:
    return schedules.schedule(profile, _abilities(charger), per_ampere)


def _abilities(charger: Charger) -> schedules.Abilities:
    known: dict[str, Any] = codec.decode(charger.configuration.encode()) if charger.configuration else {}
    return schedules.abilities(known)


def _said(charger: Charger, number: int | None, id: int, kind: Document, schedule: Document) -> Document:
    said = {"stackLevel": _abilities(charger).level} | kind
    if charger.version == "1.6":
        profile = {"chargingProfileId": id} | said | {"chargingSchedule": schedule}
        return {"connectorId": number, "csChargingProfiles": profile}
    return {"evseId": number, "chargingProfile": {"id": id} | said | {"chargingSchedule": [schedule | {"id": id}]}}


def _start(transaction: Transaction, profile: Document) -> str:
    """A profile without a time begins with the charging (§mod_charging_profiles_charging_profile_class)."""
    if profile.get("start_date_time") is not None:
        return times.format(points.parse(profile["start_date_time"]))
    return times.format(transaction.start_told_at or transaction.start_received_at)


def cleared(charger: Charger, id: int) -> Document:
    """The payload of ClearChargingProfile for one profile of ours."""
    return {"id" if charger.version == "1.6" else "chargingProfileId": id}
