"""OCPP 2.0.1: Reservation. Field names are those of the wire."""

from cpo_backend.ocpp.wire.messages import Int, Message, Number
from cpo_backend.ocpp.wire.v201.types import IdToken


class CancelReservation(Message):
    reservationId: Int


class ReservationStatusUpdate(Message):
    reservationId: Int
    reservationUpdateStatus: str


class ReserveNow(Message):
    id: Int
    expiryDateTime: str
    idToken: IdToken
    connectorType: str | None = None
    evseId: Number | None = None
    groupIdToken: IdToken | None = None
