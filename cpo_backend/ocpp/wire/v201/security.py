"""OCPP 2.0.1: Security. Field names are those of the wire."""

from cpo_backend.ocpp.wire.messages import Message
from cpo_backend.ocpp.wire.v201.types import CertificateHashData, OCSPRequestData, StatusInfo


class CertificateHashDataChain(Message):
    certificateHashData: CertificateHashData
    certificateType: str
    childCertificateHashData: list[CertificateHashData] | None = None


class CertificateSigned(Message):
    certificateChain: str
    certificateType: str | None = None


class DeleteCertificate(Message):
    certificateHashData: CertificateHashData


class Get15118EVCertificate(Message):
    iso15118SchemaVersion: str
    action: str
    exiRequest: str


class Get15118EVCertificateResponse(Message):
    status: str
    exiResponse: str
    statusInfo: StatusInfo | None = None


class GetCertificateStatus(Message):
    ocspRequestData: OCSPRequestData


class GetCertificateStatusResponse(Message):
    status: str
    statusInfo: StatusInfo | None = None
    ocspResult: str | None = None


class GetInstalledCertificateIds(Message):
    certificateType: list[str] | None = None


class GetInstalledCertificateIdsResponse(Message):
    status: str
    statusInfo: StatusInfo | None = None
    certificateHashDataChain: list[CertificateHashDataChain] | None = None


class InstallCertificate(Message):
    certificateType: str
    certificate: str


class SecurityEventNotification(Message):
    type: str
    timestamp: str
    techInfo: str | None = None


class SignCertificate(Message):
    csr: str
    certificateType: str | None = None
