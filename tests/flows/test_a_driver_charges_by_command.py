"""A driver reserves, starts and stops by an app: eMSP, this node and a charger, over real sockets, to the CDR."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from roaming.command_models import ProfileFollower
from roaming.commands import delivering
from tests.flows.test_a_day_with_partners import registered
from tests.kit import chargers, charging, remote
from tests.kit.caller import RECEIVER
from tests.kit.charger import V16, V201, FakeCharger
from tests.kit.chargers import connected, eventually
from tests.kit.charging import stopping
from tests.kit.commands import charging_profile, driver_token
from tests.kit.lanes import drain
from tests.kit.peer import FakePeer, answers, enveloped

pytestmark = pytest.mark.django_db(transaction=True)

ACCEPTED = {"status": "Accepted"}
REFERENCE = "AUTH-77"
ASKED = (
    "ReserveNow",
    "RemoteStartTransaction",
    "RequestStartTransaction",
    "SetChargingProfile",
    "RemoteStopTransaction",
    "RequestStopTransaction",
)


@pytest.fixture
def url(transactional_db: None) -> Iterator[str]:
    with chargers.door() as found:
        yield found


def sent_results(peer: FakePeer, count: int) -> list[str]:
    """So many results, brought to the partner."""

    def delivered() -> list[str] | None:
        for platform_id in delivering.waiting():
            delivering.deliver(platform_id)
        found = [request.document["result"] for request in peer.requested("POST", "/results")]
        return found if len(found) >= count else None

    results: list[str] = eventually(delivered, f"{count} results")
    return results


def begins(cp: FakeCharger) -> Callable[[], None]:
    """Let the charger begin the transaction it was asked for; returns what ends it."""
    if cp.socket.subprotocol == V16:
        asked, reserved = cp.wait_asked("RemoteStartTransaction"), cp.wait_asked("ReserveNow")["reservationId"]
        id = charging.start(cp, tag=asked["idTag"], reservationId=reserved)
        return lambda: cp.call("StopTransaction", stopping(id, reason="Remote")) and None
    asked = cp.wait_asked("RequestStartTransaction")
    started, *others = charging.course(tag=asked["idToken"]["idToken"])
    started["idToken"] = asked["idToken"]
    started["reservationId"] = cp.wait_asked("ReserveNow")["id"]
    started["transactionInfo"]["remoteStartId"] = asked["remoteStartId"]
    assert cp.call("TransactionEvent", started)["idTokenInfo"]["status"] == "Accepted"

    def ends() -> None:
        for event in others:
            cp.call("TransactionEvent", event)

    return ends


@pytest.mark.parametrize("subprotocol", [V16, V201])
def test_reserved_started_limited_stopped_and_billed(
    fake_peer: Callable[..., FakePeer], url: str, subprotocol: str
) -> None:
    charging.add_tariff()
    charging.add_charger()
    remote.capable()
    peer = fake_peer(party="DE*MSP", role="EMSP")
    peer.misbehave(answers(enveloped()), path="/results")
    peer.misbehave(answers(enveloped()), method="PUT", path="/sender/chargingprofiles")
    emsp = registered(peer)
    driver: dict[str, Any] = {"token": driver_token(uid=remote.UID), "location_id": "LOC-1", "evse_uid": "LOC-1-1"}
    driver |= {"authorization_reference": REFERENCE}

    def command(name: str, **body: Any) -> None:
        answer = emsp.post(f"{RECEIVER}/commands/{name}", {"response_url": f"{peer.url}/results/{name}", **body})
        assert answer.data["result"] == "ACCEPTED", answer.data

    def session() -> dict[str, Any]:
        """The Session of the driver, as the partner has it by now."""
        charging.make()
        drain()
        found = (document for path, document in peer.received.items() if path.startswith("sessions/"))
        return next(document for document in found if document["status"] not in ("INVALID", "RESERVATION"))

    with connected(url, subprotocol=subprotocol) as cp:
        cp.answers |= dict.fromkeys(ASKED, ACCEPTED) | {"GetCompositeSchedule": {"status": "Accepted"}}
        cp.status(1, "Available")
        command("RESERVE_NOW", reservation_id="RES-1", expiry_date=remote.EXPIRY, **driver)
        assert sent_results(peer, 1) == ["ACCEPTED"]
        command("START_SESSION", **driver)
        assert sent_results(peer, 2) == ["ACCEPTED"] * 2
        assert session()["status"] == "PENDING"
        ends = begins(cp)
        active = session()
        assert (active["status"], active["authorization_reference"]) == ("ACTIVE", REFERENCE)
        profile = {"charging_profile": charging_profile(), "response_url": f"{peer.url}/results/set"}
        assert emsp.put(f"{RECEIVER}/chargingprofiles/{active['id']}", profile).data["result"] == "ACCEPTED"
        assert sent_results(peer, 3) == ["ACCEPTED"] * 3
        eventually(lambda: ProfileFollower.objects.exclude(document="").exists(), "what applies")
        command("STOP_SESSION", session_id=active["id"])
        assert sent_results(peer, 4) == ["ACCEPTED"] * 4
        ends()
    assert session()["status"] == "COMPLETED"
    (billed,) = (document for path, document in peer.received.items() if path.startswith("cdrs/"))
    assert (billed["session_id"], billed["authorization_reference"]) == (active["id"], REFERENCE)
    assert charging.kwh(billed) == 7
    assert billed["cdr_token"]["uid"] == remote.UID
