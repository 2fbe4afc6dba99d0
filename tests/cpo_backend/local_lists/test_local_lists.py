"""What chargers are told of the tokens that may charge while nobody can be asked (notes 6)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cpo_backend import tasks
from cpo_backend.local_lists import limits, sending
from cpo_backend.models import Charger, LocalList
from cpo_backend.registry import boots
from ocpi import ports
from ocpi.ids import PartyId
from ocpi.models import Token
from ocpi.store.objects import Arrival
from ocpi.store.tokens import tokens
from ocpi.types import codec
from roaming import directory
from roaming.agreement_models import Agreement
from tests.kit import charging
from tests.kit.charger import V16, V201, CallError, FakeCharger
from tests.kit.chargers import connected, eventually
from tests.kit.objects import token
from tests.kit.platforms import register

Document = dict[str, Any]
ACCEPTED = {"status": "Accepted"}
ROOM_16 = {"LocalAuthListMaxLength": ["50", True], "SendLocalListMaxLength": ["2", True]}
ROOM_201 = {
    "LocalAuthListCtrlr.Available": ["true", True],
    "LocalAuthListCtrlr.Entries": ["0", True],
    "LocalAuthListCtrlr.Entries.maxLimit": ["50", True],
    "LocalAuthListCtrlr.ItemsPerMessage": ["2", True],
}
LONG = "0123456789-0123456789-0123456789"


def own_token(uid: str, **changes: Any) -> None:
    charging.add_token(uid, **{"whitelist": "ALLOWED", **changes})


def roaming_token(uid: str, owner: str = "DE*MSP", **changes: Any) -> None:
    country, _, party = owner.partition("*")
    document = token(country_code=country, party_id=party, uid=uid, **{"whitelist": "ALLOWED", **changes})
    tokens.put(Arrival(document), 7)


def with_list(charger: Charger, room: Document = ROOM_16, version: str = "1.6") -> LocalList:
    """Its configuration has just been read."""
    charger.configuration, charger.version = codec.encode_text(room), version
    charger.save(update_fields=["configuration", "version"])
    sending.configured(charger)
    return LocalList.objects.get()


def answering(cp: FakeCharger, version: int = 0) -> FakeCharger:
    is_v16 = cp.socket.subprotocol == V16
    cp.answers["GetLocalListVersion"] = {"listVersion" if is_v16 else "versionNumber": version}
    cp.answers["SendLocalList"] = ACCEPTED
    return cp


def settled(
    is_so: Callable[[LocalList], Any] = lambda row: row.state == "idle" and row.standing == "known",
) -> LocalList:
    """The list when all that is due has been said."""

    def done() -> LocalList | None:
        tasks.push_local_lists()
        row = LocalList.objects.get()
        is_resting = row.state != "asked" and (row.due_at is None or row.due_at > timezone.now())
        return row if is_resting and is_so(row) else None

    found: LocalList = eventually(done, "the list to settle")
    return found


def said(cp: FakeCharger) -> list[tuple[str, list[str]]]:
    """Each SendLocalList: its kind, and its tags; one that is taken off has a minus."""
    return [
        (
            payload["updateType"],
            [
                item["idTag"] if "idTagInfo" in item else f"-{item['idTag']}"
                for item in payload.get("localAuthorizationList", ())
            ],
        )
        for action, payload in cp.asked
        if action == "SendLocalList"
    ]


def again() -> None:
    LocalList.objects.update(due_at=timezone.now())


@pytest.fixture
def charger(transactional_db: None) -> Charger:
    return charging.add_charger()


def test_a_charger_gets_the_whole_then_what_differs(url: str, charger: Charger) -> None:
    """Ours come first; what does not fit into one message follows."""
    roaming_token("R1", whitelist="ALWAYS")
    roaming_token("R2", whitelist="ALLOWED_OFFLINE")
    own_token("O1")
    with_list(charger)
    with connected(url) as cp:
        answering(cp)
        assert settled().count == 3
        assert said(cp) == [("Full", ["O1", "R1"]), ("Differential", ["R2"])]
        roaming_token("R1", whitelist="ALWAYS", valid=False)
        own_token("O2", group_id="G1")
        again()
        assert settled().count == 3
        assert said(cp)[2:] == [("Differential", ["-R1", "O2"])]
        sent = [payload for action, payload in cp.asked if action == "SendLocalList"]
        assert [payload["listVersion"] for payload in sent] == [1, 2, 3]
        assert sent[-1]["localAuthorizationList"][1]["idTagInfo"] == {"status": "Accepted", "parentIdTag": "G1"}


def test_the_newer_version_is_told_in_its_words(url: str, charger: Charger) -> None:
    """The kit's charger holds each request against the schema."""
    own_token("O1", group_id="G1")
    with_list(charger, ROOM_201, "2.0.1")
    with connected(url, subprotocol=V201) as cp:
        answering(cp)
        assert settled().count == 1
        (entry,) = cp.wait_asked("SendLocalList")["localAuthorizationList"]
    assert entry["idToken"] == {"idToken": "O1", "type": "ISO14443"}
    assert entry["idTokenInfo"] == {"status": "Accepted", "groupIdToken": {"idToken": "G1", "type": "Central"}}


@pytest.mark.parametrize("changes", [{"whitelist": "NEVER"}, {"valid": False}, {"type": "APP_USER"}])
def test_who_may_not_charge_unasked_is_not_on_the_list(charger: Charger, changes: Document) -> None:
    """§mod_tokens_whitelisttype_enum"""
    roaming_token("R1", **changes)
    assert not authorizer_list()


