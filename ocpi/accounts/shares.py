"""Net amount and VAT of one CDR by rate. Pure.

A CDR says its total without and with VAT, not the rates. They are, in this order: the one rate of the tariffs in it,
if it gives the claimed total; the rates of the tariffs as the engine applies them, if it computes the very total that
is claimed; else the one rate that the two totals show. What no rate accounts for is told as such, never guessed.
The shares of a CDR always add up to its claim, digit for digit, and a credit CDR has those of its original, negated.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from ocpi.pricing import taxes
from ocpi.pricing.case import open_case
from ocpi.pricing.exact import arithmetic, percent, ratio
from ocpi.pricing.faults import BadInput
from ocpi.pricing.figures import ONCE, Rounding, minor_unit
from ocpi.store.documents import objects
from ocpi.types import codec

NOT_TOLD = "not told"  # the CDR has no amount with VAT
NO_VAT = "none"  # its tariff names no rate, and there is none
SEVERAL = "several"  # rates that its totals do not tell apart

_MOST = Decimal(10) ** 12  # nobody charges for that much
_PLACES = -20


class Unreadable(ValueError):
    """A total that cannot be settled, and why."""


class Face(msgspec.Struct):
    """What settling needs of a CDR; anything may stand in a partner's document."""

    id: Any = ""
    session_id: Any = None
    currency: Any = None
    total_cost: Any = None
    total_energy: Any = None
    start_date_time: Any = None
    end_date_time: Any = None
    credit: Any = None
    credit_reference_id: Any = None
    tariffs: Any = None


face = msgspec.json.Decoder(Face, float_hook=Decimal).decode


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a CDR's total; `rate` is percent as text, or one of the words above. `tax` None: not told."""

    rate: str
    net: Decimal
    tax: Decimal | None


def shares(cdr: Face, text: str) -> list[Share]:
    """The shares of a CDR, whose stored text is given too; raises `Unreadable`."""
    net, gross = total(cdr)
    if gross is None:
        return [Share(NOT_TOLD, net, None)]
    rates = _rates(cdr.tariffs)
    with arithmetic():
        if len(rates) > 1 and (found := _priced(text, net, gross)):
            return found
        giving = [rate for rate in rates if _gives(rate, net, gross, cdr.currency)]
        if len(giving) == 1:
            rate = NO_VAT if giving[0] is None else _written(giving[0])
        else:
            rate = SEVERAL if len(rates) > 1 else _shown(net, gross, cdr.currency)
        return [Share(rate, net, gross - net)]


def total(cdr: Face) -> tuple[Decimal, Decimal | None]:
    """What the CDR claims without and with VAT; raises `Unreadable`."""
    price = cdr.total_cost if isinstance(cdr.total_cost, dict) else {}
    net, gross = (_number(price.get(name)) for name in ("excl_vat", "incl_vat"))
    if net is None:
        raise Unreadable("its total is no amount")
    if any(abs(amount) >= _MOST or _is_too_fine(amount) for amount in (net, gross) if amount is not None):
        raise Unreadable("its total is beyond reason")
    if not currency(cdr):
        raise Unreadable("it has no currency")
    return net, gross


def currency(cdr: Face) -> str:
    """ISO 4217, upper case; empty when it is none."""
    found = cdr.currency
    return found.upper() if isinstance(found, str) and len(found) == 3 and found.isascii() and found.isalpha() else ""


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    found = Decimal(value)
    return found if found.is_finite() else None


def _is_too_fine(amount: Decimal) -> bool:
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent < _PLACES


def _rates(tariffs: Any) -> set[Decimal | None]:
    """The rates of all price components in the CDR's tariffs."""
    found: set[Decimal | None] = set()
    for tariff in objects({"tariffs": tariffs}, "tariffs"):
        for element in objects(tariff, "elements"):
            found.update(_number(component.get("vat")) for component in objects(element, "price_components"))
    return found


def _gives(rate: Decimal | None, net: Decimal, gross: Decimal, currency: Any) -> bool:
    """Whether the rate leads from the one total to the other, at four decimals or in the smallest unit."""
    exact = net + net * percent(rate) if rate is not None else net
    coin = Rounding(places=minor_unit(currency if isinstance(currency, str) else None))
    return ONCE.round(exact) == ONCE.round(gross) or coin.round(exact) == coin.round(gross)


def _priced(text: str, net: Decimal, gross: Decimal) -> list[Share]:
    """By the rates that the engine applied; nothing when it computes another total."""
    document = codec.decode(text.encode())
    sign = -1 if document.get("credit") is True else 1
    try:
        case = open_case(document)
        computed = case.total
    except BadInput:
        return []
    if computed.incl is None or (computed.excl, computed.incl) != (ONCE.round(sign * net), ONCE.round(sign * gross)):
        return []
    found = [
        Share(NO_VAT if line.rate is None else _written(line.rate), sign * line.base, sign * line.tax)
        for line in taxes.lines(case.priced, computed, ONCE)
        if line.limit is None
    ]
    left = net - sum(share.net for share in found), gross - net - sum(share.tax or 0 for share in found)
    return [*found, Share(SEVERAL, *left)] if any(left) else found


def _shown(net: Decimal, gross: Decimal, currency: Any) -> str:
    """The rate that the two totals show: the roundest that gives them; several when there is none."""
    if net == gross:
        return _written(Decimal(0))
    if not net:
        return SEVERAL
    exact = ratio(gross * 100, net) - 100
    for places in (0, 1, 2):
        rate = Rounding(places=places).round(exact)
        if rate >= 0 and _gives(rate, net, gross, currency):
            return _written(rate)
    return SEVERAL


def _written(rate: Decimal) -> str:
    """21.0 as 21."""
    return f"{rate.normalize():f}"
