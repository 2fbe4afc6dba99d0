"""Documents to price: a tariff in a few words, and a CDR that is a list of stretches of minutes."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ocpi.pricing.audit import Verdict, audit
from ocpi.pricing.breakdown import document
from ocpi.pricing.case import Case, open_case
from ocpi.types import codec, times

Document = dict[str, Any]

MONDAY = "2026-03-09T"
"""A Monday without surprises; its clock is UTC unless a test says otherwise."""

NAMES = {"kwh": "ENERGY", "time": "TIME", "parking": "PARKING_TIME", "reservation": "RESERVATION_TIME"}


def price(kind: str, amount: str, *, vat: str | None = None, step: int = 0) -> Document:
    """A price component; without rounding unless told."""
    component: Document = {"type": kind, "price": Decimal(amount), "step_size": step}
    return component if vat is None else component | {"vat": Decimal(vat)}


def element(*components: Document, **restrictions: Any) -> Document:
    return {"price_components": list(components)} | ({"restrictions": restrictions} if restrictions else {})


def tariff(*elements: Document, id: str = "T", **more: Any) -> Document:
    return {
        "country_code": "DE",
        "party_id": "CPO",
        "id": id,
        "currency": "EUR",
        "elements": list(elements),
        "last_updated": "2026-01-01T00:00:00Z",
        **more,
    }


def flat(*components: Document, **more: Any) -> Document:
    """A tariff of one element that always applies."""
    return tariff(element(*components), **more)


def period(minutes: int | str, *, tariff_id: str | None = None, **volumes: Any) -> Document:
    """A stretch of minutes: `kwh`, and `time`, `parking` or `reservation` in hours; others by their own names.

    A time of `True` is the whole stretch, exactly as long as it is.
    """
    return {"minutes": Decimal(minutes), "tariff_id": tariff_id, "volumes": volumes}


def cdr(*periods: Document, start: str = f"{MONDAY}10:00:00Z", tariffs: Any = (), **more: Any) -> Document:
    """A CDR of these stretches, one after the other."""
    moment = begin = times.parse(start)
    charging_periods = []
    for one in periods:
        charging_periods.append(_period(one, moment))
        moment += timedelta(seconds=int(one["minutes"] * 60))
    return {
        "country_code": "DE",
        "party_id": "CPO",
        "id": "C",
        "start_date_time": start,
        "end_date_time": times.format(moment),
        "currency": "EUR",
        "tariffs": list(tariffs),
        "charging_periods": charging_periods,
        "total_energy": sum((_volume(one, "ENERGY") for one in charging_periods), Decimal(0)),
        "total_time": hours(Decimal(int((moment - begin).total_seconds())) / 60),
        "last_updated": times.format(moment),
        **more,
    }


def hours(minutes: Decimal | int | str) -> Decimal:
    """Minutes as hours, rounded to four decimals as on the wire."""
    return (Decimal(minutes) / 60).quantize(Decimal("0.0001"))


def costs(excl: str, incl: str | None = None) -> Document:
    """A Price."""
    return {"excl_vat": Decimal(excl)} | ({} if incl is None else {"incl_vat": Decimal(incl)})


def opened(charge: Document, *tariffs: Document, zone: str | None = "UTC", **options: Any) -> Case:
    """A case as the command opens it, from JSON; `tariffs` stand in for those of the document."""
    given = [codec.decode(codec.encode(one)) for one in tariffs] or None
    return open_case(
        codec.decode(codec.encode(charge)), given[0] if given and len(given) == 1 else given, zone=zone, **options
    )


def total(charge: Document, *tariffs: Document, **options: Any) -> tuple[str, str]:
    """What it costs, without and with VAT."""
    found = opened(charge, *tariffs, **options).figures.total
    return _shown(found.excl), _shown(found.incl)


def excl(charge: Document, *tariffs: Document, **options: Any) -> str:
    """What it costs without VAT."""
    return total(charge, *tariffs, **options)[0]


def told(charge: Document, *tariffs: Document, **options: Any) -> Document:
    """The whole result, after a trip through JSON."""
    case = opened(charge, *tariffs, **options)
    result = document(case, audit(case))
    returned: Document = codec.decode(codec.encode(result))
    assert returned == result, "the breakdown does not survive JSON"
    return returned


def verdict(charge: Document, *tariffs: Document, **options: Any) -> Verdict:
    return audit(opened(charge, *tariffs, **options))


def codes(result: Document) -> list[str]:
    return [note["code"] for note in result["notes"]]


def note(result: Document, code: str) -> Document:
    """The one note of that code."""
    (found,) = [one for one in result["notes"] if one["code"] == code]
    returned: Document = found
    return returned


def net(result: Document, field: str = "total_cost") -> str:
    """A cost of the result, without VAT."""
    return _shown(Decimal(result[field]["excl_vat"]))


def alternative(result: Document, reading: str) -> str:
    """The net total by another reading."""
    (found,) = [one["total"]["excl_vat"] for one in result["alternatives"] if one["reading"] == reading]
    return _shown(Decimal(found))


def _period(one: Document, moment: datetime) -> Document:
    volumes = {
        NAMES.get(name, name): one["minutes"] / 60 if volume is True else Decimal(str(volume))
        for name, volume in one["volumes"].items()
    }
    made: Document = {
        "start_date_time": times.format(moment),
        "dimensions": [{"type": kind, "volume": volume} for kind, volume in volumes.items()],
    }
    return made if one["tariff_id"] is None else made | {"tariff_id": one["tariff_id"]}


def _volume(one: Document, name: str) -> Decimal:
    return sum((found["volume"] for found in one["dimensions"] if found["type"] == name), Decimal(0))


def _shown(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount.normalize():f}"
