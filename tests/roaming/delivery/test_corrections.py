"""A corrected CDR on its way to the eMSP."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from ocpi.ids import PartyId
from ocpi.models import Cdr
from ocpi.store import corrections
from ocpi.store.catalogue import STORES
from ocpi.store.objects import Arrival
from ocpi.v221.versions import ModuleID
from tests.kit.lanes import drain, settle
from tests.kit.objects import cdr, price, tariff
from tests.kit.peer import FakePeer
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_credit_cdr_and_the_one_that_replaces_the_original_go_out_once(
    fake_peer: Callable[..., FakePeer],
) -> None:
    """§mod_cdrs_credit_cdrs; side by side, so in any order."""
    peer = fake_peer(party="DE*MSP", role="EMSP")
    register("EMSP:DE*MSP", name="eMSP", endpoints=peer.endpoints(), outbound_token=peer.token)
    settle()
    STORES[ModuleID.CDRS].put(Arrival(cdr(tariffs=[tariff()], total_cost=price("2.00", "2.42"))), None)
    drain()
    corrections.correct(PartyId("NL*OCP"), "CDR-1", corrections.repriced(Cdr.objects.get()))
    drain()
    sent = [request.document for request in peer.requested("POST", "/cdrs")]
    assert sorted(body["id"] for body in sent) == ["CDR-1", "CDR-1-C", "CDR-1-R1"]
    assert sum(body["total_cost"]["excl_vat"] for body in sent) == Decimal("0.8125")
