"""Transactions: what chargers told of them, kept as told, and the bill that follows from it.

What makes a message a repetition of another is a constraint here, never code alone. Times are kept as the charger told
them beside the time of receipt; `transactions.clock` says what they mean.
"""

from typing import Any

from django.db import models
from django.db.models import Q

from cpo_backend.charger_models import Charger

# Wh, W, A, V …: fifteen digits are what SQLite keeps exactly.
_QUANTITY: dict[str, Any] = {"max_digits": 15, "decimal_places": 3}


class Transaction(models.Model):
    """What a charger calls a transaction. Of OCPP 1.6 the primary key is the transactionId that it was given.

    `start_told` and `stop_told` are the timestamps letter by letter: they tell a repetition.
    """

    class ClosedBy(models.TextChoices):
        NOBODY = "", "open"
        CHARGER = "charger", "its stop"
        SYSTEM = "system", "us: the stop never came"

    charger = models.ForeignKey(Charger, on_delete=models.PROTECT, related_name="transactions")
    number = models.PositiveIntegerField(null=True, help_text="1.6: connectorId; 2.0.1: EVSE id, once it is told")
    connector = models.PositiveIntegerField(default=1, help_text="2.0.1: connector of the EVSE")
    # Null, for it is unique where there is one.
    told_id = models.CharField(max_length=36, null=True, help_text="2.0.1: the charger's name for it")  # noqa: DJ001
    start_told = models.CharField(max_length=64, blank=True)
    start_told_at = models.DateTimeField(null=True)
    start_received_at = models.DateTimeField()
    meter_start = models.DecimalField(null=True, help_text="Wh", **_QUANTITY)
    stop_told = models.CharField(max_length=64, blank=True)
    stop_told_at = models.DateTimeField(null=True)
    stop_received_at = models.DateTimeField(null=True)
    meter_stop = models.DecimalField(null=True, help_text="Wh", **_QUANTITY)
    stop_reason = models.CharField(max_length=40, blank=True, help_text="As told; none is Local")
    closed_by = models.CharField(max_length=8, choices=ClosedBy, blank=True, default=ClosedBy.NOBODY)
    closed_at = models.DateTimeField(null=True, help_text="When we knew of the end")
    closed_why = models.CharField(max_length=100, blank=True)
    clock_offset = models.FloatField(null=True, help_text="Seconds the charger's clock was behind, as last measured")
    free_since = models.DateTimeField(null=True, help_text="The connector is Available though the transaction is open")
    heard_at = models.DateTimeField(help_text="The last that was told of it")
    asked_at = models.DateTimeField(null=True, help_text="When the charger was asked whether it goes on")
    id_tag = models.CharField(max_length=255, blank=True)
    token_type = models.CharField(max_length=20, blank=True)
    allowed = models.CharField(max_length=20, blank=True, help_text="What was decided of the token")
    auth_method = models.CharField(max_length=20, blank=True)
    authorization_reference = models.CharField(max_length=36, blank=True)
    cdr_token = models.TextField(blank=True, help_text="JSON; empty: nobody knows the token")
    reservation_id = models.IntegerField(null=True)
    reserved_since = models.DateTimeField(null=True, help_text="The EVSE was held for its driver from then on")
    remote_start_id = models.IntegerField(null=True)
    pruned_at = models.DateTimeField(null=True, help_text="Its meter values between begin and end are forgotten")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["charger", "number", "id_tag", "start_told", "meter_start"],
                condition=Q(told_id=None),
                name="transaction_start",
            ),
            models.UniqueConstraint(fields=["charger", "told_id"], name="transaction_told_id"),
            models.UniqueConstraint(fields=["charger", "number"], condition=Q(closed_by=""), name="transaction_open"),
        ]
        indexes = [
            models.Index(fields=["free_since"], condition=Q(free_since__isnull=False), name="transaction_free"),
            # What may be forgotten of them.
            models.Index(fields=["closed_at"], condition=Q(pruned_at=None), name="transaction_unpruned"),
        ]

    def __str__(self) -> str:
        return f"{self.charger_id}/{self.number}: {self.ocpp_id}"

    @property
    def ocpp_id(self) -> str:
        """What the charger calls it."""
        return self.told_id if self.told_id is not None else str(self.pk)

    @property
    def is_open(self) -> bool:
        return self.closed_by == self.ClosedBy.NOBODY


class TransactionMessage(models.Model):
    """A message about a transaction, as it came; of 2.0.1 a number in the sequence counts once."""

    charger = models.ForeignKey(Charger, on_delete=models.PROTECT, related_name="transaction_messages")
    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, null=True, related_name="messages")
    action = models.CharField(max_length=50)
    kind = models.CharField(max_length=10, blank=True, help_text="2.0.1: Started, Updated or Ended")
    seq_no = models.IntegerField(null=True)
    payload = models.TextField()
    received_at = models.DateTimeField()
    needs_attention = models.CharField(max_length=400, blank=True, help_text="Why a person should look at it")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["transaction", "seq_no"], name="transaction_event_once")]
        indexes = [
            models.Index(fields=["-id"], condition=~Q(needs_attention=""), name="transaction_message_odd"),
            models.Index(fields=["received_at"], name="transaction_message_age"),
        ]
        verbose_name = "transaction message"

    def __str__(self) -> str:
        return f"{self.action} {self.kind}".rstrip()


