"""OCPP 1.6: Core profile. Field names are those of the wire."""

from decimal import Decimal
from typing import Any

from cpo_backend.ocpp.wire.messages import Int, Message, Number
from cpo_backend.ocpp.wire.v16.types import ChargePointStatus, ChargingProfile, IdTagInfo


class ConfigurationKey(Message):
    key: str
    readonly: bool
    value: str | None = None


class SampledValue(Message):
    value: Any
    context: str | None = None
    format: str | None = None
    measurand: str | None = None
    phase: str | None = None
    location: str | None = None
    unit: str | None = None


class MeterValue(Message):
    timestamp: str
    sampledValue: list[SampledValue]


class Authorize(Message):
    idTag: str


class AuthorizeResponse(Message):
    idTagInfo: IdTagInfo


class BootNotification(Message):
    chargePointVendor: str
    chargePointModel: str
    chargePointSerialNumber: str | None = None
    chargeBoxSerialNumber: str | None = None
    firmwareVersion: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meterType: str | None = None
    meterSerialNumber: str | None = None


class BootNotificationResponse(Message):
    status: str
    currentTime: str
    interval: Int


class ChangeAvailability(Message):
    connectorId: Number
    type: str


class ChangeConfiguration(Message):
    key: str
    value: str


class DataTransfer(Message):
    vendorId: str
    messageId: str | None = None
    data: Any | None = None


class DataTransferResponse(Message):
    status: str
    data: Any | None = None


class GetConfiguration(Message):
    key: list[str] | None = None


class GetConfigurationResponse(Message):
    configurationKey: list[ConfigurationKey] | None = None
    unknownKey: list[str] | None = None


class HeartbeatResponse(Message):
    currentTime: str


class MeterValues(Message):
    connectorId: Number
    meterValue: list[MeterValue]
    transactionId: Int | None = None


class RemoteStartTransaction(Message):
    idTag: str
    connectorId: Number | None = None
    chargingProfile: ChargingProfile | None = None


class RemoteStopTransaction(Message):
    transactionId: Int


class Reset(Message):
    type: str


class StartTransaction(Message):
    connectorId: Number
    idTag: str
    meterStart: Decimal
    timestamp: str
    reservationId: Int | None = None


class StartTransactionResponse(Message):
    idTagInfo: IdTagInfo
    transactionId: Int


class StatusNotification(Message):
    connectorId: Number
    errorCode: str
    status: ChargePointStatus
    info: str | None = None
    timestamp: str | None = None
    vendorId: str | None = None
    vendorErrorCode: str | None = None


class StopTransaction(Message):
    meterStop: Decimal
    timestamp: str
    transactionId: Int
    idTag: str | None = None
    reason: str | None = None
    transactionData: list[MeterValue] | None = None


class StopTransactionResponse(Message):
    idTagInfo: IdTagInfo | None = None


class UnlockConnector(Message):
    connectorId: Number
