"""OCPP 1.6: what is done about each message of a charger. An action without a row is answered NotSupported."""

from collections.abc import Sequence

from cpo_backend.ocpp.handling import Handling, Received, Work
from cpo_backend.ocpp.handling.shared import (
    arrival,
    boot,
    on_firmware_status,
    on_security_event,
    on_upload_status,
    record,
)
from cpo_backend.ocpp.rooms import Room
from cpo_backend.ocpp.station import Station
from cpo_backend.ocpp.wire import times
from cpo_backend.ocpp.wire.messages import Empty
from cpo_backend.ocpp.wire.v16 import core, security
from cpo_backend.ocpp.wire.v16.types import IdTagInfo, Outcome
from cpo_backend.registry.boots import Boot
from cpo_backend.remote import permitting
from cpo_backend.status.recording import Report
from cpo_backend.tokens import authorizing
from cpo_backend.transactions import metering, readings, starting, stopping
from cpo_backend.transactions.facts import Start, Stop
from ocpi.v221.tokens import AllowedType

_TAG_STATUS = {
    AllowedType.ALLOWED: "Accepted",
    AllowedType.BLOCKED: "Blocked",
    AllowedType.EXPIRED: "Expired",
    AllowedType.NO_CREDIT: "Blocked",
    AllowedType.NOT_ALLOWED: "Invalid",
}
_LONGEST_TAG = 20


def on_boot_notification(
    station: Station, request: core.BootNotification, received: Received
) -> core.BootNotificationResponse:
    facts = Boot(
        vendor=request.chargePointVendor,
        model=request.chargePointModel,
        serial_number=request.chargePointSerialNumber or request.chargeBoxSerialNumber or "",
        firmware_version=request.firmwareVersion or "",
        meter_type=request.meterType or "",
        meter_serial_number=request.meterSerialNumber or "",
        iccid=request.iccid or "",
        imsi=request.imsi or "",
    )
    answer = boot(station, facts, received.at)
    return core.BootNotificationResponse(status=answer.status, currentTime=times.now(), interval=answer.interval)


def on_heartbeat(station: Station, request: Empty, received: Received) -> core.HeartbeatResponse:
    return core.HeartbeatResponse(currentTime=times.format(received.at))


def on_status_notification(station: Station, request: core.StatusNotification, received: Received) -> Empty:
    detail = " ".join(part for part in (request.vendorId, request.vendorErrorCode, request.info) if part)
    report = Report(
        number=request.connectorId,
        word=request.status.value,
        error_code=request.errorCode,
        detail=detail,
        told_at=times.read(request.timestamp),
    )
    record(station, report, received.at)
    return Empty()


def on_authorize(station: Station, request: core.Authorize, received: Received) -> core.AuthorizeResponse:
    decision = authorizing.decide(station.charger_id, request.idTag)
    return core.AuthorizeResponse(idTagInfo=_tag_info(decision))


def _tag_info(decision: authorizing.Decision) -> IdTagInfo:
    group = decision.group_id
    return IdTagInfo(
        status=_TAG_STATUS.get(decision.allowed, "Invalid"),
        parentIdTag=group if group and len(group) <= _LONGEST_TAG else None,
    )


def on_data_transfer(station: Station, request: core.DataTransfer, received: Received) -> core.DataTransferResponse:
    return core.DataTransferResponse(status="UnknownVendorId")


def on_sign_certificate(station: Station, request: security.SignCertificate, received: Received) -> Outcome:
    """We have no authority that could sign."""
    return Outcome(status="Rejected")


def on_start_transaction(
    station: Station, request: core.StartTransaction, received: Received
) -> core.StartTransactionResponse:
    """A start that was answered before gets the same answer, and nobody is asked again."""
    start = Start.of(request)
    message = arrival(station, "StartTransaction", received)
    started = starting.known(message, start)
    if started is None:
        started = starting.begin(message, start, permitting.of_start(station.charger_id, start))
    status = _TAG_STATUS.get(started.allowed, "Invalid")
    return core.StartTransactionResponse(transactionId=started.transaction_id, idTagInfo=IdTagInfo(status=status))


def on_stop_transaction(
    station: Station, request: core.StopTransaction, received: Received
) -> core.StopTransactionResponse:
    values = readings.of_v16(request.transactionData or ())
    stopping.stop(arrival(station, "StopTransaction", received), Stop.of(request), values)
    return core.StopTransactionResponse(idTagInfo=IdTagInfo(status="Accepted") if request.idTag else None)


def on_meter_values(station: Station, request: core.MeterValues, received: Received) -> Empty:
    metering.meter_values(_metered(station, request, received))
    return Empty()


def on_many_meter_values(works: Sequence[Work]) -> list[Empty | None]:
    done = metering.of_many([_metered(*work) for work in works])
    return [Empty() if is_done else None for is_done in done]


def _metered(station: Station, request: core.MeterValues, received: Received) -> metering.Told:
    message = arrival(station, "MeterValues", received)
    return metering.Told(message, request.connectorId, request.transactionId, readings.of_v16(request.meterValue))


HANDLERS: dict[str, Handling] = {
    "Authorize": Handling(on_authorize, Room.PARTNERS),
    "BootNotification": Handling(on_boot_notification, before_acceptance=True),
    "DataTransfer": Handling(on_data_transfer, Room.LOOP),
    "DiagnosticsStatusNotification": Handling(on_upload_status),
    "FirmwareStatusNotification": Handling(on_firmware_status),
    "Heartbeat": Handling(on_heartbeat, Room.LOOP, before_acceptance=True),
    "LogStatusNotification": Handling(on_upload_status),
    "MeterValues": Handling(on_meter_values, many=on_many_meter_values),
    "SecurityEventNotification": Handling(on_security_event),
    "SignCertificate": Handling(on_sign_certificate, Room.LOOP),
    "SignedFirmwareStatusNotification": Handling(on_firmware_status),
    "StartTransaction": Handling(on_start_transaction, Room.PARTNERS),
    "StatusNotification": Handling(on_status_notification),
    "StopTransaction": Handling(on_stop_transaction),
}
