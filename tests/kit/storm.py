"""Many transactions over bad lines: messages repeated, out of order, cut off; stops that never come.

    outcome = storm(url, Plan(seed=1, chargers=8, transactions=30))
    outcome.wrong  # what does not come to exactly what its meter counted, or not to exactly one CDR

Every charger has one connector and goes through its transactions one after the other; the register of its meter goes on
from each to the next, so that also a stop that is lost leaves no doubt about the energy.
"""

import contextlib
import json
import random
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import connection
from websockets.exceptions import ConnectionClosed, WebSocketException

from cpo_backend.models import Bill, Transaction
from ocpi.models import Cdr
from ocpi.types import codec
from tests.kit import charging
from tests.kit.charger import V16, V201, FakeCharger
from tests.kit.chargers import connected
from tests.kit.charging import Document, after, event, metered, sample, starting, stopping

_KWH = Decimal(1000)
_TARIFFS = 4
_TRIES = 20
_PATIENCE = 60.0  # seconds until a node must be back


@dataclass(frozen=True)
class Plan:
    """How much, and how likely each evil is."""

    seed: int
    chargers: int
    transactions: int
    repeated: float = 0.2
    cut_off: float = 0.08
    lost: float = 0.1
    shuffled: float = 0.3


@dataclass
class Outcome:
    expected: dict[tuple[str, str], int] = field(default_factory=dict)
    """Wh by identity and, of each transaction, the moment it began."""
    wrong: list[str] = field(default_factory=list)
    cdrs: int = 0


def prepare(plan: Plan) -> None:
    """Chargers, half of them of each version, with Tariffs of all kinds."""
    charging.add_token()
    chance = random.Random(plan.seed)
    for number in range(_TARIFFS):
        charging.add_tariff(id=f"TARIFF-{number}", **_tariff(chance))
    for number in range(plan.chargers):
        charging.add_charger(f"CP-{number}", f"LOC-{number}", 1, tariff=f"TARIFF-{number % _TARIFFS}")


def _tariff(chance: random.Random) -> Document:
    """Dearer from a moment of the day, an amount of energy or a duration on; with time and steps, or without."""
    restrictions = chance.choice(
        (
            {"start_time": "11:30", "end_time": "12:10"},
            {"max_kwh": Decimal(chance.randrange(1, 9))},
            {"min_duration": 60 * chance.randrange(5, 50)},
        )
    )
    step = chance.choice((1, 300))
    timed = charging.component("1.20", "TIME") | {"step_size": step}
    parts = [charging.component(f"0.{chance.randrange(10, 90)}"), timed]
    return {
        "elements": [
            {"price_components": [charging.component(f"0.{chance.randrange(10, 90)}")], "restrictions": restrictions},
            {"price_components": parts},
        ]
    }


def storm(url: str, plan: Plan) -> Outcome:
    """Let all chargers loose at once; then make the bills and look."""
    outcome = Outcome()

    def run(number: int) -> None:
        try:
            _Line(url, number, plan, outcome).run()
        finally:
            connection.close()

    with ThreadPoolExecutor(plan.chargers) as pool:
        list(pool.map(run, range(plan.chargers)))
    charging.make()
    _look(outcome)
    return outcome


