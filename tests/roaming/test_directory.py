"""The picture that each process has of platforms and parties."""

import pytest
from django.db import transaction

from ocpi.ids import PartyId
from roaming import directory
from roaming.directory import Directory
from roaming.models import Party
from tests.kit.chargers import eventually
from tests.kit.platforms import register


@pytest.mark.django_db(transaction=True)
def test_what_another_process_has_changed_is_seen_by_itself() -> None:
    register("CPO:DE*CPO")
    other = Directory()
    assert other.picture().platform_of(PartyId("DE*CPO"))
    with transaction.atomic():
        Party.objects.filter(party="DE*CPO").update(party="DE*NEW")
        directory.changed()
    eventually(lambda: other.picture().platform_of(PartyId("DE*NEW")), "the change")
    assert not other.picture().platform_of(PartyId("DE*CPO"))
