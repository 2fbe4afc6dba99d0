"""Chargers: what is registered of them, and what they last said of themselves."""

from django.db import models


class Charger(models.Model):
    """An OCPP station. Its identity is compared exactly, as it stands in the URL it connects to."""

    class State(models.TextChoices):
        PLANNED = "planned", "planned"
        PENDING = "pending", "waits for acceptance"
        ACCEPTED = "accepted", "accepted"
        BLOCKED = "blocked", "blocked"

    class Profile(models.IntegerChoices):
        PLAIN = 1, "1: password"
        TLS = 2, "2: password over TLS"
        CERTIFICATE = 3, "3: client certificate"

    identity = models.CharField(max_length=48, unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.ACCEPTED)
    party = models.CharField(max_length=6, blank=True, help_text="CC*PID of the Location's owner")
    location_id = models.CharField(max_length=36, blank=True)
    version = models.CharField("OCPP version", max_length=8, blank=True)
    vendor = models.CharField(max_length=50, blank=True)
    model = models.CharField(max_length=50, blank=True)
    serial_number = models.CharField(max_length=50, blank=True)
    firmware_version = models.CharField(max_length=100, blank=True)
    meter_type = models.CharField(max_length=50, blank=True)
    meter_serial_number = models.CharField(max_length=50, blank=True)
    iccid = models.CharField("ICCID", max_length=30, blank=True)
    imsi = models.CharField("IMSI", max_length=30, blank=True)
    security_profile = models.PositiveSmallIntegerField(
        choices=Profile, default=Profile.PLAIN, help_text="The lowest it may connect with; raised when it does better"
    )
    key_hash = models.CharField(max_length=64, blank=True, editable=False)
    new_key_hash = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Of a new password, until the charger first uses it"
    )
    last_boot_at = models.DateTimeField(null=True, blank=True)
    boot_reason = models.CharField(max_length=40, blank=True)
    boots_since = models.DateTimeField(null=True, blank=True, help_text="Begin of the hour in which boots are counted")
    boots = models.PositiveIntegerField(default=0, help_text="Boots in that hour")
    last_seen_at = models.DateTimeField(null=True, blank=True)
    offline_since = models.DateTimeField(
        null=True, blank=True, help_text="Empty while connected, and before it ever is"
    )
    configuration = models.TextField(blank=True, default="", help_text="As it was read last: JSON, value by key")
    configured_for = models.CharField(max_length=200, blank=True, help_text="Version and firmware it was read of")
    reboot_required = models.BooleanField(default=False, help_text="A setting takes effect with the next boot")

    def __str__(self) -> str:
        return self.identity


class ChargerEvse(models.Model):
    """Which EVSE of OCPI a number of OCPP stands for: a connectorId of OCPP 1.6, an EVSE id of OCPP 2."""

    class Override(models.TextChoices):
        NONE = "", "live status"
        PLANNED = "PLANNED", "planned"
        INOPERATIVE = "INOPERATIVE", "out of service"
        REMOVED = "REMOVED", "removed"

    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="evses")
    number = models.PositiveIntegerField(help_text="1.6: connectorId; 2.0.1: EVSE id")
    evse_uid = models.CharField(max_length=36)
    place = models.CharField(max_length=90, unique=True, editable=False, help_text="party/location/EVSE, lower case")
    override = models.CharField(
        max_length=12, choices=Override, blank=True, default="", help_text="Wins over what the charger reports"
    )
    shared_power_group = models.CharField(
        max_length=40,
        blank=True,
        help_text="EVSEs of one group have power for one car: the others are BLOCKED meanwhile",
    )
    published_status = models.CharField(max_length=20, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, help_text="When to judge the status again")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["charger", "number"], name="charger_evse_number")]
        indexes = [
            # What is to be judged again.
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="charger_evse_due"),
        ]
        verbose_name = "EVSE of a charger"
        verbose_name_plural = "EVSEs of chargers"

    def __str__(self) -> str:
        return f"{self.charger_id}/{self.number}: {self.evse_uid}"


class ReportedStatus(models.Model):
    """What a charger last said of one of its connectors; number 0 is the station."""

    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="statuses")
    number = models.PositiveIntegerField(help_text="1.6: connectorId; 2.0.1: EVSE id")
    connector = models.PositiveIntegerField(default=1, help_text="2.0.1: connector of the EVSE")
    word = models.CharField(max_length=20)
    error_code = models.CharField(max_length=50, blank=True)
    detail = models.CharField(max_length=400, blank=True)
    told_at = models.DateTimeField(null=True, help_text="By the charger's clock")
    received_at = models.DateTimeField()
    generation = models.UUIDField(help_text="The connection it came by")
    stale = models.BooleanField(default=False, help_text="The charger has been away since")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["charger", "number", "connector"], name="reported_status_connector")
        ]
        verbose_name = "reported status"
        verbose_name_plural = "reported statuses"

    def __str__(self) -> str:
        return f"{self.charger_id}/{self.number}.{self.connector}: {self.word}"
