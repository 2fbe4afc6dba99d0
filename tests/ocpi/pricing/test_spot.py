"""Day-ahead prices as Tariffs: exact at every quarter of an hour, also where the clock changes; pricing notes 7."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ocpi.pricing.faults import BadInput
from ocpi.pricing.lint.checking import lint, passes
from ocpi.pricing.spot import curves
from ocpi.pricing.spot.curves import Curve, Unit
from ocpi.pricing.spot.making import Terms, build, rolled
from ocpi.types import codec, times, validation
from ocpi.v221.tariffs import Tariff
from tests.kit.metering import made
from tests.kit.pricing import Document, cdr, excl, opened, period

BERLIN = "Europe/Berlin"
STAMP = "2026-01-01T00:00:00Z"
TERMS = Terms(country_code="DE", party_id="CPO", id="SPOT", currency="EUR", vat=Decimal(19))
DAYS = {"ordinary": date(2026, 6, 10), "autumn": date(2026, 10, 25), "spring": date(2026, 3, 29)}


def instants(day: date, zone: str = BERLIN, minutes: int = 15, days: int = 1) -> list[datetime]:
    """The starts of the slots of some local days."""
    first, last = (
        datetime(at.year, at.month, at.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for at in (day, day + timedelta(days=days))
    )
    return [first + timedelta(minutes=at) for at in range(0, int((last - first).total_seconds()) // 60, minutes)]


def rows(starts: Sequence[datetime], *, distinct: int = 1000) -> list[Document]:
    """Prices per MWh that differ from slot to slot."""
    return [
        {"start": times.format(at), "price": Decimal(100 + 7 * number % distinct)} for number, at in enumerate(starts)
    ]


def curve(table: list[Document], zone: str = BERLIN, unit: Unit = Unit.MWH) -> Curve:
    return curves.from_json(codec.encode(table), unit, zone)


def spot(table: list[Document], zone: str = BERLIN) -> list[Document]:
    return build(curve(table, zone), TERMS, STAMP)


def at_quarter(start: str, *tariffs: Document, zone: str = BERLIN) -> str:
    """What one kWh costs in the quarter of an hour that begins then, by the Tariff that is valid then."""
    valid = next(one for one in tariffs if is_valid(one, start))
    return excl(cdr(period(15, kwh=1, time=True), start=start), valid, zone=zone)


def is_valid(tariff: Document, at: str) -> bool:
    return tariff.get("start_date_time", "") <= at < tariff.get("end_date_time", "Z")


def shown(price: Decimal) -> str:
    return f"{price.scaleb(-3).normalize():f}"


@pytest.mark.parametrize(("day", "count"), [("ordinary", 96), ("autumn", 100), ("spring", 92)])
def test_every_quarter_of_the_day_has_the_price_of_the_curve(day: str, count: int) -> None:
    """P7: the doubled hour has eight prices."""
    table = rows(instants(DAYS[day]))
    tariffs = spot(table)
    assert len(table) == count
    assert [at_quarter(row["start"], *tariffs) for row in table] == [shown(row["price"]) for row in table]


@pytest.mark.parametrize(("day", "count"), [("ordinary", 24), ("autumn", 25), ("spring", 23)])
def test_hourly_prices_hold_in_each_of_their_quarters(day: str, count: int) -> None:
    table = rows(instants(DAYS[day], minutes=60))
    tariffs = spot(table)
    assert len(table) == count
    prices = [shown(row["price"]) for row in table for _ in range(4)]
    assert [at_quarter(times.format(at), *tariffs) for at in instants(DAYS[day])] == prices


@pytest.mark.parametrize("day", ["autumn", "spring"])
def test_a_session_all_through_the_change_costs_the_sum_of_its_quarters(day: str) -> None:
    """The `tariff_id` of its periods tells which Tariff each one goes by."""
    table = rows(instants(DAYS[day]))
    tariffs = spot(table)
    periods = [
        period(15, kwh=1, time=True, tariff_id=next(one["id"] for one in tariffs if is_valid(one, row["start"])))
        for row in table
    ]
    charge = cdr(*periods, start=table[0]["start"], tariffs=tariffs)
    assert excl(charge, zone=BERLIN) == shown(sum((row["price"] for row in table), Decimal(0)))


def test_who_stays_with_the_tariff_of_the_start_is_wrong_in_the_doubled_hour_only() -> None:
    table = rows(instants(DAYS["autumn"]))
    first, _ = spot(table)
    found = [excl(cdr(period(15, kwh=1), start=row["start"]), first, zone=BERLIN) for row in table]
    wrong = [row["start"] for row, price in zip(table, found, strict=True) if price != shown(row["price"])]
    assert wrong == [f"2026-10-25T01:{minutes}:00Z" for minutes in ("00", "15", "30", "45")]


def test_the_tariffs_of_two_seasons_are_never_valid_together() -> None:
    """A Connector may have both."""
    summer, winter = spot(rows(instants(DAYS["autumn"])))
    assert (summer["id"], winter["id"]) == ("SPOT-E0200", "SPOT-E0100")
    assert (summer["start_date_time"], summer["end_date_time"]) == ("2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z")
    assert (winter["start_date_time"], winter["end_date_time"]) == ("2026-10-25T01:00:00Z", "2027-03-28T01:00:00Z")


@pytest.mark.parametrize("zone", ["America/St_Johns", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"])
def test_other_zones_are_as_exact(zone: str) -> None:
    """Lord Howe's clocks change by half an hour."""
    day = date(2026, 4, 5) if zone.startswith("Australia") else date(2026, 11, 1)
    table = rows(instants(day, zone))
    tariffs = spot(table, zone)
    assert [at_quarter(row["start"], *tariffs, zone=zone) for row in table] == [shown(row["price"]) for row in table]
    ids = {"America/St_Johns": "SPOT-W0230", "Australia/Lord_Howe": "SPOT-E1100"}
    assert tariffs[0]["id"] == ids.get(zone, "SPOT")


