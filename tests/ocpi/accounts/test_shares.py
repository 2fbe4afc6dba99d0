"""Net amount and VAT of one CDR by rate: they add up to its claim, and nothing is guessed."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ocpi.accounts import shares
from ocpi.accounts.shares import NO_VAT, NOT_TOLD, SEVERAL, Share, Unreadable
from ocpi.types import codec
from tests.kit.billing import bill, component, credit, per_kwh
from tests.kit.objects import Document, price, without

BEGIN = datetime(2025, 3, 10, 12, tzinfo=UTC)


def shared(document: Document) -> list[Share]:
    text = codec.encode_text(document)
    return shares.shares(shares.face(text), text)


def charge(*components: Document, net: str = "2.50", gross: str | None = "3.00", **changes: Any) -> Document:
    return bill(BEGIN, **{"total_cost": price(net, gross), "tariffs": [per_kwh(*components)], **changes})


def rates(document: Document) -> list[str]:
    return [share.rate for share in shared(document)]


def test_the_one_rate_of_its_tariffs_is_the_rate() -> None:
    assert shared(charge()) == [Share("20", Decimal("2.50"), Decimal("0.50"))]


def test_a_total_rounded_to_cents_is_recognized() -> None:
    """10 kWh at 0.333 and 21% are 4.0293."""
    assert rates(charge(component("0.333", "21"), net="3.33", gross="4.03")) == ["21"]


def test_without_an_amount_with_vat_nothing_is_told_of_it() -> None:
    assert shared(charge(gross=None)) == [Share(NOT_TOLD, Decimal("2.50"), None)]


def test_no_rate_and_a_rate_of_zero_are_not_the_same() -> None:
    assert rates(charge(component(vat=None), gross="2.50")) == [NO_VAT]
    assert rates(charge(component(vat="0"), gross="2.50")) == ["0"]


def test_several_rates_are_told_apart_by_the_engine() -> None:
    """10 kWh at 0.25 and 20%, an hour at 1.00 and 10%."""
    document = charge(component(), component("1.00", "10", "TIME"), net="3.50", gross="4.10")
    assert shared(document) == [
        Share("20", Decimal("2.5000"), Decimal("0.5000")),
        Share("10", Decimal("1.0000"), Decimal("0.1000")),
    ]


def test_several_rates_that_do_not_give_the_claim_are_not_guessed() -> None:
    document = charge(component(), component("1.00", "10", "TIME"), net="3.60", gross="4.25")
    assert shared(document) == [Share(SEVERAL, Decimal("3.60"), Decimal("0.65"))]


@pytest.mark.parametrize(
    ("net", "gross", "rate"),
    [("100", "119", "19"), ("0.10", "0.12", "20"), ("100.00", "107.70", "7.7"), ("0", "1", SEVERAL), ("5", "5", "0")],
)
def test_without_tariffs_it_is_the_rate_that_both_totals_show(net: str, gross: str, rate: str) -> None:
    assert rates(without(charge(net=net, gross=gross), "tariffs")) == [rate]


def test_another_rate_than_that_of_the_tariff_is_told_as_it_was_charged() -> None:
    assert rates(charge(component(vat="20"), net="100", gross="119")) == ["19"]


@pytest.mark.parametrize(
    "document",
    [
        charge(),
        charge(gross=None),
        charge(component(), component("1.00", "10", "TIME"), net="3.50", gross="4.10"),
        charge(component("0.333", "21"), net="3.33", gross="4.03"),
    ],
)
def test_a_credit_cdr_has_the_shares_of_its_original_negated(document: Document) -> None:
    taken = [(share.rate, -share.net, share.tax and -share.tax) for share in shared(document)]
    assert [(share.rate, share.net, share.tax) for share in shared(credit(document))] == taken


@pytest.mark.parametrize(
    "changes",
    [
        {"total_cost": {}},
        {"total_cost": price("1e30")},
        {"total_cost": {"excl_vat": Decimal("1e-90")}},
        {"currency": "€"},
        {"total_cost": []},
    ],
)
def test_what_nobody_could_mean_is_not_settled(changes: Document) -> None:
    with pytest.raises(Unreadable):
        shared(charge(**changes))
