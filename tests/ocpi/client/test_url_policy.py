"""Which URLs we are willing to call."""

import pytest

from ocpi.client import url_policy
from ocpi.client.url_policy import ForbiddenUrl, check_address, check_url


@pytest.mark.parametrize(
    "url",
    [
        "http://partner.example/ocpi",
        "ftp://partner.example/",
        "file:///etc/passwd",
        "gopher://partner.example",
        "https://",
        "partner.example/ocpi",
        "https://user:password@partner.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://partner.example/with space",
        "https://pärtner.example/",
        "https://partner.example:99999/",
        "https://[not-an-address]/",
        "https://partner.example/\r\nX-Injected: 1",
    ],
)
def test_it_refuses(url):
    with pytest.raises(ForbiddenUrl):
        check_url(url)


@pytest.mark.parametrize(
    "url", ["https://partner.example/ocpi", "https://partner.example:8443/a?b=c", "https://8.8.8.8/"]
)
def test_it_allows(url):
    check_url(url)


def test_a_laboratory_may_call_private_addresses_over_http(settings):
    settings.NODE_ALLOW_PRIVATE_URLS = True
    check_url("http://127.0.0.1:8000/ocpi/versions")
    with pytest.raises(ForbiddenUrl):
        check_url("file:///etc/passwd")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:10.0.0.1", "100.64.0.1", "fc00::1", "fe80::1%eth0"])
def test_an_address_that_is_not_public_is_refused(address):
    with pytest.raises(ForbiddenUrl):
        check_address(address)


def test_a_name_is_judged_by_what_it_resolves_to():
    with pytest.raises(ForbiddenUrl, match="not a public address"):
        url_policy.resolve("localhost", 443)
