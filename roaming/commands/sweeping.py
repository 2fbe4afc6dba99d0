"""What happens when nothing happens: commands end by the clock, deliveries are tried again, old rows go."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from ocpi.ports import Command
from roaming.command_models import ActiveProfile, ProfileFollower, ReceivedCommand, SentCommand
from roaming.commands import delivering
from roaming.commands.receiving import resolve, silence

State = SentCommand.State
KEPT = timedelta(days=90)


def sweep() -> set[int]:
    """End what has waited long enough; returns the platforms that something is due for."""
    now = timezone.now()
    for pk, command in ReceivedCommand.objects.filter(deadline__lte=now).values_list("pk", "command"):
        resolve(pk, silence(Command(command)), "the charge point did not answer in time")
    SentCommand.objects.filter(state=State.WAITING, deadline__lte=now).update(state=State.TIMED_OUT)
    longest = timedelta(seconds=60 + 2 * settings.NODE_PARTNER_TIMEOUT)
    SentCommand.objects.filter(state=State.SENDING, sent_at__lte=now - longest).update(
        state=State.FAILED, error="the node stopped while it was sending this"
    )
    return delivering.waiting()


def prune() -> None:
    """Forget what is older than anybody asks about."""
    before = timezone.now() - KEPT
    ReceivedCommand.objects.filter(received_at__lt=before).delete()
    SentCommand.objects.filter(sent_at__lt=before).delete()
    ProfileFollower.objects.filter(created_at__lt=before).delete()
    ActiveProfile.objects.filter(received_at__lt=before).delete()