def test_what_is_made_is_valid_and_has_no_lint_errors() -> None:
    for day in DAYS.values():
        for tariff in spot(rows(instants(day, days=2))):
            assert validation.check(tariff, Tariff) == []
            assert passes(lint(tariff), strict=True)


def test_adjacent_slots_of_equal_price_are_one_element() -> None:
    table = rows(instants(DAYS["ordinary"], days=2), distinct=1)
    (tariff,) = spot(table)
    assert [one.get("restrictions") for one in tariff["elements"]] == [
        {"start_date": "2026-06-10", "end_date": "2026-06-11"},
        {"start_date": "2026-06-11", "end_date": "2026-06-12"},
        None,
    ]


def test_what_no_curve_has_told_costs_the_highest_known_price_or_the_one_agreed_on() -> None:
    (tariff,) = spot(rows(instants(DAYS["ordinary"], minutes=60)))
    later = cdr(period(60, kwh=10), start="2026-06-12T10:00:00Z")
    assert excl(later, tariff, zone=BERLIN) == "2.61"
    terms = Terms(country_code="DE", party_id="CPO", id="SPOT", currency="EUR", ceiling=Decimal("0.5"))
    (agreed,) = build(curve(rows(instants(DAYS["ordinary"]))), terms, STAMP)
    assert excl(later, agreed, zone=BERLIN) == "5"


def test_a_markup_is_added_and_the_price_rounded_half_up_once() -> None:
    terms = Terms(country_code="DE", party_id="CPO", id="SPOT", currency="EUR", markup=Decimal("0.1"))
    table = [row | {"price": Decimal("-82.35")} for row in rows(instants(DAYS["ordinary"]))]
    (tariff,) = build(curve(table), terms, STAMP)
    assert tariff["elements"][0]["price_components"] == [{"type": "ENERGY", "price": Decimal("0.0177"), "step_size": 1}]


def test_a_session_over_midnight_finds_both_days_in_one_tariff() -> None:
    table = rows(instants(DAYS["ordinary"], days=2))
    (tariff,) = spot(table)
    late = cdr(*(period(15, kwh=1) for _ in range(8)), start="2026-06-10T21:00:00Z")
    prices = [row["price"] for row in table if "2026-06-10T21:00:00Z" <= row["start"] < "2026-06-10T23:00:00Z"]
    assert excl(late, tariff, zone=BERLIN) == shown(sum(prices, Decimal(0)))
    assert opened(late, tariff, zone=BERLIN).place.zone == BERLIN


def test_a_cdr_of_our_own_through_the_doubled_hour_agrees_with_its_audit() -> None:
    """P7: its periods are cut at every change of price, and switch to the Tariff of winter when the clock changes."""
    table = rows(instants(DAYS["autumn"]))
    summer, winter = spot(table)
    members = made(
        summer,
        240,
        kwh={0: 0, 240: 16},
        switches={180: winter},
        start=table[0]["start"],
        zone=BERLIN,
    )
    assert members["total_cost"]["excl_vat"] == sum(row["price"] for row in table[:16]).scaleb(-3)


# --- day after day --------------------------------------------------------------------------------------------------


def day_of(day: date, **changes: Decimal) -> Document:
    (tariff,) = spot([row | changes for row in rows(instants(day))])
    return tariff


