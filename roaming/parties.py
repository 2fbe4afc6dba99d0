"""Our own parties, from NODE_PARTIES; staff may add more in the admin."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from ocpi.ids import PartyId
from ocpi.v221.common import Role
from roaming import directory
from roaming.models import Party


def configured(text: str) -> list[tuple[Role, PartyId, str]]:
    """`ROLE:CC*PID:Name`, comma-separated; raises ImproperlyConfigured naming the faulty entry."""
    found = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        role, _, rest = entry.partition(":")
        party, _, name = rest.partition(":")
        try:
            if not Role(role).is_known or not name:
                raise ValueError
            found.append((Role(role), PartyId.parse(party), name))
        except ValueError:
            raise ImproperlyConfigured(f"NODE_PARTIES: {entry!r} is not ROLE:CC*PID:Name") from None
    return found


@transaction.atomic
def ensure_own_parties() -> None:
    """Create or update the configured parties; called when a node starts, changes nothing the second time."""
    for role, party, name in configured(settings.NODE_PARTIES):
        row, created = Party.objects.get_or_create(
            party=party, role=role, defaults={"name": name, "business_details": {"name": name}}
        )
        if row.platform_id is not None:
            raise ImproperlyConfigured(f"NODE_PARTIES: {party} {role} is a party of {row.platform}")
        if created or row.name != name:
            row.name, row.business_details = name, {**row.business_details, "name": name}
            row.save()
            directory.changed()
