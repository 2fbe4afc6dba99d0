"""HubClientInfo: what hubs tell us, and what we tell as a hub (§mod_hub_client_info_module)."""

from typing import Any

import pytest

from ocpi.models import ClientInfo
from ocpi.store.client_infos import client_infos
from ocpi.store.objects import Arrival
from roaming import directory
from roaming.models import Party
from tests.kit.caller import DETAILS, RECEIVER, SENDER, PartnerClient
from tests.kit.objects import Document, client_info, minutes_after_noon, without
from tests.kit.platforms import Registered, register

URL = f"{RECEIVER}/hubclientinfo/DE/MSP"
LIST = f"{SENDER}/hubclientinfo"
ROUTING = ("OCPI-to-country-code", "OCPI-to-party-id", "OCPI-from-country-code", "OCPI-from-party-id")


@pytest.fixture
def hub(db: None) -> Registered:
    """A hub that this node is connected to."""
    return register("HUB:BE*HUB", name="Their hub")


@pytest.fixture
def client(hub: Registered) -> PartnerClient:
    return hub.client()


@pytest.fixture
def as_hub(db: None) -> None:
    """This node is a hub, with the eMSPs DE*MSP and FR*MSP to tell of."""
    Party.objects.create(party="NL*HUB", role="HUB", name="Hub")
    directory.changed()
    tell(client_info(), client_info(country_code="FR", status="PLANNED", last_updated=minutes_after_noon(5)))


def tell(*documents: Document) -> None:
    client_infos.put_many([Arrival(document) for document in documents], None)


# --- Receiver -------------------------------------------------------------------------------------------------------


def test_a_hub_tells_of_a_party_and_reads_it_again(client: PartnerClient) -> None:
    """R9.18, R1.9, R1.10"""
    created = client.put(URL, client_info())
    updated = client.put(URL, client_info(status="OFFLINE", last_updated=minutes_after_noon(1)))
    assert (created.codes, updated.codes) == ((201, 1000), (200, 1000))
    assert "data" not in created.envelope
    assert client.get(URL).data == client_info(status="OFFLINE", last_updated=minutes_after_noon(1))


@pytest.mark.parametrize("status", ["CONNECTED", "OFFLINE", "PLANNED", "SUSPENDED"])
def test_every_status_is_known(client: PartnerClient, status: str) -> None:
    """R9.19"""
    client.put(URL, client_info(status=status))
    assert client.get(URL).data["status"] == status and not ClientInfo.objects.get().defects


def test_everything_a_hub_sent_survives(client: PartnerClient) -> None:
    """R8.4: unknown members, roles and statuses of later versions."""
    document = client_info(role="PTP", status="NAPPING", vendor={"x": None})
    assert client.put(URL, document).codes == (201, 1000)
    assert client.get(URL).data == document


def test_news_that_was_overtaken_changes_nothing(client: PartnerClient) -> None:
    """R9.19, trap 33: accepted, and not believed."""
    newer = client_info(status="SUSPENDED", last_updated=minutes_after_noon(10))
    client.put(URL, newer)
    assert client.put(URL, client_info(last_updated=minutes_after_noon(9))).codes == (200, 1000)
    assert client.get(URL).data == newer
    assert client.put(URL, client_info(last_updated=minutes_after_noon(10))).codes == (200, 1000)
    assert client.get(URL).data["status"] == "CONNECTED"


@pytest.mark.parametrize("name", ["party_id", "country_code", "role", "status", "last_updated"])
def test_a_client_info_without_a_required_member_is_2001(client: PartnerClient, name: str) -> None:
    """R9.18, errata E10, trap 33: last_updated is one of them."""
    answer = client.put(URL, without(client_info(), name))
    assert answer.codes == (200, 2001) and f"/{name}" in answer.message
    assert not ClientInfo.objects.exists()


def test_the_url_names_the_party_that_is_told_of(client: PartnerClient) -> None:
    """R6.6, errata E11"""
    for change in ({"country_code": "FR"}, {"party_id": "XXX"}):
        assert client.put(URL, client_info(**change)).codes == (200, 2001)
    assert client.put(URL.lower(), client_info(country_code="dE")).codes == (201, 1000)
    assert client.get(URL).data["country_code"] == "dE"


@pytest.mark.parametrize("party", ["CPO:DE*CPO", "EMSP:DE*MSP", "OTHER:DE*OTH"])
def test_only_a_hub_may_tell_or_ask(hub: Registered, party: str) -> None:
    """R9.18, trap 8: not even of itself."""
    hub.client().put(URL, client_info())
    other = register(party).client()
    assert other.put(URL, client_info(status="SUSPENDED")).codes == (404, 2000)
    assert other.get(URL).codes == (404, 2000)
    assert ClientInfo.objects.get().status == "CONNECTED"


