"""An eMSP that commands chargers of ours, and what it is told."""

from typing import Any

from ocpi.models import Session
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.types import codec
from roaming.command_models import CommandOutcome
from tests.kit.caller import RECEIVER, Answer, PartnerClient
from tests.kit.chargers import eventually
from tests.kit.commands import CAPABLE, RESPONSE_URL, driver_token
from tests.kit.objects import connector, evse, location

Document = dict[str, Any]

UID = "APP-USER-1"
EXPIRY = "2096-03-01T12:00:00Z"


def capable(place: str = "LOC-1", count: int = 2) -> None:
    """Let the EVSEs of the kit's charger be capable of everything."""
    evses = [
        evse(
            uid=f"{place}-{number}",
            evse_id=f"NL*OCP*E{place}-{number}",
            capabilities=CAPABLE,
            connectors=[connector(tariff_ids=["TARIFF-1"])],
        )
        for number in range(1, count + 1)
    ]
    locations.put(Arrival(location(id=place, evses=evses)), None)


class Emsp:
    """DE*MSP with its client."""

    def __init__(self, client: PartnerClient) -> None:
        self._client = client

    def start(self, evse_uid: str | None = "LOC-1-1", **changes: Any) -> Answer:
        body = {"token": driver_token(uid=UID, contract_id="DE-MSP-C1"), "location_id": "LOC-1", **changes}
        return self.command("START_SESSION", **body, **({"evse_uid": evse_uid} if evse_uid else {}))

    def stop(self, session_id: str) -> Answer:
        return self.command("STOP_SESSION", session_id=session_id)

    def unlock(self, evse_uid: str = "LOC-1-1", connector_id: str = "1") -> Answer:
        return self.command("UNLOCK_CONNECTOR", location_id="LOC-1", evse_uid=evse_uid, connector_id=connector_id)

    def reserve(self, evse_uid: str | None = "LOC-1-1", *, id: str = "RES-1", **changes: Any) -> Answer:
        token = driver_token(uid=UID, contract_id="DE-MSP-C1")
        body = {"token": token, "location_id": "LOC-1", "reservation_id": id, "expiry_date": EXPIRY, **changes}
        return self.command("RESERVE_NOW", **body, **({"evse_uid": evse_uid} if evse_uid else {}))

    def cancel(self, id: str = "RES-1") -> Answer:
        return self.command("CANCEL_RESERVATION", reservation_id=id)

    def command(self, command: str, **body: Any) -> Answer:
        return self._client.post(f"{RECEIVER}/commands/{command}", {"response_url": RESPONSE_URL, **body})

    def profiled(self, method: str, session_id: str, **what: Any) -> Answer:
        return self._client.request(method, f"{RECEIVER}/chargingprofiles/{session_id}", **what)

    def told(self, count: int = 1) -> str:
        """The last of so many results."""
        return str(self.documents(count)[-1]["result"])

    def documents(self, count: int = 1) -> list[Document]:
        """So many results, as they are sent."""
        eventually(lambda: CommandOutcome.objects.count() >= count, f"{count} results")
        return [codec.decode(row.document.encode()) for row in CommandOutcome.objects.order_by("pk")]


def taken(answer: Answer) -> None:
    """A command that is on its way."""
    assert answer.codes == (200, 1000), answer.envelope
    assert answer.data["result"] == "ACCEPTED", answer.data
    assert answer.data["timeout"] > 0


def sessions() -> dict[str, str]:
    """Status by id."""
    documents = [codec.decode(text.encode()) for text in Session.objects.values_list("document", flat=True)]
    return {document["id"]: document["status"] for document in documents}
