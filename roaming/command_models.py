"""Commands in both directions, their results, and the charging profiles that follow from them."""

from typing import ClassVar

from django.db import models

from ocpi.ports import Command

COMMANDS = [(command.value, command.value) for command in Command]


class Outgoing(models.Model):
    """Something that a platform is to be told: sent until it is acknowledged, or given up."""

    document = models.TextField(blank=True, default="", help_text="The body of the request")
    due_at = models.DateTimeField(null=True, blank=True, help_text="Next attempt; empty: delivered, or given up")
    claimed_until = models.DateTimeField(null=True, blank=True, help_text="A worker is sending it until then")
    revision = models.PositiveIntegerField(default=1, help_text="Counts what there was to tell")
    attempts = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="", help_text="Of the last attempt")

    platform_path: ClassVar[str]  # the lookup that leads to the platform

    class Meta:
        abstract = True


def _due(name: str) -> models.Index:
    return models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name=f"{name}_due")


class ReceivedCommand(models.Model):
    """A command for a charge point of ours: what was asked, what we answered, and what came of it."""

    platform = models.ForeignKey("roaming.Platform", on_delete=models.CASCADE, related_name="received_commands")
    command = models.CharField(max_length=40, choices=COMMANDS)
    commander = models.CharField(max_length=6, help_text="CC*PID that commands")
    party = models.CharField(max_length=6, help_text="CC*PID of ours that is commanded")
    subject = models.CharField(max_length=120, help_text="What it is about: Session, reservation, or place")
    document = models.TextField(help_text="As it came")
    response_url = models.CharField(max_length=255)
    correlation_id = models.CharField(max_length=128)
    received_at = models.DateTimeField(auto_now_add=True)
    response = models.CharField(max_length=40, blank=True)
    response_message = models.TextField(blank=True, default="")
    timeout = models.PositiveIntegerField(default=0, help_text="Seconds that we promised the result within")
    deadline = models.DateTimeField(null=True, blank=True, help_text="A result is awaited until then; empty: none is")
    result = models.CharField(max_length=40, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["deadline"], condition=models.Q(deadline__isnull=False), name="receivedcommand_awaited"
            ),
            models.Index(fields=["received_at"], name="receivedcommand_age"),
        ]

    def __str__(self) -> str:
        return f"{self.command} {self.subject}"


class CommandOutcome(Outgoing):
    """A result for its command's response_url: the first, or the cancellation of a reservation after it."""

    platform_path = "command__platform"

    command = models.ForeignKey(ReceivedCommand, on_delete=models.CASCADE, related_name="outcomes")
    rank = models.PositiveSmallIntegerField(help_text="0: the result; 1: the cancellation of the reservation")
    result = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["command", "rank"], name="commandoutcome_once")]
        indexes = [_due("commandoutcome")]

    def __str__(self) -> str:
        return f"{self.command}: {self.result}"


class ProfileFollower(Outgoing):
    """A party that has set a charging profile on a Session of ours, and is told from then on what applies."""

    platform_path = "platform"

    platform = models.ForeignKey("roaming.Platform", on_delete=models.CASCADE, related_name="profile_followers")
    party = models.CharField(max_length=6, help_text="CC*PID that set the profile")
    owner = models.CharField(max_length=6, help_text="CC*PID of ours whose Session it is")
    session_key = models.CharField(max_length=120, help_text="The Session's id, lower case")
    session_id = models.CharField(max_length=120, blank=True, default="", help_text="As its owner spells it")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["platform", "party", "owner", "session_key"], name="profilefollower_key")
        ]
        indexes = [
            _due("profilefollower"),
            models.Index(fields=["owner", "session_key"], name="profilefollower_session"),
        ]

    def __str__(self) -> str:
        return f"{self.party} {self.session_key}"


class SentCommand(models.Model):
    """A command of ours: what we asked, what was answered, and what came to our response_url."""

    class State(models.TextChoices):
        SENDING = "SENDING", "being sent"
        FAILED = "FAILED", "not delivered"
        REFUSED = "REFUSED", "refused"
        WAITING = "WAITING", "waits for the result"
        TIMED_OUT = "TIMED_OUT", "no result in time"
        RESOLVED = "RESOLVED", "has a result"

    uid = models.CharField(max_length=64, unique=True, help_text="What makes its response_url unguessable")
    platform = models.ForeignKey("roaming.Platform", on_delete=models.CASCADE, related_name="sent_commands")
    command = models.CharField(max_length=40, choices=COMMANDS)
    commander = models.CharField(max_length=6, help_text="CC*PID of ours that commands")
    party = models.CharField(max_length=6, help_text="CC*PID that is commanded")
    subject = models.CharField(max_length=120, help_text="What it is about: Session, reservation, or place")
    document = models.TextField(help_text="As we sent it")
    correlation_id = models.CharField(max_length=128)
    ordered_by = models.CharField(max_length=150, blank=True)
    sent_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=10, choices=State, default=State.SENDING)
    response = models.CharField(max_length=40, blank=True)
    response_document = models.TextField(blank=True, default="")
    deadline = models.DateTimeField(null=True, blank=True, help_text="The result was promised until then")
    result = models.CharField(max_length=40, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    late = models.BooleanField(default=False, help_text="The result came after the deadline")
    error = models.TextField(blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["state", "deadline"], name="sentcommand_awaited")]

    def __str__(self) -> str:
        return f"{self.command} {self.subject}"


class ReturnedResult(models.Model):
    """What came to a response_url of ours; of several that differ, the one that `counts` is the command's result."""

    command = models.ForeignKey(SentCommand, on_delete=models.CASCADE, related_name="returned")
    result = models.CharField(max_length=40)
    document = models.TextField()
    counts = models.BooleanField()
    late = models.BooleanField()
    received_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.command}: {self.result}"


class ActiveProfile(models.Model):
    """What a CPO last said of the charging profile that applies to a Session of a driver of ours."""

    platform = models.ForeignKey("roaming.Platform", on_delete=models.CASCADE, related_name="active_profiles")
    owner = models.CharField(max_length=6, help_text="CC*PID of the Session's owner")
    session_key = models.CharField(max_length=120, help_text="The Session's id, lower case")
    document = models.TextField(help_text="The ActiveChargingProfile as it came")
    received_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "session_key"], name="activeprofile_key")]

    def __str__(self) -> str:
        return f"{self.owner} {self.session_key}"
