"""Follows what chargers say of what staff have them do."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from cpo_backend.models import OcppCommand, OperationJob, OperationStep
from cpo_backend.registry import configuring
from ocpi.types import codec

State, Kind = OperationStep.State, OperationJob.Kind

# What goes on after the answer, and how long at most.
_PATIENCE = {
    Kind.RESET: timedelta(minutes=5),
    Kind.DIAGNOSTICS: timedelta(hours=1),
    Kind.FIRMWARE: timedelta(hours=2),
}
# A charger that resets when it is idle does so when the last car has left.
_WHEN_IDLE = timedelta(hours=24)
_OF_CONFIGURATION = (Kind.CONFIGURE, Kind.READ_CONFIGURATION)
_GOOD = frozenset({"Accepted", "AcceptedCanceled", "Scheduled", "RebootRequired", "Unlocked"})
# The words with which a charger ends an upload or an update.
_ENDS_WELL = frozenset({"Uploaded", "Installed"})
_ENDS_BADLY = frozenset(
    {
        "UploadFailed",
        "UploadFailure",
        "BadMessage",
        "NotSupportedOperation",
        "PermissionDenied",
        "DownloadFailed",
        "InstallationFailed",
        "InstallVerificationFailed",
        "InvalidSignature",
    }
)


def answered(command: OcppCommand) -> None:
    """The charger's answer."""
    step = OperationStep.objects.select_for_update(of=("self",)).select_related("job").filter(ocpp_command=command)
    found = step.first()
    if found is None or found.state != State.ASKED:
        return
    if command.status != OcppCommand.Status.OK:
        told = f"{command.get_status_display()} {command.error_code} {command.error_description}"
        _set(found, State.FAILED, told.strip())
        return
    answer = codec.decode(command.result.encode())
    _answered(found, answer if isinstance(answer, dict) else {})
    if found.state == State.DONE and found.job.kind in _OF_CONFIGURATION:
        configuring.take(command)


def _answered(step: OperationStep, answer: Mapping[str, Any]) -> None:
    status = _status(answer)
    if status and status not in _GOOD:
        _set(step, State.FAILED, status)
    elif step.job.kind == Kind.DIAGNOSTICS and not answer.get("fileName") and not status:
        _set(step, State.DONE, "nothing to upload")
    elif step.job.kind in _PATIENCE:
        patience = _WHEN_IDLE if status == "Scheduled" else _PATIENCE[Kind(step.job.kind)]
        _set(step, State.RUNNING, status, patience)
    else:
        _set(step, State.DONE, status)


def _status(answer: Mapping[str, Any]) -> str:
    """Of an answer, or of the one variable that was set; answers without any are good."""
    results = answer.get("setVariableResult")
    if isinstance(results, list) and results and isinstance(results[0], dict):
        return str(results[0].get("attributeStatus") or "")
    return str(answer.get("status") or "")


def reported(charger_id: int, kind: OperationJob.Kind, status: str, step_id: int | None = None) -> None:
    """A charger says how an upload or an update goes on; one of OCPP 1.6 does not say which."""
    with transaction.atomic():
        step = _open(charger_id, kind, step_id)
        if step is None:
            return
        if status in _ENDS_WELL:
            _set(step, State.DONE, status)
        elif status in _ENDS_BADLY:
            _set(step, State.FAILED, status)
        elif status != "Idle":
            _set(step, State.RUNNING, status, _PATIENCE[kind])


@transaction.atomic
def booted(charger_id: int) -> None:
    """A reset is over when the charger boots."""
    if (step := _open(charger_id, Kind.RESET)) is not None:
        _set(step, State.DONE, "it has booted")


def _open(charger_id: int, kind: OperationJob.Kind, step_id: int | None = None) -> OperationStep | None:
    steps = OperationStep.objects.select_for_update().filter(
        charger=charger_id, job__kind=kind, state__in=(State.ASKED, State.RUNNING)
    )
    return (steps.filter(pk=step_id) if step_id is not None else steps).order_by("pk").first()


def _set(step: OperationStep, state: OperationStep.State, detail: str, patience: timedelta | None = None) -> None:
    now = timezone.now()
    step.state, step.detail, step.changed_at = state, detail[:400], now
    step.deadline = now + patience if patience else None
    step.save(update_fields=["state", "detail", "changed_at", "deadline"])


def sweep() -> int:
    """What has not been heard of in time has failed; returns how much that is."""
    overdue = OperationStep.objects.filter(state=State.RUNNING, deadline__lt=timezone.now())
    return overdue.update(state=State.FAILED, detail="nothing more was heard of it", changed_at=timezone.now())
