"""The account of a month between two parties: what the eMSP owes the CPO for its drivers' sessions."""

from django.db import models


class Settlement(models.Model):
    """One month of one CPO and one eMSP. A draft is made anew any time; a closed one never changes."""

    class State(models.TextChoices):
        DRAFT = "DRAFT", "draft"
        CLOSED = "CLOSED", "closed"

    cpo = models.CharField("CPO", max_length=6, help_text="CC*PID")
    emsp = models.CharField("eMSP", max_length=6, help_text="CC*PID")
    month = models.CharField(max_length=7, help_text="YYYY-MM")
    zone = models.CharField("time zone", max_length=64)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="Not included")
    state = models.CharField(max_length=6, choices=State, default=State.DRAFT)
    built_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=150, blank=True)
    cdr_count = models.PositiveIntegerField("CDRs", default=0, help_text="Credit CDRs included")
    late_count = models.PositiveIntegerField("late", default=0, help_text="CDRs that came after their month was closed")
    held_count = models.PositiveIntegerField("held back", default=0, help_text="CDRs that are not settled yet")
    sha256 = models.CharField(
        "SHA-256", max_length=64, blank=True, help_text="Of the list of settled CDRs with their hashes"
    )
    statement = models.TextField(blank=True, default="{}", help_text="Totals, VAT, fees and terms as exact JSON")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cpo", "emsp", "month"], name="settlement_month")]
        indexes = [models.Index(fields=["month", "state"], name="settlement_by_month")]

    def __str__(self) -> str:
        return f"{self.cpo} to {self.emsp}, {self.month}"


class SettledCdr(models.Model):
    """A CDR in the list of a settlement. It counts in one closed settlement at most."""

    settlement = models.ForeignKey(Settlement, on_delete=models.CASCADE, related_name="cdrs")
    cdr = models.ForeignKey("ocpi.Cdr", on_delete=models.PROTECT, related_name="settled", verbose_name="CDR")
    number = models.PositiveIntegerField("no.")
    sha256 = models.CharField("SHA-256", max_length=64, help_text="Of the stored document")
    vat = models.CharField("VAT", max_length=60, blank=True, help_text="Rates in percent")
    is_late = models.BooleanField("late", default=False)
    held = models.CharField("held back", max_length=60, blank=True, help_text="Why it does not count yet")
    is_final = models.BooleanField(default=False, help_text="It counts, and the settlement is closed")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["settlement", "cdr"], name="settledcdr_once"),
            models.UniqueConstraint(fields=["cdr"], condition=models.Q(is_final=True), name="settledcdr_final"),
        ]
        indexes = [models.Index(fields=["settlement", "number"], name="settledcdr_list")]
        verbose_name = "settled CDR"

    def __str__(self) -> str:
        return f"{self.settlement_id}/{self.number}"
