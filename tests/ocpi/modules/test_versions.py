"""Versions and version details (§version_information_endpoint_version_information_endpoint)."""

from typing import Any

import pytest

from ocpi.modules import mount
from ocpi.types import validation
from ocpi.v221.versions import Version, VersionDetails
from roaming import directory
from roaming.models import Party
from tests.kit.caller import CREDENTIALS, DETAILS, VERSIONS, PartnerClient, path_of
from tests.kit.urls import mounted


@pytest.fixture(autouse=True)
def _public_url(settings: Any) -> None:
    settings.NODE_URL = "https://node.example"


def test_versions_is_a_list_with_2_2_1(emsp_client: PartnerClient) -> None:
    """R3.1, R1.3"""
    versions = emsp_client.get(VERSIONS).data
    assert versions == [{"version": "2.2.1", "url": "https://node.example/ocpi/2.2.1"}]
    assert not [violation for version in versions for violation in validation.check(version, Version)]


def test_details_is_one_object_with_absolute_urls(emsp_client: PartnerClient) -> None:
    """R3.2, R1.3"""
    details = emsp_client.get(DETAILS).data
    assert details["version"] == "2.2.1" and not validation.check(details, VersionDetails)
    assert all(entry["url"].startswith("https://node.example/ocpi/2.2.1/") for entry in details["endpoints"])


def test_credentials_is_listed_as_sender(emsp_client: PartnerClient) -> None:
    """R3.3, errata E18"""
    found = [entry for entry in emsp_client.get(DETAILS).data["endpoints"] if entry["identifier"] == "credentials"]
    assert found == [{"identifier": "credentials", "role": "SENDER", "url": f"https://node.example{CREDENTIALS}"}]


def test_exactly_the_mounted_interfaces_are_advertised(emsp_client: PartnerClient) -> None:
    """R3.5, R3.7: no module that does not work, no custom module; what only a hub has, only at a hub."""
    everything = [(module, role) for module, role, _ in mount.INTERFACES]
    assert listed(emsp_client) == [entry for entry in everything if entry != ("hubclientinfo", "SENDER")]
    Party.objects.create(party="NL*HUB", role="HUB", name="Hub")
    directory.changed()
    assert listed(emsp_client) == everything
    assert len(set(everything)) == len(everything)


def listed(client: PartnerClient) -> list[tuple[str, str]]:
    return [(entry["identifier"], entry["role"]) for entry in client.get(DETAILS).data["endpoints"]]


def test_every_advertised_url_is_mounted(emsp_client: PartnerClient, settings: Any) -> None:
    """R3.4: what a partner finds in the details answers, and not with the 404 of an unknown URL."""
    for entry in emsp_client.get(DETAILS).data["endpoints"]:
        path = path_of(entry["url"])
        below = [url for url in mounted() if url == path or url.startswith(f"{path}/")]
        assert any("no such OCPI endpoint" not in emsp_client.get(url).message for url in below), entry


def test_details_are_found_at_the_url_in_versions(emsp_client: PartnerClient) -> None:
    """R3.4"""
    assert emsp_client.get(emsp_client.get(VERSIONS).data[0]["url"]).data["version"] == "2.2.1"
