"""OCPP 2.0.1: Smart charging. Field names are those of the wire."""

from cpo_backend.ocpp.wire.messages import Int, Message, Number
from cpo_backend.ocpp.wire.v201.types import ChargingProfile, ChargingSchedule, ChargingSchedulePeriod, StatusInfo


class ACChargingParameters(Message):
    energyAmount: Int
    evMinCurrent: Int
    evMaxCurrent: Int
    evMaxVoltage: Int


class ChargingLimit(Message):
    chargingLimitSource: str
    isGridCritical: bool | None = None


class DCChargingParameters(Message):
    evMaxCurrent: Int
    evMaxVoltage: Int
    energyAmount: Int | None = None
    evMaxPower: Int | None = None
    stateOfCharge: Int | None = None
    evEnergyCapacity: Int | None = None
    fullSoC: Int | None = None
    bulkSoC: Int | None = None


class ChargingNeeds(Message):
    requestedEnergyTransfer: str
    acChargingParameters: ACChargingParameters | None = None
    dcChargingParameters: DCChargingParameters | None = None
    departureTime: str | None = None


class ChargingProfileCriterion(Message):
    chargingProfilePurpose: str | None = None
    stackLevel: Int | None = None
    chargingProfileId: list[Int] | None = None
    chargingLimitSource: list[str] | None = None


class ClearChargingProfileCriteria(Message):
    evseId: Number | None = None
    chargingProfilePurpose: str | None = None
    stackLevel: Int | None = None


class CompositeSchedule(Message):
    chargingSchedulePeriod: list[ChargingSchedulePeriod]
    evseId: Number
    duration: Int
    scheduleStart: str
    chargingRateUnit: str


class ClearChargingProfile(Message):
    chargingProfileId: Int | None = None
    chargingProfileCriteria: ClearChargingProfileCriteria | None = None


class ClearedChargingLimit(Message):
    chargingLimitSource: str
    evseId: Number | None = None


class GetChargingProfiles(Message):
    requestId: Int
    chargingProfile: ChargingProfileCriterion
    evseId: Number | None = None


class GetCompositeSchedule(Message):
    duration: Int
    evseId: Number
    chargingRateUnit: str | None = None


class GetCompositeScheduleResponse(Message):
    status: str
    statusInfo: StatusInfo | None = None
    schedule: CompositeSchedule | None = None


class NotifyChargingLimit(Message):
    chargingLimit: ChargingLimit
    chargingSchedule: list[ChargingSchedule] | None = None
    evseId: Number | None = None


class NotifyEVChargingNeeds(Message):
    chargingNeeds: ChargingNeeds
    evseId: Number
    maxScheduleTuples: Int | None = None


class NotifyEVChargingSchedule(Message):
    timeBase: str
    chargingSchedule: ChargingSchedule
    evseId: Number


class ReportChargingProfiles(Message):
    requestId: Int
    chargingLimitSource: str
    chargingProfile: list[ChargingProfile]
    evseId: Number
    tbc: bool | None = None


class SetChargingProfile(Message):
    evseId: Number
    chargingProfile: ChargingProfile
