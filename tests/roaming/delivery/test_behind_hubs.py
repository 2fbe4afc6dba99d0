"""An eMSP behind a hub goes away and comes back: what the hub could not pass on to it follows at once."""

from collections.abc import Callable

import pytest

from ocpi.store.cdrs import cdrs
from ocpi.store.client_infos import client_infos
from ocpi.store.objects import Arrival
from tests.kit.lanes import drain, settle
from tests.kit.objects import cdr, cdr_token, client_info, minutes_after_noon
from tests.kit.peer import FakePeer, answers, enveloped
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)

BILL = cdr(cdr_token=cdr_token(country_code="DE", party_id="MSP"))


class Behind:
    """A hub that answers the CDR of a driver of DE*MSP with a status code, once."""

    def __init__(self, start: Callable[..., FakePeer], code: int) -> None:
        self.peer = start(party="NL*HUB", role="HUB")
        self.id = register("HUB:NL*HUB", endpoints=self.peer.endpoints(), outbound_token=self.peer.token).platform.pk
        settle()
        self.peer.misbehave(answers(enveloped(code=code)), method="POST", count=1)
        cdrs.put(Arrival(BILL), None)
        drain()

    def tells(self, party: str, status: str, minute: int = 1) -> None:
        country_code, party_id = party.split("*")
        info = client_info(country_code=country_code, party_id=party_id, status=status)
        client_infos.put(Arrival({**info, "last_updated": minutes_after_noon(minute)}), self.id)
        drain()

    @property
    def attempts(self) -> int:
        return len(self.peer.requested("POST", "/cdrs"))


def test_a_cdr_for_a_party_that_is_back_is_sent_again_at_once(fake_peer: Callable[..., FakePeer]) -> None:
    hub = Behind(fake_peer, code=4003)
    hub.tells("DE*MSP", "OFFLINE")
    assert hub.attempts == 1, "not before its time"
    hub.tells("DE*MSP", "CONNECTED", 2)
    assert hub.attempts == 2
    assert list(hub.peer.received.values()) == [BILL]


@pytest.mark.parametrize(
    ("code", "party"), [(2001, "DE*MSP"), (4003, "FR*MSP")], ids=["it was refused by its receiver", "another is back"]
)
def test_nothing_else_is(fake_peer: Callable[..., FakePeer], code: int, party: str) -> None:
    hub = Behind(fake_peer, code)
    hub.tells(party, "CONNECTED")
    assert hub.attempts == 1
