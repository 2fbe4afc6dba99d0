"""What became of the CDRs that others have sent us: is each what it should be?"""

from django.db import models


class CdrAudit(models.Model):
    """One received CDR, judged. The columns about its session are what overlaps and repetitions are found by."""

    class Verdict(models.TextChoices):
        OK = "OK", "ok"
        TOLERATED = "TOLERATED", "within tolerance"
        DISPUTE = "DISPUTE", "to be disputed"
        HOLD = "HOLD", "on hold"

    cdr = models.OneToOneField("ocpi.Cdr", on_delete=models.CASCADE, primary_key=True, related_name="audit")
    verdict = models.CharField(max_length=10, choices=Verdict)
    audited_at = models.DateTimeField(auto_now=True)
    currency = models.CharField(max_length=3, blank=True)
    claimed = models.DecimalField("claimed excl. VAT", max_digits=20, decimal_places=4, null=True)
    computed = models.DecimalField("computed excl. VAT", max_digits=20, decimal_places=4, null=True)
    findings = models.TextField(help_text="What was found, as JSON: code, severity, message, pointer, evidence")
    codes = models.TextField(blank=True, default="", help_text="The codes of the findings, between spaces")
    breakdown = models.TextField(blank=True, default="", help_text="How it was priced, as price_cdr --json prints it")
    owner = models.CharField(max_length=6, help_text="CC*PID of the CPO")
    token_owner = models.CharField(max_length=6, blank=True)
    token_uid = models.CharField(max_length=36, blank=True, help_text="Lower case")
    evse_id = models.CharField(max_length=48, blank=True, help_text="Lower case")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    energy = models.DecimalField("energy (kWh)", max_digits=20, decimal_places=4, null=True)
    released_at = models.DateTimeField(null=True, blank=True, help_text="Since then it is accepted in spite of that")
    released_by = models.CharField(max_length=150, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["token_owner", "token_uid", "started_at"], name="cdraudit_token"),
            models.Index(fields=["owner", "evse_id", "started_at"], name="cdraudit_evse"),
            models.Index(fields=["verdict", "-audited_at"], name="cdraudit_verdict"),
        ]
        verbose_name = "CDR audit"

    def __str__(self) -> str:
        return f"{self.owner} {self.cdr_id}: {self.verdict}"


class AuditProgress(models.Model):
    """How far the feed of CDRs has been audited: one row."""

    xid = models.BigIntegerField(default=0)
    revision = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.xid}/{self.revision}"
