"""OCPP 1.6: Local authorization list. Field names are those of the wire."""

from cpo_backend.ocpp.wire.messages import Int, Message
from cpo_backend.ocpp.wire.v16.types import IdTagInfo


class AuthorizationData(Message):
    idTag: str
    idTagInfo: IdTagInfo | None = None


class GetLocalListVersionResponse(Message):
    listVersion: Int


class SendLocalList(Message):
    listVersion: Int
    updateType: str
    localAuthorizationList: list[AuthorizationData] | None = None