def authorizer_list(cpo: str = "NL*OCP", most: int = 10) -> list[str]:
    return [one.uid for one in ports.authorizer().offline(PartyId(cpo), most)]


def test_tokens_of_a_party_without_an_agreement_are_left_out(charger: Charger) -> None:
    """One that does not name tokens is none for them."""
    register("EMSP:DE*MSP")
    roaming_token("R1")
    assert authorizer_list() == ["R1"]
    Agreement.objects.create(party_a="NL*OCP", party_b="DE*MSP", modules=["cdrs"])
    directory.changed()
    assert authorizer_list() == []


def test_who_charged_last_comes_first_when_there_is_not_room_for_all(charger: Charger) -> None:
    for uid in ("R1", "R2", "R3"):
        roaming_token(uid, whitelist="ALWAYS")
    own_token("O1")
    ports.authorizer().decide(PartyId("NL*OCP"), "R2")
    assert authorizer_list(most=3) == ["O1", "R2", "R1"]


def test_one_that_may_charge_at_one_place_is_on_the_list_there_alone(url: str, charger: Charger) -> None:
    own_token("O1")
    own_token("O2")
    own_token("O3")
    Token.objects.filter(uid="o1").update(places="NL*OCP/LOC-9")
    Token.objects.filter(uid="o2").update(places="NL*OCP/loc-1")
    with_list(charger)
    with connected(url) as cp:
        answering(cp)
        settled()
        assert said(cp) == [("Full", ["O2", "O3"])]


def test_a_long_uid_is_told_by_its_alias(url: str, charger: Charger) -> None:
    own_token(LONG)
    with_list(charger)
    with connected(url) as cp:
        answering(cp)
        settled()
        ((_, (tag,)),) = said(cp)
    assert len(tag) == 20


@pytest.mark.parametrize("status", ["VersionMismatch", "Failed"])
def test_a_charger_that_takes_no_difference_gets_the_whole(url: str, charger: Charger, status: str) -> None:
    own_token("O1")
    with_list(charger)
    with connected(url) as cp:
        answering(cp)
        settled()
        own_token("O2")
        again()
        cp.answers["SendLocalList"] = lambda asked: ACCEPTED if asked["updateType"] == "Full" else {"status": status}
        assert settled().count == 2
        assert [kind for kind, _ in said(cp)] == ["Full", "Differential", "Full"]


def test_one_that_does_not_take_the_whole_either_is_left_alone_for_a_while(url: str, charger: Charger) -> None:
    own_token("O1")
    with_list(charger)
    with connected(url) as cp:
        answering(cp).answers["SendLocalList"] = {"status": "Failed"}
        row = settled(lambda row: row.detail)
    assert (row.detail, row.standing, row.count) == ("Failed", "foreign", 0)
    assert row.due_at and row.due_at > timezone.now() + timedelta(minutes=10)


@pytest.mark.parametrize("answer", [CallError("NotSupported"), {"status": "NotSupported"}])
def test_one_that_supports_no_list_is_not_asked_again(url: str, charger: Charger, answer: Any) -> None:
    own_token("O1")
    with_list(charger)
    with connected(url) as cp:
        answering(cp).answers["SendLocalList"] = answer
        assert settled(lambda row: row.state == "refused").due_at is None


@pytest.mark.parametrize(("version", "kinds"), [(2, []), (0, ["Full"]), (77, ["Full"])])
def test_after_a_boot_a_charger_that_has_another_list_gets_the_whole(
    url: str, charger: Charger, version: int, kinds: list[str]
) -> None:
    """One that has what it was told gets nothing. A whole list has a higher version than any before it."""
    for uid in ("O1", "O2", "O3"):
        own_token(uid)
    with_list(charger)
    with connected(url) as cp:
        answering(cp)
        settled()
        cp.asked.clear()
        boots.boot(charger.pk, boots.Boot(), timezone.now())
        answering(cp, version)
        row = settled()
        assert [kind for kind, _ in said(cp)][:1] == kinds
    assert row.count == 3
    assert row.version >= version


def test_where_lists_are_switched_off_they_are_emptied(url: str, charger: Charger, settings: Any) -> None:
    own_token("O1")
    with_list(charger)
    with connected(url) as cp:
        answering(cp)
        settled()
        settings.OCPP_LOCAL_LISTS = False
        again()
        assert settled().count == 0
        assert said(cp)[-1] == ("Differential", ["-O1"])


def test_a_charger_without_lists_gets_none(charger: Charger) -> None:
    charger.version, charger.configuration = "1.6", codec.encode_text({"HeartbeatInterval": ["300", False]})
    assert limits.of(charger) is None
    sending.configured(charger)
    assert not LocalList.objects.exists()


def test_changes_of_tokens_are_gathered(charger: Charger, settings: Any) -> None:
    """The row is due: many changes are one look."""
    with_list(charger)
    LocalList.objects.update(due_at=timezone.now() + timedelta(hours=1))
    own_token("O1")
    first = LocalList.objects.get().due_at
    own_token("O2")
    assert LocalList.objects.get().due_at == first
    assert first and first < timezone.now() + timedelta(seconds=settings.OCPP_LOCAL_LIST_DELAY + 1)


def test_staff_empty_the_list_of_a_charger(url: str, charger: Charger, admin_client: Client) -> None:
    own_token("O1")
    row = with_list(charger)
    with connected(url) as cp:
        answering(cp)
        settled()
        page = reverse("admin:cpo_backend_locallist_changelist")
        assert "CP-1" in admin_client.get(page).content.decode()
        admin_client.post(page, {"action": "leave", "_selected_action": [row.pk]})
        assert settled().count == 0
