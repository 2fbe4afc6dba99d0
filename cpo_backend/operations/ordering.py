"""Has chargers do something: a job, with a step and an outcome for each of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from cpo_backend.commanding import queue
from cpo_backend.files import offering
from cpo_backend.models import Charger, OcppCommand, OperationJob, OperationStep
from cpo_backend.operations.requests import Unfit, Wish, call, check
from ocpi.types import codec

State = OperationStep.State
# Of which a charger does one at a time: it does not say which one it reports about.
_ONE_AT_A_TIME = (OperationJob.Kind.FIRMWARE, OperationJob.Kind.DIAGNOSTICS)


@transaction.atomic
def order(kind: str, parameters: Mapping[str, Any], chargers: Iterable[Charger], by: str = "") -> OperationJob:
    """Ask each of these chargers; what cannot be asked of one of them has failed there, and there alone.

    Raises Unfit for what must not be written down.
    """
    check(kind, parameters)
    now = timezone.now()
    job = OperationJob.objects.create(
        kind=kind, parameters=codec.encode_text(parameters), created_by=by[:150], created_at=now
    )
    for charger in chargers:
        step = OperationStep.objects.create(job=job, charger=charger, changed_at=now)
        _ask(step, Wish(kind, parameters, step.pk, now))
        step.save()
    return job


def _ask(step: OperationStep, wish: Wish) -> None:
    if wish.kind in _ONE_AT_A_TIME and _goes_on(step, wish.kind):
        step.state, step.detail = State.FAILED, "the one before has not ended yet"
        return
    try:
        asked = call(step.charger.version, offering.located(step, wish))
    except Unfit as error:
        step.state, step.detail = State.FAILED, str(error)
        return
    command = queue.put(step.charger, asked.action, asked.payload, purpose=OcppCommand.Purpose.OPERATION)
    step.ocpp_command = command
    if command.status == OcppCommand.Status.OFFLINE:
        step.state, step.detail = State.FAILED, "the charger is not connected"


def _goes_on(step: OperationStep, kind: str) -> bool:
    others = OperationStep.objects.filter(charger=step.charger, job__kind=kind, state__in=(State.ASKED, State.RUNNING))
    return others.exclude(pk=step.pk).exists()
