"""Status of EVSEs whose chargers are connected to another system: who tells it, and what was told."""

from django.db import models
from django.db.models import Q


class StatusSource(models.Model):
    """A system that tells the status of EVSEs of one party. One that is silent for longer than its grace is away."""

    name = models.CharField(max_length=60, unique=True)
    party = models.CharField(max_length=6, help_text="CC*PID of ours whose EVSEs it tells of")
    key_hash = models.CharField(max_length=64, blank=True, editable=False)
    grace = models.PositiveIntegerField(
        default=900, help_text="Seconds of silence after which its EVSEs are UNKNOWN; an empty batch is a sign of life"
    )
    is_enabled = models.BooleanField(default=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    is_away = models.BooleanField(default=False, help_text="Silent for longer than its grace")

    class Meta:
        verbose_name = "status source"

    def __str__(self) -> str:
        return self.name


class FedStatus(models.Model):
    """What a source last said of an EVSE. One that said nothing since it was away is not believed any more."""

    source = models.ForeignKey(StatusSource, on_delete=models.CASCADE, related_name="statuses")
    location_id = models.CharField(max_length=36)
    evse_uid = models.CharField(max_length=36)
    place = models.CharField(max_length=90, unique=True, editable=False, help_text="party/location/EVSE, lower case")
    word = models.CharField(max_length=20, help_text="Of OCPI, or of OCPP")
    since = models.DateTimeField(help_text="When this word was first heard")
    told_at = models.DateTimeField(null=True, help_text="By the source's clock")
    is_stale = models.BooleanField(default=False)
    due_at = models.DateTimeField(null=True, help_text="When to judge it again")

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="fed_status_due")]
        verbose_name = "status from a source"
        verbose_name_plural = "statuses from sources"

    def __str__(self) -> str:
        return f"{self.place}: {self.word}"
