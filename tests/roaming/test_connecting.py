"""The asking half of the handshake: we register with a partner, renew, leave."""

import pytest
from django.db import connections

from ocpi.client.discovery import Discovery
from roaming import registration, secrets
from roaming.directory import directory
from roaming.models import CredentialsToken, Party, Platform
from tests.kit.peer import enveloped, fails, garbage, redirects

pytestmark = pytest.mark.django_db(transaction=True)


def connect(peer, name="Partner"):
    return registration.connect(name, peer.versions_url, peer.token)


def test_connecting_takes_over_token_endpoints_and_parties(fake_peer):
    peer = fake_peer(party="DE*CPO", role="CPO")
    bootstrap = peer.token
    platform = connect(peer)
    assert [request.path for request in peer.requests] == ["/versions", "/2.2.1", "/2.2.1/credentials"]
    assert platform.state == Platform.State.CONNECTED
    assert platform.outbound_token == peer.token != bootstrap
    assert [str(party) for party in platform.parties.all()] == ["DE*CPO CPO"]
    assert platform.endpoints.get(module="locations", role="SENDER").url == peer.endpoint_url("locations", "SENDER")


def test_the_token_we_give_is_valid_before_we_post_it_for_the_partner_calls_back(fake_peer):
    peer = fake_peer()
    seen = []

    def calls_back(scripted, request):
        seen.append(directory.authenticate(request.document["token"]))
        connections.close_all()  # this is the partner's thread
        return scripted.answer(request)

    peer.misbehave(calls_back, method="POST")
    platform = connect(peer)
    assert seen[0].platform_id == platform.pk


def test_our_credentials_list_exactly_our_own_parties(fake_peer):
    peer = fake_peer()
    connect(peer)
    (request,) = peer.requested("POST")
    sent = request.document
    assert {(role["role"], role["country_code"], role["party_id"]) for role in sent["roles"]} == {
        ("CPO", "NL", "OCP"),
        ("EMSP", "NL", "OSP"),
    }
    assert sent["url"].endswith("/ocpi/versions")
    assert directory.authenticate(sent["token"]).registered


def test_configuration_modules_get_no_routing_headers(fake_peer):
    peer = fake_peer()
    connect(peer)
    assert all(request.routing.to is None and request.routing.from_ is None for request in peer.requests)


@pytest.mark.parametrize(
    ("behaviour", "path"),
    [
        (fails(500), "/versions"),
        (garbage(), "/versions"),
        (redirects(), "/versions"),
        (garbage(b'{"data": {"endpoints": []}, "status_code": 1000}'), "/2.2.1"),
        (fails(503), "/credentials"),
        (lambda peer, request: enveloped(code=3001), "/credentials"),
        (lambda peer, request: enveloped({"token": "x"}), "/credentials"),
    ],
)
def test_a_failed_attempt_leaves_nothing_behind_and_says_why(fake_peer, behaviour, path):
    peer = fake_peer()
    peer.misbehave(behaviour, path=path)
    with pytest.raises(registration.HandshakeFailed) as failure:
        connect(peer)
    assert str(failure.value)
    assert not Platform.objects.exists()
    assert not CredentialsToken.objects.exists()
    assert not Party.objects.exclude(platform=None).exists()


def test_a_partner_without_our_version_is_not_posted_to(fake_peer):
    peer = fake_peer(versions=("2.1.1", "2.2"))
    with pytest.raises(registration.HandshakeFailed, match=r"does not offer OCPI 2\.2\.1 \(it offers: 2\.1\.1, 2\.2\)"):
        connect(peer)
    assert peer.requested("POST") == []


def test_a_party_that_is_already_somebody_elses_is_refused(fake_peer):
    connect(fake_peer(party="DE*MSP"))
    impostor = fake_peer(party="DE*MSP")
    with pytest.raises(registration.HandshakeFailed, match=r"DE\*MSP is already a party of another platform"):
        connect(impostor, "Impostor")
    ours = fake_peer(party="NL*OCP", role="CPO")
    with pytest.raises(registration.HandshakeFailed, match=r"NL\*OCP is already a party"):
        connect(ours, "Another impostor")


def test_a_connected_platform_is_not_connected_twice(fake_peer):
    peer = fake_peer()
    connect(peer)
    with pytest.raises(registration.HandshakeFailed, match="connected already"):
        connect(peer)


def test_private_addresses_are_not_called_unless_allowed(settings, fake_peer):
    peer = fake_peer()
    settings.NODE_ALLOW_PRIVATE_URLS = False
    with pytest.raises(registration.HandshakeFailed, match="https"):
        connect(peer)
    assert peer.requests == []


def test_renewing_exchanges_both_tokens_and_the_old_one_lives_until_the_new_is_used(fake_peer):
    peer = fake_peer()
    platform = connect(peer)
    old_ours, old_theirs = peer.ours, peer.token
    registration.renew(platform)
    platform.refresh_from_db()
    assert platform.outbound_token == peer.token != old_theirs
    assert peer.ours != old_ours
    assert directory.authenticate(old_ours) is not None, "until the new one is used"
    assert directory.authenticate(peer.ours) is not None
    assert directory.authenticate(old_ours) is None


def test_a_failed_renewal_leaves_both_old_tokens_valid(fake_peer):
    peer = fake_peer()
    platform = connect(peer)
    old_ours = peer.ours
    peer.misbehave(fails(500), method="PUT")
    with pytest.raises(registration.HandshakeFailed):
        registration.renew(platform)
    platform.refresh_from_db()
    assert platform.outbound_token == peer.token
    assert directory.authenticate(old_ours) is not None
    assert platform.tokens.count() == 1


def test_disconnecting_tells_the_partner_and_ends_access_in_both_directions(fake_peer):
    peer = fake_peer()
    platform = connect(peer)
    registration.disconnect(platform)
    assert len(peer.requested("DELETE", "/credentials")) == 1
    platform.refresh_from_db()
    assert (platform.state, platform.outbound_token) == (Platform.State.SUSPENDED, "")
    assert directory.authenticate(peer.ours) is None


def test_disconnecting_from_a_dead_partner_ends_our_side_and_says_so(fake_peer):
    peer = fake_peer()
    platform = connect(peer)
    peer.misbehave(fails(500))
    with pytest.raises(registration.HandshakeFailed, match="suspended here"):
        registration.disconnect(platform)
    platform.refresh_from_db()
    assert platform.state == Platform.State.SUSPENDED


def test_an_invitation_is_stored_as_a_hash_and_replaced_by_the_next():
    first = registration.invite("Partner")
    stored = CredentialsToken.objects.get()
    assert stored.digest in secrets.digests(first) and first not in str(vars(stored))
    second = registration.invite("Partner")
    assert directory.authenticate(first) is None
    caller = directory.authenticate(second)
    assert not caller.registered
    assert second not in repr(caller)


def test_a_connected_platform_cannot_be_invited(fake_peer):
    connect(fake_peer())
    with pytest.raises(ValueError, match="suspend it first"):
        registration.invite("Partner")


def test_the_credentials_endpoint_is_found_whatever_role_it_is_listed_under():
    found = Discovery({("credentials", "RECEIVER"): "https://a", ("locations", "SENDER"): "https://b"})
    assert found.credentials == "https://a"