class MeterSample(models.Model):
    """A sampled value in the unit of its kind: Wh, W, A, V, percent, Celsius."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="samples")
    told_at = models.DateTimeField()
    received_at = models.DateTimeField()
    measurand = models.CharField(max_length=50)
    phase = models.CharField(max_length=8, blank=True)
    location = models.CharField(max_length=20, blank=True)
    context = models.CharField(max_length=30, blank=True)
    value = models.DecimalField(**_QUANTITY)
    is_bare = models.BooleanField(default=False, help_text="Told without a unit")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["transaction", "told_at", "measurand", "phase", "location", "context"], name="meter_sample_once"
            )
        ]
        verbose_name = "meter sample"

    def __str__(self) -> str:
        return f"{self.measurand} {self.value}"


class SignedReading(models.Model):
    """A value that the meter signed, byte for byte."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="signed_readings")
    told_at = models.DateTimeField()
    received_at = models.DateTimeField()
    context = models.CharField(max_length=30, blank=True)
    value = models.DecimalField(null=True, help_text="Wh, where it was told beside the signature", **_QUANTITY)
    data = models.TextField()
    encoding = models.CharField(max_length=50, blank=True)
    signing = models.CharField(max_length=50, blank=True)
    public_key = models.TextField(blank=True)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["transaction", "context", "digest"], name="signed_reading_once")]
        verbose_name = "signed reading"

    def __str__(self) -> str:
        return f"{self.context} {self.told_at:%F %T}"


class StateChange(models.Model):
    """The connector went to another state while the transaction went on, in the words of `pricing.periods`."""

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="changes")
    told_at = models.DateTimeField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=20)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["transaction", "told_at", "state"], name="state_change_once")]
        verbose_name = "state change"

    def __str__(self) -> str:
        return f"{self.told_at:%F %T} {self.state}"


class OrphanStop(models.Model):
    """A stop of a transaction that cannot be made out; a person assigns it or lets it be."""

    charger = models.ForeignKey(Charger, on_delete=models.PROTECT, related_name="orphan_stops")
    told_id = models.CharField(max_length=36)
    stop_told = models.CharField(max_length=64, blank=True)
    meter_stop = models.DecimalField(help_text="Wh", **_QUANTITY)
    id_tag = models.CharField(max_length=255, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    payload = models.TextField()
    received_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=150, blank=True)
    transaction = models.ForeignKey(Transaction, on_delete=models.SET_NULL, null=True, related_name="adopted_stops")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["charger", "told_id", "stop_told", "meter_stop"], name="orphan_stop_once")
        ]
        verbose_name = "orphan stop"

    def __str__(self) -> str:
        return f"stop of {self.told_id}"


class Bill(models.Model):
    """The Session and the CDR of a transaction: what is due, what was made, and why not.

    There is one for each transaction, and with it one CDR: their id is `session_id`, its successors' are `cdr_id`.
    """

    class State(models.TextChoices):
        RUNNING = "running", "goes on"
        HELD = "held", "held"
        OUT = "out", "CDR is out"
        NOTHING = "nothing", "nothing to bill"
        DISCARDED = "discarded", "discarded"

    transaction = models.OneToOneField(Transaction, on_delete=models.CASCADE, primary_key=True, related_name="bill")
    session_id = models.CharField(max_length=36, unique=True)
    tariff = models.TextField(blank=True, help_text="The Tariff valid at the start, as it was then: JSON")
    session_due_at = models.DateTimeField(null=True)
    session_made_at = models.DateTimeField(null=True)
    session_status = models.CharField(max_length=20, blank=True)
    cdr_due_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    reason = models.CharField(max_length=400, blank=True, help_text="Why it is held, or there is nothing to bill")
    cdr_id = models.CharField(max_length=39, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True, help_text="Of what the CDR was made of")
    energy = models.DecimalField(null=True, help_text="Wh", **_QUANTITY)
    basis = models.CharField(max_length=20, blank=True, help_text="What the energy follows from")
    oddities = models.TextField(blank=True, help_text="What is odd about the meter values, a line each")
    shown_cost = models.DecimalField(null=True, help_text="With taxes, as the charger was last told", **_QUANTITY)
    cost_shown_at = models.DateTimeField(null=True)
    is_released = models.BooleanField(default=False, help_text="Staff let it out though it looks implausible")
    decision = models.CharField(max_length=400, blank=True, help_text="Why staff released or discarded it")
    decided_by = models.CharField(max_length=150, blank=True)

    class Meta:
        indexes = [
            # What is to be made.
            models.Index(fields=["session_due_at"], condition=Q(session_due_at__isnull=False), name="bill_session_due"),
            models.Index(fields=["cdr_due_at"], condition=Q(cdr_due_at__isnull=False), name="bill_cdr_due"),
            models.Index(fields=["state"], condition=Q(state="held"), name="bill_held"),
        ]

    def __str__(self) -> str:
        return self.session_id
