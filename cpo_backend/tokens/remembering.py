"""Remembers for a while which tokens a charger was told may charge, so that their start is not asked about again.

Each is used once: the next start is another session, with another reference.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from cpo_backend.models import RememberedToken
from ocpi.types import codec

KEPT = timedelta(minutes=15)


def remember(charger_id: int, uid: str, type: str, decision: dict[str, Any]) -> None:
    """Keep a decision that allows to charge."""
    values = {"decided_at": timezone.now(), "decision": codec.encode_text(decision)}
    RememberedToken.objects.update_or_create(charger_id=charger_id, key=_key(uid, type), defaults=values)


@transaction.atomic
def recall(charger_id: int, uid: str, type: str) -> dict[str, Any] | None:
    """The decision of just now, which is forgotten with that."""
    key = {"charger_id": charger_id, "key": _key(uid, type)}
    row = RememberedToken.objects.select_for_update().filter(**key).first()
    if row is None:
        return None
    row.delete()
    found: dict[str, Any] = codec.decode(row.decision.encode())
    return found if row.decided_at > timezone.now() - KEPT else None


def forget(charger_id: int, uid: str, type: str) -> None:
    """The token may charge no more."""
    RememberedToken.objects.filter(charger_id=charger_id, key=_key(uid, type)).delete()


def prune() -> None:
    RememberedToken.objects.filter(decided_at__lt=timezone.now() - KEPT).delete()


def _key(uid: str, type: str) -> str:
    return f"{uid}/{type}".lower()[:60]
