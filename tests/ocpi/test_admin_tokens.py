"""Tokens for staff: found at once among millions; our own are issued, changed, blocked; partners' are only read."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from ocpi.ids import PartyId
from ocpi.models import Token
from ocpi.store.objects import Arrival
from ocpi.store.tokens import Terms, tokens
from ocpi.types import codec, times, validation
from ocpi.v221.tokens import Token as WireToken
from tests.kit.objects import Document, token

pytestmark = pytest.mark.django_db
LIST = "/admin/ocpi/token/"
ADD = f"{LIST}add/"
OSP = PartyId("NL*OSP")
PAST, FUTURE = times.parse("2020-01-31T12:00:00Z"), times.parse("2090-01-31T12:00:00Z")
ATTACK = "<script>alert(1)</script>"
FORM = {
    "party": "NL*OSP",
    "uid": "0471A0",
    "type": "RFID",
    "contract_id": "NL-OSP-C0000001-5",
    "whitelist": "ALLOWED",
    "valid": "on",
    "has_credit": "on",
}


def ours(terms: Terms | None = None, **changes: Any) -> Token:
    document = token(**{"country_code": "NL", "party_id": "OSP", **changes})
    assert tokens.issue(document, terms)
    return Token.objects.latest("id")


def theirs(**changes: Any) -> Token:
    document = token(**{"country_code": "DE", "party_id": "MSP", **changes})
    tokens.put(Arrival(document, validation.check(document, WireToken)), 3)
    return Token.objects.latest("id")


def text(response: HttpResponse) -> str:
    return response.content.decode()


def page(row: Token) -> str:
    return reverse("admin:ocpi_token_change", args=[row.pk])


def step(name: str, row: Token) -> str:
    return reverse(f"admin:ocpi_token_{name}", args=[row.pk])


def found(admin: Client, **params: str) -> list[str]:
    return sorted(row.uid for row in admin.get(LIST, params).context["cl"].result_list)


def document(row: Token) -> Document:
    stored: Document = codec.decode(Token.objects.get(pk=row.pk).document.encode())
    return stored


def trail() -> list[tuple[str, str, str]]:
    entries = LogEntry.objects.order_by("id").select_related("user")
    return [(entry.user.username, entry.object_repr, entry.get_change_message()) for entry in entries]


def errors(response: HttpResponse) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def clerk(client: Client, *codenames: str) -> Client:
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return client


# --- the list -------------------------------------------------------------------------------------------------------


def test_the_list_shows_what_operators_look_for(admin_client: Client) -> None:
    ours(visual_number="VIS-1", contract_id="C-1", uid="AbC", whitelist="ALLOWED")
    shown = text(admin_client.get(LIST))
    for expected in ("AbC", "NL*OSP", "C-1", "VIS-1", "valid", "ALLOWED", "RFID", "own"):
        assert expected in shown


def test_the_list_takes_as_many_queries_for_a_page_as_for_one(
    admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        ours(uid=f"N{number}")
    with django_assert_max_num_queries(8):
        response = admin_client.get(LIST)
    assert response.context["cl"].result_count == 12


@pytest.mark.parametrize("query", ["0471a0", "0471A0", "NL*OSP 0471A0", "nl*osp C-1", "C-1", "c-1", " C-1 "])
def test_a_token_is_found_by_its_exact_uid_and_contract(admin_client: Client, query: str) -> None:
    ours(uid="0471A0", contract_id="C-1")
    ours(uid="0471A01", contract_id="C-12")
    assert found(admin_client, q=query) == ["0471a0"]


def test_a_visual_number_is_looked_for_behind_its_owner(admin_client: Client) -> None:
    ours(uid="A", visual_number="1-2 3")
    assert found(admin_client, q="NL*OSP 1-2 3") == ["a"]
    for nothing in ("1-2 3", "DE*MSP 1-2 3", "NL*OSP 1-2", "%", "' OR 1=1 --", "FR*OSP"):
        assert found(admin_client, q=nothing) == []
    assert admin_client.get(LIST, {"q": "\x00"}).status_code == 200


@pytest.mark.parametrize("query", ["n1", "NL*OSP n1"])
def test_search_uses_an_index(admin_client: Client, query: str) -> None:
    """With a million rows anything else is a scan of the table."""
    for number in range(3):
        ours(uid=f"N{number}")
    response = admin_client.get(LIST, {"q": query})
    if connection.vendor == "sqlite":  # PostgreSQL rightly scans three rows
        assert "SCAN" not in response.context["cl"].queryset.order_by().explain()


def test_the_list_is_filtered(admin_client: Client) -> None:
    ours(uid="A", whitelist="ALWAYS")
    ours(uid="B", type="APP_USER", valid=False)
    ours(Terms(expires_at=PAST, has_credit=False), uid="C")
    ours(Terms(has_credit=False), uid="D")
    theirs(uid="E", language="german")
    for condition, expected in [
        ({"owner": "DE*MSP"}, ["e"]),
        ({"type": "APP_USER"}, ["b"]),
        ({"whitelist": "ALWAYS"}, ["a"]),
        ({"defects": "some"}, ["e"]),
        ({"source__isempty": "0"}, ["e"]),
        ({"state": "valid"}, ["a", "e"]),
        ({"state": "blocked"}, ["b"]),
        ({"state": "expired"}, ["c"]),
        ({"state": "no credit"}, ["d"]),
    ]:
        assert found(admin_client, **condition) == expected, condition
    shown = text(admin_client.get(LIST))
    for chip in ("valid", "blocked", "expired", "no credit", "1 defect", "platform 3"):
        assert chip in shown


# --- a page ---------------------------------------------------------------------------------------------------------


def test_a_page_shows_terms_defects_and_the_exact_document(admin_client: Client) -> None:
    row = theirs(vendor={"big": 9007199254740993}, language="german")
    shown = text(admin_client.get(page(row)))
    for expected in ("9007199254740993", "/language", "platform 3"):
        assert expected in shown
    assert "Has credit" not in shown  # we do not know partners' terms
    shown = text(admin_client.get(page(ours(Terms.of(FUTURE, True, "DE*CPO")))))
    assert "2090-01-31" in shown and "DE*CPO" in shown


def test_a_page_leads_to_the_decisions_about_its_uid(admin_client: Client) -> None:
    row = ours(uid="A&B")
    assert "/admin/roaming/authorization/?q=a%26b" in text(admin_client.get(page(row)))


def test_what_a_partner_wrote_is_never_markup(admin_client: Client) -> None:
    row = theirs(visual_number=ATTACK, issuer=ATTACK, vendor=ATTACK, contract_id=ATTACK, whitelist=ATTACK)
    for url in (LIST, page(row)):
        assert ATTACK not in text(admin_client.get(url))


@pytest.mark.parametrize("odd", [None, 7, "text", ["a", None], {"an": {"object": []}}])
def test_odd_values_within_a_document_do_not_break_its_pages(admin_client: Client, odd: Any) -> None:
    names = ["visual_number", "issuer", "language", "group_id", "energy_contract", "default_profile_type"]
    row = theirs(**dict.fromkeys(names, odd))
    for url in (LIST, page(row)):
        assert admin_client.get(url).status_code == 200


# --- issuing --------------------------------------------------------------------------------------------------------


def test_staff_issue_a_token(admin_client: Client) -> None:
    more = {"visual_number": "0001", "expires_at": "2090-01-31 12:00", "places": "DE*CPO, FR*CPO"}
    answer = admin_client.post(ADD, {**FORM, **more, "energy_supplier": "Green"})
    assert answer.status_code == 302, errors(answer)
    row = Token.objects.get()
    stored = document(row)
    assert abs((times.parse(stored.pop("last_updated")) - row.received_at).total_seconds()) < 60
    assert stored == {
        "country_code": "NL",
        "party_id": "OSP",
        "uid": "0471A0",
        "type": "RFID",
        "contract_id": "NL-OSP-C0000001-5",
        "visual_number": "0001",
        "issuer": "Example Mobility",  # the name of the party
        "valid": True,
        "whitelist": "ALLOWED",
        "energy_contract": {"supplier_name": "Green"},
    }
    assert (row.owner, row.source, row.expires_at, row.places) == ("NL*OSP", None, FUTURE, "DE*CPO\nFR*CPO")
    assert trail() == [("admin", "NL*OSP rfid 0471a0", "Issued.")]


@pytest.mark.parametrize(
    ("changes", "field", "error"),
    [
        ({"uid": ""}, "uid", "required"),
        ({"uid": "x" * 37}, "uid", "at most 36"),
        ({"uid": "ü"}, "uid", "ASCII"),
        ({"contract_id": ""}, "contract_id", "required"),
        ({"visual_number": "x" * 65}, "visual_number", "at most 64"),
        ({"language": "german"}, "language", "at most 2"),
        ({"energy_contract_id": "E-1"}, "energy_supplier", "required"),
        ({"type": "CARD"}, "type", "valid choice"),
        ({"whitelist": ""}, "whitelist", "required"),
        ({"party": "NL*OCP"}, "party", "valid choice"),  # ours, but no eMSP
        ({"party": "DE*MSP"}, "party", "valid choice"),
        ({"expires_at": "soon"}, "expires_at", "valid date"),
        ({"places": "everywhere"}, "places", "CC*PID"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(admin_client: Client, changes: Document, field: str, error: str) -> None:
    found = errors(admin_client.post(ADD, {**FORM, **changes}))
    assert list(found) == [field] and error in str(found[field])
    assert not Token.objects.exists()


def test_a_token_is_issued_once(admin_client: Client) -> None:
    """One uid of another type is another Token."""
    ours(uid="0471a0")
    found = errors(admin_client.post(ADD, FORM))
    assert found == {"uid": ["NL*OSP has issued this RFID Token already."]}
    assert admin_client.post(ADD, {**FORM, "type": "APP_USER"}).status_code == 302
    assert Token.objects.count() == 2


def test_a_token_that_has_expired_is_not_issued_as_valid(admin_client: Client) -> None:
    admin_client.post(ADD, {**FORM, "expires_at": "2020-01-31 12:00"})
    assert document(Token.objects.get())["valid"] is False


# --- changing -------------------------------------------------------------------------------------------------------


def fields(admin: Client, row: Token, **changes: str) -> dict[str, str]:
    """What the form of a Token would post, with some fields changed."""
    form = admin.get(page(row)).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    return {name: "on" if value is True else str(value) for name, value in shown.items() if value} | changes


def test_staff_change_a_token_of_ours(admin_client: Client) -> None:
    """Members we do not know stay, those emptied go, and the trail tells what was and what is."""
    row = ours(uid="A", visual_number="V-1", contract_id="C-1", group_id="G-1", vendor=1)
    before = document(row)
    answer = admin_client.post(page(row), fields(admin_client, row, contract_id="C-2", group_id=""))
    assert answer.status_code == 302, errors(answer)
    after = document(row)
    assert times.parse(after.pop("last_updated")) > times.parse(before.pop("last_updated"))
    assert after == {**{k: v for k, v in before.items() if k != "group_id"}, "contract_id": "C-2"}
    assert Token.objects.get().contract_id == "C-2"
    assert trail() == [("admin", "NL*OSP rfid a", "contract_id: C-1 → C-2; group_id: G-1 → None")]


def test_a_form_that_changes_nothing_changes_nothing(admin_client: Client) -> None:
    row = ours(Terms.of(FUTURE, True, "DE*CPO\nFR*CPO/LOC-1"), uid="A", energy_contract={"supplier_name": "Green"})
    before = Token.objects.get()
    assert admin_client.post(page(row), fields(admin_client, row)).status_code == 302
    after = Token.objects.get()
    assert (after.document, after.revision, after.places) == (before.document, before.revision, before.places)


def test_the_uid_type_and_owner_of_a_token_stay(admin_client: Client) -> None:
    row = ours(uid="A")
    admin_client.post(page(row), fields(admin_client, row, uid="B", type="OTHER", party="DE*MSP", valid=""))
    after = Token.objects.get()
    assert (after.owner, after.key, after.valid) == ("NL*OSP", "rfid a", True)


def test_terms_that_end_block_a_token_and_better_ones_do_not_unblock_it(admin_client: Client) -> None:
    row = ours(uid="A")
    admin_client.post(page(row), fields(admin_client, row, expires_at="2020-01-31 12:00"))
    after = Token.objects.get()
    assert (after.expires_at, after.valid, document(row)["valid"]) == (PAST, False, False)
    answer = admin_client.post(page(row), fields(admin_client, row, expires_at=""), follow=True)
    assert Token.objects.get().expires_at is None and not Token.objects.get().valid
    assert "still blocked" in text(answer)
    assert "expires_at" in trail()[0][2]


def test_what_is_wrong_with_a_change_is_said_at_its_field(admin_client: Client) -> None:
    row = ours()
    found = errors(admin_client.post(page(row), fields(admin_client, row, contract_id="ü", language="x")))
    assert list(found) == ["contract_id", "language"]
    assert document(row)["contract_id"] != "ü"


def test_partners_tokens_are_only_read(admin_client: Client) -> None:
    row = theirs()
    assert "_save" not in text(admin_client.get(page(row)))
    assert admin_client.post(page(row), FORM).status_code == 403
    for name in ("block", "unblock"):
        answer = admin_client.post(step(name, row), follow=True)
        assert "Passed over" in text(answer)
    assert Token.objects.get().valid and not trail()


def test_no_token_is_ever_deleted(admin_client: Client) -> None:
    """§mod_tokens_token_object: a Token that is no more is not valid."""
    gone = reverse("admin:ocpi_token_delete", args=[ours().pk])
    assert admin_client.post(gone, {"post": "yes"}).status_code == 403


# --- blocking -------------------------------------------------------------------------------------------------------


def test_a_token_is_blocked_and_unblocked_from_its_page(admin_client: Client) -> None:
    row = ours(uid="A")
    shown = text(admin_client.get(page(row)))
    assert step("block", row) in shown and step("unblock", row) not in shown
    assert "Block 1 Token" in text(admin_client.get(step("block", row)))
    assert document(row)["valid"] is True  # asked, not done
    admin_client.post(step("block", row), {"confirmed": "yes"})
    assert document(row)["valid"] is False
    admin_client.post(step("unblock", row), {"confirmed": "yes"})
    assert document(row)["valid"] is True
    assert [entry[2] for entry in trail()] == ["Blocked.", "Unblocked."]


def test_selected_tokens_are_blocked_after_one_question_and_partners_are_named(admin_client: Client) -> None:
    rows = [ours(uid="A"), ours(uid="B"), ours(uid="C", valid=False), theirs(uid="D")]
    chosen = {"action": "block_selected", "_selected_action": [str(row.pk) for row in rows]}
    asked = text(admin_client.post(LIST, chosen))
    assert "Block 3 Tokens" in asked and "DE*MSP rfid d" in asked
    assert Token.objects.filter(valid=True).count() == 3
    answer = admin_client.post(LIST, {**chosen, "confirmed": "yes"}, follow=True)
    assert list(Token.objects.filter(valid=True).values_list("uid", flat=True)) == ["d"]
    told = str(next(iter(answer.context["messages"])))
    assert "2 Tokens blocked: NL*OSP rfid b, NL*OSP rfid a." in told
    assert "1 was blocked already" in told and "1 Token: DE*MSP rfid d" in told
    assert sorted(trail()) == [("admin", "NL*OSP rfid a", "Blocked."), ("admin", "NL*OSP rfid b", "Blocked.")]


def test_all_tokens_that_a_filter_finds_are_blocked(admin_client: Client) -> None:
    for number in range(3):
        ours(uid=f"N{number}", whitelist="ALWAYS")
    kept = ours(uid="A")
    chosen = {"action": "block_selected", "select_across": "1", "_selected_action": "1", "confirmed": "yes"}
    admin_client.post(f"{LIST}?whitelist=ALWAYS", chosen)
    assert list(Token.objects.filter(valid=True)) == [kept]


def test_who_may_not_charge_is_not_unblocked(admin_client: Client) -> None:
    ours(uid="A", valid=False)
    ours(Terms(expires_at=PAST), uid="B")
    ours(Terms(has_credit=False), uid="C")
    chosen = {"action": "unblock_selected", "_selected_action": [str(row.pk) for row in Token.objects.all()]}
    answer = admin_client.post(LIST, {**chosen, "confirmed": "yes"}, follow=True)
    assert list(Token.objects.filter(valid=True).values_list("uid", flat=True)) == ["a"]
    told = str(next(iter(answer.context["messages"])))
    assert (
        "1 Token unblocked: NL*OSP rfid a." in told and "expired or without credit" in told and "NL*OSP rfid c" in told
    )
    assert len(trail()) == 1


# --- who may act ----------------------------------------------------------------------------------------------------


def test_staff_who_may_only_look_can_do_nothing(client: Client) -> None:
    row = ours()
    clerk(client, "view_token")
    assert client.get(LIST).status_code == 200
    shown = text(client.get(page(row)))
    for offer in ("_save", step("block", row), "Import", ADD):
        assert offer not in shown + text(client.get(LIST)), offer
    assert client.post(ADD, FORM).status_code == 403
    assert client.post(page(row), FORM).status_code == 403
    assert client.post(step("block", row), {"confirmed": "yes"}).status_code == 403
    chosen = {"action": "block_selected", "_selected_action": str(row.pk), "confirmed": "yes"}
    client.post(LIST, chosen)
    assert Token.objects.get().valid and Token.objects.count() == 1 and not trail()


def test_issuing_and_changing_take_their_own_permissions(client: Client) -> None:
    row = ours()
    clerk(client, "view_token", "add_token")
    assert client.post(ADD, FORM).status_code == 302
    assert client.post(step("block", row), {"confirmed": "yes"}).status_code == 403
    assert client.post(page(row), FORM).status_code == 403


def test_the_sidebar_leads_to_the_list(admin_client: Client) -> None:
    assert f'href="{LIST}"' in text(admin_client.get(reverse("admin:index")))
