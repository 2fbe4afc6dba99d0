"""Exact arithmetic, and the only divisions of the package.

A price per hour times seconds is a number of 3600ths. Money stays in 3600ths while it is summed, so the division is
the last step and a sum of thirds is still exact; each figure is rounded once, afterwards.
"""

from collections.abc import Callable
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow, getcontext, setcontext
from functools import cache

ZERO = Decimal(0)
ONE = Decimal(1)
HOUR = Decimal(3600)

_CONTEXT = Context(prec=100, traps=[InvalidOperation, DivisionByZero, Overflow])
_PLAIN_PLACES = 20


class arithmetic:
    """Everything between reading and figures runs in here: enough digits for exact products of wire numbers."""

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        before = self._before = getcontext()
        if before is not _CONTEXT:
            setcontext(_CONTEXT)  # `localcontext` would take a copy each time, and nobody changes this one

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if (before := self._before) is not _CONTEXT:
            setcontext(before)


def money(parts: Decimal) -> Decimal:
    """3600ths of the currency as an amount."""
    return parts / HOUR


def ratio(part: Decimal, whole: Decimal) -> Decimal:
    return part / whole


def percent(rate: Decimal) -> Decimal:
    """20 as 0.20; a shift of the point, exact."""
    return rate.scaleb(-2)


def rounded(value: Decimal, places: int, mode: str) -> Decimal:
    return value.quantize(_quantum(places), mode)


def rounder(places: int, mode: str) -> Callable[[Decimal], Decimal]:
    """What makes 3600ths of the currency a rounded amount: `rounded(money(parts), places, mode)`."""
    quantum = _quantum(places)
    return lambda parts: (parts / HOUR).quantize(quantum, mode)


@cache
def _quantum(places: int) -> Decimal:
    return ONE.scaleb(-places)


def plain(value: Decimal) -> Decimal:
    """For documents: no exponent, at least two decimals when there are any, at most 20."""
    with arithmetic():
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int) or exponent == 0:
            return value
        digits = f"{value.quantize(ONE.scaleb(-min(max(-exponent, 0), _PLAIN_PLACES))):f}"
    whole, _, fraction = digits.partition(".")
    fraction = fraction.rstrip("0")
    return Decimal(f"{whole}.{fraction.ljust(2, '0')}" if fraction else whole if whole != "-0" else "0")
