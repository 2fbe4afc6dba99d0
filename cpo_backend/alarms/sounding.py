"""Raises and clears alarms. The database holds that there is one open alarm of a kind and subject."""

import structlog
from django.db.models import F
from django.utils import timezone

from cpo_backend.models import Alarm

log = structlog.get_logger(__name__)


def sound(charger_id: int, kind: Alarm.Kind, subject: str = "", text: str = "") -> None:
    """Raise an alarm, or count it when it is open already."""
    now = timezone.now()
    subject, text = subject[:60], text[:400]
    opened = Alarm.objects.filter(charger_id=charger_id, kind=kind, subject=subject, cleared_at=None)
    if opened.update(count=F("count") + 1, last_at=now, text=text):
        return
    new = Alarm(charger_id=charger_id, kind=kind, subject=subject, text=text, raised_at=now, last_at=now)
    Alarm.objects.bulk_create([new], ignore_conflicts=True)
    log.warning("charger alarm", charger_id=charger_id, kind=kind.value, subject=subject, text=text)


def sound_once(charger_id: int, kind: Alarm.Kind, subject: str = "", text: str = "") -> None:
    """Raise an alarm unless it is open: for a state that is looked at again and again."""
    if not Alarm.objects.filter(charger_id=charger_id, kind=kind, subject=subject[:60], cleared_at=None).exists():
        sound(charger_id, kind, subject, text)


def clear(charger_id: int, *kinds: Alarm.Kind, subject: str = "") -> None:
    """Their cause is gone."""
    opened = Alarm.objects.filter(charger_id=charger_id, kind__in=kinds, subject=subject[:60], cleared_at=None)
    if opened.update(cleared_at=timezone.now()):
        log.info("charger alarm is over", charger_id=charger_id, kinds=[kind.value for kind in kinds], subject=subject)
