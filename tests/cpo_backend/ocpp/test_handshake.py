"""Who may connect, and what the others are told."""

from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from cpo_backend.models import Charger
from cpo_backend.registry import keys
from tests.kit.charger import V16, V201, FakeCharger
from tests.kit.chargers import PASSWORD, add_charger, connected

HEX = "00112233445566778899aabbccddeeff00112233"


def refused(charger: FakeCharger) -> int:
    """The HTTP status with which it is refused."""
    with pytest.raises(InvalidStatus) as caught, charger:
        pass
    return int(caught.value.response.status_code)


@pytest.mark.parametrize("version", [V16, V201])
def test_a_registered_charger_connects(url: str, charger: Charger, version: str) -> None:
    with connected(url, subprotocol=version) as cp:
        assert cp.socket.subprotocol == version
        assert cp.boot()["status"] == "Accepted"


def test_the_first_offered_version_that_we_speak_is_taken(url: str, charger: Charger) -> None:
    with FakeCharger(url, "CP-1", PASSWORD, subprotocols=("ocpp9.9", V201, V16)) as cp:
        assert cp.socket.subprotocol == V201


@pytest.mark.parametrize("offered", [(), ("ocpp1.5", "chat")])
def test_without_a_version_that_we_speak_it_is_400(url: str, charger: Charger, offered: tuple[str, ...]) -> None:
    assert refused(FakeCharger(url, "CP-1", PASSWORD, subprotocols=offered)) == 400


def test_an_unknown_identity_is_404(url: str, charger: Charger) -> None:
    assert refused(FakeCharger(url, "CP-2", PASSWORD)) == 404
    assert refused(FakeCharger(url, "CP-2")) == 404


@pytest.mark.parametrize("identity", ["cp-1", "CP-1/x", "", "CP%201", "C" * 49])
def test_what_is_not_exactly_the_identity_is_404(url: str, charger: Charger, identity: str) -> None:
    assert refused(FakeCharger(url, identity, PASSWORD)) == 404


def test_a_wrong_password_is_401_and_says_how_to_present_one(url: str, charger: Charger) -> None:
    with pytest.raises(InvalidStatus) as caught, FakeCharger(url, "CP-1", "another password."):
        pass
    assert caught.value.response.status_code == 401
    assert caught.value.response.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("authorization", [None, "Bearer abc", "Basic", "Basic !!!", "Basic QQ=="])
def test_without_a_password_it_is_401(url: str, charger: Charger, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    assert refused(FakeCharger(url, "CP-1", headers=headers)) == 401


def test_the_user_must_be_the_identity(url: str, charger: Charger) -> None:
    add_charger("CP-2", ("OTHER-1",), place="LOC-2")
    other = FakeCharger(url, "CP-2", PASSWORD)
    assert refused(FakeCharger(url, "CP-1", headers=other._headers)) == 401


def test_an_identity_is_percent_decoded_and_may_hold_a_colon(url: str, transactional_db: None) -> None:
    add_charger("NL*OCP:1|A")
    headers = FakeCharger(url, "NL*OCP:1|A", PASSWORD)._headers
    with FakeCharger(url, "NL%2AOCP%3A1%7CA", headers=headers) as cp:
        assert cp.boot()["status"] == "Accepted"


@pytest.mark.parametrize("path", ["CP-1/", "/CP-1", "CP-1?token=1", "CP-1/?a=b"])
def test_slashes_around_the_identity_and_a_query_say_nothing(url: str, charger: Charger, path: str) -> None:
    headers = FakeCharger(url, "CP-1", PASSWORD)._headers
    with FakeCharger(url, path, headers=headers) as cp:
        assert cp.boot()["status"] == "Accepted"


@pytest.mark.parametrize("presented", [HEX, HEX.upper(), bytes.fromhex(HEX)])
def test_a_hexadecimal_key_may_come_as_text_or_as_bytes(url: str, charger: Charger, presented: str | bytes) -> None:
    Charger.objects.filter(pk=charger.pk).update(key_hash=keys.digest(HEX.encode()))
    with FakeCharger(url, "CP-1", presented) as cp:
        assert cp.boot()["status"] == "Accepted"


def test_old_and_new_password_are_valid_until_the_new_one_is_used(url: str, charger: Charger) -> None:
    Charger.objects.filter(pk=charger.pk).update(new_key_hash=keys.digest(HEX.encode()))
    for password in (PASSWORD, HEX):
        with FakeCharger(url, "CP-1", password):
            pass
    assert refused(FakeCharger(url, "CP-1", PASSWORD)) == 401


def test_a_blocked_charger_is_403(url: str, charger: Charger) -> None:
    Charger.objects.filter(pk=charger.pk).update(state=Charger.State.BLOCKED)
    assert refused(connected(url)) == 403


SECURE = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}


def test_a_charger_that_has_used_tls_may_not_come_without(url: str, charger: Charger) -> None:
    with connected(url, headers=SECURE):
        pass
    charger.refresh_from_db()
    assert charger.security_profile == Charger.Profile.TLS
    assert refused(connected(url)) == 403


def test_a_node_may_ask_for_tls(url: str, charger: Charger, settings: Any) -> None:
    settings.OCPP_MIN_PROFILE = 2
    assert refused(connected(url)) == 403


@pytest.mark.parametrize("subject", ["CP-1", "CN=CP-1", "O=Kit,CN=CP-1,C=NL", "/C=NL/CN=CP-1/O=Kit"])
def test_a_client_certificate_told_by_the_proxy_is_enough(
    url: str, charger: Charger, settings: Any, subject: str
) -> None:
    settings.OCPP_CERTIFICATE_HEADER = "X-Client-CN"
    with FakeCharger(url, "CP-1", headers={**SECURE, "X-Client-CN": subject}) as cp:
        assert cp.boot()["status"] == "Accepted"
    charger.refresh_from_db()
    assert charger.security_profile == Charger.Profile.CERTIFICATE
    assert refused(FakeCharger(url, "CP-1", headers={**SECURE, "X-Client-CN": "CP-2"})) == 401


def test_a_certificate_header_without_tls_is_nothing(url: str, charger: Charger, settings: Any) -> None:
    settings.OCPP_CERTIFICATE_HEADER = "X-Client-CN"
    assert refused(FakeCharger(url, "CP-1", headers={"X-Client-CN": "CP-1"})) == 401


def test_with_the_commissioning_key_an_unknown_charger_waits_for_staff(
    url: str, transactional_db: None, settings: Any
) -> None:
    settings.OCPP_COMMISSIONING_KEY = "commission me, please"
    assert refused(FakeCharger(url, "NEW-1", "something else here")) == 404
    with FakeCharger(url, "NEW-1", "commission me, please") as cp:
        answer = cp.boot()
    assert (answer["status"], answer["interval"]) == ("Pending", 60)
    assert Charger.objects.get(identity="NEW-1").state == Charger.State.PENDING


def test_a_process_without_chargers_is_404(charger: Charger, settings: Any) -> None:
    from tests.kit.chargers import door

    settings.NODE_CHARGERS = False
    with door() as url:
        assert refused(connected(url)) == 404
