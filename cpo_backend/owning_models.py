"""Owners of charge points: what is theirs and since when, their share, and the statement of each month."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from ocpi.ids import PartyId


class ChargePointOwner(models.Model):
    """Who owns charge points that we operate, and gets a share of what they earn."""

    name = models.CharField(max_length=100, unique=True)
    contact = models.CharField(max_length=100, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    address = models.TextField(blank=True)
    vat_number = models.CharField("VAT number", max_length=20, blank=True)
    bank_reference = models.CharField(max_length=100, blank=True, help_text="As the bank is to read it")
    notes = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name


class Dated(models.Model):
    """What holds from a day to a day, both included, by the clock of the site; no two of a kind at once.

    The database refuses two at once by itself (see the migration); `clean` says so in words. What is entered
    `together` with it, by key, is not compared there as it is stored: who enters them does, as they will be.
    """

    first_day = models.DateField()
    last_day = models.DateField(null=True, blank=True, help_text="Included; empty: until further notice")

    together: frozenset[int] = frozenset()

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Raises `ValidationError`: days out of order, or another one that it meets."""
        if self.first_day is None:  # its field says so
            return
        if self.last_day and self.last_day < self.first_day:
            raise ValidationError({"last_day": "It ends before it begins."})
        for other in self.others().exclude(pk__in=[self.pk, *self.together]):
            self.stay_clear_of(other)

    def others(self) -> models.QuerySet[Any]:
        """What it could meet, were it not for the days."""
        raise NotImplementedError

    def stay_clear_of(self, other: Any) -> None:
        """Raises `ValidationError` where both hold at once."""
        begins_in_time = other.last_day is None or self.first_day <= other.last_day
        if begins_in_time and (self.last_day is None or other.first_day <= self.last_day):
            until = other.last_day or "further notice"
            raise ValidationError(f"{other} already, until {until}.")


def _days_in_order(name: str) -> models.CheckConstraint:
    ordered = Q(last_day=None) | Q(last_day__gte=F("first_day"))
    return models.CheckConstraint(condition=ordered, name=name)


class Ownership(Dated):
    """A Location, or one EVSE of it, that belongs to an owner."""

    owner = models.ForeignKey(ChargePointOwner, on_delete=models.CASCADE, related_name="ownerships")
    party = models.CharField("CPO", max_length=6, help_text="CC*PID of the Location's owner in OCPI: ourselves")
    location_id = models.CharField(max_length=36)
    evse_uid = models.CharField("EVSE uid", max_length=36, blank=True, help_text="Empty: the whole Location")
    location_key = models.CharField(max_length=36, editable=False, help_text="Lower case")
    evse_key = models.CharField(max_length=36, editable=False, blank=True, help_text="Lower case")

    class Meta:
        constraints = [_days_in_order("ownership_days")]
        indexes = [models.Index(fields=["party", "location_key", "first_day"], name="ownership_place")]
        verbose_name = "ownership"
        ordering = ("location_key", "evse_key", "first_day")

    def __str__(self) -> str:
        what = f"EVSE {self.evse_uid} of {self.location_id}" if self.evse_uid else f"all of {self.location_id}"
        return f"{self.owner} owns {what} from {self.first_day}"

    def save(self, *arguments: Any, **options: Any) -> None:
        self._compare()
        super().save(*arguments, **options)

    def clean(self) -> None:
        """Raises `ValidationError`: no party, days out of order, or somebody's already."""
        try:
            self.party = PartyId.parse(self.party)
        except ValueError as error:
            raise ValidationError({"party": str(error)}) from None
        self._compare()
        super().clean()

    def others(self) -> models.QuerySet["Ownership"]:
        found = Ownership.objects.filter(party=self.party, location_key=self.location_key).select_related("owner")
        return found.filter(evse_key__in=["", self.evse_key]) if self.evse_key else found

    def stay_clear_of(self, other: "Ownership") -> None:
        """An EVSE meets itself, and all of its Location."""
        if (self.party, self.location_key) == (other.party, other.location_key) and (
            not self.evse_key or other.evse_key in ("", self.evse_key)
        ):
            super().stay_clear_of(other)

    def _compare(self) -> None:
        self.location_key, self.evse_key = self.location_id.lower(), self.evse_uid.lower()


