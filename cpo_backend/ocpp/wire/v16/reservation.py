"""OCPP 1.6: Reservation. Field names are those of the wire."""

from cpo_backend.ocpp.wire.messages import Int, Message, Number


class CancelReservation(Message):
    reservationId: Int


class ReserveNow(Message):
    connectorId: Number
    expiryDate: str
    idTag: str
    reservationId: Int
    parentIdTag: str | None = None
