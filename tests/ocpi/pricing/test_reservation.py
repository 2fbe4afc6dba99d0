"""Reservations (§mod_tariffs_reservation_restriction_type); pricing notes 2.3, 3.6 and 3.7."""

from ocpi.pricing.readings import Readings, Reservation
from tests.kit.pricing import cdr, codes, costs, element, excl, flat, net, period, price, tariff, told

HELD = element(price("TIME", "6", step=600), price("FLAT", "2"), reservation="RESERVATION")
EXPIRED = element(price("FLAT", "5"), reservation="RESERVATION_EXPIRES")
CHARGING = element(price("FLAT", "1"), price("ENERGY", "0.50"), price("TIME", "60"))
PRICES = tariff(EXPIRED, HELD, CHARGING)
ONLY_HELD = cdr(period(30, reservation=True))


def test_a_reservation_that_was_used_has_the_price_of_a_reservation() -> None:
    """P2.3: with a flat fee of its own beside the start fee (P3.6)."""
    result = told(cdr(period(14, reservation=True), period(60, kwh=10)), PRICES)
    assert net(result, "total_reservation_cost") == "4"
    assert net(result, "total_fixed_cost") == "1"
    assert net(result) == "10"


def test_an_expired_one_has_the_price_of_expiry_and_else_that_of_a_reservation() -> None:
    """P2.3: looked up by dimension, and without start fee."""
    result = told(ONLY_HELD, PRICES)
    assert net(result, "total_reservation_cost") == "8"
    assert net(result) == "8"
    assert "reservation_expired" in codes(result)


def test_what_became_of_it_can_be_said() -> None:
    """P2.3"""
    used = Readings(reservation=Reservation.USED)
    expired = Readings(reservation=Reservation.EXPIRED)
    assert excl(ONLY_HELD, PRICES, readings=used) == "5"
    assert excl(cdr(period(30, reservation=True), period(5, kwh=0)), PRICES, readings=expired) == "8"


def test_an_expired_reservation_has_no_minimum_but_a_maximum() -> None:
    """P2.3, P3.5"""
    assert excl(ONLY_HELD, PRICES | {"min_price": costs("20")}) == "8"
    assert excl(ONLY_HELD, PRICES | {"max_price": costs("3")}) == "3"


def test_a_session_that_waits_for_its_driver_has_not_expired() -> None:
    """P2.3"""
    waiting = ONLY_HELD | {"status": "RESERVATION", "kwh": 0}
    del waiting["total_energy"]
    assert excl(waiting, PRICES) == "5"


def test_a_period_may_report_reservation_and_charging() -> None:
    """P1.4: each is looked up by itself."""
    charge = cdr(period(60, reservation="0.5", time="0.5", kwh=10))
    assert excl(charge, PRICES) == "41"


def test_without_a_reservation_price_it_is_free_and_noted() -> None:
    """P3.7"""
    result = told(cdr(period(30, reservation=True), period(60, kwh=10)), tariff(CHARGING))
    assert net(result) == "6"
    assert "reservation_free" in codes(result)


def test_reservation_prices_do_not_serve_charging() -> None:
    """P2.2"""
    assert excl(cdr(period(60, time=True)), tariff(HELD)) == "0"


def test_reservation_time_is_rounded_by_itself() -> None:
    """P3.1"""
    prices = tariff(
        element(price("TIME", "6", step=1800), reservation="RESERVATION"), element(price("TIME", "60", step=600))
    )
    assert excl(cdr(period(20, reservation=True), period(11, time=True)), prices) == "23"


def test_durations_count_from_the_start_of_charging() -> None:
    """P3.4"""
    prices = tariff(element(price("ENERGY", "1"), max_duration=1800), element(price("ENERGY", "9")))
    charge = cdr(period(45, reservation=True), period(15, kwh=1), period(15, kwh=1), period(15, kwh=1))
    assert excl(charge, prices) == "11"


def test_the_minimum_holds_for_a_session_after_a_reservation() -> None:
    """P3.5"""
    assert excl(cdr(period(14, reservation=True), period(1, kwh=1)), PRICES | {"min_price": costs("20")}) == "20"


def test_an_unrestricted_fee_is_no_fee_for_an_expired_reservation() -> None:
    """P3.7"""
    assert excl(ONLY_HELD, flat(price("FLAT", "1"))) == "0"
