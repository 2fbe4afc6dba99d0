"""`authorize_token`, as staff and scripts call it."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.store.tokens import tokens
from roaming.authorization_models import Authorization
from tests.kit.commands import driver_token
from tests.kit.objects import evse, location
from tests.kit.peer import FakePeer
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)
UID = "04A1B2C3D4"


@pytest.fixture
def msp(fake_peer: Any) -> FakePeer:
    """An eMSP with a card that was pushed to us, and a Location of ours."""
    peer: FakePeer = fake_peer(party="DE*MSP", role="EMSP")
    platform = register("EMSP:DE*MSP", endpoints=peer.endpoints(), outbound_token=peer.token).platform
    peer.objects["tokens"] = [driver_token(type="RFID")]
    tokens.put(Arrival(driver_token(type="RFID")), platform.pk)
    locations.put(Arrival(location(evses=[evse(), evse(uid="EVSE-2")])), None)
    return peer


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command; returns what it printed and its exit code."""

    def run(*arguments: str) -> tuple[str, int]:
        code = 0
        try:
            call_command("authorize_token", *arguments)
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        return capsys.readouterr().out, code

    return run


def test_who_may_charge_is_exit_code_0(run: Any, msp: FakePeer) -> None:
    """DESIGN 7"""
    out, code = run(UID.lower(), "--party", "nl*ocp", "--location", "loc-1", "--evse", "evse-1", "EVSE-2", "--json")
    place = {"location_id": "LOC-1", "evse_uids": ["EVSE-1", "EVSE-2"]}
    result = json.loads(out)
    assert code == 0 and isinstance(result.pop("milliseconds"), int)
    assert result == {
        "allowed": "ALLOWED",
        "source": "REAL_TIME",
        "reason": "DE*MSP answered ALLOWED",
        "emsp": "DE*MSP",
        "authorization_reference": f"AUTH-{UID}",
        "location": place,
        "info": None,
    }
    assert msp.requested("POST")[0].document == place


def test_who_may_not_charge_is_exit_code_1(run: Any, msp: FakePeer) -> None:
    """DESIGN 7"""
    out, code = run("NOBODY", "--party", "NL*OCP", "--json")
    result = json.loads(out)
    assert code == 1
    assert (result["allowed"], result["source"], result["emsp"]) == ("NOT_ALLOWED", "UNKNOWN", None)


def test_tokens_of_other_types_are_meant_when_told_so(run: Any, msp: FakePeer) -> None:
    """Trap 20"""
    assert run(UID, "--party", "NL*OCP", "--type", "APP_USER")[1] == 1


def test_people_read_the_verdict_and_the_reason(run: Any, msp: FakePeer) -> None:
    out, code = run(UID, "--party", "NL*OCP", "--location", "LOC-1", "--evse", "EVSE-1")
    assert code == 0
    assert out.startswith("ALLOWED (REAL_TIME, ")
    for expected in ("DE*MSP answered ALLOWED", f"authorization reference AUTH-{UID}", "only at EVSE-1"):
        assert expected in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--party", "nonsense"), "CC\\*PID"),
        (("--party", "FR*CPO"), "FR\\*CPO is no CPO of ours"),
        (("--party", "NL*OSP"), "NL\\*OSP is no CPO of ours"),
        (("--party", "NL*OCP", "--location", "NOWHERE"), "NL\\*OCP has no Location 'NOWHERE'"),
        (("--party", "NL*OCP", "--location", "LOC-1", "--evse", "EVSE-9"), "LOC-1 has no EVSE 'EVSE-9'"),
        (("--party", "NL*OCP", "--evse", "EVSE-1"), "--evse takes --location"),
    ],
)
def test_bad_usage_is_exit_code_2_and_decides_nothing(msp: FakePeer, arguments: tuple[str, ...], message: str) -> None:
    """DESIGN 7"""
    with pytest.raises(CommandError, match=message) as refused:
        call_command("authorize_token", UID, *arguments, "--json")
    assert refused.value.returncode == 2
    assert not Authorization.objects.exists() and not msp.requests
