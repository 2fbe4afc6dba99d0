"""Charging profiles that partners set on Sessions."""

from django.db import models

from cpo_backend.transaction_models import Transaction


class SessionProfile(models.Model):
    """The charging profile of a Session: one at most, which the charger knows by the number of its transaction."""

    transaction = models.OneToOneField(
        Transaction, on_delete=models.CASCADE, primary_key=True, related_name="session_profile"
    )
    wanted = models.TextField(blank=True, help_text="What the charger was asked to apply: ChargingProfile, JSON")
    applied = models.TextField(blank=True, help_text="What it accepted; empty: none")
    active = models.TextField(blank=True, help_text="What it says that applies: ActiveChargingProfile, JSON")

    class Meta:
        verbose_name = "charging profile"

    def __str__(self) -> str:
        return f"profile of {self.transaction_id}"
