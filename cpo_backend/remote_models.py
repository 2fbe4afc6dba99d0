"""What partners ask of chargers while it is on its way, and what is remembered of drivers' tokens meanwhile."""

from django.db import models
from django.db.models import Q

from cpo_backend.charger_models import Charger
from cpo_backend.ocpp_models import OcppCommand


class TagAlias(models.Model):
    """A name of 20 characters for a token whose uid has more: OCPP 1.6 has room for no more than that."""

    alias = models.CharField(max_length=20, unique=True)
    uid = models.CharField(max_length=36)
    key = models.CharField(max_length=60, unique=True, editable=False, help_text="uid and type, lower case")
    type = models.CharField(max_length=20)

    class Meta:
        verbose_name = "tag alias"
        verbose_name_plural = "tag aliases"

    def __str__(self) -> str:
        return f"{self.alias}: {self.uid}"


class RememberedToken(models.Model):
    """A token that may charge, as its charger has just been told: its start is not asked about once more."""

    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="remembered_tokens")
    key = models.CharField(max_length=60, help_text="uid and type, lower case")
    decided_at = models.DateTimeField()
    decision = models.TextField(help_text="JSON")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["charger", "key"], name="remembered_token_once")]
        indexes = [models.Index(fields=["decided_at"], name="remembered_token_age")]
        verbose_name = "remembered token"

    def __str__(self) -> str:
        return f"{self.charger_id}: {self.decided_at:%F %T}"


class RemoteStart(models.Model):
    """A start that a partner asked for. Of OCPP 2.0.1 the primary key is the remoteStartId.

    The transaction that follows takes it, once; `taken_by` tells a repetition of its first message.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waits for the charger's answer"
        ACCEPTED = "accepted", "accepted; waits for the transaction"
        REFUSED = "refused", "refused"
        TAKEN = "taken", "the transaction began"
        EXPIRED = "expired", "no transaction began"

    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="remote_starts")
    number = models.PositiveIntegerField(help_text="1.6: connectorId; 2.0.1: EVSE id")
    connector = models.PositiveIntegerField(default=1)
    id_tag = models.CharField(max_length=36, help_text="As the charger is told it")
    cdr_token = models.TextField(help_text="JSON")
    authorization_reference = models.CharField(max_length=36, blank=True)
    session_id = models.CharField(max_length=36, unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    is_told = models.BooleanField(default=False, help_text="Partners have a PENDING Session of it")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="Without a transaction by then, none is awaited")
    taken_by = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["charger", "id_tag"], name="remote_start_tag"),
            models.Index(
                fields=["expires_at"], condition=Q(state__in=("waiting", "accepted")), name="remote_start_open"
            ),
        ]
        verbose_name = "remote start"

    def __str__(self) -> str:
        return f"{self.charger_id}/{self.number} {self.state}"


class RemoteCommand(models.Model):
    """Which command of a partner a command to a charger carries out."""

    ocpp_command = models.OneToOneField(OcppCommand, on_delete=models.CASCADE, primary_key=True, related_name="remote")
    command = models.CharField(max_length=40, help_text="As OCPI names it")
    command_id = models.BigIntegerField(help_text="The received command")
    subject_id = models.BigIntegerField(null=True, help_text="The remote start, reservation or profile it is about")

    class Meta:
        verbose_name = "remote command"

    def __str__(self) -> str:
        return self.command
