"""Who holds which socket, what chargers are told, and what went over the wire."""

from django.db import models

from cpo_backend.charger_models import Charger


class OcppNode(models.Model):
    """A process that holds sockets. One that is not seen any more has lost them."""

    id = models.UUIDField(primary_key=True)
    host = models.CharField(max_length=80)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    received = models.BigIntegerField(default=0, help_text="Messages of chargers")
    sent = models.BigIntegerField(default=0, help_text="Messages to chargers")

    class Meta:
        verbose_name = "OCPP process"
        verbose_name_plural = "OCPP processes"

    def __str__(self) -> str:
        return self.host


class OcppConnection(models.Model):
    """The socket of a charger. The newest wins; `generation` tells it from those before."""

    charger = models.OneToOneField(Charger, on_delete=models.CASCADE, primary_key=True, related_name="connection")
    node = models.ForeignKey(OcppNode, on_delete=models.CASCADE, related_name="connections")
    generation = models.UUIDField()
    version = models.CharField(max_length=8)
    security_profile = models.PositiveSmallIntegerField()
    address = models.CharField(max_length=60, blank=True)
    connected_at = models.DateTimeField()

    class Meta:
        verbose_name = "OCPP connection"

    def __str__(self) -> str:
        return f"{self.charger_id} since {self.connected_at:%F %T}"


class OcppCommand(models.Model):
    """A CALL to a charger: written first, sent by whoever holds the socket, with one outcome."""

    class Status(models.TextChoices):
        QUEUED = "queued", "queued"
        SENT = "sent", "sent"
        OK = "ok", "answered"
        ERROR = "error", "error"
        TIMEOUT = "timeout", "no answer in time"
        OFFLINE = "offline", "offline"

    class Purpose(models.TextChoices):
        STAFF = "staff", "asked for by staff"
        CONFIGURATION = "configuration", "configuration"
        STATUS = "status", "status after a reconnect"
        PASSWORD = "password", "new password"
        TRANSACTION = "transaction", "whether a transaction goes on"
        REMOTE = "remote", "asked for by a partner"
        PROFILE = "profile", "which charging profile applies"
        POWER = "power", "a limit where power is shared"
        OPERATION = "operation", "a step of an operation"
        COST = "cost", "what a session costs, to be shown"
        LOCAL_LIST = "local list", "the local authorization list"

    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="commands")
    action = models.CharField(max_length=50)
    payload = models.TextField(help_text="JSON; secrets are removed once it is sent")
    purpose = models.CharField(max_length=20, default=Purpose.STAFF, help_text="Who waits for the outcome")
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    timeout = models.FloatField(help_text="Seconds the charger may take once it is sent")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="Not sent before")
    expires_at = models.DateTimeField(help_text="Without an outcome by then, it is a timeout")
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    result = models.TextField(blank=True, help_text="The payload of the answer, JSON")
    error_code = models.CharField(max_length=50, blank=True)
    error_description = models.CharField(max_length=255, blank=True)

    class Meta:
        indexes = [
            # What is to be sent, and what is to be given up.
            models.Index(fields=["charger", "id"], condition=models.Q(status="queued"), name="ocpp_command_queued"),
            models.Index(
                fields=["expires_at"], condition=models.Q(status__in=("queued", "sent")), name="ocpp_command_open"
            ),
            models.Index(fields=["created_at"], name="ocpp_command_age"),
        ]
        verbose_name = "OCPP command"

    def __str__(self) -> str:
        return f"{self.action} {self.status}"


class OcppMessage(models.Model):
    """A frame as it came or went. Written by `ocpp.frame_log` only, many at once."""

    class Direction(models.TextChoices):
        IN = "IN", "received"
        OUT = "OUT", "sent"

    at = models.DateTimeField()
    identity = models.CharField(max_length=48)
    direction = models.CharField(max_length=3, choices=Direction)
    message_id = models.CharField(max_length=36, blank=True)
    action = models.CharField(max_length=50, blank=True, help_text="Of an answer: what it answers")
    error_code = models.CharField(max_length=50, blank=True)
    text = models.TextField(help_text="The frame, as much as NODE_LOG_BODY allows, without what identifies drivers")
    size = models.PositiveIntegerField(help_text="Characters")
    milliseconds = models.PositiveIntegerField(null=True, help_text="Of an answer: how long it took")

    class Meta:
        indexes = [
            models.Index(fields=["at"], name="ocpp_message_at"),
            models.Index(fields=["identity", "at"], name="ocpp_message_identity"),
        ]
        verbose_name = "OCPP message"

    def __str__(self) -> str:
        return f"{self.identity} {self.direction} {self.action}"
