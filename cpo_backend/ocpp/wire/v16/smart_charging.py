"""OCPP 1.6: Smart charging. Field names are those of the wire."""

from cpo_backend.ocpp.wire.messages import Int, Message, Number
from cpo_backend.ocpp.wire.v16.types import ChargingProfile, ChargingSchedule


class ClearChargingProfile(Message):
    id: Int | None = None
    connectorId: Number | None = None
    chargingProfilePurpose: str | None = None
    stackLevel: Int | None = None


class GetCompositeSchedule(Message):
    connectorId: Number
    duration: Int
    chargingRateUnit: str | None = None


class GetCompositeScheduleResponse(Message):
    status: str
    connectorId: Number | None = None
    scheduleStart: str | None = None
    chargingSchedule: ChargingSchedule | None = None


class SetChargingProfile(Message):
    connectorId: Number
    csChargingProfiles: ChargingProfile
