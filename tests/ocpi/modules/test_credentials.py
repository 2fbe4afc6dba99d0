"""Credentials: the life of tokens A, B and C against a real partner (§credentials_credentials_endpoint)."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import models
from django.utils import timezone

from ocpi.types import validation
from ocpi.v221.credentials import Credentials
from roaming import directory
from roaming.models import CredentialsToken, Endpoint, Party, Platform
from roaming.registration import invite
from tests.kit import peer as misbehaviour
from tests.kit.caller import CREDENTIALS, SENDER_LOCATIONS, VERSIONS, Answer, PartnerClient
from tests.kit.objects import credentials, credentials_role, without
from tests.kit.peer import FakePeer, enveloped
from tests.kit.platforms import Registered, register

PeerFactory = Callable[..., FakePeer]


@pytest.fixture
def peer(db: None, fake_peer: PeerFactory) -> FakePeer:
    """An eMSP that is not registered yet."""
    return fake_peer(party="DE*MSP", role="EMSP")


@pytest.fixture
def newcomer(peer: FakePeer) -> PartnerClient:
    """The same eMSP as client: it has read our versions with CREDENTIALS_TOKEN_A."""
    client = PartnerClient(invite("Newcomer"))
    client.get(VERSIONS)
    return client


def registered(peer: FakePeer, newcomer: PartnerClient) -> PartnerClient:
    """The client after registration, with CREDENTIALS_TOKEN_C."""
    answer = newcomer.post(CREDENTIALS, peer.credentials())
    assert answer.codes == (200, 1000), answer.message
    return PartnerClient(answer.data["token"])


def rows() -> dict[type[models.Model], list[Any]]:
    """Everything that registration writes, but for notes on failures."""
    return {
        model: list(model._default_manager.order_by("pk").values())
        for model in (Platform, CredentialsToken, Endpoint, Party)
    }


def is_valid(token: str) -> bool:
    return PartnerClient(token).get(VERSIONS).http == 200


# --- GET ------------------------------------------------------------------------------------------------------------


def test_get_returns_our_credentials_with_the_token_of_the_caller(emsp: Registered) -> None:
    """R4.1, R4.4, R1.3"""
    data = emsp.client().get(CREDENTIALS).data
    assert data["token"] == emsp.token
    assert data["url"].endswith("/ocpi/versions")
    assert [(role["role"], role["country_code"] + role["party_id"]) for role in data["roles"]] == [
        ("CPO", "NLOCP"),
        ("EMSP", "NLOSP"),
    ]
    assert not validation.check(data, Credentials)


def test_our_credentials_list_our_own_parties_only(emsp: Registered, cpo: Registered) -> None:
    """R4.3: connected parties are never among them."""
    assert {role["country_code"] for role in emsp.client().get(CREDENTIALS).data["roles"]} == {"NL"}


# --- POST: registration ---------------------------------------------------------------------------------------------


def test_registration_exchanges_tokens(peer: FakePeer, newcomer: PartnerClient) -> None:
    """R2.7, R4.5, trap 5: A is dead, C opens every module, and we call with B."""
    caller = registered(peer, newcomer)
    assert not is_valid(newcomer.token) and caller.token != newcomer.token
    assert caller.get(SENDER_LOCATIONS).codes == (200, 1000)
    platform = Platform.objects.get(name="Newcomer")
    assert platform.state == "CONNECTED" and platform.outbound_token == peer.token
    assert platform.versions_url == peer.versions_url


def test_the_answer_to_post_is_our_credentials(peer: FakePeer, newcomer: PartnerClient) -> None:
    """R4.1, R2.6"""
    answer = newcomer.post(CREDENTIALS, peer.credentials())
    assert not validation.check(answer.data, Credentials)
    assert answer.data["roles"] == PartnerClient(answer.data["token"]).get(CREDENTIALS).data["roles"]


def test_the_partner_is_called_back_with_its_token_before_it_is_answered(
    peer: FakePeer, newcomer: PartnerClient
) -> None:
    """R2.7, trap 6; R1.11, R3.6: with ids and without routing headers."""
    registered(peer, newcomer)
    assert [(request.method, request.path) for request in peer.requests] == [("GET", "/versions"), ("GET", "/2.2.1")]
    assert len({request.headers["X-Request-ID"] for request in peer.requests}) == 2
    assert all(request.headers["X-Correlation-ID"] and not request.routing.headers() for request in peer.requests)


def test_the_endpoints_are_those_of_the_version_details(peer: FakePeer, newcomer: PartnerClient) -> None:
    """R3.4"""
    registered(peer, newcomer)
    stored = {(endpoint.module, endpoint.role): endpoint.url for endpoint in Endpoint.objects.all()}
    assert stored == peer.endpoints()


def test_several_roles_are_registered(peer: FakePeer, newcomer: PartnerClient) -> None:
    """R4.1, R4.2: one party in two roles, and another party."""
    roles = [
        credentials_role(role="CPO", country_code="DE", party_id="ABC"),
        credentials_role(role="EMSP", country_code="DE", party_id="ABC"),
        credentials_role(role="NSP", country_code="de", party_id="xyz"),
    ]
    assert newcomer.post(CREDENTIALS, peer.credentials(roles=roles)).status == 1000
    found = Party.objects.filter(platform__isnull=False).order_by("id").values_list("role", "party")
    assert list(found) == [("CPO", "DE*ABC"), ("EMSP", "DE*ABC"), ("NSP", "DE*XYZ")]


def test_what_we_do_not_know_in_credentials_does_no_harm(peer: FakePeer, newcomer: PartnerClient) -> None:
    """R1.22: unknown members with exact numbers, an unknown role, unknown endpoints."""
    details = {"name": "Example", "rating": 4.5, "logo": None}
    role = credentials_role(country_code="DE", role="A_ROLE_OF_VERSION_THREE_THAT_IS_LONG", business_details=details)
    peer.misbehave(
        misbehaviour.answers(
            enveloped(
                {
                    "version": "2.2.1",
                    "endpoints": [
                        {"identifier": "credentials", "role": "SENDER", "url": f"{peer.url}/2.2.1/credentials"},
                        {"identifier": "x" * 200, "role": "SENDER", "url": f"{peer.url}/x"},
                        {"identifier": "locations", "role": "SOMETHING_ELSE", "url": f"{peer.url}/x"},
                        {"identifier": "tokens", "role": "SENDER", "url": f"{peer.url}/{'x' * 300}"},
                        {"identifier": "cdrs", "role": "RECEIVER", "url": 7},
                        {"identifier": "cdrs\0", "role": "RECEIVER", "url": f"{peer.url}/\0"},
                        "nonsense",
                    ],
                }
            )
        ),
        path="/2.2.1",
    )
    answer = newcomer.post(CREDENTIALS, peer.credentials(roles=[role], future={"a": 0.1}))
    assert answer.codes == (200, 1000), answer.message
    assert list(Endpoint.objects.values_list("module", "role")) == [("credentials", "SENDER")]


def test_post_by_a_registered_platform_is_405(peer: FakePeer, newcomer: PartnerClient) -> None:
    """R4.5, errata E28"""
    caller = registered(peer, newcomer)
    answer = caller.post(CREDENTIALS, peer.credentials())
    assert answer.codes == (405, 2000) and "POST" not in answer.headers["Allow"]
    assert is_valid(caller.token)


# --- failures of POST -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "path"),
    [
        (misbehaviour.fails(500), "/versions"),
        (misbehaviour.fails(503), "/2.2.1"),
        (misbehaviour.fails(429, Retry_After="7"), "/versions"),
        (misbehaviour.garbage(), "/versions"),
        (misbehaviour.garbage(b'{"data": []}'), "/versions"),
        (misbehaviour.garbage(b"[]"), "/2.2.1"),
        (misbehaviour.garbage(b"\xff" * 1000), "/2.2.1"),
        (misbehaviour.redirects(), "/versions"),
        (misbehaviour.hangs_up(), "/versions"),
        (misbehaviour.answers(enveloped(code=2000, http=401)), "/versions"),
        (misbehaviour.answers(enveloped(code=3000)), "/2.2.1"),
        (misbehaviour.answers(enveloped("text")), "/2.2.1"),
        (misbehaviour.answers(enveloped()), "/2.2.1"),
    ],
)
def test_a_partner_whose_api_cannot_be_used_is_3001(
    peer: FakePeer, newcomer: PartnerClient, behaviour: misbehaviour.Behaviour, path: str
) -> None:
    """R4.8, R4.11: HTTP 200, nothing is changed, and token A still works."""
    before = rows()
    peer.misbehave(behaviour, path=path)
    answer = newcomer.post(CREDENTIALS, peer.credentials())
    assert answer.codes == (200, 3001) and "data" not in answer.envelope
    assert rows() == before
    peer.behave()
    registered(peer, newcomer)


@pytest.mark.parametrize("behaviour", [misbehaviour.slow(9), misbehaviour.drips(0.3)])
def test_a_partner_that_is_too_slow_is_3001_in_bounded_time(
    peer: FakePeer, newcomer: PartnerClient, behaviour: misbehaviour.Behaviour, settings: Any
) -> None:
    """R4.8"""
    settings.NODE_PARTNER_TIMEOUT = 0.5
    peer.misbehave(behaviour, path="/versions")
    start = timezone.now()
    assert newcomer.post(CREDENTIALS, peer.credentials()).codes == (200, 3001)
    assert timezone.now() - start < timedelta(seconds=2)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/versions", "http://no-such-host.invalid/versions", "ftp://partner.example/versions",
        "http://user@partner.example/", "http://[::1/versions", "http://partner.example:99999/", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_called_is_3001(newcomer: PartnerClient, url: str) -> None:
    """R4.8"""
    assert newcomer.post(CREDENTIALS, credentials(url=url)).codes == (200, 3001)


@pytest.mark.parametrize("host", ["http://127.0.0.1", "https://127.0.0.1", "https://10.0.0.1", "https://[::1]"])
def test_a_partner_cannot_aim_us_at_our_own_network(
    peer: FakePeer, newcomer: PartnerClient, settings: Any, host: str
) -> None:
    """DESIGN section 2.9: URLs are hostile input."""
    settings.NODE_ALLOW_PRIVATE_URLS = False
    port = peer.url.rpartition(":")[2]
    assert newcomer.post(CREDENTIALS, peer.credentials(url=f"{host}:{port}/versions")).codes == (200, 3001)
    assert peer.requests == []


@pytest.mark.parametrize("versions", [(), ("2.1.1",), ("2.2", "2.3.0")])
def test_no_common_version_is_3002(db: None, fake_peer: PeerFactory, versions: tuple[str, ...]) -> None:
    """R4.9"""
    peer, newcomer = fake_peer(versions=versions), PartnerClient(invite("Newcomer"))
    newcomer.get(VERSIONS)
    before = rows()
    assert newcomer.post(CREDENTIALS, peer.credentials()).codes == (200, 3002)
    assert rows() == before


def test_a_newer_version_beside_ours_is_no_obstacle(db: None, fake_peer: PeerFactory) -> None:
    peer = fake_peer(versions=("2.1.1", "2.2.1", "2.3.0"))
    registered(peer, PartnerClient(invite("Newcomer")))


def test_missing_endpoints_are_3003(peer: FakePeer, newcomer: PartnerClient) -> None:
    """R4.9"""
    before = rows()
    peer.misbehave(misbehaviour.answers(enveloped({"version": "2.2.1", "endpoints": []})), path="/2.2.1")
    assert newcomer.post(CREDENTIALS, peer.credentials()).codes == (200, 3003)
    assert rows() == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        without(credentials(), "token"),
        without(credentials(), "url"),
        without(credentials(), "roles"),
        credentials(token=""),
        credentials(token="with space"),
        credentials(token="x" * 65),
        credentials(token="tökén"),
        credentials(token=7),
        credentials(url=7),
        credentials(roles=[]),
        credentials(roles={}),
        credentials(roles=["EMSP"]),
        credentials(roles=[without(credentials_role(), "business_details")]),
        credentials(roles=[without(credentials_role(), "party_id")]),
        credentials(roles=[credentials_role(party_id="LONG")]),
        credentials(roles=[credentials_role(country_code="N")]),
        credentials(roles=[credentials_role(party_id="\0AB")]),
        credentials(roles=[credentials_role(business_details={})]),
        credentials(roles=[credentials_role(), credentials_role()]),
        credentials(roles=[credentials_role(), credentials_role(country_code="nl", party_id="msp")]),
    ],
)
def test_unusable_credentials_are_2001_without_a_call_back(
    peer: FakePeer, newcomer: PartnerClient, body: dict[str, Any]
) -> None:
    """R4.1, R2.6, R4.11"""
    before = rows()
    answer = newcomer.post(
        CREDENTIALS, {**body, "url": peer.versions_url} if body.get("url") not in (None, 7) else body
    )
    assert answer.codes == (200, 2001)
    assert rows() == before and peer.requests == []


@pytest.mark.parametrize(("country_code", "party_id"), [("NL", "OCP"), ("nl", "ocp"), ("FR", "TKN")])
def test_a_party_of_somebody_else_is_refused(
    peer: FakePeer, newcomer: PartnerClient, country_code: str, party_id: str
) -> None:
    """R4.2: ours, and one of another platform; token A still works."""
    register("CPO:FR*TKN")
    before = rows()
    mine = credentials_role(country_code="DE", party_id="MSP")
    theirs = credentials_role(country_code=country_code, party_id=party_id)
    assert newcomer.post(CREDENTIALS, peer.credentials(roles=[mine, theirs])).codes == (200, 2001)
    assert rows() == before and is_valid(newcomer.token)


# --- PUT: rotation --------------------------------------------------------------------------------------------------


def rotated(peer: FakePeer, caller: PartnerClient, **changes: Any) -> Answer:
    """The partner makes a new token B and PUTs it."""
    peer.token += "-renewed"
    return caller.put(CREDENTIALS, peer.credentials(**changes))


def test_put_gives_a_new_token_and_takes_over_the_new_one(peer: FakePeer, newcomer: PartnerClient) -> None:
    """R4.6, trap 5"""
    caller = registered(peer, newcomer)
    answer = rotated(peer, caller)
    assert answer.codes == (200, 1000) and answer.data["token"] != caller.token
    assert Platform.objects.get(name="Newcomer").outbound_token == peer.token


def test_put_reads_versions_and_details_again(peer: FakePeer, newcomer: PartnerClient) -> None:
    """R4.6"""
    caller = registered(peer, newcomer)
    peer.modules = ("locations",)
    peer.requests.clear()
    rotated(peer, caller)
    assert [request.path for request in peer.requests] == ["/versions", "/2.2.1"]
    assert {endpoint.module for endpoint in Endpoint.objects.all()} == {"credentials", "locations"}


def test_put_changes_the_roles(peer: FakePeer, newcomer: PartnerClient) -> None:
    """R4.6"""
    caller = registered(peer, newcomer)
    rotated(peer, caller, roles=[credentials_role(country_code="DE", party_id="NEW", role="CPO")])
    assert list(Party.objects.filter(platform__name="Newcomer").values_list("role", "party")) == [("CPO", "DE*NEW")]


def test_the_old_token_is_valid_until_the_first_use_of_the_new_one(peer: FakePeer, newcomer: PartnerClient) -> None:
    """R4.6, trap 5; docs/decisions.md, rotation: a lost answer must not lock a partner out."""
    caller = registered(peer, newcomer)
    new = rotated(peer, caller).data["token"]
    assert is_valid(caller.token) and is_valid(caller.token)
    assert is_valid(new)
    assert not is_valid(caller.token)


def test_the_old_token_ends_when_its_grace_is_over(peer: FakePeer, newcomer: PartnerClient, settings: Any) -> None:
    settings.NODE_TOKEN_GRACE = 3600
    caller = registered(peer, newcomer)
    new = rotated(peer, caller).data["token"]
    ends = CredentialsToken.objects.exclude(expires_at=None).get()
    assert abs(ends.expires_at - timezone.now() - timedelta(hours=1)) < timedelta(minutes=1)
    ends.expires_at = timezone.now()
    ends.save()
    directory.changed()
    assert not is_valid(caller.token) and is_valid(new)


def test_a_partner_that_lost_our_answer_may_put_again(peer: FakePeer, newcomer: PartnerClient) -> None:
    """The token that got lost is replaced, and no token piles up."""
    caller = registered(peer, newcomer)
    lost = rotated(peer, caller).data["token"]
    second = caller.put(CREDENTIALS, peer.credentials())
    assert second.codes == (200, 1000)
    assert not is_valid(lost) and is_valid(caller.token) and is_valid(second.data["token"])
    assert CredentialsToken.objects.count() == 1


def test_retries_do_not_prolong_the_grace_of_the_old_token(peer: FakePeer, newcomer: PartnerClient) -> None:
    caller = registered(peer, newcomer)
    rotated(peer, caller)
    ends = CredentialsToken.objects.exclude(expires_at=None).values_list("expires_at", flat=True)
    first = ends.get()
    caller.put(CREDENTIALS, peer.credentials())
    assert ends.get() == first


@pytest.mark.parametrize("behaviour", [misbehaviour.fails(500), misbehaviour.hangs_up()])
def test_a_failed_put_leaves_the_tokens_of_both_sides_alone(
    peer: FakePeer, newcomer: PartnerClient, behaviour: misbehaviour.Behaviour
) -> None:
    """R4.12"""
    caller = registered(peer, newcomer)
    caller.get(VERSIONS)
    before = rows()
    peer.misbehave(behaviour)
    assert rotated(peer, caller).codes == (200, 3001)
    assert rows() == before and is_valid(caller.token)


def test_put_with_a_party_of_somebody_else_changes_nothing(peer: FakePeer, newcomer: PartnerClient) -> None:
    """R4.2, R4.12"""
    caller = registered(peer, newcomer)
    caller.get(VERSIONS)
    before = rows()
    assert rotated(peer, caller, roles=[credentials_role(party_id="OCP")]).codes == (200, 2001)
    assert rows() == before


def test_put_and_delete_before_registration_are_405(peer: FakePeer, newcomer: PartnerClient) -> None:
    """R4.6, R4.7"""
    for answer in (newcomer.put(CREDENTIALS, peer.credentials()), newcomer.delete(CREDENTIALS)):
        assert answer.codes == (405, 2000)
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}
    registered(peer, newcomer)


# --- DELETE ---------------------------------------------------------------------------------------------------------


def test_delete_ends_both_directions(peer: FakePeer, newcomer: PartnerClient) -> None:
    """R4.7, errata E27: afterwards the token is unknown, so 401."""
    caller = registered(peer, newcomer)
    answer = caller.delete(CREDENTIALS)
    assert answer.codes == (200, 1000) and "data" not in answer.envelope
    for path in (VERSIONS, CREDENTIALS, SENDER_LOCATIONS):
        assert caller.get(path).codes == (401, 2000)
    assert caller.delete(CREDENTIALS).codes == (401, 2000)
    platform = Platform.objects.get(name="Newcomer")
    assert (platform.state, platform.outbound_token) == ("SUSPENDED", "")
    assert not platform.endpoints.exists() and not platform.tokens.exists()


def test_an_unregistered_partner_may_be_invited_and_register_again(peer: FakePeer, newcomer: PartnerClient) -> None:
    registered(peer, newcomer).delete(CREDENTIALS)
    registered(peer, PartnerClient(invite("Newcomer")))


# --- secrets --------------------------------------------------------------------------------------------------------


def test_tokens_are_in_no_log_no_repr_and_not_readable_in_the_database(
    peer: FakePeer, newcomer: PartnerClient, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """DESIGN section 5: through a failure, a registration, a rotation and a refusal."""
    caplog.set_level(logging.DEBUG)
    secrets = [newcomer.token, peer.token]
    peer.misbehave(misbehaviour.fails(500), count=1)
    newcomer.post(CREDENTIALS, peer.credentials())
    caller = registered(peer, newcomer)
    new = rotated(peer, caller).data["token"]
    PartnerClient(new).post(CREDENTIALS, peer.credentials())
    secrets += [peer.token, caller.token, new]

    known = directory.directory.authenticate(new)
    assert known is not None
    platform = Platform.objects.get(name="Newcomer")
    stored = repr([rows()[model] for model in (CredentialsToken, Party, Endpoint)])
    encrypted = Platform.objects.annotate(raw=models.functions.Cast("outbound_token", models.BinaryField())).values(
        "raw"
    )
    shown = (
        caplog.text, *capfd.readouterr(), repr(known), repr(directory.directory.picture()), repr(platform), stored,
        repr([bytes(row["raw"]) for row in encrypted]),
    )  # fmt: skip
    for secret in secrets:
        assert not any(secret in text for text in shown), f"{secret} is shown"
