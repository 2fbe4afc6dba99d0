"""CDRs that we do not pay as they are: what was said about them, and the evidence of that moment."""

from django.db import models
from django.utils import timezone


class Dispute(models.Model):
    """A CDR in dispute with its CPO. Only one of a CDR is open at a time."""

    class State(models.TextChoices):
        OPEN = "OPEN", "open"  # opened here, the CPO does not know yet
        SENT = "SENT", "sent"
        ACCEPTED = "ACCEPTED", "accepted"  # the CPO agrees: a credit CDR is to come
        REJECTED = "REJECTED", "rejected"  # the CPO does not, and it is paid
        WITHDRAWN = "WITHDRAWN", "withdrawn"  # we do not dispute it any more, and it is paid
        RESOLVED = "RESOLVED", "resolved by credit"

    UNDECIDED = (State.OPEN, State.SENT, State.ACCEPTED)

    cdr = models.ForeignKey("ocpi.Cdr", on_delete=models.PROTECT, related_name="disputes", verbose_name="CDR")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    reason = models.TextField(help_text="For the CPO")
    amount = models.DecimalField("amount at stake, excl. VAT", max_digits=20, decimal_places=4, null=True)
    currency = models.CharField(max_length=3, blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    opened_by = models.CharField(max_length=150, blank=True)
    credit = models.ForeignKey(
        "ocpi.Cdr", on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name="credit CDR"
    )
    evidence = models.TextField(help_text="The evidence bundle as JSON, as it was when the dispute was opened")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cdr"], condition=models.Q(state__in=("OPEN", "SENT", "ACCEPTED")), name="dispute_open_once"
            )
        ]
        indexes = [models.Index(fields=["state", "-opened_at"], name="dispute_state")]

    def __str__(self) -> str:
        return f"dispute {self.pk}"


class DisputeStep(models.Model):
    """What became of a dispute: who did it, when, and why."""

    dispute = models.ForeignKey(Dispute, on_delete=models.CASCADE, related_name="steps")
    state = models.CharField(max_length=10, choices=Dispute.State)
    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=150, blank=True, help_text="Empty: the node itself")
    note = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.dispute_id}: {self.state}"
