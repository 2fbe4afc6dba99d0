"""Two partners from registration to goodbye, over real sockets: an eMSP whose driver charges here, a CPO elsewhere."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from ocpi.models import Cdr, Session
from ocpi.store.catalogue import STORES
from ocpi.store.objects import Arrival
from ocpi.types import codec
from ocpi.v221.versions import ModuleID
from roaming.commands import delivering
from roaming.commands.desk import commands
from roaming.registration import invite
from tests.kit.caller import CREDENTIALS, RECEIVER, SENDER, VERSIONS, PartnerClient
from tests.kit.commands import CAPABLE, FakeChargePoints
from tests.kit.lanes import drain, settle
from tests.kit.objects import (
    Document,
    cdr,
    cdr_token,
    charging_period,
    credit_cdr,
    evse,
    location,
    minutes_after_noon,
    price,
    session,
    tariff,
    token,
)
from tests.kit.peer import FakePeer

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., FakePeer]
CAN = [*CAPABLE, "CHARGING_PREFERENCES_CAPABLE"]
FIRST, SECOND, THIRD = (minutes_after_noon(minutes) for minutes in (10, 20, 30))


def publish(module: ModuleID, *documents: Document) -> None:
    """Objects of our own come to be, or change."""
    STORES[module].put_many([Arrival(document) for document in documents], source=None)


def deliver() -> None:
    assert not any(done.refused for done in drain().values())


def registered(peer: FakePeer) -> PartnerClient:
    """The partner as client after its handshake with us."""
    newcomer = PartnerClient(invite(f"Partner {peer.party}"))
    assert [version["version"] for version in newcomer.get(VERSIONS).data] == ["2.2.1"]
    newcomer.get("/ocpi/2.2.1")
    answer = newcomer.post(CREDENTIALS, peer.credentials())
    assert answer.codes == (200, 1000), answer.message
    settle()
    return PartnerClient(answer.data["token"])


def crawl(client: PartnerClient, module: str) -> list[Any]:
    """A Sender list to its end, two objects at a time."""
    answer = client.get(f"{SENDER}/{module}", {"limit": "2", "date_from": "2020-01-01T00:00:00Z"})
    found = list(answer.data)
    while answer.next_url:
        answer = client.get(answer.next_url)
        found += answer.data
    assert len(found) == int(answer.headers["X-Total-Count"])
    return found


def test_the_driver_of_a_partner_emsp_charges_here(fake_peer: Start, charge_points: FakeChargePoints) -> None:
    sites = [location(id=f"LOC-{number}", evses=[evse(capabilities=CAN)]) for number in range(1, 4)]
    publish(ModuleID.LOCATIONS, *sites)
    publish(ModuleID.TARIFFS, tariff())
    peer = fake_peer(party="DE*MSP", role="EMSP")
    emsp = registered(peer)

    # It learns where its drivers can charge, by asking and by being told.
    assert crawl(emsp, "locations") == sites
    assert crawl(emsp, "tariffs") == [tariff()]
    deliver()
    assert peer.received["locations/NL/OCP/LOC-2"] == sites[1]
    assert peer.received[f"tariffs/NL/OCP/{tariff()['id']}"] == tariff()

    # It tells us of its driver, and has a session started.
    card = token(country_code="DE", party_id="MSP", uid="04A1B2C3D4")
    assert emsp.put(f"{RECEIVER}/tokens/DE/MSP/04A1B2C3D4", card).codes == (201, 1000)
    answers_at = f"{peer.url}/2.2.1/receiver/results/START_SESSION/77"
    start = {
        "response_url": answers_at,
        "token": card,
        "location_id": "LOC-1",
        "evse_uid": sites[0]["evses"][0]["uid"],
        "authorization_reference": "AUTH-77",
    }
    assert emsp.post(f"{RECEIVER}/commands/START_SESSION", start).data["result"] == "ACCEPTED"
    ((command_id, request),) = charge_points.asked
    assert request.document["authorization_reference"] == "AUTH-77"
    assert commands.resolve(command_id, "ACCEPTED")
    for platform_id in delivering.waiting():
        delivering.deliver(platform_id)
    (result,) = peer.requested("POST", "/results/START_SESSION/77")
    assert result.document["result"] == "ACCEPTED"

    # The Session is pushed while it happens; the driver would like it cheap.
    driver = cdr_token(country_code="DE", party_id="MSP", uid="04A1B2C3D4")
    charging = session(
        cdr_token=driver, location_id="LOC-1", authorization_reference="AUTH-77", status="ACTIVE", last_updated=FIRST
    )
    publish(ModuleID.SESSIONS, charging)
    deliver()
    assert peer.received[f"sessions/NL/OCP/{charging['id']}"] == charging
    sent_at = f"{SENDER}/sessions/{charging['id']}/charging_preferences"
    assert emsp.put(sent_at, {"profile_type": "REGULAR"}).data == "NOT_POSSIBLE"

    # It ends, and its CDR is the eMSP's and nobody else's.
    ended = {**charging, "status": "COMPLETED", "kwh": Decimal("12.3450"), "end_date_time": SECOND} | {
        "charging_periods": [charging_period("12.3450")],
        "last_updated": SECOND,
    }
    bill = cdr(cdr_token=driver, session_id=charging["id"], authorization_reference="AUTH-77", last_updated=THIRD)
    publish(ModuleID.SESSIONS, ended)
    publish(ModuleID.CDRS, bill)
    deliver()
    assert peer.received[f"sessions/NL/OCP/{charging['id']}"] == ended
    (posted,) = peer.requested("POST", "/receiver/cdrs")
    assert posted.body == codec.encode(bill)
    assert crawl(emsp, "cdrs") == [bill]
    stranger = registered(fake_peer(party="FR*MSP", role="EMSP"))
    assert crawl(stranger, "cdrs") == crawl(stranger, "sessions") == []

    # Goodbye.
    assert emsp.delete(CREDENTIALS).codes == (200, 1000)
    assert emsp.get(VERSIONS).http == 401


def test_our_driver_charges_at_a_partner_cpo(fake_peer: Start) -> None:
    card = token(country_code="NL", party_id="OSP", uid="04FFEE", whitelist="NEVER")
    publish(ModuleID.TOKENS, card, token(country_code="NL", party_id="OSP", uid="LOST", valid=False))
    peer = fake_peer(party="DE*CPO", role="CPO")
    theirs = {"country_code": "DE", "party_id": "CPO"}
    peer.objects["locations"] = [location(**theirs, id="HARBOUR")]
    cpo = registered(peer)

    # It is told of our cards, and tells us of its sites.
    deliver()
    assert peer.received["tokens/NL/OSP/04FFEE"] == card
    site = location(**theirs, id="STATION")
    assert cpo.put(f"{RECEIVER}/locations/DE/CPO/STATION", site).codes == (201, 1000)
    assert cpo.put(f"{RECEIVER}/tariffs/DE/CPO/T1", tariff(**theirs, id="T1")).codes == (201, 1000)

    # A card is held to a charge point: may it charge?
    place = {"location_id": "STATION", "evse_uids": [site["evses"][0]["uid"]]}
    allowed = cpo.post(f"{SENDER}/tokens/04ffee/authorize", place).data
    assert (allowed["allowed"], allowed["token"], allowed["location"]) == ("ALLOWED", card, place)
    assert cpo.post(f"{SENDER}/tokens/LOST/authorize", params={"type": "RFID"}).data["allowed"] == "BLOCKED"
    assert cpo.post(f"{SENDER}/tokens/4711/authorize").codes == (404, 2004)

    # It charges; the reference says by which authorization.
    driver = cdr_token(country_code="NL", party_id="OSP", uid="04FFEE", contract_id=card["contract_id"])
    reference = {"authorization_reference": allowed["authorization_reference"], "cdr_token": driver}
    begun = session(**theirs, **reference, id="S1", status="PENDING", charging_periods=[], last_updated=FIRST)
    at = f"{RECEIVER}/sessions/DE/CPO/S1"
    assert cpo.put(at, begun).codes == (201, 1000)
    for minute, energy in ((11, "1.5000"), (12, "2.2500")):
        progress = {
            "status": "ACTIVE",
            "kwh": Decimal(energy),
            "charging_periods": [charging_period(energy)],
            "last_updated": minutes_after_noon(minute),
        }
        assert cpo.patch(at, progress).codes == (200, 1000)
    assert cpo.patch(at, {"status": "COMPLETED", "last_updated": SECOND}).codes == (200, 1000)
    stored = cpo.get(at).data
    assert (stored["status"], str(stored["kwh"]), len(stored["charging_periods"])) == ("COMPLETED", "2.2500", 2)

    # It is billed, wrongly, and billed again.
    wrong = cdr(**theirs, **reference, id="C1", session_id="S1", last_updated=SECOND)
    posted = cpo.post(f"{RECEIVER}/cdrs", wrong)
    assert posted.codes == (201, 1000)
    assert cpo.get(posted.headers["Location"]).data == wrong
    assert cpo.post(f"{RECEIVER}/cdrs", {**wrong, "total_cost": price("1.00")}).codes == (200, 2001)
    credit = credit_cdr(**theirs, **reference, id="C1-C", credit_reference_id="C1", session_id="S1", last_updated=THIRD)
    assert cpo.post(f"{RECEIVER}/cdrs", credit).codes == (201, 1000)
    right = cdr(**theirs, **reference, id="C2", session_id="S1", total_cost=price("1.00"), last_updated=THIRD)
    assert cpo.post(f"{RECEIVER}/cdrs", right).codes == (201, 1000)
    assert sorted(Cdr.objects.values_list("key", flat=True)) == ["c1", "c1-c", "c2"]
    assert Session.objects.get().token_owner == "NL*OSP"
