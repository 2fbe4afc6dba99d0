"""From start to stop over a real socket, and the Session and CDR that follow (notes 3)."""

from decimal import Decimal

from cpo_backend.models import Charger
from tests.kit import charging
from tests.kit.charger import V201
from tests.kit.chargers import connected
from tests.kit.charging import meter, sample, start, stopping


def test_a_transaction_becomes_a_session_and_one_cdr(url: str, charger: Charger) -> None:
    with connected(url) as cp:
        id = start(cp)
        charging.make()
        assert charging.session()["status"] == "ACTIVE"
        meter(cp, id, 30, sample(4000))
        charging.make()
        assert charging.session()["kwh"] == Decimal("3")
        cp.call("StopTransaction", stopping(id, reason="EVDisconnected"))
    charging.make()
    session, cdr = charging.session(), charging.cdr()
    assert session["status"] == "COMPLETED"
    assert (session["kwh"], cdr["total_energy"]) == (7, 7)
    assert cdr["total_cost"]["excl_vat"] == Decimal("2.25")
    assert cdr["session_id"] == session["id"]
    assert cdr["cdr_token"]["uid"] == charging.TAG
    assert cdr["remark"] == "Stop reason: EVDisconnected"


def test_the_events_of_the_newer_version_become_the_same(url: str, charger: Charger) -> None:
    with connected(url, subprotocol=V201) as cp:
        started, *others = charging.course()
        assert cp.call("TransactionEvent", started)["idTokenInfo"]["status"] == "Accepted"
        charging.make()
        assert charging.session()["status"] == "ACTIVE"
        for told in others:
            cp.call("TransactionEvent", told)
    charging.make()
    session, cdr = charging.session(), charging.cdr()
    assert (session["status"], session["kwh"], cdr["total_energy"]) == ("COMPLETED", 7, 7)
    assert cdr["cdr_token"]["uid"] == charging.TAG
