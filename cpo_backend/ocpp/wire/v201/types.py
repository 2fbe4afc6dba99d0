"""OCPP 2.0.1: what several messages are made of."""

from decimal import Decimal
from enum import StrEnum

from cpo_backend.ocpp.wire.messages import Int, Message, Number


class AdditionalInfo(Message):
    additionalIdToken: str
    type: str


class CertificateHashData(Message):
    hashAlgorithm: str
    issuerNameHash: str
    issuerKeyHash: str
    serialNumber: str


class ChargingSchedulePeriod(Message):
    startPeriod: Int
    limit: Decimal
    numberPhases: Int | None = None
    phaseToUse: Int | None = None


class Cost(Message):
    costKind: str
    amount: Int
    amountMultiplier: Int | None = None


class ConsumptionCost(Message):
    startValue: Decimal
    cost: list[Cost]


class RelativeTimeInterval(Message):
    start: Int
    duration: Int | None = None


class SalesTariffEntry(Message):
    relativeTimeInterval: RelativeTimeInterval
    ePriceLevel: Int | None = None
    consumptionCost: list[ConsumptionCost] | None = None


class SalesTariff(Message):
    id: Int
    salesTariffEntry: list[SalesTariffEntry]
    salesTariffDescription: str | None = None
    numEPriceLevels: Int | None = None


class ChargingSchedule(Message):
    id: Int
    chargingRateUnit: str
    chargingSchedulePeriod: list[ChargingSchedulePeriod]
    startSchedule: str | None = None
    duration: Int | None = None
    minChargingRate: Decimal | None = None
    salesTariff: SalesTariff | None = None


class ChargingProfile(Message):
    id: Int
    stackLevel: Int
    chargingProfilePurpose: str
    chargingProfileKind: str
    chargingSchedule: list[ChargingSchedule]
    recurrencyKind: str | None = None
    validFrom: str | None = None
    validTo: str | None = None
    transactionId: str | None = None


class EVSE(Message):
    id: Number
    connectorId: Number | None = None


class Component(Message):
    name: str
    evse: EVSE | None = None
    instance: str | None = None


class Variable(Message):
    name: str
    instance: str | None = None


class ComponentVariable(Message):
    component: Component
    variable: Variable | None = None


class ConnectorStatus(StrEnum):
    AVAILABLE = "Available"
    OCCUPIED = "Occupied"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class IdToken(Message):
    idToken: str
    type: str
    additionalInfo: list[AdditionalInfo] | None = None


class MessageContent(Message):
    format: str
    content: str
    language: str | None = None


class IdTokenInfo(Message):
    status: str
    cacheExpiryDateTime: str | None = None
    chargingPriority: Int | None = None
    language1: str | None = None
    evseId: list[Int] | None = None
    groupIdToken: IdToken | None = None
    language2: str | None = None
    personalMessage: MessageContent | None = None


class OCSPRequestData(Message):
    hashAlgorithm: str
    issuerNameHash: str
    issuerKeyHash: str
    serialNumber: str
    responderURL: str


class StatusInfo(Message):
    reasonCode: str
    additionalInfo: str | None = None


class Outcome(Message):
    status: str
    statusInfo: StatusInfo | None = None
