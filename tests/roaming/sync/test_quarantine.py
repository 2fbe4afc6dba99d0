"""What is in quarantine is judged again, for our rules change too."""

from typing import Any

import pytest

from ocpi.models import Cdr, Location
from ocpi.store.catalogue import STORES
from ocpi.store.objects import Arrival
from ocpi.types.validation import Violation
from ocpi.v221.versions import ModuleID
from roaming import tasks
from roaming.models import Platform
from roaming.pull_models import QuarantinedObject
from roaming.sync import intake, quarantine
from tests.kit.objects import Document, cdr, location, minutes_after_noon, without
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)
LOCATIONS = ModuleID.LOCATIONS
OLD_RULE = [Violation("/name", "rule", "was too strict", True)]


@pytest.fixture
def platform() -> Platform:
    return register("CPO:DE*CPO").platform


def theirs(make: Any = location, **changes: Any) -> Document:
    return make(country_code="DE", party_id="CPO", **changes)


def keep(platform: Platform, document: Document, module: ModuleID = LOCATIONS) -> None:
    quarantine.keep(platform.pk, module, document, OLD_RULE)


def hold(platform: Platform, document: Document, module: ModuleID = LOCATIONS) -> None:
    STORES[module].put_many([Arrival(document)], platform.pk)


def retry() -> dict[str, int]:
    return dict(intake.retry(QuarantinedObject.objects.all()))


def test_what_can_be_used_now_is_stored(platform: Platform) -> None:
    """Demand 18: without the partner having to send it again."""
    keep(platform, theirs(name="n" * 300))
    assert retry() == {"stored": 1}
    row = Location.objects.get()
    assert row.source == platform.pk and "/name" in row.defects
    assert not QuarantinedObject.objects.exists()


def test_what_cannot_be_used_still_is_kept_with_the_defects_of_today(platform: Platform) -> None:
    keep(platform, without(theirs(), "country"))
    assert retry() == {"kept": 1}
    assert "/country" in QuarantinedObject.objects.get().defects


def test_what_was_overtaken_is_forgotten(platform: Platform) -> None:
    """A push has brought a newer version meanwhile."""
    keep(platform, theirs(name="old"))
    hold(platform, theirs(name="new", last_updated=minutes_after_noon(1)))
    assert retry() == {"overtaken": 1}
    assert "new" in Location.objects.get().document and not QuarantinedObject.objects.exists()


def test_what_is_newer_than_what_we_hold_replaces_it(platform: Platform) -> None:
    hold(platform, theirs(name="old"))
    keep(platform, theirs(name="new", last_updated=minutes_after_noon(1)))
    assert retry() == {"stored": 1} and "new" in Location.objects.get().document


def test_objects_of_other_parties_stay_out(platform: Platform) -> None:
    """R6.10"""
    keep(platform, location())
    assert retry() == {"kept": 1} and not Location.objects.exists()


def test_a_cdr_that_contradicts_the_one_we_have_stays_out(platform: Platform) -> None:
    """R9.8"""
    hold(platform, theirs(cdr), ModuleID.CDRS)
    keep(platform, theirs(cdr, remark="changed"), ModuleID.CDRS)
    assert retry() == {"kept": 1} and "remark" not in Cdr.objects.get().document


def test_it_is_done_by_itself_every_night(platform: Platform) -> None:
    keep(platform, theirs())
    tasks.retry_quarantine()
    assert not QuarantinedObject.objects.exists()
