"""Whether a Token may charge: what was decided, by whom, and why."""

from django.db import models


class Authorization(models.Model):
    """One decision, kept with its reason: ours as the CPO, or our answer as the eMSP. Never changed."""

    class Side(models.TextChoices):
        CPO = "CPO", "decided as CPO"
        EMSP = "EMSP", "answered as eMSP"

    class Source(models.TextChoices):
        COMMAND = "COMMAND", "command of its eMSP"
        OWN = "OWN", "own Token"
        WHITELIST = "WHITELIST", "whitelist"
        REAL_TIME = "REAL_TIME", "real-time answer"
        OFFLINE_FALLBACK = "OFFLINE_FALLBACK", "whitelist, its eMSP being out of reach"
        UNKNOWN = "UNKNOWN", "unknown Token"
        ERROR = "ERROR", "no usable answer"

    side = models.CharField(max_length=4, choices=Side)
    decided_at = models.DateTimeField(auto_now_add=True)
    platform = models.ForeignKey(
        "roaming.Platform",
        on_delete=models.SET_NULL,
        null=True,
        related_name="authorizations",
        help_text="The eMSP's that was asked, or the CPO's that asks; empty: nobody was asked",
    )
    cpo = models.CharField(max_length=6, blank=True, help_text="CC*PID where the Token wants to charge")
    emsp = models.CharField(max_length=6, blank=True, help_text="CC*PID that owns the Token; empty: unknown")
    uid = models.CharField(max_length=36, help_text="Lower case")
    type = models.CharField(max_length=40)
    location_id = models.CharField(max_length=36, blank=True)
    evse_uids = models.TextField(blank=True, default="", help_text="As JSON; empty: the whole Location")
    allowed = models.CharField(max_length=40)
    source = models.CharField(max_length=20, choices=Source)
    reason = models.TextField()
    reference = models.CharField(max_length=36, blank=True, help_text="authorization_reference")
    milliseconds = models.PositiveIntegerField(help_text="From the question to the decision")
    correlation_id = models.CharField(max_length=128, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["uid", "decided_at"], name="authorization_of_token"),
            models.Index(fields=["reference"], condition=~models.Q(reference=""), name="authorization_reference"),
            models.Index(
                fields=["correlation_id"], condition=~models.Q(correlation_id=""), name="authorization_correlation"
            ),
            models.Index(fields=["decided_at"], name="authorization_age"),
        ]

    def __str__(self) -> str:
        return f"{self.uid} {self.allowed}"
