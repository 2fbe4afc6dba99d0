"""OCPP 2.0.1: Provisioning. Field names are those of the wire."""

from decimal import Decimal

from cpo_backend.ocpp.wire.messages import Int, Message, Number
from cpo_backend.ocpp.wire.v201.types import Component, ComponentVariable, StatusInfo, Variable


class APN(Message):
    apn: str
    apnAuthentication: str
    apnUserName: str | None = None
    apnPassword: str | None = None
    simPin: Int | None = None
    preferredNetwork: str | None = None
    useOnlyPreferredNetwork: bool | None = None


class Modem(Message):
    iccid: str | None = None
    imsi: str | None = None


class ChargingStation(Message):
    model: str
    vendorName: str
    serialNumber: str | None = None
    modem: Modem | None = None
    firmwareVersion: str | None = None


class GetVariableData(Message):
    component: Component
    variable: Variable
    attributeType: str | None = None


class GetVariableResult(Message):
    attributeStatus: str
    component: Component
    variable: Variable
    attributeStatusInfo: StatusInfo | None = None
    attributeType: str | None = None
    attributeValue: str | None = None


class VPN(Message):
    server: str
    user: str
    password: str
    key: str
    type: str
    group: str | None = None


class NetworkConnectionProfile(Message):
    ocppVersion: str
    ocppTransport: str
    ocppCsmsUrl: str
    messageTimeout: Int
    securityProfile: Int
    ocppInterface: str
    apn: APN | None = None
    vpn: VPN | None = None


class VariableAttribute(Message):
    type: str | None = None
    value: str | None = None
    mutability: str | None = None
    persistent: bool | None = None
    constant: bool | None = None


class VariableCharacteristics(Message):
    dataType: str
    supportsMonitoring: bool
    unit: str | None = None
    minLimit: Decimal | None = None
    maxLimit: Decimal | None = None
    valuesList: str | None = None


class ReportData(Message):
    component: Component
    variable: Variable
    variableAttribute: list[VariableAttribute]
    variableCharacteristics: VariableCharacteristics | None = None


class SetVariableData(Message):
    attributeValue: str
    component: Component
    variable: Variable
    attributeType: str | None = None


class SetVariableResult(Message):
    attributeStatus: str
    component: Component
    variable: Variable
    attributeType: str | None = None
    attributeStatusInfo: StatusInfo | None = None


class BootNotification(Message):
    chargingStation: ChargingStation
    reason: str


class BootNotificationResponse(Message):
    currentTime: str
    interval: Int
    status: str
    statusInfo: StatusInfo | None = None


class GetBaseReport(Message):
    requestId: Int
    reportBase: str


class GetReport(Message):
    requestId: Int
    componentVariable: list[ComponentVariable] | None = None
    componentCriteria: list[str] | None = None


class GetVariables(Message):
    getVariableData: list[GetVariableData]


class GetVariablesResponse(Message):
    getVariableResult: list[GetVariableResult]


class NotifyReport(Message):
    requestId: Int
    generatedAt: str
    seqNo: Int
    reportData: list[ReportData] | None = None
    tbc: bool | None = None


class Reset(Message):
    type: str
    evseId: Number | None = None


class SetNetworkProfile(Message):
    configurationSlot: Int
    connectionData: NetworkConnectionProfile


class SetVariables(Message):
    setVariableData: list[SetVariableData]


class SetVariablesResponse(Message):
    setVariableResult: list[SetVariableResult]
