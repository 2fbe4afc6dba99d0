"""Every rule fires on its example and is silent on a clean neighbour; pricing notes 8."""

import random
from decimal import Decimal
from typing import Any

import pytest

from ocpi.pricing.faults import BadInput
from ocpi.pricing.lint.checking import lint, lint_connector
from ocpi.pricing.lint.findings import Code, Finding
from ocpi.pricing.restrictions import WEEKDAYS
from ocpi.pricing.scalars import instant
from tests.kit.pricing import Document, costs, element, flat, price, tariff

ENERGY = price("ENERGY", "0.5", vat="20", step=1)
OTHER = price("ENERGY", "0.7", vat="20", step=1)
TIME = price("TIME", "2", vat="20", step=1)
PARKING = price("PARKING_TIME", "3", vat="20", step=1)
FALLBACK = element(ENERGY)


def found(document: Document, code: str, **options: Any) -> list[Finding]:
    return [finding for finding in lint(document, **options) if finding.code == code]


def at(document: Document, code: str, **options: Any) -> list[str]:
    """Where the rule fires."""
    return [finding.pointer for finding in found(document, code, **options)]


def test_an_ordinary_tariff_is_clean() -> None:
    assert lint(flat(ENERGY, TIME, PARKING, price("FLAT", "1", vat="20"), max_price=costs("50", "60"))) == []


def test_dead_element() -> None:
    """P8: the window is covered by an element that always applies, or by two that share it."""
    evening = element(OTHER, start_time="17:00", end_time="20:00")
    assert at(tariff(FALLBACK, evening), "dead_element") == ["/elements/1"]
    assert at(tariff(evening, FALLBACK), "dead_element") == []
    halves = [element(ENERGY, start_time="16:00", end_time="18:30"), element(TIME, ENERGY, start_time="18:00")]
    assert at(tariff(*halves, evening, FALLBACK), "dead_element") == ["/elements/2"]
    assert at(tariff(*halves, element(OTHER, start_time="15:59", end_time="20:00")), "dead_element") == []


@pytest.mark.parametrize(
    ("first", "second", "third"),
    [
        ({"max_kwh": 10}, {"min_kwh": 10, "max_kwh": 20}, {"min_kwh": 5, "max_kwh": 15}),
        ({"max_duration": 60}, {"min_duration": 60}, {"min_duration": 30}),
        ({"max_power": 22}, {"min_power": 22}, {"max_power": 50}),
        ({"max_current": 16}, {"min_current": 16}, {"max_current": 32}),
        ({"day_of_week": ["SATURDAY"]}, {"day_of_week": ["SUNDAY"]}, {"day_of_week": ["SATURDAY", "SUNDAY"]}),
        ({"start_date": "2026-03-09", "end_date": "2026-03-10"}, {}, {"day_of_week": ["MONDAY"], "max_kwh": 1}),
        ({"end_date": "2026-03-09"}, {"start_date": "2026-03-09"}, {"start_date": "2026-01-01"}),
        ({"start_time": "22:00", "end_time": "06:00"}, {"start_time": "06:00"}, {"end_time": "12:00"}),
        ({"start_time": "09:00", "end_time": "09:00"}, {"max_kwh": 1}, {"min_kwh": 1}),
    ],
)
def test_elements_die_in_every_dimension(first: Any, second: Any, third: Any) -> None:
    """P8: what the first two cover together, and neither of them alone needs to."""
    dead = tariff(element(ENERGY, **first), element(ENERGY, **second), element(OTHER, **third))
    assert at(dead, "dead_element")[-1:] == ["/elements/2"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"max_kwh": 10}, {"max_kwh": Decimal("10.5")}),
        ({"max_current": 16}, {}),
        ({"day_of_week": ["MONDAY"]}, {"start_date": "2026-03-09", "end_date": "2026-03-11"}),
        ({"start_time": "22:00", "end_time": "06:00"}, {"end_time": "06:01"}),
        ({"max_kwh": 10, "max_power": 22}, {"max_kwh": 10}),
    ],
)
def test_elements_that_are_needed_sometimes_live(first: Any, second: Any) -> None:
    assert at(tariff(element(ENERGY, **first), element(OTHER, **second)), "dead_element") == []


