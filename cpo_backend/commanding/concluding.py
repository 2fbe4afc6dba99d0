"""The outcome of a command: written once, and told to whoever waits for it in the same transaction."""

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from cpo_backend import pruning
from cpo_backend.local_lists import sending
from cpo_backend.models import Charger, OcppCommand
from cpo_backend.ocpp import fencing
from cpo_backend.ocpp.frame_log import without_secrets
from cpo_backend.operations import progress
from cpo_backend.power import outcomes
from cpo_backend.profiles import applying
from cpo_backend.registry import configuring, passwords
from cpo_backend.remote import answering
from cpo_backend.transactions import asking

Status, Purpose = OcppCommand.Status, OcppCommand.Purpose

# Who waits for the outcome of what; each is called with the concluded row, inside its transaction.
_WAITING: dict[str, Callable[[OcppCommand], None]] = {
    Purpose.CONFIGURATION: configuring.take,
    Purpose.PASSWORD: passwords.take,
    Purpose.TRANSACTION: asking.take,
    Purpose.REMOTE: answering.take,
    Purpose.PROFILE: applying.take,
    Purpose.OPERATION: progress.answered,
    Purpose.LOCAL_LIST: sending.take,
}
# Whoever sends a command sees to its end; only when it has not done so for as long has it died.
_LATE = timedelta(seconds=5)


@transaction.atomic
def conclude(
    command_id: int, status: OcppCommand.Status, result: str = "", error_code: str = "", error_description: str = ""
) -> bool:
    """Write down the outcome; False when there is one already."""
    command = OcppCommand.objects.select_for_update().filter(pk=command_id).first()
    if command is None or command.status not in (Status.QUEUED, Status.SENT):
        return False
    command.status, command.result, command.answered_at = status, result, timezone.now()
    command.error_code, command.error_description = error_code[:50], error_description[:255]
    command.payload = without_secrets(command.payload)
    command.save()
    if waiting := _WAITING.get(command.purpose):
        waiting(command)
    outcomes.answered(command)
    return True


def sweep() -> int:
    """End what nobody will end: without a connection, or beyond its time. Returns how many commands that were."""
    now, ended = timezone.now(), 0
    unended = OcppCommand.objects.filter(status__in=(Status.QUEUED, Status.SENT))
    queued = unended.filter(status=Status.QUEUED)
    for id in queued.exclude(charger__in=Charger.objects.filter(fencing.online())).values_list("pk", flat=True):
        ended += conclude(id, Status.OFFLINE)
    expired = queued.filter(expires_at__lt=now) | unended.filter(expires_at__lt=now - _LATE)
    for id in expired.values_list("pk", flat=True):
        ended += conclude(id, Status.TIMEOUT)
    return ended


def prune(days: int = 90) -> int:
    """Forget commands of long ago."""
    return pruning.delete(OcppCommand.objects.filter(created_at__lt=timezone.now() - timedelta(days=days)))
