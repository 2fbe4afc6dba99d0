"""What operators of parties have agreed on; `roaming.agreements` holds the rule."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


class Agreement(models.Model):
    """Two parties may exchange these modules in this time; the order of the two does not matter."""

    class Rounding(models.TextChoices):
        ONCE = "ONCE", "once, to four decimals"
        BUCKETS = "BUCKETS", "each kind of cost to cents"
        PERIODS = "PERIODS", "each charging period to cents"
        SEGMENTS = "SEGMENTS", "each priced quantity to cents"

    party_a = models.CharField("party", max_length=6, help_text="CC*PID")
    party_b = models.CharField("other party", max_length=6, help_text="CC*PID")
    modules = models.JSONField(default=list, blank=True, help_text="None: all modules, custom ones included")
    valid_from = models.DateTimeField(default=timezone.now, help_text="UTC")
    valid_to = models.DateTimeField(null=True, blank=True, help_text="UTC, not included; empty: without end")
    cdr_tolerance = models.DecimalField(
        "tolerance of CDRs",
        max_digits=10,
        decimal_places=4,
        default=0,
        validators=[MinValueValidator(0)],
        help_text="What a CDR may cost more than we compute, without VAT, in its currency",
    )
    cdr_rounding = models.CharField("rounding of CDRs", max_length=10, choices=Rounding, default=Rounding.ONCE)
    settle_zone = models.CharField(
        "time zone of months", max_length=64, default="UTC", help_text="Where the month of a CDR begins and ends"
    )
    settle_disputed = models.BooleanField(
        "disputed CDRs are settled", default=False, help_text="Otherwise they are held back until they are decided"
    )
    fee_per_session = models.DecimalField(
        "fee per session",
        max_digits=10,
        decimal_places=4,
        default=0,
        validators=[MinValueValidator(0)],
        help_text="Of the hub, without VAT; a session whose CDR was credited costs none",
    )
    fee_currency = models.CharField("currency of that fee", max_length=3, default="EUR", help_text="ISO 4217")
    fee_percent = models.DecimalField(
        "fee in percent",
        max_digits=7,
        decimal_places=4,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Of the net total in each currency",
    )
    fee_vat = models.DecimalField(
        "VAT on fees (%)", max_digits=6, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    note = models.CharField(max_length=200, blank=True, help_text="Contract number, or whom to ask")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(party_a=models.F("party_b")),
                name="agreement_of_two",
                violation_error_message="An agreement is between two parties.",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to=None) | models.Q(valid_to__gt=models.F("valid_from")),
                name="agreement_begins_before_it_ends",
                violation_error_message="It must end after it begins.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.party_a} and {self.party_b}"


class TariffOffer(models.Model):
    """A Tariff of one of the two parties that is not for everybody, but for the other one while the agreement holds."""

    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="tariff_offers")
    owner = models.CharField(max_length=6, help_text="CC*PID of the party that owns the Tariff")
    tariff_id = models.CharField("tariff id", max_length=36)
    is_offered = models.BooleanField(
        "offered", default=True, help_text="Off: withdrawn from this partner, and still not for everybody"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.F("agreement"), models.F("owner"), Lower("tariff_id"), name="tariff_offered_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.owner} {self.tariff_id}"

    @property
    def partner(self) -> str:
        """The party that it is offered to."""
        agreement = self.agreement
        return agreement.party_b if self.owner == agreement.party_a else agreement.party_a