def test_an_element_for_unmeasured_current_lives() -> None:
    """P3.8: without a measurement neither of the first two applies."""
    bands = [element(ENERGY, max_current=32), element(ENERGY, min_current=32)]
    assert at(tariff(*bands, element(OTHER)), "dead_element") == []
    assert at(tariff(*bands), "gap") == ["/elements"]
    (gap,) = found(tariff(*bands), "gap")
    assert gap.witness == {"current": "not measured"}


def test_reservations_have_a_world_of_their_own() -> None:
    """P2.3: an element for charging kills none for a reservation."""
    held = element(price("TIME", "1"), reservation="RESERVATION")
    assert at(tariff(element(TIME), held), "dead_element") == []
    assert at(tariff(held, held), "dead_element") == ["/elements/1"]


def test_dead_component() -> None:
    """P8: the other price of the element is alive."""
    assert at(tariff(FALLBACK, element(OTHER, TIME)), "dead_component") == ["/elements/1/price_components/0"]
    assert at(tariff(element(ENERGY, max_kwh=1), element(OTHER, TIME)), "dead_component") == []


def test_a_hostile_tariff_does_not_take_for_ever() -> None:
    """Boxes that overlap at random: a long search ends without a verdict, never with a wrong one."""
    dice = random.Random(7)
    boxes = [
        {f"{dice.choice(['min', 'max'])}_{unit}": dice.randrange(1, 30) for unit in ("kwh", "power", "duration")}
        | {"day_of_week": dice.sample(WEEKDAYS, 5)}
        for _ in range(80)
    ]
    findings = lint(tariff(FALLBACK, *(element(TIME, **box) for box in boxes), element(TIME), element(OTHER)))
    assert "/elements/82" in [finding.pointer for finding in findings if finding.code == "dead_element"]
    assert "gap" not in [finding.code for finding in findings]


@pytest.mark.parametrize("unit", ["kwh", "power", "current", "duration"])
def test_unreachable_restriction(unit: str) -> None:
    """P8"""
    assert at(tariff(element(OTHER, **{f"min_{unit}": 5, f"max_{unit}": 5}), FALLBACK), "unreachable_restriction") == [
        "/elements/0/restrictions"
    ]
    assert at(tariff(element(OTHER, **{f"min_{unit}": 5, f"max_{unit}": 6}), FALLBACK), "unreachable_restriction") == []


def test_unreachable_dates() -> None:
    """P8: in a restriction, of a weekday that is not among them, and of the tariff."""
    dates = {"start_date": "2026-03-09", "end_date": "2026-03-09"}
    assert at(tariff(element(OTHER, **dates), FALLBACK), "unreachable_restriction") == ["/elements/0/restrictions"]
    dates["end_date"] = "2026-03-10"
    assert at(tariff(element(OTHER, **dates), FALLBACK), "unreachable_restriction") == []
    sunday = element(OTHER, **dates, day_of_week=["SUNDAY"])
    assert at(tariff(sunday, FALLBACK), "unreachable_restriction") == ["/elements/0/restrictions"]
    times = {"start_date_time": "2026-03-09T00:00:00Z", "end_date_time": "2026-03-09T00:00:00Z"}
    assert at(flat(ENERGY, **times), "unreachable_restriction") == ["/end_date_time"]


def test_tariff_over() -> None:
    """P8: only when somebody says what time it is."""
    ended = flat(ENERGY, end_date_time="2026-03-09T10:00:00Z")
    assert at(ended, "tariff_over", now=instant("2026-03-09T10:00:00Z")) == ["/end_date_time"]
    assert at(ended, "tariff_over", now=instant("2026-03-09T09:59:59Z")) == at(ended, "tariff_over") == []


