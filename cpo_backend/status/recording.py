"""Writes down what a charger says of a connector, with the alarms that follow, and has its EVSEs judged."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from cpo_backend.alarms import sounding
from cpo_backend.models import Alarm, Charger, ReportedStatus
from cpo_backend.status import publishing

STATION = 0
CLOCK_TOLERANCE = timedelta(minutes=5)
_NO_ERROR = "NoError"


@dataclass(frozen=True, slots=True)
class Report:
    """`number` is the connectorId of OCPP 1.6 or the EVSE id of 2.0.1; `told_at` is by the charger's clock."""

    number: int
    word: str
    connector: int = 1
    error_code: str = ""
    detail: str = ""
    told_at: datetime | None = None

    @property
    def is_error(self) -> bool:
        return self.error_code not in ("", _NO_ERROR)


def record(charger_id: int, generation: UUID, report: Report, received_at: datetime) -> None:
    """Store the report and publish what follows from it.

    One that is older than what the same connection said before is ignored; after a reconnect whatever is said counts.
    """
    if not _is_repeated(charger_id, generation, report):
        _take(charger_id, generation, report, received_at)


def _is_repeated(charger_id: int, generation: UUID, report: Report) -> bool:
    """Whether it says what is known already, which is noted in one statement: thousands do so when they come back."""
    if report.word == "Faulted" or report.is_error:
        return False
    same = ReportedStatus.objects.filter(
        charger=charger_id,
        number=report.number,
        connector=report.connector,
        word=report.word,
        error_code=report.error_code,
        detail=report.detail,
        stale=False,
    )
    if report.told_at is None:
        return bool(same.update(generation=generation))
    newer = Q(told_at=None) | Q(told_at__lte=report.told_at) | ~Q(generation=generation)
    return bool(same.filter(newer).update(generation=generation, told_at=report.told_at))


@transaction.atomic
def _take(charger_id: int, generation: UUID, report: Report, received_at: datetime) -> None:
    charger = Charger.objects.select_for_update().get(pk=charger_id)
    key = {"charger": charger, "number": report.number, "connector": report.connector}
    known = ReportedStatus.objects.filter(**key).first()
    if known is not None and _is_older(report, known, generation):
        return
    row = known or ReportedStatus(**key)
    if row.word != report.word or row.stale:
        row.received_at = received_at
    row.word, row.error_code, row.detail = report.word, report.error_code[:50], report.detail[:400]
    row.told_at = report.told_at or row.told_at
    row.generation, row.stale = generation, False
    row.save()
    mapped = publishing.judge_locked(charger, received_at)
    _alarms(charger, report, is_mapped=report.number == STATION or report.number in mapped)


def _is_older(report: Report, known: ReportedStatus, generation: UUID) -> bool:
    if known.generation != generation or report.told_at is None or known.told_at is None:
        return False
    return report.told_at < known.told_at


def _alarms(charger: Charger, report: Report, *, is_mapped: bool) -> None:
    """An error code on a connector that works is a warning."""
    subject = f"{report.number}" if report.connector == 1 else f"{report.number}.{report.connector}"
    told = " ".join(part for part in (report.error_code, report.detail) if part)
    present = {
        Alarm.Kind.FAULT: told if report.word == "Faulted" else None,
        Alarm.Kind.WARNING: told if report.is_error and report.word != "Faulted" else None,
        Alarm.Kind.UNKNOWN_CONNECTOR: None if is_mapped else "not published: no EVSE is mapped to it",
    }
    for kind, text in present.items():
        if text is not None:
            sounding.sound(charger.pk, kind, subject, text)
    sounding.clear(charger.pk, *(kind for kind, text in present.items() if text is None), subject=subject)


def check_clock(charger_id: int, offset: float) -> None:
    """`offset` is how many seconds the charger's clock is behind ours."""
    if abs(offset) > CLOCK_TOLERANCE.total_seconds():
        where = "behind" if offset > 0 else "ahead"
        sounding.sound_once(charger_id, Alarm.Kind.CLOCK, text=f"{abs(offset):.0f} seconds {where}")
    else:
        sounding.clear(charger_id, Alarm.Kind.CLOCK)
