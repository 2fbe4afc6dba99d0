"""Own parties from NODE_PARTIES."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from roaming.checks import node_parties
from roaming.directory import directory
from roaming.models import DirectoryVersion, Party
from roaming.parties import configured, ensure_own_parties
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db


def own():
    return set(Party.objects.filter(platform=None).values_list("party", "role", "name"))


def test_the_configured_parties_exist_after_migrating():
    assert own() == {("NL*OCP", "CPO", "Example Charging"), ("NL*OSP", "EMSP", "Example Mobility")}


def test_ensuring_them_again_changes_nothing():
    before = DirectoryVersion.objects.get().value
    ensure_own_parties()
    assert DirectoryVersion.objects.get().value == before


def test_new_ones_are_added_and_renamed_ones_updated(settings):
    settings.NODE_PARTIES = "HUB:nl*hub:Example Hub, CPO:NL*OCP:Another name"
    ensure_own_parties()
    assert ("NL*HUB", "HUB", "Example Hub") in own()
    assert ("NL*OCP", "CPO", "Another name") in own()
    assert {role["party_id"] for role in directory.roles()} == {"OCP", "OSP", "HUB"}


@pytest.mark.parametrize("text", ["CPO:NL*OCP", "XXX:NL*OCP:Name", "CPO:NLOCP:Name", "CPO:N*OCP:Name", "CPO"])
def test_a_faulty_entry_is_named(text, settings):
    with pytest.raises(ImproperlyConfigured, match="NODE_PARTIES"):
        configured(text)
    settings.NODE_PARTIES = text
    assert [problem.id for problem in node_parties()] == ["roaming.E001"]


def test_two_hubs_on_one_node_are_refused_by_a_system_check(settings):
    settings.NODE_PARTIES = "HUB:NL*HUB:One,HUB:DE*HUB:Two"
    assert [problem.id for problem in node_parties()] == ["roaming.E002"]


def test_a_party_of_a_partner_cannot_become_ours_by_configuration(settings):
    register("CPO:DE*CPO")
    settings.NODE_PARTIES = "CPO:DE*CPO:Mine"
    with pytest.raises(ImproperlyConfigured, match=r"DE\*CPO"):
        ensure_own_parties()
