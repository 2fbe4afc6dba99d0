"""OCPP 2.0.1: Authorization and local list. Field names are those of the wire."""

from cpo_backend.ocpp.wire.messages import Int, Message
from cpo_backend.ocpp.wire.v201.types import IdToken, IdTokenInfo, OCSPRequestData


class AuthorizationData(Message):
    idToken: IdToken
    idTokenInfo: IdTokenInfo | None = None


class Authorize(Message):
    idToken: IdToken
    certificate: str | None = None
    iso15118CertificateHashData: list[OCSPRequestData] | None = None


class AuthorizeResponse(Message):
    idTokenInfo: IdTokenInfo
    certificateStatus: str | None = None


class GetLocalListVersionResponse(Message):
    versionNumber: Int


class SendLocalList(Message):
    versionNumber: Int
    updateType: str
    localAuthorizationList: list[AuthorizationData] | None = None
