"""OCPP 2.0.1: what is done about each message of a charger. An action without a row is answered NotSupported."""

from cpo_backend.alarms import sounding
from cpo_backend.billing import showing
from cpo_backend.local_lists.limits import LENGTH_OF_LIST
from cpo_backend.models import Alarm
from cpo_backend.ocpp.handling import Handling, Received
from cpo_backend.ocpp.handling.shared import (
    NOTED,
    arrival,
    boot,
    note,
    on_firmware_status,
    on_security_event,
    on_upload_status,
    record,
)
from cpo_backend.ocpp.rooms import Room
from cpo_backend.ocpp.station import Station
from cpo_backend.ocpp.wire import times
from cpo_backend.ocpp.wire.messages import Empty
from cpo_backend.ocpp.wire.v201 import (
    authorization,
    availability,
    diagnostics,
    messages,
    provisioning,
    reservation,
    security,
    transactions,
)
from cpo_backend.ocpp.wire.v201.types import IdToken, IdTokenInfo, Outcome
from cpo_backend.registry import configuring
from cpo_backend.registry.boots import Boot
from cpo_backend.registry.configuring import Setting
from cpo_backend.remote import permitting
from cpo_backend.reserving import holding
from cpo_backend.status.recording import Report
from cpo_backend.tokens import authorizing, identifying
from cpo_backend.transactions import events, metering, readings
from cpo_backend.transactions.facts import Event, Permit
from ocpi.v221.tokens import AllowedType

_TOKEN_STATUS = {
    AllowedType.ALLOWED: "Accepted",
    AllowedType.BLOCKED: "Blocked",
    AllowedType.EXPIRED: "Expired",
    AllowedType.NO_CREDIT: "NoCredit",
    AllowedType.NOT_ALLOWED: "NotAtThisLocation",
}
# The station is set to ask nobody, and a button starts it: that is always accepted (C02.FR.02), and nobody is billed.
_NOBODY = "NoAuthorization"
_LONGEST_GROUP = 36


def on_boot_notification(
    station: Station, request: provisioning.BootNotification, received: Received
) -> provisioning.BootNotificationResponse:
    told, modem = request.chargingStation, request.chargingStation.modem
    facts = Boot(
        vendor=told.vendorName,
        model=told.model,
        serial_number=told.serialNumber or "",
        firmware_version=told.firmwareVersion or "",
        iccid=(modem and modem.iccid) or "",
        imsi=(modem and modem.imsi) or "",
        boot_reason=request.reason,
    )
    answer = boot(station, facts, received.at)
    return provisioning.BootNotificationResponse(
        status=answer.status, currentTime=times.now(), interval=answer.interval
    )


def on_heartbeat(station: Station, request: Empty, received: Received) -> availability.HeartbeatResponse:
    return availability.HeartbeatResponse(currentTime=times.format(received.at))


def on_status_notification(station: Station, request: availability.StatusNotification, received: Received) -> Empty:
    report = Report(
        number=request.evseId,
        connector=request.connectorId,
        word=request.connectorStatus.value,
        told_at=times.read(request.timestamp),
    )
    record(station, report, received.at)
    return NOTED


def on_authorize(
    station: Station, request: authorization.Authorize, received: Received
) -> authorization.AuthorizeResponse:
    return authorization.AuthorizeResponse(idTokenInfo=token_info(station, request.idToken))


def token_info(station: Station, token: IdToken) -> IdTokenInfo:
    if token.type == _NOBODY:
        return IdTokenInfo(status="Accepted")
    return _info(authorizing.decide(station.charger_id, *identifying.identify(token.idToken, token.type)))


def _info(decision: authorizing.Decision | Permit) -> IdTokenInfo:
    status = _TOKEN_STATUS.get(decision.allowed, "Invalid") if decision.is_known else "Unknown"
    group = decision.group_id
    if not group or len(group) > _LONGEST_GROUP:
        return IdTokenInfo(status=status)
    return IdTokenInfo(status=status, groupIdToken=IdToken(idToken=group, type="Central"))


def on_transaction_event(
    station: Station, request: transactions.TransactionEvent, received: Received
) -> transactions.TransactionEventResponse:
    """Nobody is asked twice about the token of a transaction, nor about that of its end."""
    info, token = request.transactionInfo, request.idToken
    has_token = token is not None and token.type != _NOBODY
    event = Event(
        told_id=info.transactionId[:36],
        kind=request.eventType,
        seq_no=request.seqNo,
        told=request.timestamp,
        number=request.evse.id if request.evse else None,
        connector=request.evse.connectorId if request.evse else None,
        state=info.chargingState or "",
        reason=info.stoppedReason or "",
        id_tag=token.idToken if token and has_token else "",
        token_type=token.type if token and has_token else "",
        reservation_id=request.reservationId,
        remote_start_id=info.remoteStartId,
    )
    permit = _permit(station, event)
    values = readings.of_v201(request.meterValue or ())
    events.take(arrival(station, "TransactionEvent", received), event, values, permit)
    # Only when charging has ended, by OCPP 2.0.1; what it costs until then comes by CostUpdated.
    cost = showing.final(station.charger_id, event.told_id) if event.kind == events.ENDED else None
    return transactions.TransactionEventResponse(totalCost=cost, idTokenInfo=_told(permit, token))