def test_gap() -> None:
    """P8: with a witness."""
    daytime = element(ENERGY, start_time="08:00", end_time="20:00", max_kwh=50)
    (gap,) = found(tariff(daytime), "gap")
    assert gap.witness == {"time": "00:00", "kwh": 0}
    assert found(tariff(daytime, FALLBACK), "gap") == []
    assert found(tariff(element(ENERGY, max_kwh=50)), "gap")[0].witness == {"kwh": 50}
    assert found(tariff(element(ENERGY, max_kwh=50), element(ENERGY, min_kwh=50)), "gap") == []


def test_a_fee_may_have_gaps() -> None:
    """P8: a start fee is no price of something that is used."""
    assert found(tariff(element(price("FLAT", "1"), start_time="08:00"), FALLBACK), "gap") == []


def test_free_by_omission() -> None:
    """P8"""
    assert "PARKING_TIME" in found(flat(TIME), "free_by_omission")[0].message
    assert "TIME, though PARKING_TIME" in found(flat(ENERGY, PARKING), "free_by_omission")[0].message
    assert "Neither" in found(flat(price("FLAT", "5")), "free_by_omission")[0].message
    assert found(flat(ENERGY), "free_by_omission") == found(flat(TIME, PARKING), "free_by_omission") == []


def test_overlap() -> None:
    """P8: some cases in common, with a witness; a fallback is none, nor are equal prices."""
    day, first = {"start_time": "08:00", "end_time": "20:00"}, {"max_kwh": 10}
    (overlap,) = found(tariff(element(ENERGY, **day), element(OTHER, **first), FALLBACK), "overlap")
    assert (overlap.pointer, overlap.witness) == ("/elements/1/price_components/0", {"time": "08:00", "kwh": 0})
    assert found(tariff(element(ENERGY, **day), element(ENERGY, **first), FALLBACK), "overlap") == []
    assert found(tariff(element(ENERGY, **day, **first), element(OTHER, **day), FALLBACK), "overlap") == []


def test_duplicate_dimension() -> None:
    """P8"""
    assert at(flat(ENERGY, OTHER), "duplicate_dimension") == ["/elements/0/price_components/1"]
    assert at(flat(ENERGY, TIME), "duplicate_dimension") == []


@pytest.mark.parametrize("empty", [{}, {"min_kwh": None}, {"day_of_week": []}])
def test_empty_restrictions(empty: Document) -> None:
    """P8"""
    assert at(tariff(FALLBACK | {"restrictions": empty}), "empty_restrictions") == ["/elements/0/restrictions"]
    assert (
        at(tariff(FALLBACK), "empty_restrictions") == at(tariff(element(ENERGY, min_kwh=0)), "empty_restrictions") == []
    )


def test_whole_day_window() -> None:
    """P8"""
    window = {"start_time": "09:00", "end_time": "09:00"}
    assert at(tariff(element(ENERGY, **window)), "whole_day_window") == ["/elements/0/restrictions/end_time"]
    assert at(tariff(element(ENERGY, **window | {"end_time": "09:01"})), "whole_day_window") == []


def test_end_0000_alone() -> None:
    """P8"""
    assert at(tariff(element(ENERGY, end_time="00:00")), "end_0000_alone") == ["/elements/0/restrictions/end_time"]
    assert at(tariff(element(ENERGY, start_time="08:00", end_time="00:00")), "end_0000_alone") == []


@pytest.mark.parametrize("time", ["24:00", "9:00", "08:00:00", "25:99", "noon", 9])
def test_bad_time(time: Any) -> None:
    """P8: also of one that nobody can read."""
    assert at(tariff(element(ENERGY, end_time=time)), "bad_time") == ["/elements/0/restrictions/end_time"]
    assert at(tariff(element(ENERGY, end_time="09:00")), "bad_time") == []


