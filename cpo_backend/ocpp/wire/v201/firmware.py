"""OCPP 2.0.1: Firmware management. Field names are those of the wire."""

from cpo_backend.ocpp.wire.messages import Int, Message


class Firmware(Message):
    location: str
    retrieveDateTime: str
    installDateTime: str | None = None
    signingCertificate: str | None = None
    signature: str | None = None


class FirmwareStatusNotification(Message):
    status: str
    requestId: Int | None = None


class PublishFirmware(Message):
    location: str
    checksum: str
    requestId: Int
    retries: Int | None = None
    retryInterval: Int | None = None


class PublishFirmwareStatusNotification(Message):
    status: str
    location: list[str] | None = None
    requestId: Int | None = None


class UnpublishFirmware(Message):
    checksum: str


class UpdateFirmware(Message):
    requestId: Int
    firmware: Firmware
    retries: Int | None = None
    retryInterval: Int | None = None
