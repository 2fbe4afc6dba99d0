"""Disputes: one of a CDR at a time, with all the evidence of that moment, until a decision or a credit CDR ends it."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ocpi.models import Cdr
from ocpi.store.catalogue import STORES
from ocpi.store.objects import Arrival
from ocpi.types import codec
from ocpi.v221.versions import ModuleID
from roaming import tasks
from roaming.audit_models import CdrAudit
from roaming.auditing import running
from roaming.dispute_models import Dispute
from roaming.disputing import arriving, desk, page
from roaming.disputing.desk import NotDisputable
from tests.kit import cli
from tests.kit.billing import CPO, bill, component, credit, per_kwh, receive
from tests.kit.caller import PartnerClient
from tests.kit.exchanges import noted
from tests.kit.objects import Document, cdr_token, location, session, token, without

pytestmark = pytest.mark.django_db(transaction=True)

BEGIN = timezone.now().astimezone(UTC).replace(microsecond=0) - timedelta(hours=5)
State = Dispute.State


def dear(**changes: Any) -> Document:
    """It claims 3.50, and 2.50 it should be."""
    return bill(BEGIN, cost="3.50", **changes)


def disputed(*documents: Document, reason: str = "") -> Dispute:
    return desk.open_dispute(receive(*documents or (dear(),)), reason, "auditor")[0]


def evidence(dispute: Dispute) -> Any:
    return page.document(dispute)["evidence"]


# --- opening --------------------------------------------------------------------------------------------------------


def test_what_is_at_stake_is_what_is_claimed_too_much() -> None:
    dispute = disputed()
    assert (dispute.state, dispute.amount, dispute.currency) == (State.OPEN, Decimal("1.0000"), "EUR")
    assert "should be 2.5" in dispute.reason


def test_of_a_cdr_that_cannot_be_all_is_at_stake() -> None:
    assert disputed(bill(BEGIN, kwh="0", cost="5")).amount == Decimal(5)


def test_it_says_who_opened_it_and_when() -> None:
    (step,) = disputed().steps.all()
    assert (step.state, step.by) == (State.OPEN, "auditor") and step.at


def test_a_second_dispute_of_a_cdr_is_the_first() -> None:
    first = disputed()
    again, is_new = desk.open_dispute(first.cdr)
    assert (again.pk, is_new) == (first.pk, False)


def test_of_many_at_once_one_opens_it(threaded_db: None) -> None:
    row = receive(dear())

    def work(_: int) -> bool:
        try:
            return desk.open_dispute(row)[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(4))) == [False, False, False, True]
    assert Dispute.objects.count() == 1


def test_one_that_was_decided_can_be_opened_again() -> None:
    first = disputed()
    desk.move(first.pk, State.REJECTED)
    assert desk.open_dispute(first.cdr)[1]


def test_a_cdr_that_is_as_it_should_be_needs_a_reason() -> None:
    row = receive(bill(BEGIN))
    with pytest.raises(NotDisputable, match="give a reason"):
        desk.open_dispute(row)
    assert desk.open_dispute(row, "the driver was never there")[0].amount == Decimal("2.5")


def test_our_own_cdr_is_corrected_instead() -> None:
    with pytest.raises(NotDisputable, match="our own"):
        desk.open_dispute(receive(dear(), source=None))


def test_a_credited_cdr_is_not_disputed() -> None:
    receive(dear(), credit(dear()))
    with pytest.raises(NotDisputable, match="credited by cdr-1-c"):
        desk.open_dispute(Cdr.objects.get(key="cdr-1"))


# --- what becomes of it ---------------------------------------------------------------------------------------------


def test_each_step_is_kept_with_its_author_and_note() -> None:
    dispute = disputed()
    desk.move(dispute.pk, State.SENT, "auditor", "by mail")
    desk.move(dispute.pk, State.ACCEPTED, "clerk")
    assert [(s.state, s.by, s.note) for s in dispute.steps.order_by("pk")] == [
        (State.OPEN, "auditor", ""),
        (State.SENT, "auditor", "by mail"),
        (State.ACCEPTED, "clerk", ""),
    ]


def test_what_was_decided_stays_decided() -> None:
    dispute = disputed()
    desk.move(dispute.pk, State.WITHDRAWN)
    with pytest.raises(NotDisputable, match="withdrawn"):
        desk.move(dispute.pk, State.SENT)
    assert dispute.steps.count() == 2


def test_a_credit_cdr_resolves_it() -> None:
    """§mod_cdrs_credit_cdrs"""
    dispute = disputed()
    receive(credit(dear(), credit_reference_id="cdr-1"))
    tasks.audit_cdrs()
    dispute.refresh_from_db()
    assert dispute.state == State.RESOLVED and dispute.credit and dispute.credit.key == "cdr-1-c"
    assert page.document(dispute)["dispute"]["credit_cdr"] == "cdr-1-c"
    assert desk.resolve_credited() == 0


def test_a_credit_of_another_cpo_with_the_same_id_does_not() -> None:
    dispute = disputed()
    receive(credit(dear(), party_id="XXX"))
    assert desk.resolve_credited() == 0
    dispute.refresh_from_db()
    assert dispute.state == State.OPEN


# --- evidence -------------------------------------------------------------------------------------------------------


def test_the_evidence_has_claimed_beside_computed() -> None:
    rows = {row["field"]: row for row in evidence(disputed())["comparison"]}
    net = rows["total_cost.excl_vat"]
    assert (net["claimed"], net["computed"], net["delta"]) == (Decimal("3.50"), Decimal("2.5"), Decimal("1.00"))
    assert net["differs"] and not rows["total_energy"]["differs"]


def test_the_evidence_says_why_each_price_applied_by_which_rounding_and_clock() -> None:
    STORES[ModuleID.LOCATIONS].put_many([Arrival(location(country_code="DE", party_id="CPO"))], 7)
    found = evidence(disputed())
    pricing = found["pricing"]
    assert pricing["periods"][0]["segments"][0]["at"] == "/tariffs/0/elements/0/price_components/0"
    assert pricing["policy"]["stage"] == "total" and pricing["time_zone"] == "Europe/Amsterdam"
    assert found["engine"] == pricing["engine"] and found["location"]["time_zone"] == "Europe/Amsterdam"
    assert {finding["code"] for finding in found["findings"]} >= {"overcharged"}


def test_the_evidence_has_every_tariff_with_its_hash_and_which_one_counted() -> None:
    STORES[ModuleID.TARIFFS].put_many([Arrival(per_kwh(component("0.20")))], 7)
    own, published = evidence(disputed())["tariffs"]
    assert (own["source"], own["priced_by"]) == ("in the CDR", True)
    assert (published["source"], published["priced_by"]) == ("published by the CPO", False)
    assert own["sha256"] != published["sha256"] and len(own["sha256"]) == 64


def test_the_evidence_has_what_we_know_of_session_and_token() -> None:
    STORES[ModuleID.TOKENS].put_many([Arrival(token())], None)
    charged = session(country_code="DE", party_id="CPO", id="S-CDR-1", kwh=Decimal(8), status="COMPLETED")
    STORES[ModuleID.SESSIONS].put_many([Arrival(charged)], 7)
    ours = cdr_token(country_code="NL", party_id="OSP", uid="04A1B2C3D4")
    found = evidence(disputed(dear(cdr_token=ours, auth_method="AUTH_REQUEST", authorization_reference="NEVER")))
    assert found["session"]["kwh"] == 8
    assert found["token"]["valid"] and found["token"]["whitelist"] == "NEVER"
    assert found["authorization"]["is_known"] is False


def test_the_evidence_is_that_of_the_moment() -> None:
    dispute = disputed()
    STORES[ModuleID.TARIFFS].put_many([Arrival(per_kwh(component("0.01")))], 7)
    running.again([dispute.cdr_id])
    dispute.refresh_from_db()
    assert len(evidence(dispute)["tariffs"]) == 1


def test_a_cdr_that_cannot_be_priced_has_evidence_too() -> None:
    found = disputed(without(dear(), "tariffs"))
    assert evidence(found)["pricing"] is None and "cannot be priced" in page.html(found)


def test_a_pushed_cdr_is_there_byte_for_byte_with_the_request_that_brought_it(
    cpo_client: PartnerClient, exchange_log: Any
) -> None:
    body = json.dumps(json.loads(codec.encode(dear())), indent=3)
    cpo_client.post("/ocpi/2.2.1/receiver/cdrs", body.encode())
    (brought,) = noted(method="POST")
    cdr = evidence(desk.open_dispute(Cdr.objects.get())[0])["cdr"]
    assert (cdr["text"], cdr["fidelity"]) == (body, arriving.EXACT)
    assert cdr["sha256"] == hashlib.sha256(body.encode()).hexdigest()
    assert (cdr["exchange"]["how"], cdr["platform"]) == ("pushed to us", "Example CPO")
    assert cdr["exchange"]["request_id"] == brought.request_id


def test_what_the_log_has_no_more_is_told_as_it_is_stored() -> None:
    dispute = disputed()
    cdr = evidence(dispute)["cdr"]
    assert (cdr["text"], cdr["fidelity"], cdr["exchange"]) == (dispute.cdr.document, arriving.STORED, None)


@pytest.mark.parametrize("change", [lambda text: text.replace("Quay 12", "Quay 13"), lambda text: text + " "])
def test_the_hash_changes_with_any_byte(change: Callable[[str], str]) -> None:
    text = evidence(disputed())["cdr"]["text"]
    assert hashlib.sha256(change(text).encode()).hexdigest() != evidence(Dispute.objects.get())["cdr"]["sha256"]


def test_the_page_needs_nothing_else_and_escapes_what_a_partner_wrote() -> None:
    attack = "<script>alert(1)</script>"
    place = {**dear()["cdr_location"], "address": attack}
    html = page.html(disputed(dear(cdr_location=place, remark=attack), reason=attack))
    assert attack not in html and "&lt;script&gt;" in html
    assert "default-src 'none'" in html
    assert not any(word in html for word in ("<link", "src=", "@import", "url("))


def test_the_page_shows_figures_findings_and_reasons() -> None:
    html = page.html(disputed())
    for shown in ("3.50", "2.5", "overcharged", "no restrictions", "half_up per total", "SHA-256"):
        assert shown in html


# --- command and admin ----------------------------------------------------------------------------------------------


def command(*arguments: str) -> tuple[Any, int]:
    return cli.run("dispute_cdr", *arguments)


def test_the_command_opens_it_once_and_writes_the_evidence(tmp_path: Path) -> None:
    receive(dear())
    result, code = command("CDR-1", "--party", CPO.lower(), "--out", str(tmp_path / "out"))
    assert (code, result["is_new"], result["dispute"]["state"]) == (0, True, "OPEN")
    written = {path.suffix: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert json.loads(written[".json"])["evidence"]["cdr_id"] == "CDR-1" and "<!DOCTYPE html>" in written[".html"]
    assert command("CDR-1", "--party", CPO)[0]["is_new"] is False


def test_the_command_says_why_not() -> None:
    receive(bill(BEGIN))
    assert command("CDR-1", "--party", CPO)[1] == 1
    assert command("NONE", "--party", CPO)[1] == 1
    assert command("CDR-1", "--party", "nobody")[1] == 2


def test_a_file_has_no_name_that_a_partner_chose() -> None:
    assert page.file_name(disputed(dear(id="../../etc/x")), "json").endswith("-______etc_x.json")


def test_staff_dispute_from_the_verdict_and_decide(admin_client: Client) -> None:
    row = receive(dear())
    running.run()
    chosen = {"action": "dispute", "_selected_action": [row.pk]}
    opened = admin_client.post(reverse("admin:roaming_cdraudit_changelist"), chosen)
    dispute = Dispute.objects.get()
    shown = admin_client.get(opened["Location"]).content.decode()
    assert "Claimed too much" in shown and "overcharged" in shown and "Withdraw" in shown
    url = reverse("admin:roaming_dispute_withdrawn", args=[dispute.pk])
    assert "is settled" in admin_client.get(url).content.decode()
    admin_client.post(url, {"note": "our mistake"})
    dispute.refresh_from_db()
    assert (dispute.state, dispute.steps.last().by) == (State.WITHDRAWN, "admin")  # type: ignore[union-attr]
    assert "our mistake" in admin_client.get(opened["Location"]).content.decode()
    assert "withdrawn" in admin_client.get(reverse("admin:roaming_cdraudit_change", args=[row.pk])).content.decode()


def test_staff_download_the_evidence(admin_client: Client) -> None:
    dispute = disputed()
    answer = admin_client.get(reverse("admin:roaming_dispute_json", args=[dispute.pk]))
    assert answer["Content-Disposition"] == f'attachment; filename="dispute-{dispute.pk}-cdr-1.json"'
    assert json.loads(answer.content)["evidence"]["verdict"] == "DISPUTE"
    assert b"<!DOCTYPE html>" in admin_client.get(reverse("admin:roaming_dispute_html", args=[dispute.pk])).content


def test_who_may_only_look_decides_nothing(client: Client, django_user_model: Any) -> None:
    dispute = disputed()
    user = django_user_model.objects.create_user("looker", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=("view_dispute", "view_cdraudit")))
    client.force_login(user)
    assert client.post(reverse("admin:roaming_dispute_sent", args=[dispute.pk])).status_code == 403
    assert client.get(reverse("admin:roaming_dispute_html", args=[dispute.pk])).status_code == 200
    audit = {"action": "dispute", "_selected_action": [CdrAudit.objects.get().pk]}
    client.post(reverse("admin:roaming_cdraudit_changelist"), audit)
    assert Dispute.objects.get().state == State.OPEN