def test_wrap_with_weekday() -> None:
    """P8"""
    night = {"start_time": "22:00", "end_time": "06:00"}
    on_friday = tariff(element(ENERGY, **night, day_of_week=["FRIDAY"]))
    assert at(on_friday, "wrap_with_weekday") == ["/elements/0/restrictions/day_of_week"]
    evening = tariff(element(ENERGY, **night | {"end_time": "00:00"}, day_of_week=["FRIDAY"]))
    assert at(tariff(element(ENERGY, **night)), "wrap_with_weekday") == at(evening, "wrap_with_weekday") == []


def test_weekday_gap() -> None:
    """P8: Sunday was forgotten."""
    week = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]
    elements = [element(ENERGY, day_of_week=week), element(OTHER, day_of_week=["SATURDAY"])]
    (gap,) = found(tariff(*elements), "weekday_gap")
    assert gap.witness == {"day": "SUNDAY"} and "SUNDAY" in gap.message
    assert found(tariff(*elements), "gap") == []
    assert found(tariff(*elements, FALLBACK), "weekday_gap") == []


def test_dst_window() -> None:
    """P8"""
    assert at(tariff(element(ENERGY, end_time="02:30")), "dst_window") == ["/elements/0/restrictions/end_time"]
    assert at(tariff(element(ENERGY, end_time="03:00")), "dst_window") == []


def test_date_in_restriction() -> None:
    """P8"""
    dated = tariff(element(ENERGY, start_date="2026-03-09"))
    assert at(dated, "date_in_restriction") == ["/elements/0/restrictions/start_date"]
    assert at(flat(ENERGY, start_date_time="2026-03-09T00:00:00Z"), "date_in_restriction") == []


def test_step_zero() -> None:
    """P8"""
    assert at(flat(ENERGY | {"step_size": 0}), "step_zero") == ["/elements/0/price_components/0/step_size"]
    assert at(flat(ENERGY), "step_zero") == at(flat(price("FLAT", "1", step=0)), "step_zero") == []


def test_flat_step() -> None:
    """P8"""
    assert at(flat(price("FLAT", "1", step=60)), "flat_step") == ["/elements/0/price_components/0/step_size"]
    assert at(flat(price("FLAT", "1", step=1)), "flat_step") == []


@pytest.mark.parametrize(("kind", "most"), [("ENERGY", 1000), ("TIME", 900), ("PARKING_TIME", 900)])
def test_step_large(kind: str, most: int) -> None:
    """P8"""
    assert at(flat(price(kind, "1", step=most + 1)), "step_large") == ["/elements/0/price_components/0/step_size"]
    assert at(flat(price(kind, "1", step=most)), "step_large") == []


def test_time_step_unused() -> None:
    """P8"""
    timed = TIME | {"step_size": 60}
    assert at(flat(timed, PARKING), "time_step_unused") == ["/elements/0/price_components/0/step_size"]
    assert at(flat(timed), "time_step_unused") == at(flat(TIME, PARKING), "time_step_unused") == []


def test_step_differs() -> None:
    """P8"""
    steps = tariff(element(ENERGY, max_kwh=10), element(OTHER | {"step_size": 100}))
    assert at(steps, "step_differs") == ["/elements/1/price_components/0/step_size"]
    assert at(tariff(element(ENERGY, max_kwh=10), element(OTHER)), "step_differs") == []


def test_reservation_dimension() -> None:
    """P8"""
    wrong = tariff(element(ENERGY, reservation="RESERVATION"), FALLBACK)
    assert at(wrong, "reservation_dimension") == ["/elements/0/price_components/0/type"]
    assert at(tariff(element(TIME, reservation="RESERVATION"), FALLBACK), "reservation_dimension") == []


def test_expires_without_reservation() -> None:
    """P8"""
    expires, used = (element(TIME, reservation=kind) for kind in ("RESERVATION_EXPIRES", "RESERVATION"))
    pointer = "/elements/0/restrictions/reservation"
    assert at(tariff(expires, FALLBACK), "expires_without_reservation") == [pointer]
    assert at(tariff(expires, used, FALLBACK), "expires_without_reservation") == []


