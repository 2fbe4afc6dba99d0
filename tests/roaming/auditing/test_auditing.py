"""The audit of received CDRs: what is paid, what is talked about, and what a person has to look at first."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.store.catalogue import STORES
from ocpi.store.objects import Arrival
from ocpi.types import times
from ocpi.v221.versions import ModuleID
from roaming.agreement_models import Agreement
from roaming.audit_models import CdrAudit
from roaming.auditing import running
from roaming.auditing.terms import AllTerms, Terms
from tests.kit.objects import Document, cdr, cdr_token, evse, location, price, session, tariff, token, without

pytestmark = pytest.mark.django_db(transaction=True)

Verdict = CdrAudit.Verdict
HOURS_AGO = timezone.now().astimezone(UTC).replace(microsecond=0) - timedelta(hours=5)
LONG_AGO = HOURS_AGO - timedelta(days=2)
CPO, MSP = "DE*CPO", "DE*MSP"


def at(minutes: float, begin: datetime = HOURS_AGO) -> str:
    return times.format(begin + timedelta(minutes=minutes))


def per_kwh(net: str = "0.25", **changes: Any) -> Document:
    """A published Tariff with one price per kWh."""
    component = {"type": "ENERGY", "price": Decimal(net), "vat": Decimal(20), "step_size": 1}
    published = times.format(HOURS_AGO - timedelta(days=3))
    return tariff(
        country_code="DE",
        party_id="CPO",
        **{"last_updated": published, "elements": [{"price_components": [component]}], **changes},
    )


def bill(kwh: str = "10", cost: str = "2.50", begin: datetime = HOURS_AGO, **changes: Any) -> Document:
    """A CDR of DE*CPO over an hour at 0.25 per kWh, priced as claimed."""
    net = Decimal(cost)
    dimensions = [{"type": "ENERGY", "volume": Decimal(kwh)}, {"type": "TIME", "volume": Decimal(1)}]
    document = cdr(
        country_code="DE",
        party_id="CPO",
        start_date_time=at(0, begin),
        end_date_time=at(60, begin),
        charging_periods=[{"start_date_time": at(0, begin), "dimensions": dimensions, "tariff_id": "TARIFF-1"}],
        tariffs=[per_kwh()],
        total_cost=price(str(net), str(net * Decimal("1.2"))),
        total_energy=Decimal(kwh),
        total_time=Decimal(1),
        last_updated=at(70, begin),
    )
    return {**document, **changes}


def receive(module: ModuleID, *documents: Document) -> None:
    STORES[module].put_many([Arrival(document) for document in documents], source=7)


def audited(*documents: Document) -> CdrAudit:
    """The audit of the last of these CDRs, which came in this order."""
    for document in documents:
        receive(ModuleID.CDRS, document)
    running.run()
    return CdrAudit.objects.get(cdr__key=str(documents[-1]["id"]).lower())


def codes(audit: CdrAudit) -> set[str]:
    """What was found besides what we do not know of."""
    return set(audit.codes.split()) - {"unknown_session", "unknown_location"}


# --- money ----------------------------------------------------------------------------------------------------------


def test_a_cdr_that_claims_what_it_costs_is_ok() -> None:
    audit = audited(bill())
    assert (audit.verdict, codes(audit)) == (Verdict.OK, set())
    assert (audit.claimed, audit.computed, audit.currency) == (Decimal("2.5"), Decimal("2.5"), "EUR")


def test_one_that_claims_more_is_disputed_with_its_breakdown() -> None:
    audit = audited(bill(cost="3.50"))
    assert (audit.verdict, audit.claimed, audit.computed) == (Verdict.DISPUTE, Decimal("3.5"), Decimal("2.5"))
    assert "overcharged" in codes(audit)
    (finding,) = [
        row for row in json.loads(audit.findings) if row["code"] == "overcharged" and "excl" in row["pointer"]
    ]
    assert finding["evidence"]["computed"] == 2.5 and "3.5" in finding["message"]
    assert json.loads(audit.breakdown)["periods"][0]["segments"]


def test_one_that_claims_less_is_paid() -> None:
    audit = audited(bill(cost="1.50"))
    assert audit.verdict == Verdict.TOLERATED and "undercharged" in codes(audit)


def test_what_was_agreed_on_is_tolerated() -> None:
    begin = HOURS_AGO - timedelta(days=1)
    Agreement.objects.create(party_a=MSP, party_b=CPO, valid_from=begin, cdr_tolerance=Decimal("1.20"))
    assert audited(bill(cost="3.50")).verdict == Verdict.TOLERATED
    assert audited(bill(cost="4.00", id="MORE", session_id="S-2", begin=HOURS_AGO - timedelta(hours=2))).verdict == (
        Verdict.DISPUTE
    )


def test_terms_are_those_of_the_time_of_the_session() -> None:
    rows = [
        Agreement(party_a=CPO, party_b=MSP, valid_from=HOURS_AGO, valid_to=HOURS_AGO + timedelta(days=1)),
        Agreement(party_a=MSP, party_b=CPO, valid_from=HOURS_AGO + timedelta(days=1), cdr_tolerance=Decimal(1)),
    ]
    terms = AllTerms(rows)
    both = PartyId(CPO), PartyId(MSP)
    assert terms.between(*both, HOURS_AGO).tolerance == 0
    assert terms.between(*both[::-1], HOURS_AGO + timedelta(days=1)).tolerance == 1
    assert terms.between(*both, HOURS_AGO - timedelta(days=1)) == Terms()


def test_without_tariffs_of_its_own_it_is_priced_by_those_that_were_published() -> None:
    receive(ModuleID.TARIFFS, per_kwh())
    assert audited(without(bill(), "tariffs")).computed == Decimal("2.5")


def test_without_any_tariff_a_person_has_to_look() -> None:
    audit = audited(without(bill(), "tariffs"))
    assert audit.verdict == Verdict.HOLD and codes(audit) == {"cannot_be_priced"}
    assert audit.computed is None


def test_a_tariff_that_is_not_as_it_was_published_is_disputed_when_it_is_dearer() -> None:
    receive(ModuleID.TARIFFS, per_kwh("0.20"))
    audit = audited(bill())
    assert audit.verdict == Verdict.DISPUTE and codes(audit) == {"tariff_not_as_published"}


def test_one_that_was_published_only_after_the_session_began_is_not_compared() -> None:
    receive(ModuleID.TARIFFS, per_kwh("0.20", last_updated=at(30)))
    assert audited(bill()).verdict == Verdict.OK


# --- what cannot be -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (lambda: bill(kwh="0", cost="5"), "no_energy"),
        (lambda: bill(begin=timezone.now() + timedelta(days=1)), "in_the_future"),
        (lambda: bill(begin=timezone.now() - timedelta(days=100)), "too_old"),
        (lambda: bill(end_date_time=at(-5)), "ends_before_it_begins"),
    ],
)
def test_what_cannot_be_is_held(document: Callable[[], Document], code: str) -> None:
    audit = audited(document())
    assert audit.verdict == Verdict.HOLD and code in codes(audit)


@pytest.mark.parametrize("name", ["start_date_time", "end_date_time"])
def test_a_time_that_is_none_is_held_and_stops_nothing(name: str) -> None:
    receive(ModuleID.CDRS, bill(**{name: "yesterday"}), bill(id="CDR-2", session_id="S-2", begin=LONG_AGO))
    running.run()
    odd, good = CdrAudit.objects.order_by("pk")
    assert odd.verdict == Verdict.HOLD and "cannot_be_priced" in codes(odd)
    assert good.verdict == Verdict.OK


def test_more_energy_than_the_connector_delivers_is_held() -> None:
    """16 A at 230 V on one phase are 3.7 kW."""
    connector = {**evse()["connectors"][0], "power_type": "AC_1_PHASE", "max_voltage": 230, "max_amperage": 16}
    connector.pop("max_electric_power", None)
    place = location(country_code="DE", party_id="CPO", evses=[evse(connectors=[connector])])
    receive(ModuleID.LOCATIONS, place)
    assert "above_connector_power" not in codes(audited(bill(kwh="4", cost="1.00")))
    later = HOURS_AGO + timedelta(hours=1)
    audit = audited(bill(kwh="5", cost="1.25", id="FAST", session_id="S-2", begin=later))
    assert audit.verdict == Verdict.HOLD and "above_connector_power" in codes(audit)


def test_a_second_cdr_of_a_session_is_held_unless_the_first_was_credited() -> None:
    assert "repeated" in codes(audited(bill(), bill(id="CDR-2")))
    credit = bill(
        id="CDR-1-C",
        credit=True,
        credit_reference_id="CDR-1",
        total_cost=price("-2.50", "-3.00"),
    )
    again = bill(id="CDR-2-C", credit=True, credit_reference_id="CDR-2", total_cost=price("-2.50", "-3.00"))
    assert audited(credit).verdict == Verdict.OK
    assert audited(again, bill(id="CDR-3")).verdict == Verdict.OK


def test_a_credit_of_a_wrong_price_gives_back_all_of_it() -> None:
    credit = bill(id="CDR-1-C", credit=True, credit_reference_id="CDR-1", total_cost=price("-9.99", "-11.99"))
    assert audited(bill(total_cost=price("9.99", "11.99")), credit).verdict == Verdict.OK


def test_a_credit_that_comes_late_clears_what_was_held_for_want_of_it() -> None:
    replacement = audited(bill(), bill(id="CDR-1-R1"))
    assert replacement.verdict == Verdict.HOLD
    credit = bill(id="CDR-1-C", credit=True, credit_reference_id="CDR-1", total_cost=price("-2.50", "-3.00"))
    assert audited(credit).verdict == Verdict.OK
    replacement.refresh_from_db()
    assert replacement.verdict == Verdict.OK


def test_a_credit_that_comes_before_what_it_credits_is_judged_again() -> None:
    credit = bill(id="CDR-1-C", credit=True, credit_reference_id="CDR-1", total_cost=price("-2.50", "-3.00"))
    early = audited(credit)
    assert early.verdict == Verdict.HOLD
    audited(bill())
    early.refresh_from_db()
    assert early.verdict == Verdict.OK


@pytest.mark.parametrize(
    ("changes", "is_held"),
    [
        ({"cdr_token": cdr_token(uid="OTHER")}, True),  # the same EVSE
        ({"cdr_location": {**bill()["cdr_location"], "evse_id": "DE*CPO*E2"}}, True),  # the same Token
        ({"cdr_token": cdr_token(uid="OTHER"), "cdr_location": {**bill()["cdr_location"], "evse_id": "E2"}}, False),
    ],
)
def test_nobody_charges_twice_at_once(changes: Document, is_held: bool) -> None:
    audit = audited(bill(), bill(id="CDR-2", session_id="S-2", begin=HOURS_AGO + timedelta(minutes=30), **changes))
    assert (audit.verdict == Verdict.HOLD, "overlaps" in codes(audit)) == (is_held, is_held)


def test_cdrs_of_one_batch_are_evidence_for_each_other() -> None:
    receive(ModuleID.CDRS, bill(), bill(id="CDR-2", session_id="S-2"))
    running.run()
    assert [audit.verdict for audit in CdrAudit.objects.order_by("pk")] == [Verdict.OK, Verdict.HOLD]


def test_a_session_right_after_another_does_not_overlap() -> None:
    assert audited(bill(), bill(id="CDR-2", session_id="S-2", begin=HOURS_AGO + timedelta(hours=1))).verdict == "OK"


# --- what we know besides -------------------------------------------------------------------------------------------


def test_more_energy_than_the_session_ended_with_is_disputed() -> None:
    ours = session(country_code="DE", party_id="CPO", kwh=Decimal(8), status="COMPLETED")
    receive(ModuleID.SESSIONS, ours)
    audit = audited(bill())
    assert audit.verdict == Verdict.DISPUTE and "more_than_the_session" in codes(audit)


def test_a_session_of_another_token_is_held() -> None:
    other = cdr_token(uid="OTHER")
    receive(ModuleID.SESSIONS, session(country_code="DE", party_id="CPO", cdr_token=other))
    assert "another_token" in codes(audited(bill()))


def test_a_driver_of_ours_needs_a_token_of_ours() -> None:
    ours = cdr_token(country_code="NL", party_id="OSP", uid="04A1B2C3D4")
    assert "unknown_token" in codes(audited(bill(cdr_token=ours)))
    STORES[ModuleID.TOKENS].put_many([Arrival(token())], None)
    later = HOURS_AGO + timedelta(hours=2)
    assert codes(audited(bill(id="CDR-2", session_id="S-2", cdr_token=ours, begin=later))) == set()


def test_an_authorization_that_we_have_not_given_is_noted() -> None:
    STORES[ModuleID.TOKENS].put_many([Arrival(token())], None)
    ours = cdr_token(country_code="NL", party_id="OSP", uid="04A1B2C3D4")
    audit = audited(bill(cdr_token=ours, auth_method="AUTH_REQUEST", authorization_reference="NEVER-GIVEN"))
    assert (audit.verdict, codes(audit)) == (Verdict.OK, {"unknown_authorization"})


def test_what_is_not_known_besides_is_told_and_paid() -> None:
    audit = audited(bill())
    assert set(audit.codes.split()) == {"unknown_session", "unknown_location"} and audit.verdict == Verdict.OK


def test_a_credit_for_nothing_is_held_and_one_of_another_amount_disputed() -> None:
    credit = bill(credit=True, credit_reference_id="CDR-0", total_cost=price("-2.50", "-3.00"))
    assert "credits_nothing" in codes(audited(credit))
    half = bill(id="H", session_id="S-2", credit=True, credit_reference_id="FULL", total_cost=price("-1.25", "-1.50"))
    assert "credits_another_amount" in codes(audited(bill(id="FULL", session_id="S-2"), half))


# --- running --------------------------------------------------------------------------------------------------------


def test_our_own_cdrs_are_not_audited_here_and_none_is_audited_twice() -> None:
    STORES[ModuleID.CDRS].put_many([Arrival(bill(id="OWN"))], None)
    receive(ModuleID.CDRS, bill())
    assert (running.run(), running.run()) == (1, 0)
    assert [audit.cdr.key for audit in CdrAudit.objects.all()] == ["cdr-1"]


def test_what_was_released_stays_released_when_it_is_audited_again() -> None:
    audit = audited(bill(cost="3.50"))
    CdrAudit.objects.update(released_at=timezone.now(), released_by="auditor")
    assert running.again([audit.pk]) == 1
    running.start_over()
    assert running.run() == 1
    assert CdrAudit.objects.get().released_by == "auditor"


def test_two_workers_audit_each_cdr_once(threaded_db: None) -> None:
    receive(ModuleID.CDRS, *(bill(id=f"C{number}", session_id=f"S{number}") for number in range(300)))

    def work(_: int) -> int:
        try:
            return running.run()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 300
    assert CdrAudit.objects.count() == 300


def report(*arguments: str) -> tuple[Any, int]:
    output = StringIO()
    try:
        call_command("audit_cdrs", "--json", *arguments, stdout=output, stderr=StringIO())
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    return json.loads(output.getvalue()), code


def test_the_command_audits_and_reports_what_is_wrong() -> None:
    receive(ModuleID.CDRS, bill())
    result, code = report()
    assert result.pop("seconds") > 0
    assert (result, code) == (
        {"audited": 1, "verdicts": {"ok": 1, "tolerated": 0, "dispute": 0, "hold": 0}, "cdrs": []},
        0,
    )
    receive(ModuleID.CDRS, bill(id="Dear", cost="9", session_id="S-2", begin=HOURS_AGO - timedelta(hours=3)))
    result, code = report()
    assert (code, [row["id"] for row in result["cdrs"]], result["audited"]) == (1, ["Dear"], 1)
    assert [row["id"] for row in report("--orphans")[0]["cdrs"]] == ["CDR-1", "Dear"]
    assert report("--owner", "NL*XXX")[0]["verdicts"]["ok"] == 0
    assert report("--again")[0]["audited"] == 2


def test_staff_see_why_and_release(admin_client: Client) -> None:
    audit = audited(bill(cost="3.50"))
    url = reverse("admin:roaming_cdraudit_changelist")
    assert "to be disputed" in admin_client.get(url, {"finding": "overcharged"}).content.decode()
    page = reverse("admin:roaming_cdraudit_change", args=[audit.pk])
    assert "should be 2.5" in admin_client.get(page).content.decode()
    for action in ("again", "release"):
        admin_client.post(url, {"action": action, "_selected_action": [audit.pk]})
    audit.refresh_from_db()
    assert audit.released_by == "admin"
