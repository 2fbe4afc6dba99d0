"""No credentials token is ever written down."""

from collections.abc import Callable

import pytest

from ocpi.transport import authorization
from roaming import registration, secrets
from roaming.directory import directory
from roaming.exchange_models import Exchange
from roaming.models import CredentialsToken, Platform
from tests.kit.caller import CREDENTIALS, VERSIONS, PartnerClient
from tests.kit.exchanges import noted
from tests.kit.peer import FakePeer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("exchange_log")]

Start = Callable[..., FakePeer]


def test_our_handshake_leaves_no_token_in_the_log(fake_peer: Start) -> None:
    peer = fake_peer(party="DE*CPO", role="CPO")
    bootstrap = peer.token
    platform = registration.connect("Partner", peer.versions_url, peer.token)
    registration.renew(platform)
    ours = {request.document["token"] for request in peer.requests if request.method in ("POST", "PUT")}
    rows = noted()
    assert [row.method for row in rows] == ["GET", "GET", "POST", "GET", "GET", "PUT"]
    assert {row.platform_name for row in rows} == {"Partner"}
    assert {row.status_code for row in rows} == {1000}
    _nothing_of({bootstrap, peer.token, *ours})


def test_a_partners_handshake_leaves_no_token_in_the_log(fake_peer: Start) -> None:
    peer = fake_peer(party="DE*MSP", role="EMSP")
    platform = Platform.objects.create(name="Partner")
    bootstrap = secrets.new_token()
    CredentialsToken.objects.create(platform=platform, kind="BOOTSTRAP", digest=secrets.digests(bootstrap)[0])
    directory.forget()
    answer = PartnerClient(bootstrap).post(CREDENTIALS, peer.credentials())
    assert answer.codes == (200, 1000)
    PartnerClient(answer.data["token"]).get(VERSIONS)
    rows = noted()
    assert sorted(row.direction for row in rows) == ["IN", "IN", "OUT", "OUT"]
    assert {row.platform_name for row in rows} == {"Partner"}
    (post,) = noted(method="POST")
    assert post.module == "credentials"
    assert '"token":"***"' in post.request_body and '"token":"***"' in post.response_body
    _nothing_of({bootstrap, peer.token, answer.data["token"]})


def _nothing_of(tokens: set[str]) -> None:
    everything = repr(list(Exchange.objects.values_list()))
    for token in tokens:
        assert token not in everything
        assert authorization.encode(token).removeprefix("Token ") not in everything
