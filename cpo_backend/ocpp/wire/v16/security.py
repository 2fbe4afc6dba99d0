"""OCPP 1.6: Security. Field names are those of the wire."""

from cpo_backend.ocpp.wire.messages import Int, Message, Number


class CertificateHashData(Message):
    hashAlgorithm: str
    issuerNameHash: str
    issuerKeyHash: str
    serialNumber: str


class Firmware(Message):
    location: str
    retrieveDateTime: str
    signingCertificate: str
    signature: str
    installDateTime: str | None = None


class LogParameters(Message):
    remoteLocation: str
    oldestTimestamp: str | None = None
    latestTimestamp: str | None = None


class CertificateSigned(Message):
    certificateChain: str


class DeleteCertificate(Message):
    certificateHashData: CertificateHashData


class ExtendedTriggerMessage(Message):
    requestedMessage: str
    connectorId: Number | None = None


class GetInstalledCertificateIds(Message):
    certificateType: str


class GetInstalledCertificateIdsResponse(Message):
    status: str
    certificateHashData: list[CertificateHashData] | None = None


class GetLog(Message):
    log: LogParameters
    logType: str
    requestId: Int
    retries: Int | None = None
    retryInterval: Int | None = None


class GetLogResponse(Message):
    status: str
    filename: str | None = None


class InstallCertificate(Message):
    certificateType: str
    certificate: str


class LogStatusNotification(Message):
    status: str
    requestId: Int | None = None


class SecurityEventNotification(Message):
    type: str
    timestamp: str
    techInfo: str | None = None


class SignCertificate(Message):
    csr: str


class SignedFirmwareStatusNotification(Message):
    status: str
    requestId: Int | None = None


class SignedUpdateFirmware(Message):
    requestId: Int
    firmware: Firmware
    retries: Int | None = None
    retryInterval: Int | None = None
