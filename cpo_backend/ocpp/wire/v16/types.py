"""OCPP 1.6: what several messages are made of."""

from decimal import Decimal
from enum import StrEnum

from cpo_backend.ocpp.wire.messages import Int, Message


class ChargePointStatus(StrEnum):
    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EVSE = "SuspendedEVSE"
    SUSPENDED_EV = "SuspendedEV"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class ChargingSchedulePeriod(Message):
    startPeriod: Int
    limit: Decimal
    numberPhases: Int | None = None


class ChargingSchedule(Message):
    chargingRateUnit: str
    chargingSchedulePeriod: list[ChargingSchedulePeriod]
    duration: Int | None = None
    startSchedule: str | None = None
    minChargingRate: Decimal | None = None


class ChargingProfile(Message):
    chargingProfileId: Int
    stackLevel: Int
    chargingProfilePurpose: str
    chargingProfileKind: str
    chargingSchedule: ChargingSchedule
    transactionId: Int | None = None
    recurrencyKind: str | None = None
    validFrom: str | None = None
    validTo: str | None = None


class IdTagInfo(Message):
    status: str
    expiryDate: str | None = None
    parentIdTag: str | None = None


class Outcome(Message):
    status: str
