"""What each platform has been sent, what it has acknowledged, and what it could not be brought."""

from django.db import models


class Lane(models.Model):
    """The way to one platform: at most one worker is in it."""

    platform = models.OneToOneField("roaming.Platform", on_delete=models.CASCADE, primary_key=True)
    claimed_until = models.DateTimeField(null=True, blank=True, help_text="A worker is in the lane until then")
    generation = models.BigIntegerField(
        default=0, help_text="Raised by every claim: who holds an older one may not write"
    )
    knocks = models.BigIntegerField(
        default=0, db_default=0, help_text="How often the worker in the lane was told to look once more"
    )
    called_until = models.DateTimeField(
        null=True, blank=True, help_text="A worker was sent for, and is expected until then"
    )
    retry_at = models.DateTimeField(null=True, blank=True, help_text="After a failure: not before")
    in_flight = models.PositiveSmallIntegerField(default=8, help_text="Requests under way at once, at most")

    def __str__(self) -> str:
        return str(self.platform)


class FeedCursor(models.Model):
    """How far a platform has been brought in one stream of changes, and how fast it may be."""

    platform = models.ForeignKey("roaming.Platform", on_delete=models.CASCADE, related_name="feed_cursors")
    stream = models.CharField(max_length=20)
    xid = models.BigIntegerField(default=0)
    revision = models.BigIntegerField(default=0)
    owners = models.JSONField(null=True, blank=True, help_text="Whose objects it was about when last worked on")
    sent = models.BigIntegerField("acknowledged", default=0, help_text="Objects the platform acknowledged")
    # Since the beginning, as `sent`; what each hour brought is in DeliveryHour, for a month.
    requests = models.BigIntegerField(default=0, db_default=0)
    refused = models.BigIntegerField(default=0, db_default=0, help_text="Objects")
    failures = models.BigIntegerField(default=0, db_default=0, help_text="Visits that ended in trouble")
    last_sent_at = models.DateTimeField("last success at", null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True, help_text="The platform asked for a pause: not before")
    behind_since = models.DateTimeField(
        null=True, blank=True, help_text="The oldest change not acknowledged yet, as last looked; empty: none was"
    )
    late_since = models.DateTimeField(null=True, blank=True, help_text="NODE_FRESHNESS is exceeded since then")
    slow_downs = models.PositiveSmallIntegerField(default=0, help_text="How often in a row it asked for one")
    is_paused = models.BooleanField("paused by staff", default=False)
    rate = models.PositiveIntegerField(null=True, blank=True, help_text="Requests per second at most; empty: no limit")
    ladder = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="Minutes between attempts, as in 1 5 30 120; empty: the default",
    )
    nights = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="How many nights to try after the ladder; empty: the default"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "stream"], name="feedcursor_key")]
        indexes = [
            models.Index(fields=["late_since"], condition=models.Q(late_since__isnull=False), name="feedcursor_late"),
        ]

    def __str__(self) -> str:
        return f"{self.platform} {self.stream}"


class Delivery(models.Model):
    """What one platform last acknowledged of one object, and what went wrong since.

    A row exists once the object was sent; the object itself is row `object_id` of its module's table.
    """

    platform = models.ForeignKey("roaming.Platform", on_delete=models.CASCADE, related_name="deliveries")
    module = models.CharField(max_length=20)
    object_id = models.BigIntegerField()
    version = models.BigIntegerField(default=0, db_default=0, help_text="Of the object, as acknowledged; 0: never")
    image = models.TextField(
        blank=True, default="", help_text="Digests of what was acknowledged, as JSON; empty: nothing"
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Failures in a row")
    behind_since = models.DateTimeField(
        null=True, blank=True, help_text="When the first change was made that it did not acknowledge"
    )
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")
    request = models.TextField(blank=True, default="", help_text="What failed: method and URL")
    correlation_id = models.CharField(max_length=128, blank=True, default="", help_text="Leads to the exchange log")
    retry_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True, help_text="Since then it waits for a person")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "module", "object_id"], name="delivery_key")]
        indexes = [
            models.Index(
                fields=["platform", "retry_at"], condition=models.Q(retry_at__isnull=False), name="delivery_retry"
            ),
            models.Index(
                fields=["given_up_at"], condition=models.Q(given_up_at__isnull=False), name="delivery_given_up"
            ),
        ]
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"{self.module} {self.object_id} to {self.platform_id}"


class DeliveryHour(models.Model):
    """What was done in one hour for one platform and stream: the ground of the figures on freshness."""

    platform = models.ForeignKey("roaming.Platform", on_delete=models.CASCADE, related_name="delivery_hours")
    stream = models.CharField(max_length=20)
    hour = models.DateTimeField(help_text="Its beginning (UTC)")
    requests = models.PositiveIntegerField(default=0)
    acknowledged = models.PositiveIntegerField(default=0, help_text="Objects")
    refused = models.PositiveIntegerField(default=0, help_text="Objects")
    failures = models.PositiveIntegerField(default=0, help_text="Visits that ended in trouble")
    # Changes by the time from their writing to their acknowledgement, each in the first column that it fits.
    within_half = models.PositiveIntegerField("within 0.5 s", default=0)
    within_1 = models.PositiveIntegerField("within 1 s", default=0)
    within_2 = models.PositiveIntegerField("within 2 s", default=0)
    within_5 = models.PositiveIntegerField("within 5 s", default=0)
    within_30 = models.PositiveIntegerField("within 30 s", default=0)
    within_300 = models.PositiveIntegerField("within 5 min", default=0)
    later = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "stream", "hour"], name="deliveryhour_key")]
        indexes = [models.Index(fields=["hour"], name="deliveryhour_age")]

    def __str__(self) -> str:
        return f"{self.platform_id} {self.stream} {self.hour:%Y-%m-%d %H}"
