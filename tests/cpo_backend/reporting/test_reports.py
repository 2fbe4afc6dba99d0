"""Reports: what our charge points did and earned, to the last digit, and what cannot be counted is told."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from cpo_backend.models import CdrFigures
from cpo_backend.reporting import adding, asking, following
from cpo_backend.reporting.adding import Report, report
from cpo_backend.reporting.asking import By, Kind, Question, Unaskable
from ocpi.ids import PartyId
from ocpi.models import Cdr
from ocpi.store import corrections
from ocpi.types import codec
from tests.kit.billing import credit
from tests.kit.objects import price
from tests.kit.own_cdrs import OCP, ours, period, site, store

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MARCH = date(2025, 3, 1), date(2025, 3, 31)
AT = datetime(2025, 3, 10, 12, tzinfo=UTC)
D = Decimal


def asked(kind: Kind, by: By = By.MONTH, days: tuple[date, date] = MARCH, now: datetime = NOW, **which: str) -> Report:
    return report(kind, Question.asked(*days, by, **which), now)


def column(found: Report, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in found.rows]


def only(found: Report) -> dict[str, Any]:
    (row,) = found.rows
    return row


# --- energy, sessions, revenue --------------------------------------------------------------------------------------


def test_sums_are_those_of_the_cdrs_to_the_last_digit() -> None:
    store(*(ours(AT, f"C{n}", kwh="0.1001", cost="0.1003") for n in range(30)))
    energy, money = only(asked(Kind.ENERGY)), only(asked(Kind.REVENUE))
    documents = [codec.decode(row.document.encode()) for row in Cdr.objects.all()]
    assert energy["kwh"] == sum(document["total_energy"] for document in documents) == D("3.003")
    assert money["excl_vat"] == sum(document["total_cost"]["excl_vat"] for document in documents) == D("3.009")
    assert (money["vat"], money["incl_vat"]) == (D("0.6018"), D("3.6108"))
    assert asked(Kind.ENERGY).sums == [{"month": "", "sessions": 30, "kwh": D("3.003"), "kwh_per_session": D("0.1001")}]


def test_a_session_counts_in_the_month_it_ended_in_by_the_clock_of_its_site() -> None:
    """One ends on 31 March by UTC, and on 1 April in Amsterdam."""
    site()
    store(ours(datetime(2025, 3, 31, 21, 30, tzinfo=UTC)))
    assert column(asked(Kind.ENERGY, days=(date(2025, 3, 1), date(2025, 4, 30))), "month") == [("2025-04",)]


def test_a_site_without_a_clock_has_that_of_its_country() -> None:
    store(ours(datetime(2025, 3, 31, 21, 30, tzinfo=UTC)))
    assert CdrFigures.objects.get(is_last=True).day == date(2025, 4, 1)


def test_currencies_are_never_added() -> None:
    store(ours(AT, "A"), ours(AT, "B", currency="SEK", cost="7"), ours(AT, "C", currency="sek", cost="7"))
    found = asked(Kind.REVENUE, By.PARTNER)
    assert column(found, "partner", "currency", "excl_vat") == [
        ("DE*MSP", "EUR", D("2.50")),
        ("DE*MSP", "SEK", 14),
    ]
    assert [(line["currency"], line["excl_vat"]) for line in found.sums] == [("EUR", D("2.50")), ("SEK", 14)]


def test_vat_is_told_only_where_every_cdr_tells_it() -> None:
    store(ours(AT, "A"), ours(AT, "B", total_cost=price("2.50")))
    row = only(asked(Kind.REVENUE))
    assert (row["excl_vat"], row["vat"], row["incl_vat"]) == (D("5.00"), None, None)


def test_a_credit_takes_session_energy_and_revenue_back() -> None:
    """§mod_cdrs_credit_cdrs"""
    store(ours(AT, "KEPT"), ours(AT, "WRONG"), credit(ours(AT, "WRONG")))
    assert (only(asked(Kind.ENERGY))["kwh"], only(asked(Kind.REVENUE))["incl_vat"]) == (10, D("3.00"))
    sessions = only(asked(Kind.SESSIONS))
    assert (sessions["sessions"], sessions["credits"], sessions["hours"]) == (1, 1, 1)
    assert only(asked(Kind.UTILISATION))["occupied_hours"] == 1


def test_a_corrected_cdr_counts_as_what_replaced_it() -> None:
    store(ours(AT))
    corrections.correct(PartyId(OCP), "CDR-1", ours(AT, cost="2.00"), "clerk")
    following.follow()
    assert only(asked(Kind.REVENUE))["excl_vat"] == D("2.00")


def test_averages_are_per_session() -> None:
    store(ours(AT, "A", kwh="10"), ours(AT, "B", kwh="5", hours=2, cost="1.00"))
    row = only(asked(Kind.AVERAGE))
    assert (row["kwh_per_session"], row["minutes_per_session"], row["excl_vat_per_session"]) == (
        D("7.5"),
        90,
        D("1.75"),
    )


def test_nothing_is_divided_by_no_sessions() -> None:
    store(ours(AT), credit(ours(AT)))
    assert only(asked(Kind.ENERGY))["kwh_per_session"] is None


def test_lines_are_by_site_evse_partner_month_or_day() -> None:
    site("LOC-1", "A", "B", name="Harbour")
    store(ours(AT, "1", uid="A"), ours(AT, "2", uid="B"), ours(AT + timedelta(days=1), "3", uid="b", msp="XXX"))
    assert column(asked(Kind.SESSIONS, By.SITE), "cpo", "site", "name", "sessions") == [(OCP, "LOC-1", "Harbour", 3)]
    assert column(asked(Kind.SESSIONS, By.EVSE), "evse", "sessions") == [("a", 1), ("b", 2)]
    assert column(asked(Kind.SESSIONS, By.PARTNER), "partner", "sessions") == [("DE*MSP", 2), ("DE*XXX", 1)]
    assert column(asked(Kind.SESSIONS, By.DAY), "day", "sessions") == [("2025-03-10", 2), ("2025-03-11", 1)]


def test_a_report_can_be_of_one_site_or_one_partner() -> None:
    store(ours(AT, "1"), ours(AT, "2", site="LOC-2"), ours(AT, "3", msp="XXX"))
    assert only(asked(Kind.SESSIONS, site="loc-1"))["sessions"] == 2
    assert only(asked(Kind.SESSIONS, site="NL*OCP/LOC-2"))["sessions"] == 1
    assert only(asked(Kind.SESSIONS, partner="DE*XXX"))["sessions"] == 1
    assert asked(Kind.SESSIONS, site="NL*XXX/LOC-2").rows == []


def test_cdrs_of_others_are_not_in_our_reports() -> None:
    store(ours(AT, country_code="DE", party_id="CPO"), source=7)
    assert asked(Kind.SESSIONS).rows == [] and not CdrFigures.objects.exists()


def test_sessions_are_told_by_the_hour_they_began_in() -> None:
    store(ours(AT, "1"), ours(AT, "2"), ours(AT + timedelta(hours=3), "3"))
    hours = adding.by_hour(Question.asked(*MARCH))
    assert (hours[13], hours[16], sum(hours)) == (2, 1, 3)


# --- what cannot be read --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"total_energy": "ten"}, "/total_energy: it is no amount"),
        ({"total_energy": D("1.00000001")}, "/total_energy: it is finer than a millionth"),
        ({"total_energy": D("1e12")}, "/total_energy: it is beyond reason"),
        ({"total_cost": {"excl_vat": None}}, "its total is no amount"),
        ({"currency": "?"}, "it has no currency"),
        ({"charging_periods": []}, "/charging_periods: it has none"),
        ({"start_date_time": "noon"}, "/start_date_time: it is no time"),
        ({"start_date_time": "2025-03-20T00:00:00Z"}, "/end_date_time: it ended before it began"),
        ({"start_date_time": "2020-03-20T00:00:00Z"}, "/end_date_time: it took more than a year"),
        ({"cdr_location": "here"}, "/cdr_location/id: it has none"),
    ],
)
def test_a_cdr_without_figures_is_listed_and_not_counted(changes: Any, why: str) -> None:
    store(ours(AT, "GOOD"), ours(AT, "BAD", **changes))
    found = asked(Kind.ENERGY)
    assert only(found)["sessions"] == 1
    assert found.faults == 1
    assert [(line["cdr"], line["why"]) for line in found.faulty] == [("bad", why)]


# --- utilisation ----------------------------------------------------------------------------------------------------


def test_utilisation_is_occupied_time_of_all_time() -> None:
    site("LOC-1", "A", "B")
    store(ours(AT, uid="A", hours=12))
    row = only(asked(Kind.UTILISATION, By.DAY, (AT.date(), AT.date())))
    assert (row["evses"], row["hours"], row["occupied_hours"]) == (2, 48, D("11"))  # until midnight in Amsterdam
    assert row["occupied_percent"] == D("22.9167")


def test_a_session_over_midnight_occupies_both_days() -> None:
    site()
    store(ours(datetime(2025, 3, 10, 21, tzinfo=UTC), hours=5))
    days = (date(2025, 3, 10), date(2025, 3, 11))
    assert column(asked(Kind.UTILISATION, By.DAY, days), "day", "occupied_hours") == [
        ("2025-03-10", 2),
        ("2025-03-11", 3),
    ]


def test_parking_occupies_and_does_not_charge() -> None:
    periods = [period(AT, ENERGY="10", TIME="0.5"), period(AT + timedelta(minutes=30), PARKING_TIME="0.5")]
    store(ours(AT, charging_periods=periods))
    row = only(asked(Kind.UTILISATION))
    assert (row["occupied_hours"], row["charging_hours"]) == (1, D("0.5"))


def test_a_reservation_does_not_occupy() -> None:
    periods = [period(AT, RESERVATION_TIME="0.5"), period(AT + timedelta(minutes=30), ENERGY="10", TIME="0.5")]
    store(ours(AT, charging_periods=periods))
    row = only(asked(Kind.UTILISATION))
    assert (row["occupied_hours"], row["charging_hours"]) == (D("0.5"), D("0.5"))


def test_a_month_in_which_clocks_change_has_an_hour_less_or_more() -> None:
    site()
    assert only(asked(Kind.UTILISATION))["hours"] == 743
    october = asked(Kind.UTILISATION, days=(date(2025, 10, 1), date(2025, 10, 31)))
    assert only(october)["hours"] == 745
    store(ours(datetime(2025, 3, 29, 23, tzinfo=UTC), hours=23))  # all of a Sunday of 23 hours
    row = only(asked(Kind.UTILISATION, By.DAY, (date(2025, 3, 30), date(2025, 3, 30))))
    assert (row["hours"], row["occupied_percent"]) == (23, 100)


def test_sites_without_a_session_are_in_the_list_of_utilisation() -> None:
    site("IDLE")
    site("BUSY")
    store(ours(AT, site="BUSY"))
    assert column(asked(Kind.UTILISATION, By.SITE), "site", "occupied_hours") == [("BUSY", 1), ("IDLE", 0)]


def test_an_evse_that_is_gone_counts_where_it_was_used() -> None:
    site("LOC-1", "NEW")
    store(ours(AT, uid="OLD"))
    assert column(asked(Kind.UTILISATION, By.EVSE), "evse") == [("new",), ("old",)]


def test_a_partner_uses_a_part_of_all_time() -> None:
    site()
    store(ours(AT, "1"), ours(AT + timedelta(hours=2), "2", msp="XXX", hours=3))
    found = asked(Kind.UTILISATION, By.PARTNER)
    assert column(found, "partner", "hours", "occupied_hours") == [("DE*MSP", 743, 1), ("DE*XXX", 743, 3)]
    assert found.sums[0]["occupied_hours"] == 4 and found.sums[0]["hours"] == 743


def test_time_that_is_yet_to_come_is_not_counted() -> None:
    site(time_zone="UTC")
    assert only(asked(Kind.UTILISATION, now=AT))["hours"] == 9 * 24 + 12


# --- the feed of CDRs -----------------------------------------------------------------------------------------------


def test_figures_are_read_once() -> None:
    store(ours(AT))
    assert following.follow() == 0
    store(ours(AT, "NEXT"))
    assert only(asked(Kind.SESSIONS))["sessions"] == 2


def test_a_site_that_got_another_clock_is_read_anew() -> None:
    store(ours(datetime(2025, 3, 31, 21, 30, tzinfo=UTC)))
    site(time_zone="UTC")
    following.start_over()
    assert following.follow() == 1
    assert CdrFigures.objects.get(is_last=True).day == date(2025, 3, 31)


# --- asking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        ("2025-03-02", "2025-03-01", "ends before it begins"),
        ("2005-01-01", "2025-01-01", "ten years at most"),
        ("0001-01-01", "0001-01-02", "no such year"),
    ],
)
def test_a_period_must_be_one(first: str, last: str, why: str) -> None:
    with pytest.raises(Unaskable, match=why):
        Question.asked(date.fromisoformat(first), date.fromisoformat(last))


def command(*arguments: str) -> tuple[Any, int]:
    output, code = StringIO(), 0
    try:
        call_command("report", *arguments, "--json", stdout=output, stderr=StringIO())
    except SystemExit as stop:
        code = int(stop.code or 0)
    return json.loads(output.getvalue(), parse_float=D), code


PERIOD = ("--from", "2025-03-01", "--to", "2025-03-31")


def test_the_command_reads_what_has_come_and_reports() -> None:
    store(ours(AT))
    found, code = command("revenue", *PERIOD, "--by", "partner")
    assert (code, found["rows"][0]["excl_vat"], found["not_counted"]) == (0, D("2.50"), {"cdrs": 0, "listed": []})


def test_the_command_is_partly_done_when_a_cdr_has_no_figures() -> None:
    store(ours(AT, total_energy="ten"))
    found, code = command("energy", *PERIOD)
    assert (code, found["not_counted"]["cdrs"]) == (3, 1)


@pytest.mark.parametrize("wrong", [("--from", "March"), ("--to", "2024-01-01"), ("--partner", "nobody")])
def test_the_command_tells_what_is_wrong_with_its_words(wrong: tuple[str, str]) -> None:
    found, code = command("energy", *PERIOD, *wrong)
    assert code == 2 and found["error"]["message"]


def test_the_command_prints_a_table() -> None:
    store(ours(AT))
    output = StringIO()
    call_command("report", "energy", *PERIOD, stdout=output)
    assert "kwh per session" in output.getvalue() and "2025-03" in output.getvalue()


def test_every_kind_is_there_by_everything() -> None:
    site()
    store(ours(AT))
    for kind in Kind:
        for by in asking.By:
            assert asked(kind, by).rows
