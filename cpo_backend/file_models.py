"""Files that chargers fetch or send."""

from django.db import models
from django.db.models import Q

from cpo_backend.charger_models import Charger
from cpo_backend.operation_models import OperationStep


class ChargerFile(models.Model):
    """A file and where it belongs; its content is on disk (`files.keeping`), once it has come."""

    class Kind(models.TextChoices):
        FIRMWARE = "firmware", "firmware"
        DIAGNOSTICS = "diagnostics", "diagnostics"

    kind = models.CharField(max_length=12, choices=Kind, default=Kind.FIRMWARE)
    name = models.CharField(max_length=100, blank=True, help_text="As it is called where it is saved")
    note = models.CharField(max_length=200, blank=True, help_text="For which chargers, which version")
    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, null=True, related_name="files")
    step = models.ForeignKey(OperationStep, on_delete=models.SET_NULL, null=True, related_name="files")
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True, help_text="Empty: its content has not come")
    size = models.BigIntegerField(default=0, help_text="Bytes")
    digest = models.CharField("SHA-256", max_length=64, blank=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], condition=~Q(kind="firmware"), name="charger_file_age")]
        verbose_name = "file of chargers"
        verbose_name_plural = "files of chargers"

    def __str__(self) -> str:
        return self.name or f"{self.kind} {self.pk}"
