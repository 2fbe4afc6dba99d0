"""Registration: by command, by CSV, in the admin."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from cpo_backend.models import Charger
from cpo_backend.registry import keys
from tests.kit.chargers import add_charger, add_location

pytestmark = pytest.mark.django_db
PLACE = ("--location", "loc-1", "--evse", "EVSE-1")


def run(*arguments: str) -> tuple[int, Any]:
    """Exit code, and the document on stdout."""
    out = io.StringIO()
    try:
        call_command(*arguments, "--json", stdout=out)
    except CommandError as error:
        return error.returncode, str(error)
    except SystemExit as ended:
        return int(str(ended.code)), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_a_charger_is_registered_and_its_password_told_once(settings: Any) -> None:
    settings.NODE_URL = "https://node.example.org"
    add_location()
    code, told = run("add_charger", "CP-1", *PLACE, "--evse", "evse-2")
    password = told.pop("password")
    assert (code, told) == (
        0,
        {
            "identity": "CP-1",
            "created": True,
            "url": "wss://node.example.org/ocpp/CP-1",
            "party": "NL*OCP",
            "location_id": "LOC-1",
            "evses": [{"number": 1, "evse_uid": "EVSE-1"}, {"number": 2, "evse_uid": "EVSE-2"}],
        },
    )
    assert len(password) == 40
    charger = Charger.objects.get()
    assert keys.fits(password.encode(), charger.key_hash) == 0
    assert password not in charger.key_hash
    assert charger.state == Charger.State.ACCEPTED
    assert run("add_charger", "CP-1", *PLACE)[1]["password"] is None


def test_numbers_may_be_given_and_uids_may_have_colons() -> None:
    add_location(uids=("A:B", "A:7"))
    _, told = run("add_charger", "CP-1", "--location", "LOC-1", "--evse", "A:B", "--evse", "A:7:5")
    assert told["evses"] == [{"number": 1, "evse_uid": "A:B"}, {"number": 5, "evse_uid": "A:7"}]


def test_registering_again_changes_what_differs() -> None:
    charger = add_charger()
    charger.evses.filter(number=2).update(override="PLANNED")
    code, told = run("add_charger", "CP-1", "--location", "LOC-1", "--evse", "EVSE-1:3", "--evse", "EVSE-2:2")
    assert (code, told["created"]) == (0, False)
    assert [evse["number"] for evse in told["evses"]] == [2, 3]
    assert charger.evses.get(number=2).override == "PLANNED"
    assert Charger.objects.get().key_hash == charger.key_hash


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("CP 1", *PLACE), "no identity"),
        (("CP-1", "--location", "LOC-9", "--evse", "EVSE-1"), "is not one of ours"),
        (("CP-1", "--location", "LOC-1", "--evse", "EVSE-9"), "has no EVSE EVSE-9"),
        (("CP-1", "--location", "LOC-1", "--evse", "EVSE-1:0"), "1 or more"),
        (("CP-1", "--location", "LOC-1", "--evse", "EVSE-1:1", "--evse", "EVSE-2:1"), "no other"),
        (("CP-1", *PLACE, "--evse", "EVSE-1"), "another"),
        (("CP-1", *PLACE, "--party", "DE*XXX"), "is not one of ours"),
    ],
)
def test_what_cannot_be_registered_is_2_and_leaves_nothing(arguments: tuple[str, ...], told: str) -> None:
    add_location()
    code, message = run("add_charger", *arguments)
    assert code == 2
    assert told in message
    assert not Charger.objects.exists()


def test_an_evse_belongs_to_one_charger() -> None:
    add_charger()
    code, message = run("add_charger", "CP-2", *PLACE)
    assert (code, message) == (2, "one of the EVSEs belongs to another charger")


@pytest.mark.parametrize("password", ["short", "x" * 41])
def test_a_node_on_the_internet_refuses_weak_passwords(settings: Any, password: str) -> None:
    add_location()
    settings.NODE_URL = "https://node.example.org"
    assert run("add_charger", "CP-1", *PLACE, "--password", password)[0] == 2
    settings.NODE_URL = "http://127.0.0.1:8000"
    assert run("add_charger", "CP-1", *PLACE, "--password", password)[0] == 0


def test_keys_rotate_with_the_keys_of_the_node(settings: Any) -> None:
    settings.FIELD_KEYS = ["old"]
    stored = keys.digest(b"a password of the kit")
    settings.FIELD_KEYS = ["new", "old"]
    assert keys.fits(b"a password of the kit", "", stored) == 1
    assert keys.fits(b"another password", stored) is None
    assert keys.fits(b"", "") is None
    settings.FIELD_KEYS = ["new"]
    assert keys.fits(b"a password of the kit", stored) is None


CSV = """identity;location;evses;party;password
CP-1;LOC-1;EVSE-1:1;;a password of the kit
CP-2;LOC-1;EVSE-2;NL*OCP;
CP-3;LOC-9;EVSE-3;;
"""


def test_chargers_are_imported_from_csv(tmp_path: Path) -> None:
    add_location()
    file = tmp_path / "chargers.csv"
    file.write_text(CSV)
    code, told = run("import_chargers", str(file))
    assert code == 3
    assert (told["created"], told["updated"], list(told["passwords"])) == (2, 0, ["CP-2"])
    assert told["rejections"] == [{"line": 4, "identity": "CP-3", "reason": "Location LOC-9 is not one of ours"}]
    code, told = run("import_chargers", str(file))
    assert (told["created"], told["updated"], told["passwords"]) == (0, 2, {})


@pytest.mark.parametrize("content", [b"identity\nCP-1\n", b"\xff\xfe\x00"])
def test_a_file_that_is_no_list_of_chargers_is_2(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "chargers.csv"
    file.write_bytes(content)
    assert run("import_chargers", str(file))[0] == 2


# --- admin ------------------------------------------------------------------------------------------------------------

FORM = {
    "identity": "CP-1",
    "party": "",
    "location_id": "LOC-1",
    "evse_list": "EVSE-1\nEVSE-2:7\n",
    "password": "a password of the kit",
}


def test_staff_register_a_charger(admin_client: Client) -> None:
    add_location()
    url = reverse("admin:cpo_backend_charger_add")
    assert admin_client.get(url).status_code == 200
    assert admin_client.post(url, FORM).status_code == 302
    charger = Charger.objects.get()
    assert list(charger.evses.values_list("number", "evse_uid")) == [(1, "EVSE-1"), (7, "EVSE-2")]
    assert keys.fits(b"a password of the kit", charger.key_hash) == 0


def test_staff_are_told_what_is_wrong_with_a_registration(admin_client: Client) -> None:
    add_location()
    page = admin_client.post(reverse("admin:cpo_backend_charger_add"), {**FORM, "evse_list": "EVSE-9"})
    assert "has no EVSE EVSE-9" in page.content.decode()
    assert not Charger.objects.exists()


def test_staff_override_the_status_of_an_evse(admin_client: Client) -> None:
    from tests.kit.chargers import status_of

    charger = add_charger()
    first, second = charger.evses.order_by("number")
    url = reverse("admin:cpo_backend_charger_change", args=[charger.pk])
    assert admin_client.get(url).status_code == 200
    form = {
        "security_profile": "2",
        "evses-TOTAL_FORMS": "2",
        "evses-INITIAL_FORMS": "2",
        "evses-0-id": str(first.pk),
        "evses-0-charger": str(charger.pk),
        "evses-0-override": "INOPERATIVE",
        "evses-0-shared_power_group": "",
        "evses-1-id": str(second.pk),
        "evses-1-charger": str(charger.pk),
        "evses-1-override": "",
        "evses-1-shared_power_group": "",
    }
    assert admin_client.post(url, form).status_code == 302
    charger.refresh_from_db()
    assert charger.security_profile == 2
    assert status_of("EVSE-1") == "INOPERATIVE"


@pytest.mark.parametrize("model", ["charger", "alarm", "ocppcommand", "ocppmessage", "ocppconnection"])
def test_lists_open(admin_client: Client, model: str) -> None:
    add_charger()
    assert admin_client.get(reverse(f"admin:cpo_backend_{model}_changelist")).status_code == 200


def test_staff_block_and_accept(admin_client: Client) -> None:
    charger = add_charger()
    url = reverse("admin:cpo_backend_charger_changelist")
    for action, state in (("block", Charger.State.BLOCKED), ("accept", Charger.State.ACCEPTED)):
        assert admin_client.post(url, {"action": action, "_selected_action": [charger.pk]}).status_code == 302
        charger.refresh_from_db()
        assert charger.state == state