_RATE: dict[str, Any] = {"max_digits": 12, "decimal_places": 4, "default": 0, "validators": [MinValueValidator(0)]}


class RevenueShare(Dated):
    """What an owner gets; all that is not 0 adds up."""

    owner = models.ForeignKey(ChargePointOwner, on_delete=models.CASCADE, related_name="shares")
    percent = models.DecimalField(
        "% of revenue", max_digits=7, decimal_places=4, default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)], help_text="Of the revenue excl. VAT",
    )  # fmt: skip
    per_kwh = models.DecimalField("per kWh", **_RATE)
    per_session = models.DecimalField("per session", **_RATE)
    per_month = models.DecimalField("per month", **_RATE, help_text="By days where it holds for a part of the month")
    currency = models.CharField(max_length=3, default="EUR", help_text="Of these amounts (ISO 4217)")
    vat_rate = models.DecimalField(
        "VAT (%)", max_digits=5, decimal_places=2, null=True, blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)], help_text="On the share; empty: without VAT",
    )  # fmt: skip

    class Meta:
        constraints = [_days_in_order("revenueshare_days")]
        verbose_name = "revenue share"
        ordering = ("first_day",)

    def __str__(self) -> str:
        return f"A share holds from {self.first_day}"

    def clean(self) -> None:
        """Raises `ValidationError`: an odd currency, days out of order, or another share on one of these days."""
        self.currency = self.currency.upper()
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isalpha()):
            raise ValidationError({"currency": "A currency has three letters."})
        super().clean()

    def others(self) -> models.QuerySet["RevenueShare"]:
        return RevenueShare.objects.filter(owner_id=self.owner_id)


class OwnerStatement(models.Model):
    """One month of one owner. A draft is made anew any time; a closed one never changes."""

    class State(models.TextChoices):
        DRAFT = "DRAFT", "draft"
        CLOSED = "CLOSED", "closed"

    owner = models.ForeignKey(ChargePointOwner, on_delete=models.PROTECT, related_name="statements")
    month = models.CharField(max_length=7, help_text="YYYY-MM")
    state = models.CharField(max_length=6, choices=State, default=State.DRAFT)
    built_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=150, blank=True)
    cdr_count = models.PositiveIntegerField("CDRs", default=0, help_text="Credit CDRs included")
    late_count = models.PositiveIntegerField("late", default=0, help_text="CDRs that came after their month was closed")
    fault_count = models.PositiveIntegerField("not counted", default=0, help_text="CDRs that cannot be read")
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, help_text="Of the list of CDRs with their hashes")
    statement = models.TextField(blank=True, default="{}", help_text="All figures as exact JSON")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "month"], name="ownerstatement_month")]
        verbose_name = "owner statement"

    def __str__(self) -> str:
        return f"{self.owner}, {self.month}"


class StatedCdr(models.Model):
    """A CDR in the list of a statement. It counts in one closed statement at most."""

    statement = models.ForeignKey(OwnerStatement, on_delete=models.CASCADE, related_name="cdrs")
    cdr = models.ForeignKey("ocpi.Cdr", on_delete=models.PROTECT, related_name="stated", verbose_name="CDR")
    number = models.PositiveIntegerField("no.")
    day = models.DateField(help_text="The session ended on, by the clock of the site")
    sha256 = models.CharField("SHA-256", max_length=64, help_text="Of the stored document")
    vat = models.CharField("VAT", max_length=60, blank=True, help_text="Rates in percent")
    is_late = models.BooleanField("late", default=False)
    fault = models.CharField("not counted", max_length=200, blank=True, help_text="Why it does not count")
    is_final = models.BooleanField(default=False, help_text="It counts, and the statement is closed")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["statement", "cdr"], name="statedcdr_once"),
            models.UniqueConstraint(fields=["cdr"], condition=Q(is_final=True), name="statedcdr_final"),
        ]
        indexes = [models.Index(fields=["statement", "number"], name="statedcdr_list")]
        verbose_name = "stated CDR"

    def __str__(self) -> str:
        return f"{self.statement_id}/{self.number}"
