"""OCPP 2.0.1: Diagnostics and monitoring. Field names are those of the wire."""

from decimal import Decimal

from cpo_backend.ocpp.wire.messages import Int, Message
from cpo_backend.ocpp.wire.v201.types import (
    CertificateHashData,
    Component,
    ComponentVariable,
    IdToken,
    StatusInfo,
    Variable,
)


class ClearMonitoringResult(Message):
    status: str
    id: Int
    statusInfo: StatusInfo | None = None


class EventData(Message):
    eventId: Int
    timestamp: str
    trigger: str
    actualValue: str
    component: Component
    eventNotificationType: str
    variable: Variable
    cause: Int | None = None
    techCode: str | None = None
    techInfo: str | None = None
    cleared: bool | None = None
    transactionId: str | None = None
    variableMonitoringId: Int | None = None


class LogParameters(Message):
    remoteLocation: str
    oldestTimestamp: str | None = None
    latestTimestamp: str | None = None


class VariableMonitoring(Message):
    id: Int
    transaction: bool
    value: Decimal
    type: str
    severity: Int


class MonitoringData(Message):
    component: Component
    variable: Variable
    variableMonitoring: list[VariableMonitoring]


class SetMonitoringData(Message):
    value: Decimal
    type: str
    severity: Int
    component: Component
    variable: Variable
    id: Int | None = None
    transaction: bool | None = None


class SetMonitoringResult(Message):
    status: str
    type: str
    component: Component
    variable: Variable
    severity: Int
    id: Int | None = None
    statusInfo: StatusInfo | None = None


class ClearVariableMonitoring(Message):
    id: list[Int]


class ClearVariableMonitoringResponse(Message):
    clearMonitoringResult: list[ClearMonitoringResult]


class CustomerInformation(Message):
    requestId: Int
    report: bool
    clear: bool
    customerCertificate: CertificateHashData | None = None
    idToken: IdToken | None = None
    customerIdentifier: str | None = None


class GetLog(Message):
    log: LogParameters
    logType: str
    requestId: Int
    retries: Int | None = None
    retryInterval: Int | None = None


class GetLogResponse(Message):
    status: str
    statusInfo: StatusInfo | None = None
    filename: str | None = None


class GetMonitoringReport(Message):
    requestId: Int
    componentVariable: list[ComponentVariable] | None = None
    monitoringCriteria: list[str] | None = None


class LogStatusNotification(Message):
    status: str
    requestId: Int | None = None


class NotifyCustomerInformation(Message):
    data: str
    seqNo: Int
    generatedAt: str
    requestId: Int
    tbc: bool | None = None


class NotifyEvent(Message):
    generatedAt: str
    seqNo: Int
    eventData: list[EventData]
    tbc: bool | None = None


class NotifyMonitoringReport(Message):
    requestId: Int
    seqNo: Int
    generatedAt: str
    monitor: list[MonitoringData] | None = None
    tbc: bool | None = None


class SetMonitoringBase(Message):
    monitoringBase: str


class SetMonitoringLevel(Message):
    severity: Int


class SetVariableMonitoring(Message):
    setMonitoringData: list[SetMonitoringData]


class SetVariableMonitoringResponse(Message):
    setMonitoringResult: list[SetMonitoringResult]
