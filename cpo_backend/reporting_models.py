"""What reports are added up from: the figures of our own CDRs, as integers, so that every database adds exactly."""

from django.db import models


class CdrFigures(models.Model):
    """What a CDR of ours comes to on one day of its site.

    Time counts on each day that it took; all else on the last day, the one the session ended on. A credit CDR counts
    backwards. `fault` says why a CDR has no figures: it is listed then, and nothing of it is added.
    """

    cdr = models.ForeignKey("ocpi.Cdr", on_delete=models.CASCADE, related_name="figures", verbose_name="CDR")
    day = models.DateField(help_text="By the clock of the site")
    is_last = models.BooleanField("last day")
    owner = models.CharField("CPO", max_length=6, help_text="CC*PID")
    partner = models.CharField(max_length=6, blank=True, help_text="CC*PID of the eMSP of the Token")
    location_key = models.CharField("site", max_length=36, blank=True, help_text="Id of the Location, lower case")
    evse_key = models.CharField("EVSE", max_length=36, blank=True, help_text="Its uid, lower case")
    occupied = models.BigIntegerField(default=0, help_text="Seconds of this day that the EVSE was in use")
    charging = models.BigIntegerField(default=0, help_text="Seconds of these in which it charged")
    hour = models.SmallIntegerField(null=True, help_text="Hour of the day the session began in")
    sessions = models.SmallIntegerField(default=0, help_text="1; -1 where a credit CDR takes it back")
    duration = models.BigIntegerField(default=0, help_text="Seconds of the whole session")
    energy = models.BigIntegerField(default=0, help_text="Millionths of a kWh")
    currency = models.CharField(max_length=3, blank=True)
    net = models.BigIntegerField("excl. VAT", null=True, help_text="Millionths of the currency")
    gross = models.BigIntegerField("incl. VAT", null=True, help_text="Millionths of the currency; empty: not told")
    fault = models.CharField(max_length=200, blank=True, help_text="Why it has no figures")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cdr", "day"], name="cdrfigures_day")]
        indexes = [
            models.Index(fields=["day"], name="cdrfigures_by_day"),
            models.Index(fields=["owner", "location_key", "day"], name="cdrfigures_of_site"),
            models.Index(fields=["partner", "day"], name="cdrfigures_of_partner"),
            models.Index(fields=["day"], condition=~models.Q(fault=""), name="cdrfigures_faults"),
        ]
        verbose_name = "report"

    def __str__(self) -> str:
        return f"{self.cdr_id}, {self.day}"


class FiguresProgress(models.Model):
    """How far the feed of CDRs has been read for their figures: one row, whose lock is held by who reads."""

    xid = models.BigIntegerField(default=0)
    revision = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.xid}/{self.revision}"
