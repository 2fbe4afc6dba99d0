"""UNLOCK_CONNECTOR, from an eMSP to a charger and back (notes 7)."""

from typing import Any

import pytest

from cpo_backend.models import Charger
from tests.kit.charger import V201, CallError
from tests.kit.chargers import connected
from tests.kit.remote import Emsp, taken

UNLOCK = "UnlockConnector"


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ({"status": "Unlocked"}, "ACCEPTED"),
        ({"status": "UnlockFailed"}, "FAILED"),
        ({"status": "NotSupported"}, "NOT_SUPPORTED"),
        (CallError("NotSupported"), "NOT_SUPPORTED"),
    ],
)
def test_what_the_charger_says_is_what_the_partner_is_told(
    url: str, charger: Charger, emsp: Emsp, answer: Any, result: str
) -> None:
    with connected(url) as cp:
        cp.answers[UNLOCK] = answer
        taken(emsp.unlock("LOC-1-2"))
        assert cp.wait_asked(UNLOCK) == {"connectorId": 2}
        assert emsp.told() == result


def test_the_newer_version_names_evse_and_connector(url: str, charger: Charger, emsp: Emsp) -> None:
    with connected(url, subprotocol=V201) as cp:
        cp.answers[UNLOCK] = {"status": "OngoingAuthorizedTransaction"}
        taken(emsp.unlock("LOC-1-2"))
        assert cp.wait_asked(UNLOCK) == {"evseId": 2, "connectorId": 1}
        assert emsp.told() == "REJECTED"


def test_an_evse_without_a_charger_is_refused_at_once(charger: Charger, emsp: Emsp) -> None:
    charger.evses.all().delete()
    assert emsp.unlock().data["result"] == "REJECTED"
