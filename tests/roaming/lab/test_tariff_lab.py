"""The tariff lab over stored CDRs: which ones are replayed, by command and in the admin, and that no draft leaves."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from ocpi.ids import PartyId
from ocpi.models import Tariff
from ocpi.store.cdrs import cdrs
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.store.tariffs import tariffs
from ocpi.types import codec
from roaming.lab import replaying, running
from roaming.lab.drafts import read
from roaming.lab_models import LabRun
from roaming.leases import Holder
from tests.kit.objects import Document, cdr, cdr_token, charging_period, credit_cdr, location, tariff

pytestmark = pytest.mark.django_db
OCP = PartyId("NL*OCP")


def draft(price: str = "0.50", **changes: Any) -> Document:
    components = [{"type": "ENERGY", "price": Decimal(price), "step_size": 1}]
    return tariff(**{"id": "DRAFT", "elements": [{"price_components": components}], **changes})


def store(number: int, start: str = "2026-03-05T10:00:00Z", **changes: Any) -> None:
    """A CDR of 1.25 kWh for 0.8125."""
    period = charging_period(start_date_time=start, tariff_id=changes.pop("tariff_id", "TARIFF-1"))
    end = f"{start[:10]}T23:59:59Z"
    document = cdr(
        id=f"CDR-{number}",
        session_id=f"S-{number}",
        start_date_time=start,
        end_date_time=end,
        last_updated=end,
        charging_periods=[period],
        **changes,
    )
    cdrs.put_many([Arrival(document)], changes.get("source"))


def replayed(price: str = "0.50", replacing: str = "", month: str = "2026-03") -> Document:
    return replaying.replay(OCP, month, read(draft(price)), replacing).document()


def total(found: Document) -> tuple[int, str, str]:
    row = found["total"]
    return row["cdrs"], str(row["before"]), str(row["after"])


# --- which CDRs -----------------------------------------------------------------------------------------------------


def test_the_sessions_that_began_in_the_month_are_replayed() -> None:
    for number, start in enumerate(
        ("2026-02-28T23:59:59Z", "2026-03-01T00:00:00Z", "2026-03-31T23:59:59Z", "2026-04-01T00:00:00Z")
    ):
        store(number, start)
    assert total(replayed()) == (2, "1.625", "1.25")


def test_cdrs_of_other_owners_are_not() -> None:
    store(1)
    store(2, country_code="DE", party_id="CPO")
    assert total(replayed())[0] == 1


def test_only_those_priced_by_the_tariff_that_is_replaced() -> None:
    store(1)
    store(2, tariff_id="OTHER")
    assert total(replayed(replacing="other"))[0] == 1


def test_batches_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "BATCH", 2)
    for number in range(5):
        store(number)
    seen: list[tuple[int, int]] = []
    found = replaying.replay(OCP, "2026-03", read(draft()), progress=lambda *place: seen.append(place))
    assert found.total.cdrs == 5 and seen == [(2, 5), (4, 5), (5, 5)]


def test_a_credit_is_taken_off_and_partners_are_told_apart() -> None:
    store(1)
    store(2, cdr_token=cdr_token(country_code="FR", party_id="MSP"))
    cdrs.put_many([Arrival(credit_cdr(last_updated="2026-03-07T00:00:00Z"))], None)
    found = replayed()
    assert {row["partner"]: (row["cdrs"], row["change"]) for row in found["partners"]} == {
        "DE*MSP": (2, 0), "FR*MSP": (1, Decimal("-0.1875"))
    }  # fmt: skip


def test_the_clock_is_that_of_the_location() -> None:
    locations.put(Arrival(location(time_zone="Asia/Tokyo")), None)
    store(1)
    assert [row["hour"] for row in replayed()["hours"] if row["cdrs"]] == [19]
    locations.put(Arrival(location(time_zone="Europe/Atlantis")), None)
    assert total(replayed())[0] == 1


def test_what_cannot_be_priced_is_listed_with_the_reason() -> None:
    store(1, currency="CHF")
    found = replayed()["unpriceable"]
    assert found["listed"] == [{"id": "CDR-1", "pointer": "/currency", "message": "is not EUR"}]


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def lab(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def lab(document: Any, *arguments: str, party: str = OCP, month: str = "2026-03") -> str:
        file = tmp_path / "draft.json"
        file.write_bytes(document if isinstance(document, bytes) else codec.encode(document))
        call_command("tariff_lab", str(file), "--party", party, "--month", month, *arguments)
        return capsys.readouterr().out

    return lab


def test_the_command_prints_one_json_document(lab: Any) -> None:
    store(1)
    found = codec.decode(lab(draft(), "--json").encode())
    assert total(found) == (1, "0.8125", "0.625") and found["findings"] == []


def test_the_command_prints_tables_for_people(lab: Any) -> None:
    store(1)
    store(2, currency="CHF")
    shown = lab(draft())
    for words in ("DE*MSP", "-0.1875", "less, up to 0.20: 1", "/currency is not EUR: 1"):
        assert words in shown


@pytest.mark.parametrize(
    ("document", "options", "words"),
    [
        (b"{", {}, "not JSON"),
        ([], {}, "not a Tariff"),
        (draft(elements=[]), {}, "/elements"),
        (draft(currency="XXX"), {}, "/currency"),
        (draft(), {"month": "2026-13"}, "not a month"),
        (draft(), {"party": "NLOCP"}, "not a party"),
    ],
)
def test_what_cannot_be_used_is_bad_input(lab: Any, document: Any, options: Document, words: str) -> None:
    with pytest.raises(CommandError, match=words) as caught:
        lab(document, **options)
    assert caught.value.returncode == 2


# --- staff ----------------------------------------------------------------------------------------------------------

ADD = "/admin/roaming/labrun/add/"


def asked(**changes: Any) -> LabRun:
    values = {"owner": OCP, "month": "2026-03", "draft": codec.encode_text(draft()), **changes}
    return LabRun.objects.create(**values)


def form(**changes: Any) -> Document:
    return {"owner": OCP, "month": "2026-03", "draft": codec.encode_text(draft()), "replacing": "", **changes}


def test_staff_ask_and_read_the_answer(admin_client: Client) -> None:
    store(1)
    store(2, currency="CHF")
    assert admin_client.post(ADD, form()).status_code == 302
    run = LabRun.objects.get()
    page = f"/admin/roaming/labrun/{run.pk}/change/"
    assert run.created_by == "admin" and "waiting" in admin_client.get(page).content.decode()
    assert running.work() == 1
    shown = admin_client.get(page).content.decode()
    for words in ("done", "-0.1875", "DE*MSP", "node-chart", "is not EUR", "Energy: 0.50 EUR per kWh."):
        assert words in shown
    assert "-0.1875 EUR" in admin_client.get("/admin/roaming/labrun/").content.decode()


def test_the_draft_begins_as_the_tariff_that_staff_come_from(admin_client: Client) -> None:
    store(1)
    tariffs.put(Arrival(tariff()), None)
    shown = admin_client.get(ADD, {"tariff": Tariff.objects.get().pk})
    initial = shown.context["adminform"].form.initial
    assert initial["replacing"] == "TARIFF-1" and codec.decode(initial["draft"].encode()) == tariff()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"month": "March"}, "month"),
        ({"draft": "{"}, "draft"),
        ({"draft": "{}"}, "draft"),
        ({"owner": "XX*XXX"}, "owner"),
    ],
)
def test_what_is_wrong_stands_at_its_field(admin_client: Client, changes: Document, field: str) -> None:
    store(1)
    response = admin_client.post(ADD, form(**changes))
    assert set(response.context["adminform"].form.errors) == {field}
    assert not LabRun.objects.exists()


def test_a_draft_is_never_delivered() -> None:
    asked()
    running.work()
    assert not Tariff.objects.exists()


def test_a_run_that_cannot_be_done_says_why_and_does_not_stop_the_next() -> None:
    asked(draft="{}")
    asked()
    assert running.work() == 2
    first, second = LabRun.objects.order_by("pk")
    assert first.error and not first.report and second.report and not second.error


def test_a_run_that_outlives_no_worker_is_given_up() -> None:
    run = asked(attempts=running.PATIENCE)
    assert running.work() == 1
    run.refresh_from_db()
    assert run.finished_at and "worker" in run.error


def test_one_worker_at_a_time_is_in_the_lab() -> None:
    asked()
    assert Holder("tariff lab").hold()
    assert running.work() == 0
    assert LabRun.objects.get().finished_at is None
