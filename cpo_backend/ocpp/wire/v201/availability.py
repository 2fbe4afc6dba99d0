"""OCPP 2.0.1: Availability. Field names are those of the wire."""

from cpo_backend.ocpp.wire.messages import Message, Number
from cpo_backend.ocpp.wire.v201.types import EVSE, ConnectorStatus


class ChangeAvailability(Message):
    operationalStatus: str
    evse: EVSE | None = None


class HeartbeatResponse(Message):
    currentTime: str


class StatusNotification(Message):
    timestamp: str
    connectorStatus: ConnectorStatus
    evseId: Number
    connectorId: Number
