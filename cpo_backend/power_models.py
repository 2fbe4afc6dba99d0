"""Sites that share their power: the limit, what each EVSE may draw, and what was decided."""

from decimal import Decimal
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from cpo_backend.charger_models import Charger
from cpo_backend.ocpp_models import OcppCommand
from cpo_backend.transaction_models import Transaction

_WATTS: dict[str, Any] = {"max_digits": 12, "decimal_places": 1}
_AMPERES: dict[str, Any] = {"max_digits": 5, "decimal_places": 1, "validators": [MinValueValidator(Decimal(0))]}


class PowerSite(models.Model):
    """A Location whose Sessions share a limit. Whoever decides holds the lock of its row."""

    class Way(models.TextChoices):
        FAIR = "fair", "all alike"
        PRIORITY = "priority", "by driver's wish and time of departure"

    party = models.CharField(max_length=6, help_text="CC*PID of the Location's owner")
    location_id = models.CharField(max_length=36)
    key = models.CharField(max_length=50, unique=True, editable=False, help_text="party/location, lower case")
    limit = models.DecimalField(
        **_WATTS,
        validators=[MinValueValidator(Decimal(1))],
        help_text="W that all its EVSEs may draw together; 3 phases of 16 A at 230 V are 11040",
    )
    way = models.CharField("way to share", max_length=10, choices=Way, default=Way.FAIR)
    minimum = models.DecimalField(
        **_AMPERES, default=Decimal(6), help_text="A per phase below which no car charges; who gets less is paused"
    )
    reserve = models.DecimalField(
        **_AMPERES,
        null=True,
        blank=True,
        help_text="A per phase kept for each EVSE, with which a car begins; empty: the minimum, 0: it waits",
    )
    due_at = models.DateTimeField(default=timezone.now, help_text="When to share anew")

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="power_site_due")]
        verbose_name = "site with shared power"
        verbose_name_plural = "sites with shared power"

    def __str__(self) -> str:
        return f"{self.party}/{self.location_id}"

    def save(self, *arguments: Any, **options: Any) -> None:
        self.party = self.party.upper()
        self.key = key(self.party, self.location_id)
        super().save(*arguments, **options)

    @property
    def kept(self) -> Decimal:
        """The reserve in A per phase."""
        return self.minimum if self.reserve is None else self.reserve


def key(party: str, location_id: str) -> str:
    """By which a site is found, whatever the case of its ids."""
    return f"{party}/{location_id}".lower()


class PowerShare(models.Model):
    """What the charger of an EVSE has accepted, in W. A doubt is what it may have taken without telling us."""

    site = models.ForeignKey(PowerSite, on_delete=models.CASCADE, related_name="shares")
    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="power_shares")
    number = models.PositiveIntegerField(help_text="1.6: connectorId; 2.0.1: EVSE id")
    default_watts = models.DecimalField(null=True, **_WATTS, help_text="For a car that just came; none: not limited")
    default_doubt = models.DecimalField(default=Decimal(0), **_WATTS)
    default_at = models.DateTimeField(null=True)
    default_retry_at = models.DateTimeField(null=True)
    default_failures = models.PositiveIntegerField(default=0)
    transaction = models.ForeignKey(Transaction, on_delete=models.SET_NULL, null=True, related_name="power_shares")
    watts = models.DecimalField(null=True, **_WATTS, help_text="For that transaction")
    doubt = models.DecimalField(default=Decimal(0), **_WATTS)
    granted = models.DecimalField(null=True, **_WATTS, help_text="What it was last asked to apply")
    told = models.TextField(blank=True, help_text="The profile with which it was; empty: it did not take it")
    told_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["charger", "number"], name="power_share_evse")]
        verbose_name = "share of power"

    def __str__(self) -> str:
        return f"{self.charger_id}/{self.number}"


class SentProfile(models.Model):
    """A limit that is on its way to a charger: until it is answered, both it and the one before may apply."""

    ocpp_command = models.OneToOneField(
        OcppCommand, on_delete=models.CASCADE, primary_key=True, related_name="sent_profile"
    )
    share = models.ForeignKey(PowerShare, on_delete=models.CASCADE, related_name="sent")
    transaction = models.ForeignKey(
        Transaction, on_delete=models.CASCADE, null=True, related_name="+", help_text="None: for a car that just came"
    )
    watts = models.DecimalField(**_WATTS)

    class Meta:
        verbose_name = "limit on its way"
        verbose_name_plural = "limits on their way"

    def __str__(self) -> str:
        return f"{self.watts} W"


class PowerDecision(models.Model):
    """Who got what and why; written when it is another than before."""

    site = models.ForeignKey(PowerSite, on_delete=models.CASCADE, related_name="decisions")
    decided_at = models.DateTimeField()
    limit = models.DecimalField(**_WATTS)
    rows = models.TextField(help_text="JSON: an object for each EVSE")

    class Meta:
        indexes = [models.Index(fields=["site", "-id"], name="power_decision_latest")]
        verbose_name = "decision"

    def __str__(self) -> str:
        return f"{self.decided_at:%F %T}"


class SessionPreferences(models.Model):
    """What the driver wants of a Session (§mod_sessions_charging_preferences_object)."""

    transaction = models.OneToOneField(
        Transaction, on_delete=models.CASCADE, primary_key=True, related_name="preferences"
    )
    profile_type = models.CharField(max_length=20)
    departure_at = models.DateTimeField(null=True)
    energy_need = models.DecimalField(null=True, max_digits=15, decimal_places=3, help_text="Wh of the whole Session")
    received_at = models.DateTimeField()

    class Meta:
        verbose_name = "charging preferences"
        verbose_name_plural = "charging preferences"

    def __str__(self) -> str:
        return self.profile_type
