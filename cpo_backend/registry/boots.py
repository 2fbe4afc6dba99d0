"""What a charger tells of itself when it boots, and whether it may take part."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from cpo_backend.alarms import sounding
from cpo_backend.local_lists import sending
from cpo_backend.models import Alarm, Charger, ReportedStatus
from cpo_backend.power import waking
from cpo_backend.registry import configuring

HOUR = timedelta(hours=1)
MOST_BOOTS = 3  # in an hour
PENDING_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Boot:
    """The facts of a BootNotification, whatever its version."""

    vendor: str = ""
    model: str = ""
    serial_number: str = ""
    firmware_version: str = ""
    meter_type: str = ""
    meter_serial_number: str = ""
    iccid: str = ""
    imsi: str = ""
    boot_reason: str = ""


_LONGEST = {field.name: field.max_length for field in Charger._meta.concrete_fields}


@dataclass(frozen=True, slots=True)
class Answer:
    """`interval`: seconds between heartbeats, or until it may ask again."""

    status: str
    interval: int

    @property
    def is_accepted(self) -> bool:
        return self.status == "Accepted"


@transaction.atomic
def boot(charger_id: int, facts: Boot, at: datetime) -> Answer:
    """Store the facts and answer: a charger that staff have not accepted yet is told to wait."""
    charger = Charger.objects.select_for_update().get(pk=charger_id)
    for name, value in asdict(facts).items():
        setattr(charger, name, value[: _LONGEST[name]])
    charger.last_boot_at, charger.reboot_required = at, False
    _count(charger, at)
    charger.save()
    sounding.clear(charger_id, Alarm.Kind.REBOOT_REQUIRED)
    # The clock may have been set meanwhile: what was said before it is older than whatever is said now.
    ReportedStatus.objects.filter(charger=charger).update(told_at=None)
    if charger.state != Charger.State.ACCEPTED:
        return Answer("Pending", PENDING_SECONDS)
    configuring.begin(charger)
    sending.booted(charger)
    waking.after_commit([charger_id])
    return Answer("Accepted", settings.OCPP_HEARTBEAT)


def _count(charger: Charger, at: datetime) -> None:
    if charger.boots_since is None or at - charger.boots_since > HOUR:
        if charger.boots <= MOST_BOOTS:
            sounding.clear(charger.pk, Alarm.Kind.BOOT_LOOP)
        charger.boots_since, charger.boots = at, 0
    charger.boots += 1
    if charger.boots > MOST_BOOTS:
        sounding.sound(charger.pk, Alarm.Kind.BOOT_LOOP, text=f"{charger.boots} boots within an hour")
