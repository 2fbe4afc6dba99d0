"""Reservations: what eMSPs call them, and what chargers call them."""

from django.db import models
from django.db.models import Q

from cpo_backend.charger_models import Charger


class Reservation(models.Model):
    """One request to reserve an EVSE. The same reservation asked for again is another row with the same `told_id`.

    Chargers never see the id of the eMSP: two of them may use the same.
    """

    class State(models.TextChoices):
        ASKED = "asked", "waits for the charger's answer"
        ACTIVE = "active", "active"
        REFUSED = "refused", "refused"
        REPLACED = "replaced", "replaced by another request"
        USED = "used", "the driver came"
        CANCELED = "canceled", "canceled"
        EXPIRED = "expired", "nobody came"

    told_id = models.BigIntegerField(default=0, help_text="What the charger calls it")
    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="reservations")
    number = models.PositiveIntegerField(help_text="1.6: connectorId; 2.0.1: EVSE id")
    party = models.CharField(max_length=6, help_text="CC*PID of ours whose Location it is")
    commander = models.CharField(max_length=6, help_text="CC*PID that reserved")
    location_id = models.CharField(max_length=36)
    reservation_id = models.CharField(max_length=36, help_text="What the eMSP calls it")
    id_tag = models.CharField(max_length=36, help_text="As the charger is told it")
    cdr_token = models.TextField(help_text="JSON")
    authorization_reference = models.CharField(max_length=36, blank=True)
    session_id = models.CharField(max_length=36)
    command_id = models.BigIntegerField(help_text="The received command")
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    active_since = models.DateTimeField(null=True, help_text="When it, or the one it replaced, was accepted")
    ended_at = models.DateTimeField(null=True)
    bill_due_at = models.DateTimeField(null=True, help_text="Nobody came: what that costs is to be worked out")
    taken_by = models.CharField(max_length=200, blank=True, help_text="Which transaction used it")

    class Meta:
        indexes = [
            models.Index(fields=["charger", "number"], condition=Q(state="active"), name="reservation_active"),
            models.Index(fields=["expires_at"], condition=Q(state="active"), name="reservation_expiry"),
            models.Index(fields=["commander", "reservation_id"], name="reservation_name"),
            models.Index(fields=["bill_due_at"], condition=Q(bill_due_at__isnull=False), name="reservation_bill_due"),
        ]

    def __str__(self) -> str:
        return f"{self.commander} {self.reservation_id} {self.state}"
