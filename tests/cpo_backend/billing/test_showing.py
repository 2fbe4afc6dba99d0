"""What a session costs, on the display of its charger."""

from decimal import Decimal
from typing import Any

import pytest

from cpo_backend.models import Bill, Charger, OcppCommand
from ocpi.types import codec
from tests.kit import charging
from tests.kit.charger import V201
from tests.kit.chargers import connected
from tests.kit.charging import component, event

TAXED = [{"price_components": [component("0.25") | {"vat": Decimal(20)}]}]


def showing(charger: Charger, currency: str = "EUR") -> None:
    charging.add_tariff(elements=TAXED)
    charger.configuration = codec.encode_text({"TariffCostCtrlr.Currency": [currency, False]})
    charger.save(update_fields=["configuration"])


def test_a_charger_that_shows_costs_is_told_them_with_taxes(url: str, charger: Charger) -> None:
    """While it goes on, and when the CDR is made; a repeated Ended is answered with the final cost."""
    showing(charger)
    first, *_, ended = charging.course()
    with connected(url, subprotocol=V201) as cp:
        cp.answers["CostUpdated"] = {}
        cp.call("TransactionEvent", first)
        answer = cp.call("TransactionEvent", event("Updated", 1, 20, wh=3000))
        assert "totalCost" not in answer
        charging.make()
        assert cp.wait_asked("CostUpdated") == {"totalCost": 0.6, "transactionId": "T-1"}
        cp.call("TransactionEvent", event("Updated", 2, 40, wh=6000))
        charging.make()
        assert "totalCost" not in cp.call("TransactionEvent", ended)
        charging.make()
        assert cp.wait_asked("CostUpdated", 2) == {"totalCost": 2.1, "transactionId": "T-1"}
        assert cp.call("TransactionEvent", ended)["totalCost"] == 2.1
    assert charging.cdr()["total_cost"]["incl_vat"] == Decimal("2.1")


@pytest.mark.parametrize("case", ["another currency", "no currency", "not wanted"])
def test_others_are_told_nothing(url: str, charger: Charger, settings: Any, case: str) -> None:
    showing(charger, {"another currency": "SEK", "no currency": ""}.get(case, "EUR"))
    settings.OCPP_SHOW_COST = case != "not wanted"
    with connected(url, subprotocol=V201) as cp:
        for one in charging.course():
            assert "totalCost" not in cp.call("TransactionEvent", one)
            charging.make()
    assert not OcppCommand.objects.filter(action="CostUpdated").exists()
    assert Bill.objects.get().state == Bill.State.OUT
