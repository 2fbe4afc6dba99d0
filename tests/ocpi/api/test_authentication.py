"""Who calls, and what that opens (§transport_and_format_authorization_header)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ocpi.transport import authorization
from roaming import directory
from roaming.registration import invite
from tests.kit.caller import CREDENTIALS, DETAILS, RECEIVER_LOCATIONS, SENDER_LOCATIONS, VERSIONS, PartnerClient
from tests.kit.objects import location
from tests.kit.platforms import Registered, register

EVERYWHERE = (VERSIONS, DETAILS, CREDENTIALS, SENDER_LOCATIONS, f"{RECEIVER_LOCATIONS}/DE/CPO/LOC-1", "/ocpi/nowhere")


@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize(
    "header",
    [
        None, "", "Token", "Token ", "Token dW5rbm93bg==", "Token unknown", "Token ===", "Bearer dW5rbm93bg==",
        "Token \xe9\xe9", "Token AAAA", "Token " + "A" * 60_000, authorization.encode("nul\0"),
        authorization.encode("ünï"),
    ],
)  # fmt: skip
def test_anything_but_a_known_token_is_401(db: None, path: str, header: str | None) -> None:
    """R2.2, traps 1 and 2"""
    answer = PartnerClient().get(path, headers={"Authorization": header})
    assert answer.codes == (401, 2000)


def test_authentication_comes_before_everything_else(db: None) -> None:
    """A stranger does not learn which methods and URLs there are, nor has its body read."""
    stranger = PartnerClient("unknown")
    for method in ("PUT", "PATCH", "POST", "DELETE", "OPTIONS"):
        assert stranger.request(method, SENDER_LOCATIONS, b"{broken").http == 401


def test_a_token_of_a_connected_platform_opens_every_module(emsp_client: PartnerClient) -> None:
    for path in (VERSIONS, DETAILS, CREDENTIALS, SENDER_LOCATIONS):
        assert emsp_client.get(path).codes == (200, 1000), path


def test_an_unencoded_token_is_accepted_too(emsp: Registered) -> None:
    """R2.5"""
    headers = {"Authorization": f"Token {emsp.token}"}
    assert PartnerClient().get(SENDER_LOCATIONS, headers=headers).codes == (200, 1000)


def test_the_bootstrap_token_opens_versions_and_credentials_only(db: None) -> None:
    """R2.3"""
    newcomer = PartnerClient(invite("Newcomer"))
    for path in (VERSIONS, DETAILS, CREDENTIALS):
        assert newcomer.get(path).codes == (200, 1000), path
    for path in (SENDER_LOCATIONS, f"{SENDER_LOCATIONS}/LOC-1", f"{RECEIVER_LOCATIONS}/DE/CPO/LOC-1"):
        assert newcomer.get(path).codes == (401, 2000), path
    assert newcomer.put(f"{RECEIVER_LOCATIONS}/DE/CPO/LOC-1", location()).codes == (401, 2000)


def test_a_new_invitation_ends_the_one_before(db: None) -> None:
    first, second = invite("Newcomer"), invite("Newcomer")
    assert PartnerClient(first).get(VERSIONS).http == 401
    assert PartnerClient(second).get(VERSIONS).http == 200


def test_an_expired_token_is_401(emsp: Registered) -> None:
    emsp.platform.tokens.update(expires_at=timezone.now() - timedelta(seconds=1))
    directory.changed()
    assert emsp.client().get(VERSIONS).codes == (401, 2000)


def test_a_suspended_platform_is_401(emsp: Registered) -> None:
    emsp.platform.state = emsp.platform.State.SUSPENDED
    emsp.platform.save()
    directory.changed()
    assert emsp.client().get(VERSIONS).codes == (401, 2000)


def test_the_from_header_of_another_platform_is_not_believed(emsp: Registered, cpo: Registered) -> None:
    """R2.4, trap 8"""
    assert emsp.client(from_="DE*CPO").get(SENDER_LOCATIONS).codes == (200, 2001)
    assert emsp.client(from_="DE*MSP").get(SENDER_LOCATIONS).codes == (200, 1000)
    assert emsp.client(from_="de*msp").get(SENDER_LOCATIONS).codes == (200, 1000)


def test_a_platform_with_several_parties_speaks_for_each(db: None) -> None:
    both = register("EMSP:DE*MSP", "CPO:DE*CPO")
    for party in ("DE*MSP", "DE*CPO"):
        assert both.client(from_=party).get(SENDER_LOCATIONS).codes == (200, 1000)


def test_answers_of_functional_modules_swap_the_routing_headers(emsp: Registered) -> None:
    """R7.1, R7.3: direct platform to platform; also on errors."""
    caller = emsp.client(to="NL*OCP", from_="DE*MSP")
    for path in (SENDER_LOCATIONS, f"{SENDER_LOCATIONS}/NOWHERE"):
        routing = caller.get(path).routing
        assert (routing.to, routing.from_) == ("DE*MSP", "NL*OCP"), path
    assert caller.put(SENDER_LOCATIONS).routing.to == "DE*MSP"


def test_answers_of_configuration_modules_have_no_routing_headers(emsp: Registered) -> None:
    """R3.6, R7.2, trap 23"""
    for path in (VERSIONS, DETAILS, CREDENTIALS):
        answer = emsp.client(to="NL*OCP", from_="DE*MSP").get(path)
        assert answer.http == 200 and not answer.routing.headers(), path


def test_a_receiver_that_is_not_here_is_4001_over_http_200(emsp: Registered) -> None:
    """R8.2, trap 30"""
    assert emsp.client(to="FR*XYZ").get(SENDER_LOCATIONS).codes == (200, 4001)


def test_half_a_routing_header_is_2001(emsp_client: PartnerClient) -> None:
    assert emsp_client.get(SENDER_LOCATIONS, headers={"OCPI-to-country-code": "NL"}).codes == (200, 2001)
