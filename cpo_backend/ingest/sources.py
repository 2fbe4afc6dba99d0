"""Who may tell the status of EVSEs: each source has a token of its own, which is shown once."""

from django.db import transaction
from django.utils import timezone

from cpo_backend.models import StatusSource
from cpo_backend.registry import keys
from ocpi.ids import PartyId


def add(name: str, party: PartyId, grace: int = 900) -> tuple[StatusSource, str]:
    """A new source and its token."""
    source = StatusSource(name=name, party=party, grace=grace)
    return source, renew(source)


def renew(source: StatusSource) -> str:
    """A new token for a source; the one before is worth nothing from now on."""
    token = keys.new_key()
    source.key_hash = keys.digest(token.encode())
    source.save()
    return token


def known(token: str) -> StatusSource | None:
    """The source with this token, if it may tell anything."""
    sources = list(StatusSource.objects.filter(is_enabled=True).exclude(key_hash="").order_by("pk"))
    place = keys.fits(token.encode(), *(source.key_hash for source in sources))
    return None if place is None else sources[place]


@transaction.atomic
def heard(source: StatusSource) -> None:
    """It gives a sign of life."""
    StatusSource.objects.filter(pk=source.pk).update(last_seen_at=timezone.now(), is_away=False)
