"""What identifies a driver can be hidden, and found again by who knows it."""

import json
from typing import Any

import pytest

from ocpi.types import codec
from roaming.exchange_models import Exchange
from roaming.exchanges.masking import Mask, hidden
from tests.kit.caller import RECEIVER, SENDER, PartnerClient
from tests.kit.commands import driver_token
from tests.kit.exchanges import noted
from tests.kit.objects import location, session

UID = "04A1B2C3D4"


@pytest.fixture(autouse=True)
def _masked(settings: Any) -> None:
    settings.NODE_LOG_MASK = True


@pytest.fixture
def entries(db: None, exchange_log: Any, emsp_client: PartnerClient) -> list[Exchange]:
    """A Token is pushed, and read."""
    token = driver_token(uid=UID, contract_id="DE-MSP-C00001", visual_number="VN-7788", group_id="GROUP-1")
    emsp_client.put(f"{RECEIVER}/tokens/DE/MSP/{UID}?type=APP_USER", token)
    emsp_client.get(f"{RECEIVER}/tokens/DE/MSP/{UID}?type=APP_USER")
    emsp_client.get(f"{RECEIVER}/tokens/DE/MSP/UNKNOWN-CARD?type=RFID")
    return noted()


def test_nothing_of_the_driver_is_written_down(entries: list[Exchange]) -> None:
    everything = repr(list(Exchange.objects.values_list()))
    for value in (UID, "DE-MSP-C00001", "VN-7788", "GROUP-1", "UNKNOWN-CARD"):
        assert value.lower() not in everything.lower()


def test_the_entries_of_one_card_have_the_same_hash(entries: list[Exchange]) -> None:
    pushed, read, _ = entries
    assert pushed.url == read.url == f"{RECEIVER}/tokens/DE/MSP/{hidden(UID)}?type=APP_USER"
    assert json.loads(pushed.request_body)["uid"] == json.loads(read.response_body)["data"]["uid"] == hidden(UID)


def test_the_hash_ignores_case_and_depends_on_the_key(settings: Any) -> None:
    before = hidden("CARD")
    assert before == hidden("card") != hidden("card2")
    settings.SECRET_KEY = "another"
    assert hidden("CARD") != before


def test_only_what_identifies_a_driver_is_hidden() -> None:
    text = codec.encode_text(location())
    assert Mask("locations").body(text) == text
    document = json.loads(Mask("sessions").body(codec.encode_text(session())))
    clear = session()
    assert document["cdr_token"]["uid"] == hidden(clear["cdr_token"]["uid"])
    assert document["cdr_token"]["contract_id"] == hidden(clear["cdr_token"]["contract_id"])
    assert (document["id"], document["evse_uid"]) == (clear["id"], clear["evse_uid"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"uid" : "abc', f'{{"uid" : "{hidden("abc")}"'),
        ('{"uid":"a\\"b"}', f'{{"uid":"{hidden(chr(97) + chr(34) + chr(98))}"}}'),
        ('{"uid":123,"x":1}', f'{{"uid":"{hidden("123")}","x":1}}'),
        ('{"uid":null}', '{"uid":null}'),
        ('{"uid":"abc\\', None),
        ("<html>", "<html>"),
    ],
)
def test_bodies_that_are_cut_off_or_odd_are_hidden_too(text: str, expected: str | None) -> None:
    masked = Mask("tokens").body(text)
    assert masked == expected if expected else "abc" not in masked


@pytest.mark.parametrize(
    ("below", "place"),
    [
        ("/CARD%201", 1),
        ("/CARD%201/authorize?type=RFID", 1),
        ("/DE/MSP/CARD%201?type=RFID", 3),
        ("/DE/MSP/CARD%201", 3),
    ],
)
def test_the_uid_is_hidden_in_urls_of_tokens(below: str, place: int) -> None:
    masked = Mask("tokens").url(f"https://x/tokens{below}", below)
    assert masked == f"https://x/tokens{below}".replace("CARD%201", hidden("CARD 1"))


@pytest.mark.parametrize("below", ["", "/", "?date_from=2020-01-01T00:00:00Z", "/DE/MSP"])
def test_a_url_without_uid_stays(below: str) -> None:
    assert Mask("tokens").url(f"{SENDER}/tokens{below}", below) == f"{SENDER}/tokens{below}"
