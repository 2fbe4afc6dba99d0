"""What both versions do alike."""

from datetime import datetime, timedelta
from typing import Any

from cpo_backend.alarms import sounding
from cpo_backend.models import Alarm, OperationJob
from cpo_backend.ocpp.handling import Received
from cpo_backend.ocpp.station import Station
from cpo_backend.ocpp.wire.messages import Empty
from cpo_backend.operations import progress
from cpo_backend.registry import boots
from cpo_backend.registry.boots import Answer, Boot
from cpo_backend.status import recording
from cpo_backend.status.recording import Report
from cpo_backend.transactions import metering
from cpo_backend.transactions.facts import Arrival

NOTED = Empty()


def note(station: Station, request: Any, received: Received) -> Empty:
    """What is kept in the message log and needs no more."""
    return NOTED


def boot(station: Station, facts: Boot, received_at: datetime) -> Answer:
    answer = boots.boot(station.charger_id, facts, received_at)
    station.is_accepted = answer.is_accepted
    progress.booted(station.charger_id)
    station.offsets.clear()  # the answer sets the clock
    return answer


def record(station: Station, report: Report, received_at: datetime) -> None:
    recording.record(station.charger_id, station.generation, report, received_at)
    metering.status(station.charger_id, report.number, report.word, report.told_at, received_at)
    if report.told_at is not None:
        offset = station.clock_offset(report.told_at, received_at)
        if offset is not None:
            recording.check_clock(station.charger_id, offset)


def on_upload_status(station: Station, request: Any, received: Received) -> Empty:
    """How an upload of diagnostics goes on; the oldest message of all names no request."""
    request_id = getattr(request, "requestId", None)
    progress.reported(station.charger_id, OperationJob.Kind.DIAGNOSTICS, request.status, request_id)
    return NOTED


def on_firmware_status(station: Station, request: Any, received: Received) -> Empty:
    """How an update of the firmware goes on."""
    request_id = getattr(request, "requestId", None)
    progress.reported(station.charger_id, OperationJob.Kind.FIRMWARE, request.status, request_id)
    return NOTED


def arrival(station: Station, action: str, received: Received) -> Arrival:
    """A message about a transaction, as it is kept."""
    offset = None if station.offset is None else timedelta(seconds=station.offset)
    return Arrival(station.charger_id, action, bytes(received.payload).decode(), received.at, offset)


def on_security_event(station: Station, request: Any, received: Received) -> Empty:
    """The same in both versions, field by field."""
    told = " ".join(part for part in (request.timestamp, request.techInfo) if part)
    sounding.sound(station.charger_id, Alarm.Kind.SECURITY, request.type, told)
    return NOTED
