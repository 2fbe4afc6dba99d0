"""OCPP 2.0.1: Display messages, cost and data transfer. Field names are those of the wire."""

from decimal import Decimal
from typing import Any

from cpo_backend.ocpp.wire.messages import Int, Message
from cpo_backend.ocpp.wire.v201.types import Component, MessageContent, StatusInfo


class MessageInfo(Message):
    id: Int
    priority: str
    message: MessageContent
    display: Component | None = None
    state: str | None = None
    startDateTime: str | None = None
    endDateTime: str | None = None
    transactionId: str | None = None


class ClearDisplayMessage(Message):
    id: Int


class CostUpdated(Message):
    totalCost: Decimal
    transactionId: str


class DataTransfer(Message):
    vendorId: str
    messageId: str | None = None
    data: Any | None = None


class DataTransferResponse(Message):
    status: str
    statusInfo: StatusInfo | None = None
    data: Any | None = None


class GetDisplayMessages(Message):
    requestId: Int
    id: list[Int] | None = None
    priority: str | None = None
    state: str | None = None


class NotifyDisplayMessages(Message):
    requestId: Int
    messageInfo: list[MessageInfo] | None = None
    tbc: bool | None = None


class SetDisplayMessage(Message):
    message: MessageInfo
