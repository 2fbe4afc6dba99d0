"""Charging at a charger of the kit: a Token that may, a Tariff, and what becomes of both."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from cpo_backend.billing import making
from cpo_backend.models import Bill, Charger, Transaction
from ocpi.models import Cdr, Session
from ocpi.pricing.audit import audit
from ocpi.pricing.breakdown import document
from ocpi.pricing.case import open_case
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from ocpi.store.tariffs import tariffs
from ocpi.store.tokens import tokens
from ocpi.types import codec, times
from tests.kit import chargers, objects
from tests.kit.charger import FakeCharger
from tests.kit.objects import connector, evse, location, token

Document = dict[str, Any]

TAG = "04A1B2C3D4"
ZONE = "Europe/Amsterdam"
# The kit's Tariff: 0.25 for a kWh and 0.50 for the start.
START = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)


def after(minutes: float, start: datetime = START) -> str:
    """A moment as chargers write it."""
    return times.format(start + timedelta(minutes=minutes))


def add_charger(
    identity: str = "CP-1", place: str = "LOC-1", count: int = 2, *, tariff: str = "TARIFF-1", **changes: Any
) -> Charger:
    """A charger whose Connectors have the kit's Tariff, or another one."""
    uids = tuple(f"{place}-{number}" for number in range(1, count + 1))
    evses = [evse(uid=uid, evse_id=f"NL*OCP*E{uid}", connectors=[connector(tariff_ids=[tariff])]) for uid in uids]
    charger = chargers.add_charger(identity, uids, place=place, **changes)
    locations.put(Arrival(location(id=place, evses=evses)), None)
    return charger


def add_token(uid: str = TAG, **changes: Any) -> None:
    """A card of an eMSP of ours."""
    tokens.put(Arrival(token(**{"uid": uid, "contract_id": f"NL-OSP-{uid}", **changes})), None)


def add_tariff(**changes: Any) -> None:
    tariffs.put(Arrival(objects.tariff(**changes)), None)


def start(cp: FakeCharger, number: int = 1, *, at: float = 0, meter: int = 1000, tag: str = TAG, **more: Any) -> int:
    """The transactionId of a start that was accepted."""
    answer = cp.call("StartTransaction", starting(number, at=at, meter=meter, tag=tag, **more))
    assert answer["idTagInfo"]["status"] == "Accepted", answer
    return int(answer["transactionId"])


def starting(number: int = 1, *, at: float = 0, meter: int = 1000, tag: str = TAG, **more: Any) -> Document:
    return {"connectorId": number, "idTag": tag, "meterStart": meter, "timestamp": after(at), **more}


def stopping(id: int, *, at: float = 60, meter: int = 8000, **more: Any) -> Document:
    return {"transactionId": id, "meterStop": meter, "timestamp": after(at), **more}


def sample(value: Any, **more: Any) -> Document:
    return {"value": str(value), **more}


def metered(at: float, *samples: Document) -> Document:
    return {"timestamp": after(at), "sampledValue": list(samples)}


def meter(cp: FakeCharger, id: int | None, at: float, *samples: Document, number: int = 1) -> None:
    told: Document = {"connectorId": number, "meterValue": [metered(at, *samples)]}
    cp.call("MeterValues", told if id is None else told | {"transactionId": id})


def make() -> None:
    """Make everything that is or will be due."""
    now = timezone.now()
    Bill.objects.exclude(session_due_at=None).update(session_due_at=now)
    Bill.objects.exclude(cdr_due_at=None).update(cdr_due_at=now)
    while making.make_due():
        continue


def bill(transaction: Transaction | None = None) -> Bill:
    """The only bill, or that of a transaction."""
    return Bill.objects.get() if transaction is None else Bill.objects.get(pk=transaction.pk)


def session(id: str | None = None) -> Document:
    rows = Session.objects.all() if id is None else Session.objects.filter(key=id.lower())
    found: Document = codec.decode(rows.get().document.encode())
    return found


def cdr(id: str | None = None) -> Document:
    """The only CDR, or the one with this id; an audit agrees with it."""
    rows = Cdr.objects.all() if id is None else Cdr.objects.filter(key=id.lower())
    found: Document = codec.decode(rows.get().document.encode())
    return agreed(found)


def agreed(found: Document) -> Document:
    """After an audit of the CDR that a partner would get."""
    case = open_case(found, zone=ZONE)
    result = document(case, audit(case))
    assert result["agrees"], result["differences"]
    return found


def kwh(found: Document) -> Decimal:
    return Decimal(found["total_energy"])


# --- OCPP 2.0.1 -----------------------------------------------------------------------------------------------------


def event(
    kind: str,
    seq_no: int,
    at: float,
    *,
    id: str = "T-1",
    number: int | None = 1,
    wh: int | None = None,
    context: str | None = None,
    tag: str | None = None,
    state: str | None = None,
    **more: Any,
) -> Document:
    """A TransactionEvent; `wh` is the register, in the context that its kind has unless told otherwise."""
    info = {"transactionId": id} | ({"chargingState": state} if state else {})
    told: Document = {
        "eventType": kind,
        "seqNo": seq_no,
        "timestamp": after(at),
        "triggerReason": "MeterValuePeriodic",
        "transactionInfo": info | more.pop("info", {}),
        **more,
    }
    if number is not None:
        told["evse"] = {"id": number, "connectorId": 1}
    if tag is not None:
        told["idToken"] = {"idToken": tag, "type": "ISO14443"}
    if wh is not None:
        meant = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind, "Sample.Periodic")
        value = {"value": wh, "context": context or meant, "unitOfMeasure": {"unit": "Wh"}}
        told["meterValue"] = [{"timestamp": after(at), "sampledValue": [value]}]
    return told


def course(id: str = "T-1", number: int = 1, tag: str = TAG) -> list[Document]:
    """An hour of 7 kWh, in four events."""
    return [
        event("Started", 0, 0, id=id, number=number, wh=1000, tag=tag, state="Charging"),
        event("Updated", 1, 20, id=id, number=number, wh=3000),
        event("Updated", 2, 40, id=id, number=number, wh=6000),
        event("Ended", 3, 60, id=id, number=number, wh=8000, info={"stoppedReason": "EVDisconnected"}),
    ]


# --- odds and ends --------------------------------------------------------------------------------------------------


def by_the_clock() -> Document:
    """Members of a Tariff that is dearer from half past eleven on, by the clock of the kit's Location."""
    dear = {"price_components": [component("0.50")], "restrictions": {"start_time": "11:30", "end_time": "23:00"}}
    return {"elements": [dear, {"price_components": [component("0.25")]}]}


def component(amount: str, kind: str = "ENERGY") -> Document:
    return {"type": kind, "price": Decimal(amount), "step_size": 1}


def eventually_status(uid: str, word: str, place: str = "LOC-1") -> None:
    chargers.eventually(lambda: chargers.status_of(uid, place) == word, f"{uid} to be {word}")
