"""What a result has to show for itself; pricing notes 6."""

from decimal import Decimal

from ocpi.pricing import ENGINE_VERSION
from ocpi.pricing.kinds import COSTS
from tests.kit.pricing import cdr, costs, element, excl, flat, opened, period, price, tariff, told, verdict

PRICES = tariff(
    element(price("ENERGY", "0.10", vat="19"), start_time="22:00", end_time="06:00"),
    element(price("ENERGY", "0.40", vat="19", step=1000), day_of_week=["MONDAY"], max_kwh=50),
    element(price("ENERGY", "0.90", vat="19")),
)
RESULT = told(cdr(period(30, kwh="10.0000"), period(30, kwh="2.3", time="0.5")), PRICES, zone="Europe/Berlin")


def test_the_contract_of_the_command_is_kept() -> None:
    keys = ["total_cost", *COSTS, "total_energy", "total_time", "total_parking_time", "periods", "notes"]
    assert {*keys, "alternatives", "agrees", "differences"} <= RESULT.keys()
    assert all(RESULT[name].keys() == {"excl_vat", "incl_vat"} for name in ("total_cost", *COSTS))


def test_a_period_shows_both_clocks_and_the_state_at_its_start() -> None:
    found = RESULT["periods"][1]
    assert (found["start"], found["end"]) == ("2026-03-09T10:30:00Z", "2026-03-09T11:00:00Z")
    assert found["local_start"] == "2026-03-09T11:30:00+01:00"
    assert (found["kwh_before"], found["elapsed_before"]) == (10, 1800)
    assert found["seconds"] == {"TIME": 1800}
    assert {"type": "TIME", "measured_volume": Decimal("0.5")} in found["dimensions"]


def test_a_segment_shows_its_price_and_its_quantities() -> None:
    (found,) = RESULT["periods"][1]["segments"]
    assert (found["tariff_id"], found["element"], found["component"]) == ("T", 1, 0)
    assert found["at"] == "/elements/1/price_components/0"
    assert (found["quantity"], found["billed"], found["surplus"]) == (Decimal("2.3"), 3, Decimal("0.7"))
    assert (found["price"], found["vat"], found["step_size"]) == (Decimal("0.40"), 19, 1000)
    assert (found["excl_vat"], found["incl_vat"]) == (Decimal("1.20"), Decimal("1.428"))


def test_a_segment_shows_why_its_element_matched_and_earlier_ones_did_not() -> None:
    (found,) = RESULT["periods"][1]["segments"]
    assert found["because"] == [
        {"restriction": "day_of_week", "bound": ["MONDAY"], "seen": "MONDAY", "holds": True},
        {"restriction": "max_kwh", "bound": 50, "seen": 10, "holds": True},
    ]
    (other,) = found["passed_over"]
    assert other["at"] == "/elements/0/price_components/0"
    assert other["because"] == [{"restriction": "time", "bound": "22:00-06:00", "seen": "11:30:00", "holds": False}]


def test_what_nobody_prices_is_shown_with_what_was_tried() -> None:
    (found,) = RESULT["periods"][1]["unpriced"]
    assert (found["dimension"], found["quantity"], found["unit"]) == ("TIME", 1800, "s")


def test_the_tariff_is_there_as_it_was_with_a_hash_of_its_content() -> None:
    (found,) = RESULT["tariffs"]
    assert found["snapshot"]["elements"] == PRICES["elements"]
    mixed = dict(reversed(PRICES.items()))
    assert told(cdr(period(9, kwh=1)), mixed)["tariffs"][0]["sha256"] == found["sha256"]


def test_how_it_was_computed_is_there() -> None:
    assert RESULT["policy"] == {"mode": "half_up", "stage": "total", "places": 4}
    assert (RESULT["engine"], RESULT["time_zone"], RESULT["time_zone_source"]) == (
        ENGINE_VERSION,
        "Europe/Berlin",
        "argument",
    )


def test_pointers_lead_into_the_document_that_brought_the_tariff() -> None:
    own, other = flat(price("ENERGY", "1"), id="own"), flat(price("ENERGY", "2"), id="other")
    charge = cdr(period(9, kwh=1, tariff_id="other"))
    found = told(charge | {"tariffs": [own, other]})["periods"][0]["segments"][0]
    assert found["at"] == "/tariffs/1/elements/0/price_components/0"
    found = told(charge, own, other)["periods"][0]["segments"][0]
    assert found["at"] == "/1/elements/0/price_components/0"


def test_segments_add_up_to_the_exact_total() -> None:
    segments = [segment for one in RESULT["periods"] for segment in one["segments"]]
    assert sum(segment["excl_vat"] for segment in segments) == RESULT["exact"]["excl_vat"]


def test_every_note_is_a_code_with_a_sentence_and_a_place() -> None:
    for found in RESULT["notes"]:
        assert found["code"] and found["message"].endswith(".") and "at" in found


def test_a_cdr_made_of_the_figures_agrees() -> None:
    charge = cdr(period(30, kwh="10.0000"), period(30, kwh="2.3", time="0.5"))
    made = charge | {name: RESULT[name] for name in ("total_cost", *COSTS, "total_energy", "total_time")}
    assert verdict(made, PRICES, zone="Europe/Berlin").agrees


def test_a_long_session_is_priced_in_proportion() -> None:
    """A period costs the same in a session of many."""
    charge = cdr(*[period(1, kwh="0.1")] * 1200)
    assert excl(charge, flat(price("ENERGY", "1"))) == "120"
    assert len(opened(charge, flat(price("ENERGY", "1"))).priced.segments) == 1200


def test_a_limit_is_a_line_of_its_own() -> None:
    result = told(cdr(period(9, kwh=10)), flat(price("ENERGY", "1", vat="20"), max_price=costs("4", "5")))
    assert result["limits"] == [
        {
            "limit": "max_price",
            "bound": {"excl_vat": 4, "incl_vat": 5},
            "before": {"excl_vat": 10, "incl_vat": 12},
            "after": {"excl_vat": 4, "incl_vat": 5},
        }
    ]
