"""Alarms: what a person should look at, once for each thing that is wrong."""

from django.db import models

from cpo_backend.charger_models import Charger


class Alarm(models.Model):
    """Open until its cause is gone; while it is open, the same again is counted and not raised anew."""

    class Kind(models.TextChoices):
        FAULT = "fault", "fault reported"
        WARNING = "warning", "warning reported"
        OFFLINE = "offline", "offline"
        BOOT_LOOP = "boot loop", "boots again and again"
        CLOCK = "clock", "clock is wrong"
        UNKNOWN_CONNECTOR = "unknown connector", "connector is not registered"
        UNKNOWN_EVSE = "unknown EVSE", "EVSE is not in its Location"
        FLAPPING = "flapping", "two devices with one identity?"
        SECURITY = "security", "security event"
        EVENT = "event", "event reported"
        ORPHAN_STOP = "orphan stop", "stop of an unknown transaction"
        TRANSACTION = "transaction", "transaction goes on and on"
        POWER = "power", "power is not limited as it should be"
        REBOOT_REQUIRED = "reboot required", "a setting waits for a boot"

    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="alarms")
    kind = models.CharField(max_length=20, choices=Kind)
    subject = models.CharField(max_length=60, blank=True, help_text="The connector or event it is about")
    text = models.CharField(max_length=400, blank=True)
    raised_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    cleared_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["charger", "kind", "subject"], condition=models.Q(cleared_at=None), name="alarm_open"
            )
        ]
        indexes = [models.Index(fields=["-raised_at"], name="alarm_raised")]

    def __str__(self) -> str:
        return f"{self.charger_id}: {self.kind} {self.subject}".rstrip()
