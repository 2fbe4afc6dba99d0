"""Tariffs from plans: each kind costs what it was meant to, and none has a lint error; pricing notes 8."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpi.pricing.building import samples
from ocpi.pricing.building.making import build
from ocpi.pricing.building.plans import Month, Parking, Plan, Reservation, Window
from ocpi.pricing.describing import describe
from ocpi.pricing.faults import BadInput
from ocpi.pricing.lint.checking import lint, lint_connector, passes
from ocpi.types import times, validation
from ocpi.v221.tariffs import Tariff
from tests.kit.pricing import Document, cdr, excl, period, total

STAMP = "2026-01-01T00:00:00Z"
BERLIN = "Europe/Berlin"
HOUR = 60
FRIDAY, SATURDAY = 4, 5


def plan(**changes: Any) -> Plan:
    known = {"country_code": "DE", "party_id": "CPO", "id": "AC", "currency": "EUR"}
    return Plan(**{**known, **changes})


def built(**changes: Any) -> Document:
    (tariff,) = build(plan(**changes), STAMP)
    return tariff


def amount(text: str) -> Decimal:
    return Decimal(text)


def fault(**changes: Any) -> BadInput:
    with pytest.raises(BadInput) as caught:
        build(plan(**changes), STAMP)
    return caught.value


# --- every kind -----------------------------------------------------------------------------------------------------


def test_a_fixed_price_per_kwh() -> None:
    tariff = built(per_kwh=amount("0.49"), vat=amount("19"))
    assert total(cdr(period(60, kwh=20, time=True)), tariff) == ("9.8", "11.662")
    assert tariff["elements"] == [
        {"price_components": [{"type": "ENERGY", "price": amount("0.49"), "vat": 19, "step_size": 1}]}
    ]


def test_charging_that_is_free() -> None:
    tariff = built(is_free=True)
    assert excl(cdr(period(60, kwh=20, time=True), period(60, parking=True)), tariff) == "0"
    assert describe(tariff)[0] == "Charging is free."
    assert lint(tariff) == []


def test_a_start_fee_beside_the_energy() -> None:
    assert excl(cdr(period(60, kwh=20, time=True)), built(per_kwh=amount("0.5"), start_fee=amount("1.25"))) == "11.25"


def test_nothing_but_a_start_fee() -> None:
    assert excl(cdr(period(60, kwh=20, time=True)), built(start_fee=amount("5"))) == "5"


def test_a_price_per_hour_of_charging_is_none_of_parking() -> None:
    tariff = built(per_hour=amount("3"))
    assert excl(cdr(period(60, kwh=20, time=True), period(60, parking=True)), tariff) == "3"


def test_parking_after_charging() -> None:
    tariff = built(per_kwh=amount("0.5"), parking=Parking(per_hour=amount("6")))
    assert excl(cdr(period(60, kwh=20, time=True), period(30, parking=True)), tariff) == "13"


@pytest.mark.parametrize(("charged", "parked"), [(239, "0"), (240, "6"), (300, "6")])
def test_parking_is_free_for_some_minutes_from_the_start_of_the_session(charged: int, parked: str) -> None:
    """3.4: OCPI has no way to count from the end of charging."""
    tariff = built(is_free=True, parking=Parking(per_hour=amount("6"), free_minutes=240))
    assert excl(cdr(period(charged, kwh=20, time=True), period(60, parking=True)), tariff) == parked


@pytest.mark.parametrize(
    ("start", "price"),
    [
        ("2026-03-09T15:59:00Z", "0.4"),  # 16:59 in Berlin
        ("2026-03-09T16:00:00Z", "0.6"),
        ("2026-03-09T19:00:00Z", "0.4"),
        ("2026-03-09T21:00:00Z", "0.2"),
        ("2026-03-10T04:59:00Z", "0.2"),
        ("2026-03-10T05:00:00Z", "0.4"),
    ],
)
def test_prices_by_time_of_day(start: str, price: str) -> None:
    windows = (
        Window(per_kwh=amount("0.6"), start=17 * HOUR, end=20 * HOUR),
        Window(per_kwh=amount("0.2"), start=22 * HOUR, end=6 * HOUR),
    )
    tariff = built(per_kwh=amount("0.4"), windows=windows)
    assert excl(cdr(period(1, kwh=1), start=start), tariff, zone=BERLIN) == price


@pytest.mark.parametrize(
    ("start", "price"),
    [
        ("2026-03-13T05:00:00Z", "0.4"),  # early on Friday
        ("2026-03-13T22:00:00Z", "0.2"),
        ("2026-03-14T05:00:00Z", "0.2"),
        ("2026-03-14T22:00:00Z", "0.2"),
        ("2026-03-15T05:00:00Z", "0.2"),  # early on Sunday: the night that began on Saturday
        ("2026-03-15T22:00:00Z", "0.4"),
    ],
)
def test_a_night_of_some_days_ends_on_the_mornings_after_them(start: str, price: str) -> None:
    """3.4: to others a weekday in a window over midnight means the day at that instant, so there is none."""
    night = Window(per_kwh=amount("0.2"), start=22 * HOUR, end=6 * HOUR, days=frozenset({FRIDAY, SATURDAY}))
    tariff = built(per_kwh=amount("0.4"), windows=(night,))
    assert excl(cdr(period(1, kwh=1), start=start), tariff) == price
    assert lint(tariff) == []


def test_whole_days_of_the_week() -> None:
    weekend = Window(per_kwh=amount("0.2"), start=0, end=24 * HOUR, days=frozenset({5, 6}))
    tariff = built(per_kwh=amount("0.4"), windows=(weekend,))
    assert tariff["elements"][0]["restrictions"] == {"day_of_week": ["SATURDAY", "SUNDAY"]}


def test_a_price_list_by_month_is_a_tariff_for_each() -> None:
    months = (
        Month(first=date(2026, 12, 1), per_kwh=amount("0.5")),
        Month(first=date(2026, 11, 1), per_kwh=amount("0.4")),
    )
    november, december = build(plan(months=months, start_fee=amount("1"), zone=BERLIN), STAMP)
    assert (november["id"], december["id"]) == ("AC-2026-11", "AC-2026-12")
    assert november["start_date_time"] == "2026-10-31T23:00:00Z"
    assert november["end_date_time"] == december["start_date_time"] == "2026-11-30T23:00:00Z"
    assert excl(cdr(period(60, kwh=10)), november) == "5"
    assert excl(cdr(period(60, kwh=10)), december) == "6"
    assert lint_connector([november, december]) == []


def test_a_reservation_that_is_used() -> None:
    tariff = built(per_kwh=amount("0.5"), reservation=Reservation(fee=amount("1"), per_hour=amount("4")))
    assert excl(cdr(period(30, reservation=True), period(60, kwh=10, time=True)), tariff) == "8"


def test_a_reservation_that_expires() -> None:
    """2.3: the expiry fee replaces the fee; time is paid as of a reservation that is used."""
    reservation = Reservation(fee=amount("1"), per_hour=amount("4"), expiry_fee=amount("5"))
    tariff = built(per_kwh=amount("0.5"), start_fee=amount("2"), reservation=reservation)
    assert excl(cdr(period(30, reservation=True)), tariff) == "7"


def test_all_of_it_together() -> None:
    tariff = built(
        per_kwh=amount("0.5"),
        vat=amount("21"),
        start_fee=amount("1"),
        parking=Parking(per_hour=amount("6"), free_minutes=60),
        windows=(Window(per_kwh=amount("0.3"), start=12 * HOUR, end=13 * HOUR),),
        reservation=Reservation(fee=amount("2")),
    )
    reserved, before, within, parked = (
        period(30, reservation=True),
        period(90, kwh=10, time=True),
        period(60, kwh=10, time=True),
        period(30, parking=True),
    )
    assert total(cdr(reserved, before, within, parked), tariff) == ("14", "16.94")


def test_least_and_most_have_their_vat() -> None:
    tariff = built(per_kwh=amount("0.5"), vat=amount("19"), least=amount("2"), most=amount("30"))
    assert tariff["min_price"] == {"excl_vat": 2, "incl_vat": amount("2.38")}
    assert total(cdr(period(60, kwh=1)), tariff) == ("2", "2.38")
    assert lint(tariff) == []


# --- property -------------------------------------------------------------------------------------------------------

PRICES = st.decimals(min_value=0, max_value=9, places=2)
WINDOWS = st.builds(
    Window,
    per_kwh=PRICES,
    start=st.integers(0, 23).map(lambda hour: hour * HOUR),
    end=st.integers(1, 24).map(lambda hour: hour * HOUR),
    days=st.frozensets(st.integers(0, 6)),
)
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "per_kwh": PRICES,
    "per_hour": PRICES,
    "start_fee": PRICES,
    "vat": st.sampled_from([Decimal(0), Decimal("7.7"), Decimal(19)]),
    "windows": st.lists(WINDOWS, max_size=4).map(tuple),
    "parking": st.builds(Parking, per_hour=PRICES, free_minutes=st.sampled_from([0, 15, 240])),
    "reservation": st.builds(
        Reservation, fee=st.none() | PRICES, per_hour=st.none() | PRICES, expiry_fee=st.none() | PRICES
    ),
    "months": st.lists(
        st.builds(Month, first=st.integers(1, 12).map(lambda month: date(2026, month, 1)), per_kwh=PRICES), max_size=3
    ).map(tuple),
    "is_free": st.booleans(),
    "least": PRICES,
    "most": PRICES,
}
PLANS = st.fixed_dictionaries({}, optional=PARTS).map(lambda parts: plan(zone=BERLIN, **parts))


@settings(max_examples=300, deadline=None)
@given(PLANS)
def test_what_is_built_is_valid_without_lint_errors_and_can_be_priced(meant: Plan) -> None:
    try:
        found = build(meant, STAMP)
    except BadInput as refused:
        assert refused.path
        return
    for tariff in found:
        assert validation.check(tariff, Tariff) == []
        assert passes(lint(tariff))
        assert {one.code for one in lint(tariff) if one.code.severity == "W"} <= {"price_scale"}
        assert len(samples.priced(tariff, date(2026, 3, 9), BERLIN)) == 3


# --- what cannot be said --------------------------------------------------------------------------------------------

ALWAYS = amount("0.5")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({}, "/per_kwh"),
        ({"parking": Parking(per_hour=ALWAYS)}, "/per_kwh"),
        ({"per_kwh": amount("-0.1")}, "/per_kwh"),
        ({"per_kwh": amount("0.12345")}, "/per_kwh"),
        ({"per_kwh": amount("NaN")}, "/per_kwh"),
        ({"per_kwh": ALWAYS, "vat": amount("119")}, "/vat"),
        ({"per_kwh": ALWAYS, "is_free": True}, "/is_free"),
        ({"per_kwh": ALWAYS, "least": amount("3"), "most": amount("2")}, "/least"),
        ({"per_kwh": ALWAYS, "reservation": Reservation()}, "/reservation"),
        ({"per_kwh": ALWAYS, "parking": Parking(per_hour=ALWAYS, free_minutes=-1)}, "/parking/free_minutes"),
        ({"per_kwh": ALWAYS, "parking": Parking(per_hour=amount("-1"))}, "/parking/per_hour"),
        ({"per_hour": ALWAYS, "windows": (Window(per_kwh=ALWAYS, start=0, end=60),)}, "/per_kwh"),
        ({"per_kwh": ALWAYS, "windows": (Window(per_kwh=ALWAYS, start=60, end=60),)}, "/windows/0/end"),
        ({"per_kwh": ALWAYS, "windows": (Window(per_kwh=ALWAYS, start=0, end=1440),)}, "/windows/0"),
        (
            {
                "per_kwh": ALWAYS,
                "windows": (Window(per_kwh=ALWAYS, start=0, end=1440, days=frozenset(range(7))),),
            },
            "/windows/0",
        ),
        (
            {
                "per_kwh": ALWAYS,
                "windows": (
                    Window(per_kwh=ALWAYS, start=0, end=720),
                    Window(per_kwh=ALWAYS, start=720, end=1440),
                ),
            },
            "/windows/1",
        ),
        ({"per_kwh": ALWAYS, "windows": (Window(per_kwh=ALWAYS, start=1440, end=60),)}, "/windows/0/start"),
        (
            {
                "per_kwh": ALWAYS,
                "windows": (
                    Window(per_kwh=ALWAYS, start=0, end=120, days=frozenset({SATURDAY})),
                    Window(per_kwh=ALWAYS, start=1320, end=60, days=frozenset({FRIDAY})),
                ),
            },
            "/windows/1",
        ),
        ({"per_kwh": ALWAYS, "months": (Month(first=date(2026, 1, 1), per_kwh=ALWAYS),)}, "/per_kwh"),
        ({"months": (Month(first=date(2026, 1, 2), per_kwh=ALWAYS),)}, "/months/0/first"),
        ({"months": (Month(first=date(2026, 1, 1), per_kwh=ALWAYS),) * 2}, "/months/1/first"),
        (
            {"months": (Month(first=date(2026, 1, 1), per_kwh=ALWAYS),), "ends": datetime(2026, 1, 1, tzinfo=UTC)},
            "/ends",
        ),
        ({"per_kwh": ALWAYS, "starts": times.parse(STAMP), "ends": times.parse(STAMP)}, "/ends"),
        ({"per_kwh": ALWAYS, "ends": datetime(2026, 1, 1)}, "/ends"),
        ({"per_kwh": ALWAYS, "id": ""}, "/id"),
        ({"per_kwh": ALWAYS, "id": "A" * 37}, "/id"),
        ({"months": (Month(first=date(2026, 1, 1), per_kwh=ALWAYS),), "id": "A" * 29}, "/id"),
    ],
)
def test_what_cannot_be_said_is_refused_where_it_stands(changes: dict[str, Any], pointer: str) -> None:
    assert fault(**changes).pointer == pointer


def test_samples_lie_within_the_validity_of_the_tariff() -> None:
    tariff = built(per_kwh=amount("0.5"), starts=times.parse("2027-05-01T00:00:00Z"))
    found = samples.priced(tariff, date(2026, 3, 9), BERLIN)
    assert [one.total.excl for one in found] == [amount("10"), amount("22"), amount("15")]
    assert found[0].costs == {"energy": amount("10")}
