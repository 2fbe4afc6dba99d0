"""OCPP 1.6: Firmware management. Field names are those of the wire."""

from cpo_backend.ocpp.wire.messages import Int, Message


class DiagnosticsStatusNotification(Message):
    status: str


class FirmwareStatusNotification(Message):
    status: str


class GetDiagnostics(Message):
    location: str
    retries: Int | None = None
    retryInterval: Int | None = None
    startTime: str | None = None
    stopTime: str | None = None


class GetDiagnosticsResponse(Message):
    fileName: str | None = None


class UpdateFirmware(Message):
    location: str
    retrieveDate: str
    retries: Int | None = None
    retryInterval: Int | None = None