def _told(permit: Permit | None, token: IdToken | None) -> IdTokenInfo | None:
    if token is None:
        return None
    if permit is not None:
        return _info(permit)
    return IdTokenInfo(status="Accepted" if token.type == _NOBODY else "Invalid")


def _permit(station: Station, event: Event) -> Permit | None:
    """None where nothing is told of who pays."""
    known = events.decided(station.charger_id, event) if event.id_tag else None
    return known or permitting.of_event(station.charger_id, event)


def on_reservation_status_update(
    station: Station, request: reservation.ReservationStatusUpdate, received: Received
) -> Empty:
    is_expired = request.reservationUpdateStatus == "Expired"
    holding.ended_by_charger(station.charger_id, request.reservationId, is_expired=is_expired)
    return NOTED


def on_meter_values(station: Station, request: transactions.MeterValues, received: Received) -> Empty:
    values = readings.of_v201(request.meterValue)
    metering.meter_values(metering.Told(arrival(station, "MeterValues", received), request.evseId, None, values))
    return NOTED


def on_data_transfer(
    station: Station, request: messages.DataTransfer, received: Received
) -> messages.DataTransferResponse:
    return messages.DataTransferResponse(status="UnknownVendorId")


def on_sign_certificate(station: Station, request: security.SignCertificate, received: Received) -> Outcome:
    """We have no authority that could sign."""
    return Outcome(status="Rejected")


def on_get_certificate_status(
    station: Station, request: security.GetCertificateStatus, received: Received
) -> security.GetCertificateStatusResponse:
    return security.GetCertificateStatusResponse(status="Failed")


def on_charging_needs(station: Station, request: Empty, received: Received) -> Outcome:
    """Nobody here makes a schedule from what a car wants."""
    return Outcome(status="Rejected")


def on_notify_report(station: Station, request: provisioning.NotifyReport, received: Received) -> Empty:
    found = [
        Setting(f"{data.component.name}.{data.variable.name}", attribute.value, attribute.mutability == "ReadOnly")
        for data in request.reportData or ()
        for attribute in data.variableAttribute
        if attribute.type in (None, "Actual")
    ]
    found += [
        Setting(f"{LENGTH_OF_LIST}.maxLimit", str(int(data.variableCharacteristics.maxLimit)), True)
        for data in request.reportData or ()
        if f"{data.component.name}.{data.variable.name}" == LENGTH_OF_LIST
        and data.variableCharacteristics
        and data.variableCharacteristics.maxLimit is not None
    ]
    configuring.take_report(station.charger_id, request.seqNo, found, is_last=not request.tbc)
    return NOTED


def on_notify_event(station: Station, request: diagnostics.NotifyEvent, received: Received) -> Empty:
    """An alerting event is an alarm until the charger says that it is over."""
    for event in request.eventData:
        subject = f"{event.component.name}.{event.variable.name}"
        if event.cleared:
            sounding.clear(station.charger_id, Alarm.Kind.EVENT, subject=subject)
        elif event.trigger == "Alerting":
            told = " ".join(part for part in (event.actualValue, event.techCode, event.techInfo) if part)
            sounding.sound(station.charger_id, Alarm.Kind.EVENT, subject, told)
    return NOTED


HANDLERS: dict[str, Handling] = {
    "Authorize": Handling(on_authorize, Room.PARTNERS),
    "BootNotification": Handling(on_boot_notification, before_acceptance=True),
    "ClearedChargingLimit": Handling(note, Room.LOOP),
    "DataTransfer": Handling(on_data_transfer, Room.LOOP),
    "FirmwareStatusNotification": Handling(on_firmware_status),
    "GetCertificateStatus": Handling(on_get_certificate_status, Room.LOOP),
    "Heartbeat": Handling(on_heartbeat, Room.LOOP, before_acceptance=True),
    "LogStatusNotification": Handling(on_upload_status),
    "MeterValues": Handling(on_meter_values),
    "NotifyChargingLimit": Handling(note, Room.LOOP),
    "NotifyCustomerInformation": Handling(note, Room.LOOP),
    "NotifyDisplayMessages": Handling(note, Room.LOOP),
    "NotifyEVChargingNeeds": Handling(on_charging_needs, Room.LOOP),
    "NotifyEVChargingSchedule": Handling(on_charging_needs, Room.LOOP),
    "NotifyEvent": Handling(on_notify_event),
    "NotifyMonitoringReport": Handling(note, Room.LOOP),
    "NotifyReport": Handling(on_notify_report),
    "PublishFirmwareStatusNotification": Handling(note, Room.LOOP),
    "ReportChargingProfiles": Handling(note, Room.LOOP),
    "ReservationStatusUpdate": Handling(on_reservation_status_update),
    "SecurityEventNotification": Handling(on_security_event),
    "SignCertificate": Handling(on_sign_certificate, Room.LOOP),
    "StatusNotification": Handling(on_status_notification),
    "TransactionEvent": Handling(on_transaction_event, Room.PARTNERS, asks=lambda request: request.idToken is not None),
}