def test_reservation_last() -> None:
    """P8: after an element that always applies to the same dimension."""
    held, always = element(TIME, reservation="RESERVATION"), element(TIME, PARKING)
    assert at(tariff(always, held), "reservation_last") == ["/elements/1"]
    assert at(tariff(held, always), "reservation_last") == at(tariff(FALLBACK, held), "reservation_last") == []


def test_several_flats() -> None:
    """P8: one for the reservation and one for charging are two fees."""
    small, large = price("FLAT", "1", vat="20"), price("FLAT", "3", vat="20")
    twice = tariff(element(small, max_kwh=5), element(large), FALLBACK)
    assert at(twice, "several_flats") == ["/elements/1/price_components/0"]
    assert at(tariff(element(large, reservation="RESERVATION"), element(small), FALLBACK), "several_flats") == []


def test_free_tariff_form() -> None:
    """P8, §mod_tariffs_tariff_object"""
    assert at(flat(price("ENERGY", "0")), "free_tariff_form") == ["/elements"]
    assert lint(flat(price("FLAT", "0.00"))) == []


def test_vat_missing_mixed() -> None:
    """P8"""
    assert at(flat(ENERGY, price("FLAT", "1")), "vat_missing_mixed") == ["/elements/0/price_components/1"]
    assert at(flat(price("ENERGY", "1"), price("FLAT", "1")), "vat_missing_mixed") == []


@pytest.mark.parametrize("vat", ["-1", "100.5"])
def test_vat_range(vat: str) -> None:
    """P8"""
    assert at(flat(price("ENERGY", "1", vat=vat)), "vat_range") == ["/elements/0/price_components/0/vat"]
    assert at(flat(price("ENERGY", "1", vat="0")), "vat_range") == []


def test_vat_as_fraction() -> None:
    """P8"""
    assert at(flat(price("ENERGY", "1", vat="0.19")), "vat_as_fraction") == ["/elements/0/price_components/0/vat"]
    assert at(flat(price("ENERGY", "1", vat="0")), "vat_as_fraction") == []


def test_limit_incl_missing() -> None:
    """P8: of no matter where there is no VAT."""
    assert at(flat(ENERGY, min_price=costs("1")), "limit_incl_missing") == ["/min_price"]
    assert at(flat(price("ENERGY", "1"), min_price=costs("1")), "limit_incl_missing") == []


def test_limits_cross() -> None:
    """P8: without VAT or with it."""
    assert at(flat(ENERGY, min_price=costs("6", "7.2"), max_price=costs("5", "6")), "limits_cross") == ["/min_price"]
    assert at(flat(ENERGY, min_price=costs("5", "6"), max_price=costs("5", "6")), "limits_cross") == []


def test_limit_vat_mismatch() -> None:
    """P8: between what the lowest and the highest rate make of it."""
    assert at(flat(ENERGY, max_price=costs("50", "55")), "limit_vat_mismatch") == ["/max_price/incl_vat"]
    mixed = flat(ENERGY, price("FLAT", "1", vat="7"), max_price=costs("50", "55"))
    assert at(mixed, "limit_vat_mismatch") == at(flat(ENERGY, max_price=costs("50", "60")), "limit_vat_mismatch") == []


def test_price_negative() -> None:
    """P8"""
    assert at(flat(price("ENERGY", "-0.01")), "price_negative") == ["/elements/0/price_components/0/price"]
    assert at(flat(price("ENERGY", "0.01")), "price_negative") == []


@pytest.mark.parametrize(("kind", "odd", "fine"), [("ENERGY", "50", "5"), ("TIME", "0.1", "0.2"), ("TIME", "0.1", "0")])
def test_price_scale(kind: str, odd: str, fine: str) -> None:
    """P8: only in currencies whose unit buys about a kWh."""
    assert at(flat(price(kind, odd)), "price_scale") == ["/elements/0/price_components/0/price"]
    assert at(flat(price(kind, fine)), "price_scale") == at(flat(price(kind, odd), currency="HUF"), "price_scale") == []


