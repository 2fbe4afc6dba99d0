"""What staff have asked the tariff lab; `roaming.lab` answers."""

from django.db import models


class LabRun(models.Model):
    """A draft of a Tariff to be replayed against a month of CDRs, and the report once there is one."""

    owner = models.CharField("party", max_length=6, help_text="CC*PID of the CPO whose CDRs are replayed")
    month = models.CharField(max_length=7, help_text="Sessions that began in it, UTC: 2026-01")
    replacing = models.CharField(
        "in place of the Tariff", max_length=36, blank=True, help_text="Only CDRs priced by it; empty: all of them"
    )
    draft = models.TextField(help_text="The Tariff as JSON; it is never delivered")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")
    report = models.TextField(blank=True, default="", help_text="As JSON")

    class Meta:
        verbose_name = "tariff lab run"
        indexes = [models.Index(fields=["id"], condition=models.Q(finished_at=None), name="labrun_waiting")]

    def __str__(self) -> str:
        return f"{self.owner} {self.month}"
