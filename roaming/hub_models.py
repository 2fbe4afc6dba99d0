"""What the hub remembers of messages that it passes on."""

from django.db import models


class Callback(models.Model):
    """A response_url that leads through the hub: where a command's result goes, and who may send it."""

    uid = models.CharField(max_length=64, unique=True, help_text="What makes our URL unguessable")
    requester = models.ForeignKey("roaming.Platform", on_delete=models.CASCADE, related_name="callbacks")
    requester_party = models.CharField(max_length=6, help_text="CC*PID that asked")
    receiver = models.ForeignKey("roaming.Platform", on_delete=models.CASCADE, related_name="+")
    receiver_party = models.CharField(max_length=6, help_text="CC*PID that was asked, and alone may answer")
    what = models.CharField(max_length=60, help_text="Module and command")
    subject = models.CharField(max_length=36, blank=True, help_text="The reservation, lower case")
    response_url = models.TextField(help_text="Where the requester wants the result")
    correlation_id = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(help_text="Nothing is passed on after that")
    result = models.CharField(max_length=40, blank=True, help_text="The last that was passed on")
    passed_on_at = models.DateTimeField(null=True, blank=True)
    results = models.PositiveIntegerField(default=0, help_text="How many were passed on")

    class Meta:
        indexes = [
            models.Index(fields=["expires_at"], name="callback_expiry"),
            models.Index(fields=["subject"], condition=~models.Q(subject=""), name="callback_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.requester_party} to {self.receiver_party}"