def test_more_than_4_decimals() -> None:
    """P8"""
    assert at(flat(price("ENERGY", "0.12345")), "more_than_4_decimals") == ["/elements/0/price_components/0/price"]
    assert at(flat(price("ENERGY", "0.123450")), "more_than_4_decimals") != []
    assert at(flat(price("ENERGY", "0.12340")), "more_than_4_decimals") == []


def test_currency_unknown() -> None:
    """P8"""
    assert at(flat(ENERGY, currency="EURO"), "currency_unknown") == ["/currency"]
    assert at(flat(ENERGY, currency="SEK"), "currency_unknown") == []


@pytest.mark.parametrize("text", ["Only 0.50 per kWh", "Nur 0,60 Euro", "0.5!"])
def test_alt_text_repeats_price(text: str) -> None:
    """P8: without VAT or with it."""
    told = flat(ENERGY, tariff_alt_text=[{"language": "en", "text": text}])
    assert at(told, "alt_text_repeats_price") == ["/tariff_alt_text/0/text"]
    told = flat(ENERGY, tariff_alt_text=[{"language": "en", "text": "Free coffee, 24/7"}])
    assert at(told, "alt_text_repeats_price") == []


def test_type_duplicate_on_connector() -> None:
    """P8: one after the other they may be."""
    one, other = flat(ENERGY, type="REGULAR"), flat(OTHER, type="REGULAR", id="B")
    assert [finding.pointer for finding in lint_connector([one, flat(ENERGY), other])] == ["/2/type"]
    noon = "2026-03-09T12:00:00Z"
    assert lint_connector([one | {"end_date_time": noon}, other | {"start_date_time": noon}]) == []


@pytest.mark.parametrize("name", ["dayOfWeek", "min_kWh", "min-kwh", "min_kwhs", "reservaton"])
def test_misspelled_field(name: str) -> None:
    """P8: an unknown name that is nothing like ours is an extension."""
    assert at(tariff(element(ENERGY, **{name: 1})), "misspelled_field") == [f"/elements/0/restrictions/{name}"]
    assert at(tariff(element(ENERGY, x_loyalty=True)), "misspelled_field") == []


def test_unknown_value() -> None:
    """P8"""
    odd = tariff(element(ENERGY, price("SMILES", "1"), day_of_week=["MONDAY", "FUNDAY"]), FALLBACK)
    pointers = ["/elements/0/price_components/1/type", "/elements/0/restrictions/day_of_week/1"]
    assert at(odd, "unknown_value") == pointers
    assert at(tariff(element(TIME, reservation="MAYBE"), FALLBACK), "unknown_value") == [
        "/elements/0/restrictions/reservation"
    ]
    assert at(flat(ENERGY), "unknown_value") == []


def test_the_worst_comes_first() -> None:
    severities = [finding.code.severity for finding in lint(flat(price("ENERGY", "-1", vat="-1"), currency="X"))]
    assert severities == sorted(severities, key="EWI".index) and severities[0] == "E"


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ([], ""),
        ({"elements": []}, "/elements"),
        (flat({"type": "ENERGY", "price": "much", "step_size": 1}), "/elements/0/price_components/0/price"),
        (tariff(element(ENERGY, max_kwh="much")), "/elements/0/restrictions/max_kwh"),
        (flat(ENERGY, min_price={"excl_vat": "x"}), "/min_price/excl_vat"),
        (flat(ENERGY, end_date_time="soon"), "/end_date_time"),
    ],
)
def test_what_cannot_be_priced_is_bad_input(document: Any, pointer: str) -> None:
    with pytest.raises(BadInput) as fault:
        lint(document)
    assert fault.value.pointer == pointer


def test_every_code_has_a_test_of_its_name() -> None:
    """P8: so none is forgotten."""
    named = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert {str(code) for code in Code} <= named
