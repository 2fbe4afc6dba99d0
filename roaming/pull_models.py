"""Pulling from partners: when and how far, what each run brought, what is missing, named in vain, or put aside."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone


class PullCursor(models.Model):
    """The pulling of one module from one platform: its schedule, how far it has come, and whether somebody is at it."""

    class Policy(models.TextChoices):
        IGNORE = "IGNORE", "keep"
        GRACE = "GRACE", "remove when the days of grace are over"
        REMOVE = "REMOVE", "remove at once"

    class Request(models.TextChoices):
        DELTA = "DELTA", "what has changed"
        FULL = "FULL", "everything"

    platform = models.ForeignKey("roaming.Platform", on_delete=models.CASCADE, related_name="cursors")
    module = models.CharField(max_length=20)

    enabled = models.BooleanField(default=True, help_text="By schedule; staff may always pull")
    interval = models.PositiveSmallIntegerField(
        "minutes between deltas", default=5, validators=[MinValueValidator(1)], help_text="At least 1"
    )
    nightly_hour = models.PositiveSmallIntegerField(
        "hour of the full reconcile",
        null=True,
        blank=True,
        validators=[MaxValueValidator(23)],
        help_text="UTC; empty: one between 1 and 4 that the node chooses. The minute is always the node's choice",
    )
    policy = models.CharField(
        "what has disappeared",
        max_length=10,
        choices=Policy,
        default=Policy.GRACE,
        help_text="Locations, Tariffs and Tokens; nothing else is ever removed",
    )
    grace_days = models.PositiveSmallIntegerField("days of grace", default=7)

    date_from = models.DateTimeField(null=True, blank=True, help_text="Start of the last complete run")
    next_run_at = models.DateTimeField(null=True, blank=True, help_text="Empty: as soon as possible")
    next_reconcile_at = models.DateTimeField(
        "next full reconcile at", null=True, blank=True, help_text="Empty: as soon as possible"
    )
    claimed_until = models.DateTimeField(null=True, blank=True, help_text="A run is under way until then")
    requested = models.CharField(
        max_length=10, choices=Request, blank=True, default="", help_text="What staff have asked for"
    )
    accepts_disappearance = models.BooleanField(
        default=False, help_text="The next complete reconcile removes whatever has disappeared"
    )
    page_limit = models.PositiveIntegerField(null=True, blank=True, help_text="The platform's X-Limit")

    began_at = models.DateTimeField("crawl began at", null=True, blank=True)
    crawls_from = models.DateTimeField(null=True, blank=True, help_text="Objects changed since; empty: all")
    next_url = models.TextField("goes on at", blank=True, default="", help_text="Where a crawl that was cut is resumed")
    reached_at = models.DateTimeField(null=True, blank=True, help_text="When it got there")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "module"], name="pullcursor_key")]
        verbose_name = "pull schedule"

    def __str__(self) -> str:
        return f"{self.platform} {self.module}"


class SyncRun(models.Model):
    """One pull of one module from one platform."""

    platform = models.ForeignKey("roaming.Platform", on_delete=models.CASCADE, related_name="runs")
    module = models.CharField(max_length=20)
    full = models.BooleanField(default=False)
    resumed = models.BooleanField(default=False, help_text="It went on where a run before it was cut")
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    next_run_at = models.DateTimeField(null=True, blank=True)
    date_from = models.DateTimeField(null=True, blank=True, help_text="Objects changed since; empty: all")
    pages = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    defects = models.PositiveIntegerField(default=0, help_text="Found in all objects, usable or not")
    disappeared = models.PositiveIntegerField(default=0, help_text="Objects we hold that the whole list does not have")
    removed = models.PositiveIntegerField(default=0, help_text="Of those that disappeared")
    withheld = models.PositiveIntegerField(default=0, help_text="Due to be removed, and kept for safety")
    dangling = models.PositiveIntegerField(default=0, help_text="Objects named that we do not hold")
    fetched = models.PositiveIntegerField(default=0, help_text="Of those that were named, by a GET of each")
    notes = models.TextField(blank=True, default="", help_text="What was odd, a line each")
    error = models.TextField(blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["platform", "module", "-started_at"], name="syncrun_latest")]

    def __str__(self) -> str:
        return f"{self.platform} {self.module} {self.started_at:%Y-%m-%d %H:%M}"


class SeenObject(models.Model):
    """An object on the list that is being crawled; forgotten when the reconcile is over."""

    cursor = models.ForeignKey(PullCursor, on_delete=models.CASCADE, related_name="seen")
    owner = models.CharField(max_length=6)
    key = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cursor", "owner", "key"], name="seenobject_key")]

    def __str__(self) -> str:
        return f"{self.owner} {self.key}"


class MissingObject(models.Model):
    """An object that we hold and that the platform's whole list does not have any more."""

    cursor = models.ForeignKey(PullCursor, on_delete=models.CASCADE, related_name="missing")
    owner = models.CharField(max_length=6)
    key = models.CharField(max_length=80)
    since = models.DateTimeField(help_text="When it was first missed")
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cursor", "owner", "key"], name="missingobject_key")]

    def __str__(self) -> str:
        return f"{self.owner} {self.key}"


class DanglingReference(models.Model):
    """An object that a platform's objects name and that we do not hold."""

    platform = models.ForeignKey("roaming.Platform", on_delete=models.CASCADE, related_name="dangling")
    module = models.CharField(max_length=20, help_text="Of the object that is named")
    owner = models.CharField(max_length=6)
    key = models.CharField(max_length=80)
    spelling = models.CharField(max_length=36, help_text="Its id as it is named")
    named_by = models.CharField(max_length=120, help_text="Module and id of the object that named it first")
    first_seen_at = models.DateTimeField(auto_now_add=True)
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When we last tried to GET it")
    answer = models.TextField(blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "module", "owner", "key"], name="dangling_key")]

    def __str__(self) -> str:
        return f"{self.module} {self.owner} {self.spelling}"


class QuarantinedObject(models.Model):
    """A partner's object that cannot be used, kept as it came with what is wrong with it."""

    platform = models.ForeignKey("roaming.Platform", on_delete=models.CASCADE, related_name="quarantine")
    module = models.CharField(max_length=20)
    identity = models.CharField(max_length=120, help_text="Owner and id as far as they can be read")
    document = models.TextField()
    defects = models.TextField(help_text="Violations with JSON Pointers, as JSON")
    first_seen_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "module", "identity"], name="quarantine_key")]

    def __str__(self) -> str:
        return f"{self.module} {self.identity}"
