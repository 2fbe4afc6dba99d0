"""Whether a token may charge: who is asked, how often, and under which name (notes 6)."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cpo_backend.models import Charger, RememberedToken, TagAlias
from cpo_backend.tokens import aliases, authorizing, remembering
from ocpi.ids import PartyId
from ocpi.ports import Decision
from ocpi.v221.common import TokenType
from ocpi.v221.tokens import AllowedType
from tests.kit import charging
from tests.kit.charger import V201
from tests.kit.chargers import connected
from tests.kit.objects import token

LONG = "0123456789-0123456789-0123456789"


@dataclass
class Desk:
    """An Authorizer that answers as told, and remembers whom it was asked about."""

    source: str = "REAL_TIME"
    allowed: AllowedType = AllowedType.ALLOWED
    asked: list[tuple[str, str]] = field(default_factory=list)

    def decide(self, cpo: PartyId, uid: str, type: TokenType, place: Any) -> Decision:
        self.asked.append((uid, str(type)))
        known = token(uid=uid, type=str(type))
        return Decision(self.allowed, self.source, "as told", token=known, reference=f"REF-{len(self.asked)}")


desk = Desk()


@pytest.fixture
def authorizer(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setitem(globals(), "desk", Desk())
    settings.OCPI = {**settings.OCPI, "authorizer": f"{__name__}.desk"}
    return desk


def test_a_start_after_an_authorization_is_not_asked_about_again(url: str, charger: Charger, authorizer: Desk) -> None:
    with connected(url) as cp:
        assert cp.call("Authorize", {"idTag": "A1"})["idTagInfo"]["status"] == "Accepted"
        charging.start(cp, tag="a1")
        assert len(authorizer.asked) == 1
        charging.start(cp, 2, tag="A1", at=5)
        assert len(authorizer.asked) == 2
    first, second = charger.transactions.order_by("pk")
    assert (first.auth_method, first.authorization_reference) == ("AUTH_REQUEST", "REF-1")
    assert second.authorization_reference == "REF-2"


def test_an_authorization_of_long_ago_is_asked_about_again(charger: Charger, authorizer: Desk) -> None:
    authorizing.decide(charger.pk, "A1")
    RememberedToken.objects.update(decided_at=timezone.now() - remembering.KEPT - timedelta(seconds=1))
    assert authorizing.decide_start(charger.pk, "A1").reference == "REF-2"


def test_an_authorization_at_one_charger_is_none_at_another(charger: Charger, authorizer: Desk) -> None:
    authorizing.decide(charger.pk, "A1")
    other = charging.add_charger("CP-2", "LOC-2")
    assert authorizing.decide_start(other.pk, "A1").reference == "REF-2"


def test_whoever_may_not_charge_is_not_remembered(charger: Charger, authorizer: Desk) -> None:
    authorizing.decide(charger.pk, "A1")
    authorizer.allowed = AllowedType.BLOCKED
    assert authorizing.decide(charger.pk, "A1").allowed == "BLOCKED"
    assert authorizing.decide_start(charger.pk, "A1").allowed == "BLOCKED"


def test_what_the_list_says_need_not_be_remembered(charger: Charger, authorizer: Desk) -> None:
    authorizer.source = "WHITELIST"
    assert authorizing.decide(charger.pk, "A1").auth_method == "WHITELIST"
    assert not RememberedToken.objects.exists()


def test_an_alias_stands_for_its_token(charger: Charger, authorizer: Desk) -> None:
    tag = aliases.tag(LONG, "APP_USER")
    assert len(tag) == aliases.LONGEST_TAG
    assert aliases.tag(LONG.upper(), "APP_USER") == tag
    authorizing.decide(charger.pk, tag.lower())
    assert authorizer.asked == [(LONG, "APP_USER")]


def test_a_uid_that_fits_has_no_alias(db: None) -> None:
    assert aliases.tag("12345678901234567890", "RFID") == "12345678901234567890"
    assert not TagAlias.objects.exists()


@pytest.mark.parametrize(
    ("told", "type", "status"),
    [
        ("04A1B2C3D4", "ISO14443", "Accepted"),
        ("04a1b2c3d4", "ISO15693", "Accepted"),
        ("04A1B2C3D4", "Central", "Unknown"),
        ("04A1B2C3D4", "Local", "Accepted"),
        ("04A1B2C3D4", "KeyCode", "Unknown"),
        ("APP-1", "Central", "Accepted"),
        ("AD-HOC-1", "Central", "Accepted"),
        ("NL-OSP-C12345678", "eMAID", "Accepted"),
        ("NLOSPC12345678", "eMAID", "Accepted"),
        ("nl-osp-c12345678-x", "eMAID", "Accepted"),
        ("NL-OSP-C12345678", "KeyCode", "Unknown"),
        ("NL-OSP-C87654321", "eMAID", "Unknown"),
    ],
)
def test_a_token_of_the_newer_version_is_known_by_what_is_told_of_it(
    url: str, charger: Charger, told: str, type: str, status: str
) -> None:
    """Notes 6: a card by its uid, an app's driver as either of two types, a contract by its id."""
    charging.add_token()
    charging.add_token("APP-1", type="APP_USER")
    charging.add_token("AD-HOC-1", type="AD_HOC_USER")
    charging.add_token("CAR-1", type="OTHER", contract_id="NL-OSP-C12345678")
    with connected(url, subprotocol=V201) as cp:
        known = {"idToken": told, "type": type}
        assert cp.call("Authorize", {"idToken": known})["idTokenInfo"]["status"] == status
        started = charging.event("Started", 0, 0, wh=1000) | {"idToken": known}
        assert cp.call("TransactionEvent", started)["idTokenInfo"]["status"] == status
