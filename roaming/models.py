"""Partners: who is connected, how we talk to them, and what became of it."""

from datetime import timedelta

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from ocpi.client.messages import Presented
from roaming.secrets import EncryptedField

_PRECISION = timedelta(seconds=5)  # of `last_success_at`, which would else be written with every batch


class Platform(models.Model):
    """A connected system, holder of tokens and endpoints; one platform may host several parties."""

    class State(models.TextChoices):
        PLANNED = "PLANNED", "planned"  # invited, handshake not done
        CONNECTED = "CONNECTED", "connected"
        SUSPENDED = "SUSPENDED", "suspended"  # unregistered, or stopped by staff

    name = models.CharField(max_length=100, unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    versions_url = models.CharField("versions URL", max_length=255, blank=True)
    outbound_token = EncryptedField("token we present", blank=True, default="")
    sends_plain_token = models.BooleanField(
        "expects an unencoded token", default=False, help_text="For 2.1.1 and 2.2 peers that do not decode base64"
    )
    connected_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")
    failures = models.PositiveIntegerField("consecutive failures", default=0)
    last_seen_at = models.DateTimeField(null=True, blank=True, help_text="It called us or answered; to half a minute")
    offline_since = models.DateTimeField(null=True, blank=True, help_text="Since then only probes call it")
    probe_at = models.DateTimeField("next probe at", null=True, blank=True, help_text="Not before")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def presented(self) -> Presented:
        """The credentials token that our requests to this platform carry."""
        return Presented(self.outbound_token, self.sends_plain_token, self.pk)

    def record_success(self) -> None:
        """Remember that the platform answered, to a few seconds; without a signal, for the directory is as it was."""
        now = timezone.now()
        if self.failures or self.last_success_at is None or now - self.last_success_at > _PRECISION:
            type(self).objects.filter(pk=self.pk).update(last_success_at=now, failures=0)

    def record_error(self, message: str) -> None:
        """Remember that the platform could not be used, for staff and for the pace of further attempts."""
        type(self).objects.filter(pk=self.pk).update(
            last_error_at=timezone.now(), last_error=message[:2000], failures=models.F("failures") + 1
        )


class CredentialsToken(models.Model):
    """A token that a platform presents to us, as a keyed hash."""

    class Kind(models.TextChoices):
        BOOTSTRAP = "BOOTSTRAP", "bootstrap"  # good for versions and credentials only
        INBOUND = "INBOUND", "inbound"

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="tokens")
    kind = models.CharField(max_length=10, choices=Kind)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True, help_text="First use; it ends the validity of older tokens")
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} token of {self.platform_id}"


class Endpoint(models.Model):
    """A module interface of a platform, from its version details; never built from conventions."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="endpoints")
    module = models.CharField(max_length=40)
    role = models.CharField(max_length=10)
    url = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "module", "role"], name="endpoint_key")]

    def __str__(self) -> str:
        return f"{self.module} {self.role}"


class Party(models.Model):
    """A party in one role: ours, or of a platform."""

    platform = models.ForeignKey(
        Platform, on_delete=models.CASCADE, related_name="parties", null=True, blank=True, help_text="Empty: our own"
    )
    party = models.CharField(max_length=6, help_text="CC*PID, upper case")
    role = models.CharField(max_length=36)
    name = models.CharField(max_length=100)
    business_details = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["party", "role"], name="party_key")]
        verbose_name_plural = "parties"

    def __str__(self) -> str:
        return f"{self.party} {self.role}"


class DirectoryVersion(models.Model):
    """One row: raised whenever platforms, tokens, endpoints or parties change, so that processes reload them."""

    value = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return str(self.value)


from roaming import (  # noqa: E402, F401  (Django finds an app's models here)
    agreement_models,
    audit_models,
    authorization_models,
    command_models,
    delivery_models,
    dispute_models,
    exchange_models,
    hub_models,
    lab_models,
    lease_models,
    pull_models,
    settlement_models,
)
