"""The lists by which chargers authorize while they cannot ask us."""

from django.db import models
from django.db.models import Q

from cpo_backend.charger_models import Charger


class LocalList(models.Model):
    """The local authorization list of a charger that can have one. `held` is what it is known to have."""

    class Standing(models.TextChoices):
        UNKNOWN = "unknown", "its version is not known"
        FOREIGN = "foreign", "not ours: to be replaced"
        KNOWN = "known", "ours"

    class State(models.TextChoices):
        IDLE = "idle", "nothing under way"
        ASKED = "asked", "waits for the charger's answer"
        REFUSED = "refused", "the charger does not support it"

    charger = models.OneToOneField(Charger, on_delete=models.CASCADE, primary_key=True, related_name="local_list")
    is_wanted = models.BooleanField("used", default=True, help_text="Off: the charger's list is emptied")
    standing = models.CharField(max_length=10, choices=Standing, default=Standing.UNKNOWN)
    state = models.CharField(max_length=10, choices=State, default=State.IDLE)
    version = models.IntegerField(default=0, help_text="Of what it is known to have")
    sent_version = models.IntegerField(default=0, help_text="The last that it was sent")
    held = models.TextField(default="{}", help_text="JSON: what is said of each tag")
    count = models.PositiveIntegerField("tags", default=0)
    changes = models.TextField(default="[]", help_text="JSON: what is to be said of which tags, in order")
    detail = models.CharField(max_length=200, blank=True)
    due_at = models.DateTimeField(null=True, help_text="When to look at it next")
    changed_at = models.DateTimeField(null=True, help_text="When the charger last took a change")

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(state="idle"), name="local_list_due")]
        verbose_name = "local list"

    def __str__(self) -> str:
        return f"{self.charger_id}: version {self.version}"