def test_a_hub_may_tell_of_ourselves_and_of_those_we_are_connected_to(client: PartnerClient, emsp: Registered) -> None:
    """R9.18: how it sees them; nobody's objects are written by that."""
    assert client.put(URL, client_info()).codes == (201, 1000)
    ours = client_info(country_code="NL", party_id="OCP", role="CPO")
    assert client.put(f"{RECEIVER}/hubclientinfo/NL/OCP", ours).codes == (201, 1000)


def test_each_hub_has_its_own_view(client: PartnerClient) -> None:
    """R9.18: a party may be connected to one and offline at the other."""
    other = register("HUB:FR*HUB").client()
    client.put(URL, client_info())
    assert other.get(URL).codes == (404, 2000)
    assert other.put(URL, client_info(status="OFFLINE")).codes == (201, 1000)
    assert [hub.get(URL).data["status"] for hub in (client, other)] == ["CONNECTED", "OFFLINE"]


def test_of_a_party_in_several_roles_the_latest_news_is_read(client: PartnerClient) -> None:
    """R9.18, R1.3: one object, though the URL cannot say which."""
    later = client_info(role="CPO", status="OFFLINE", last_updated=minutes_after_noon(5))
    assert client.put(URL, later).codes == (201, 1000)
    assert client.put(URL, client_info()).codes == (201, 1000)
    assert client.get(URL).data == later
    assert ClientInfo.objects.count() == 2


def test_nothing_is_ever_deleted(client: PartnerClient) -> None:
    """R9.19, trap 33: and PATCH and POST there are none."""
    client.put(URL, client_info())
    for method in ("DELETE", "PATCH", "POST"):
        assert client.request(method, URL, client_info()).codes == (405, 2000)
    assert ClientInfo.objects.count() == 1


def test_an_unknown_party_is_404(client: PartnerClient) -> None:
    """R1.8"""
    assert client.get(URL).codes == (404, 2000)


def test_no_answer_has_routing_headers(hub: Registered, as_hub: None) -> None:
    """R9.21, R3.6, trap 23: not even when the caller sends them."""
    for client in (hub.client(), hub.client(to="NL*OCP", from_="BE*HUB"), hub.client(to="XX*XXX", from_="YY*YYY")):
        for answer in (client.put(URL, client_info()), client.get(URL), client.get(LIST), client.get(f"{URL}/x")):
            assert answer.http in {200, 201, 404}
            assert not [name for name in ROUTING if name in answer.headers]


# --- Sender ---------------------------------------------------------------------------------------------------------


def test_a_hub_lists_what_it_knows_in_every_status(as_hub: None, cpo_client: PartnerClient) -> None:
    """R9.18, R9.19, trap 33: to everybody connected."""
    answer = cpo_client.get(LIST)
    assert answer.codes == (200, 1000) and answer.headers["X-Total-Count"] == "2"
    assert [(info["country_code"], info["status"]) for info in answer.data] == [("DE", "CONNECTED"), ("FR", "PLANNED")]


def test_the_list_is_paged_and_filtered_like_any_other(as_hub: None, cpo_client: PartnerClient) -> None:
    """R9.18, R5.1, R5.4"""
    first = cpo_client.get(LIST, {"limit": "1"})
    assert len(first.data) == 1 and first.next_url
    assert cpo_client.get(first.next_url).data[0]["country_code"] == "FR"
    since = cpo_client.get(LIST, {"date_from": minutes_after_noon(1)})
    assert [info["country_code"] for info in since.data] == ["FR"]


def test_what_other_hubs_tell_is_not_in_our_list(as_hub: None, client: PartnerClient) -> None:
    """R9.18: they are not connected to us."""
    client.put(f"{RECEIVER}/hubclientinfo/AT/MSP", client_info(country_code="AT"))
    assert {info["country_code"] for info in client.get(LIST).data} == {"DE", "FR"}


def test_a_node_that_is_no_hub_has_no_list(cpo_client: PartnerClient) -> None:
    """R3.5: nor does it say so in its version details."""
    tell(client_info())
    assert cpo_client.get(LIST).codes == (404, 2000)
    assert advertised(cpo_client) == {"RECEIVER"}


def test_a_hub_advertises_both_interfaces(as_hub: None, cpo_client: PartnerClient) -> None:
    """R3.5"""
    assert advertised(cpo_client) == {"SENDER", "RECEIVER"}


def advertised(client: PartnerClient) -> set[Any]:
    endpoints = client.get(DETAILS).data["endpoints"]
    return {endpoint["role"] for endpoint in endpoints if endpoint["identifier"] == "hubclientinfo"}
