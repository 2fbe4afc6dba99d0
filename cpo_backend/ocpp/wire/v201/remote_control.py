"""OCPP 2.0.1: Remote control. Field names are those of the wire."""

from cpo_backend.ocpp.wire.messages import Int, Message, Number
from cpo_backend.ocpp.wire.v201.types import EVSE, ChargingProfile, IdToken, StatusInfo


class RequestStartTransaction(Message):
    idToken: IdToken
    remoteStartId: Int
    evseId: Number | None = None
    groupIdToken: IdToken | None = None
    chargingProfile: ChargingProfile | None = None


class RequestStartTransactionResponse(Message):
    status: str
    statusInfo: StatusInfo | None = None
    transactionId: str | None = None


class RequestStopTransaction(Message):
    transactionId: str


class TriggerMessage(Message):
    requestedMessage: str
    evse: EVSE | None = None


class UnlockConnector(Message):
    evseId: Number
    connectorId: Number
