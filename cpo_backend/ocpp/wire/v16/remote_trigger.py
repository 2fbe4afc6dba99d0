"""OCPP 1.6: Remote trigger. Field names are those of the wire."""

from cpo_backend.ocpp.wire.messages import Message, Number


class TriggerMessage(Message):
    requestedMessage: str
    connectorId: Number | None = None
