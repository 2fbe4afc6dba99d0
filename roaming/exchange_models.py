"""The exchange log: every OCPI request in and out, with its answer."""

from django.db import models

from roaming.models import Platform

# What OCPI calls a success; everything else is a failure, also no answer at all.
SUCCESS = models.Q(status_code__gte=1000, status_code__lt=2000)
FAILURE = models.Q(status_code=None) | models.Q(status_code__lt=1000) | models.Q(status_code__gte=2000)


class Exchange(models.Model):
    """One request and its answer. Written by `roaming.exchanges.log` only, many at once."""

    class Direction(models.TextChoices):
        IN = "IN", "received"
        OUT = "OUT", "sent"

    at = models.DateTimeField()
    direction = models.CharField(max_length=3, choices=Direction)
    # Without a constraint: it would cost every entry a look at the platform, whose end the log outlives.
    platform = models.ForeignKey(
        Platform,
        on_delete=models.DO_NOTHING,
        related_name="+",
        null=True,
        db_constraint=False,
        db_index=False,
        help_text="At the other end",
    )
    platform_name = models.CharField(max_length=100)
    from_party = models.CharField("from", max_length=6, help_text="CC*PID")
    to_party = models.CharField("to", max_length=6, help_text="CC*PID")
    module = models.CharField(max_length=40)
    interface = models.CharField(max_length=8)
    method = models.CharField(max_length=10)
    url = models.TextField("URL", help_text="Path and query of what was received, the whole URL of what was sent")
    http_status = models.PositiveSmallIntegerField("HTTP status", null=True)
    status_code = models.PositiveSmallIntegerField("OCPI status", null=True)
    milliseconds = models.PositiveIntegerField()
    request_id = models.CharField(max_length=128)
    correlation_id = models.CharField(max_length=128)
    route = models.CharField(max_length=10, help_text="Where the request belongs; empty where nothing is routed")
    reason = models.TextField(help_text="Why it was routed so")
    error = models.TextField()
    request_body = models.TextField(help_text="As much as NODE_LOG_BODY allows")
    request_size = models.PositiveIntegerField(help_text="Bytes")
    response_body = models.TextField(help_text="As much as NODE_LOG_BODY allows")
    response_size = models.PositiveIntegerField(help_text="Bytes")

    class Meta:
        indexes = [
            models.Index(fields=["at"], name="exchange_at"),
            models.Index(fields=["platform", "at"], name="exchange_platform"),
            models.Index(fields=["correlation_id"], name="exchange_correlation"),
            models.Index(fields=["request_id"], name="exchange_request"),
            models.Index(
                fields=["at"],
                condition=FAILURE,
                name="exchange_failures",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.url}"