class _Line:
    """A charger on a bad line."""

    def __init__(self, url: str, number: int, plan: Plan, outcome: Outcome) -> None:
        self._url, self._plan, self._outcome = url, plan, outcome
        self._identity = f"CP-{number}"
        self._version = (V16, V201)[number % 2]
        self._chance = random.Random(plan.seed * 1000 + number)
        self._register = self._chance.randrange(10_000_000)
        self._cp: FakeCharger | None = None

    def run(self) -> None:
        self._connect()
        play = self._play_v16 if self._version == V16 else self._play_v201
        for count in range(self._plan.transactions):
            is_last = count == self._plan.transactions - 1
            is_lost = not is_last and self._chance.random() < self._plan.lost
            began, wh = count * 120, self._chance.randrange(1, 15_000)
            self._outcome.expected[self._identity, after(began)] = wh
            play(began, wh, is_lost=is_lost)
            self._register += wh
        self._hang_up()

    def _readings(self, wh: int) -> Iterator[tuple[int, int]]:
        """Minutes since the start, and the register; the last of them is all there is, for the stop may be lost."""
        early = sorted(self._chance.sample(range(1, 45), self._chance.randrange(3)))
        minutes = [*early, self._chance.randrange(45, 60)]
        grown = sorted(self._chance.randrange(wh + 1) for _ in early)
        yield from zip(minutes, (self._register + part for part in (*grown, wh)), strict=True)

    def _play_v16(self, began: int, wh: int, *, is_lost: bool) -> None:
        start = starting(at=began, meter=self._register)
        id = self._say("StartTransaction", start)["transactionId"]
        told = [
            {"connectorId": 1, "transactionId": id, "meterValue": [metered(began + at, sample(value))]}
            for at, value in self._readings(wh)
        ]
        self._stir(told)
        for one in told:
            self._say("MeterValues", one)
        if not is_lost:
            self._say("StopTransaction", stopping(id, at=began + 60, meter=self._register + wh))

    def _play_v201(self, began: int, wh: int, *, is_lost: bool) -> None:
        id = str(uuid.UUID(int=self._chance.getrandbits(128)))
        told = [event("Started", 0, began, id=id, wh=self._register, tag=charging.TAG, state="Charging")]
        told += [
            event("Updated", place, began + at, id=id, wh=value)
            for place, (at, value) in enumerate(self._readings(wh), start=1)
        ]
        if not is_lost:
            told.append(event("Ended", len(told), began + 60, id=id, wh=self._register + wh))
        self._stir(told)
        for one in told:
            self._say("TransactionEvent", one)

    def _stir(self, told: list[Document]) -> None:
        if self._chance.random() < self._plan.shuffled:
            self._chance.shuffle(told)

    def _say(self, action: str, payload: Document) -> Document:
        """Until there is an answer; perhaps more than once, perhaps with a line that breaks before it."""
        while self._chance.random() < self._plan.cut_off:
            with contextlib.suppress(ConnectionClosed):
                self._cp_now.send(json.dumps([2, uuid.uuid4().hex, action, payload]))
            self._connect_again()
        answer = self._call(action, payload)
        while self._chance.random() < self._plan.repeated:
            again = self._call(action, payload)
            if again != answer:
                self._outcome.wrong.append(f"{self._identity}: {action} was answered {answer}, then {again}")
        return answer

    def _call(self, action: str, payload: Document) -> Document:
        """Again over another connection whenever this one breaks or is silent: the node may have died."""
        for _ in range(_TRIES):
            try:
                return self._cp_now.call(action, payload)
            except (AssertionError, ConnectionClosed):
                self._connect_again()
        raise AssertionError(f"{self._identity} was never answered {action}")

    @property
    def _cp_now(self) -> FakeCharger:
        assert self._cp is not None
        return self._cp

    def _connect_again(self) -> None:
        self._hang_up()
        self._connect()

    def _connect(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            self._cp = connected(self._url, self._identity, self._version)
            try:
                self._cp.__enter__()
            except (OSError, WebSocketException):
                assert time.monotonic() < deadline, f"{self._url} does not come back"
                time.sleep(0.2)
            else:
                return

    def _hang_up(self) -> None:
        self._cp_now.__exit__(None, None, None)


def _look(outcome: Outcome) -> None:
    """Energy and number of CDRs of every transaction, and whether an audit agrees with each CDR."""
    documents = [codec.decode(row.document.encode()) for row in Cdr.objects.all()]
    credited = {one["credit_reference_id"] for one in documents if one.get("credit")}
    left = {one["id"]: one for one in documents if not one.get("credit") and one["id"] not in credited}
    outcome.cdrs = len(left)
    rows = Transaction.objects.select_related("charger", "bill").order_by("pk")
    for row in rows:
        assert row.start_told_at is not None
        expected = outcome.expected.get((row.charger.identity, row.start_told))
        cdr = left.pop(row.bill.cdr_id, None)
        if cdr is None:
            outcome.wrong.append(f"{row} of {row.start_told}: no CDR, {row.bill.state} {row.bill.reason}")
        elif cdr["total_energy"] * _KWH != expected:
            outcome.wrong.append(f"{row} of {row.start_told}: {cdr['total_energy']} kWh instead of {expected} Wh")
        else:
            charging.agreed(cdr)
    if len(rows) != len(outcome.expected):
        outcome.wrong.append(f"{len(rows)} transactions instead of {len(outcome.expected)}")
    outcome.wrong += [f"a CDR of nothing: {id}" for id in left]
    if held := Bill.objects.exclude(state=Bill.State.OUT).count():
        outcome.wrong.append(f"{held} bills without a CDR")
