"""What operators of parties have agreed on; `roaming.agreements` holds the rule."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone


class Agreement(models.Model):
    """Two parties may exchange these modules in this time; the order of the two does not matter."""

    class Rounding(models.TextChoices):
        ONCE = "ONCE", "once, to four decimals"
        BUCKETS = "BUCKETS", "each kind of cost to cents"
        PERIODS = "PERIODS", "each charging period to cents"
        SEGMENTS = "SEGMENTS", "each priced quantity to cents"

    party_a = models.CharField("party", max_length=6, help_text="CC*PID")
    party_b = models.CharField("other party", max_length=6, help_text="CC*PID")
    modules = models.JSONField(default=list, blank=True, help_text="None: all modules, custom ones included")
    valid_from = models.DateTimeField(default=timezone.now, help_text="UTC")
    valid_to = models.DateTimeField(null=True, blank=True, help_text="UTC, not included; empty: without end")
    cdr_tolerance = models.DecimalField(
        "tolerance of CDRs",
        max_digits=10,
        decimal_places=4,
        default=0,
        validators=[MinValueValidator(0)],
        help_text="What a CDR may cost more than we compute, without VAT, in its currency",
    )
    cdr_rounding = models.CharField("rounding of CDRs", max_length=10, choices=Rounding, default=Rounding.ONCE)
    note = models.CharField(max_length=200, blank=True, help_text="Contract number, or whom to ask")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(party_a=models.F("party_b")),
                name="agreement_of_two",
                violation_error_message="An agreement is between two parties.",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to=None) | models.Q(valid_to__gt=models.F("valid_from")),
                name="agreement_begins_before_it_ends",
                violation_error_message="It must end after it begins.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.party_a} and {self.party_b}"