def dates(tariff: Document) -> list[str]:
    return sorted({one["restrictions"]["start_date"] for one in tariff["elements"] if "restrictions" in one})


def test_days_follow_each_other_and_old_ones_are_dropped() -> None:
    found = day_of(date(2026, 6, 9))
    for number in (10, 11, 12):
        found = rolled(found, day_of(date(2026, 6, number)), TERMS)
    assert dates(found) == ["2026-06-11", "2026-06-12"]
    assert validation.check(found, Tariff) == [] and passes(lint(found))


def test_the_same_curve_again_changes_nothing() -> None:
    stored = rolled(day_of(date(2026, 6, 9)), day_of(date(2026, 6, 10)), TERMS)
    for number in (9, 10):
        again = day_of(date(2026, 6, number)) | {"last_updated": "2027-01-01T00:00:00Z"}
        assert rolled(stored, again, TERMS) is stored


def test_a_corrected_curve_replaces_its_day_and_no_other() -> None:
    stored = rolled(day_of(date(2026, 6, 9)), day_of(date(2026, 6, 10)), TERMS)
    found = rolled(stored, day_of(date(2026, 6, 9), price=Decimal(5)), TERMS)
    assert at_quarter("2026-06-09T10:00:00Z", found) == "0.005"
    assert at_quarter("2026-06-10T10:00:00Z", found) == at_quarter("2026-06-10T10:00:00Z", stored)


# --- what is refused ------------------------------------------------------------------------------------------------

HOURS = rows(instants(DAYS["ordinary"], minutes=60))


@pytest.mark.parametrize(
    ("table", "row", "words"),
    [
        ([*HOURS[:5], *HOURS[6:]], 5, "leaves a gap to row 6"),
        ([*HOURS[:5], HOURS[5] | {"start": "2026-06-10T02:30:00Z"}, *HOURS[6:]], 5, "overlaps with row 6"),
        ([*HOURS[:5], HOURS[4], *HOURS[5:]], 5, "overlaps with row 6"),
        (HOURS[1:], 1, "begins within a day"),
        (HOURS[:-1], 23, "ends within a day"),
        ([HOURS[0] | {"start": "2026-06-10T00:00:00"}, *HOURS[1:]], 1, "no offset"),
        ([HOURS[0] | {"start": "yesterday"}, *HOURS[1:]], 1, "no offset"),
        ([*HOURS[:2], HOURS[2] | {"price": "n/a"}], 3, "not a number"),
        ([*HOURS[:2], {"start": HOURS[2]["start"]}], 3, "has no price"),
        ([*HOURS[:2], {"price": 1}], 3, "has no start"),
        ([*HOURS[:2], 7], 3, "not an object"),
        ([HOURS[0] | {"end": "2026-06-09T22:05:00Z"}], 1, "no quarter"),
    ],
)
def test_a_curve_with_a_fault_is_refused_and_the_row_named(table: list[Document], row: int, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        curve(table)
    assert caught.value.pointer == f"/{row}" and f"row {row}" in caught.value.message


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"prices": 3}', b"3"])
def test_what_is_no_curve_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput):
        curves.from_json(content, Unit.MWH, BERLIN)


def test_a_csv_says_the_same_whatever_separates_its_values() -> None:
    lines = [f"{row['start']};{row['price']}" for row in HOURS]
    found = curves.from_csv("\n".join(["\ufeffStart;Price", *lines, ""]), Unit.MWH, BERLIN)
    assert [slot[1:] for slot in found.slots] == [slot[1:] for slot in curve(HOURS).slots]
    local = [at.astimezone(ZoneInfo(BERLIN)).isoformat(sep=" ") for at in instants(DAYS["autumn"], minutes=60)]
    text = "\n".join(["time,value", *(f"{at},0.1" for at in local)])
    assert len(curves.from_csv(text, Unit.KWH, BERLIN).slots) == 25


def test_a_fault_in_a_csv_names_the_line_of_the_file() -> None:
    with pytest.raises(BadInput, match="row 3: has no price"):
        curves.from_csv(f"start,price\n{HOURS[0]['start']},1\n{HOURS[1]['start']},\n", Unit.MWH, BERLIN)


def test_an_unknown_zone_and_a_long_id_are_refused() -> None:
    with pytest.raises(BadInput, match="time zone"):
        curve(HOURS, "Europe/Atlantis")
    long = Terms(country_code="DE", party_id="CPO", id="S" * 31, currency="EUR")
    with pytest.raises(BadInput, match="1 to 30 characters"):
        build(curve(HOURS), long, STAMP)
