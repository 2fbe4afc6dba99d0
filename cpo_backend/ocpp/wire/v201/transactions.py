"""OCPP 2.0.1: Transactions and meter values. Field names are those of the wire."""

from decimal import Decimal

from cpo_backend.ocpp.wire.messages import Int, Message, Number
from cpo_backend.ocpp.wire.v201.types import EVSE, IdToken, IdTokenInfo, MessageContent


class SignedMeterValue(Message):
    signedMeterData: str
    signingMethod: str
    encodingMethod: str
    publicKey: str


class UnitOfMeasure(Message):
    unit: str | None = None
    multiplier: Int | None = None


class SampledValue(Message):
    value: Decimal
    context: str | None = None
    measurand: str | None = None
    phase: str | None = None
    location: str | None = None
    signedMeterValue: SignedMeterValue | None = None
    unitOfMeasure: UnitOfMeasure | None = None


class MeterValue(Message):
    sampledValue: list[SampledValue]
    timestamp: str


class Transaction(Message):
    transactionId: str
    chargingState: str | None = None
    timeSpentCharging: Int | None = None
    stoppedReason: str | None = None
    remoteStartId: Int | None = None


class GetTransactionStatus(Message):
    transactionId: str | None = None


class GetTransactionStatusResponse(Message):
    messagesInQueue: bool
    ongoingIndicator: bool | None = None


class MeterValues(Message):
    evseId: Number
    meterValue: list[MeterValue]


class TransactionEvent(Message):
    eventType: str
    timestamp: str
    triggerReason: str
    seqNo: Int
    transactionInfo: Transaction
    meterValue: list[MeterValue] | None = None
    offline: bool | None = None
    numberOfPhasesUsed: Int | None = None
    cableMaxCurrent: Int | None = None
    reservationId: Int | None = None
    evse: EVSE | None = None
    idToken: IdToken | None = None


class TransactionEventResponse(Message):
    totalCost: Decimal | None = None
    chargingPriority: Int | None = None
    idTokenInfo: IdTokenInfo | None = None
    updatedPersonalMessage: MessageContent | None = None
