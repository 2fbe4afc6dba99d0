"""What staff have chargers do: a job, and a step of it for each charger."""

from django.db import models
from django.db.models import Q

from cpo_backend.charger_models import Charger
from cpo_backend.ocpp_models import OcppCommand


class OperationJob(models.Model):
    """One thing to be done by one or by many chargers."""

    class Kind(models.TextChoices):
        RESET = "reset", "reset"
        AVAILABILITY = "availability", "put into or out of service"
        CONFIGURE = "configure", "change a setting"
        READ_CONFIGURATION = "read configuration", "read the configuration"
        TRIGGER = "trigger", "have a message sent"
        UNLOCK = "unlock", "unlock a connector"
        CLEAR_CACHE = "clear cache", "clear the authorization cache"
        DIAGNOSTICS = "diagnostics", "upload diagnostics"
        FIRMWARE = "firmware", "update the firmware"

    kind = models.CharField(max_length=20, choices=Kind)
    parameters = models.TextField(default="{}", help_text="JSON")
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "operation"

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.created_at:%F %T}"


class OperationStep(models.Model):
    """A job at one charger."""

    class State(models.TextChoices):
        ASKED = "asked", "waits for the charger's answer"
        RUNNING = "running", "goes on"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    job = models.ForeignKey(OperationJob, on_delete=models.CASCADE, related_name="steps")
    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="operation_steps")
    ocpp_command = models.OneToOneField(OcppCommand, on_delete=models.SET_NULL, null=True, related_name="operation")
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    detail = models.CharField(max_length=400, blank=True, help_text="What the charger said last")
    deadline = models.DateTimeField(null=True, help_text="It has failed when nothing more is heard by then")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "charger"], name="operation_step_once")]
        indexes = [
            models.Index(fields=["charger"], condition=Q(state__in=("asked", "running")), name="operation_step_open")
        ]
        verbose_name = "operation at a charger"

    def __str__(self) -> str:
        return f"{self.charger_id}: {self.state}"
