"""A hub as its partners meet it: what is broadcast, what GET All returns, what is refused."""

import pytest

from ocpi.models import Location
from ocpi.v221.versions import ModuleID
from roaming import directory
from roaming.models import Party
from roaming.sync.audience import audience
from tests.kit.caller import RECEIVER_LOCATIONS, SENDER_LOCATIONS
from tests.kit.objects import location
from tests.kit.platforms import register

HUB = "NL*HUB"
HARBOUR = f"{RECEIVER_LOCATIONS}/DE/CPO/LOC-1"
THEIRS = location(country_code="DE", party_id="CPO")


@pytest.fixture(autouse=True)
def hub(db):
    Party.objects.filter(platform=None).delete()
    Party.objects.create(party=HUB, role="HUB", name="Example Hub")
    directory.changed()


@pytest.fixture
def cpo():
    return register("CPO:DE*CPO")


@pytest.fixture
def emsp():
    return register("EMSP:FR*MSP")


def test_a_broadcast_is_answered_by_the_hub_itself(cpo):
    """R7.4, R7.8, R7.3: the response is from the hub to the requesting party."""
    answer = cpo.client(to=HUB, from_="DE*CPO").put(HARBOUR, THEIRS)
    assert answer.codes == (201, 1000)
    assert (answer.routing.to, answer.routing.from_) == ("DE*CPO", HUB)


def test_a_hub_leaves_last_updated_alone(cpo, emsp):
    """R8.3, R6.11"""
    cpo.client(to=HUB).put(HARBOUR, THEIRS)
    (seen,) = emsp.client(to=HUB).get(SENDER_LOCATIONS).data
    assert seen == THEIRS


def test_get_all_returns_everybodys_objects_but_the_callers_own(cpo, emsp):
    """R7.10"""
    both = register("CPO:NL*CPO", "EMSP:NL*CPO")
    cpo.client(to=HUB).put(HARBOUR, THEIRS)
    both.client(to=HUB).put(f"{RECEIVER_LOCATIONS}/NL/CPO/LOC-1", location(country_code="NL", party_id="CPO"))
    assert len(emsp.client(to=HUB).get(SENDER_LOCATIONS).data) == 2
    assert [found["country_code"] for found in both.client(to=HUB).get(SENDER_LOCATIONS).data] == ["DE"]


def test_a_push_that_names_no_receiver_is_broadcast(cpo, emsp):
    """R7.9: when the hub cannot determine a receiver."""
    assert cpo.client().put(HARBOUR, THEIRS).codes == (201, 1000)
    assert len(emsp.client(to=HUB).get(SENDER_LOCATIONS).data) == 1


def test_a_list_that_names_no_receiver_is_2001(emsp):
    """R7.9: Open Routing is not for GET All."""
    assert emsp.client().get(SENDER_LOCATIONS).codes == (200, 2001)


def test_a_message_to_a_party_that_is_not_connected_is_4001(cpo):
    """R8.2"""
    answer = cpo.client(to="FR*XXX").put(HARBOUR, THEIRS)
    assert answer.codes == (200, 4001)
    assert not Location.objects.exists()


def test_malformed_json_stops_at_the_hub(cpo):
    """R8.11"""
    assert cpo.client(to=HUB).put(HARBOUR, b"{").codes == (400, 2001)
    assert not Location.objects.exists()


def test_who_has_no_receiver_endpoint_is_sent_nothing(emsp):
    """R8.10: no URL is invented."""
    picture = directory.directory.picture(fresh=True)
    assert audience(picture, picture.peers[emsp.platform.pk], ModuleID.LOCATIONS) is None


@pytest.mark.parametrize("role", ["EMSP", "NSP", "NAP", "OTHER", "SCSP"])
def test_locations_are_broadcast_to_the_roles_that_read_them(role):
    """R7.4"""
    assert _hears(role, ModuleID.LOCATIONS)


def test_nobody_is_broadcast_what_his_own_role_publishes():
    """R7.4: CPOs hear of no Locations and Tariffs, eMSPs of no Tokens."""
    assert not _hears("CPO", ModuleID.LOCATIONS) and not _hears("CPO", ModuleID.TARIFFS)
    assert not _hears("EMSP", ModuleID.TOKENS)


def test_sessions_and_cdrs_are_not_broadcast():
    """R7.7: only the eMSP whose driver charged is sent them."""
    for module in (ModuleID.SESSIONS, ModuleID.CDRS):
        found = _hears("EMSP", module)
        assert found and found.scope.token_owners == ("FR*NEW",)


def _hears(role, module):
    url = "https://partner.example/receiver"
    platform = register(f"{role}:FR*NEW", name=f"{role} {module}", endpoints={(module.value, "RECEIVER"): url}).platform
    picture = directory.directory.picture(fresh=True)
    found = audience(picture, picture.peers[platform.pk], module)
    platform.delete()
    return found
