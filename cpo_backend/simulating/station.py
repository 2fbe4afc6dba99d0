"""A charger: its connectors, its clock, what it has not been able to tell yet, and what it does when it is asked."""

import asyncio
import contextlib
import uuid
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

from cpo_backend.simulating.limits import Limit, Limits
from cpo_backend.simulating.line import Line, Payload
from cpo_backend.simulating.speech import UNCONFIRMED, Charging, Said, Speech, agreed

_STARTS = ("RemoteStartTransaction", "RequestStartTransaction")
_STOPS = ("RemoteStopTransaction", "RequestStopTransaction")


class Clock:
    """Begins so much before now and goes `speed` times as fast until it has caught up."""

    def __init__(self, speed: float, behind: timedelta) -> None:
        self._speed, self._begin = speed, datetime.now(UTC)
        self._shown = self._begin - (behind if speed > 1 else timedelta(0))

    def now(self) -> datetime:
        real = datetime.now(UTC)
        return min(self._shown + (real - self._begin) * self._speed, real)


class Station:
    """`said` is every message that was answered, with its answer."""

    def __init__(
        self, line: Line, speech: Speech, clock: Clock, connectors: int, watts_per_ampere: float = 690
    ) -> None:
        self.line, self.speech, self.clock = line, speech, clock
        line.answer = self._asked
        self.connectors = range(1, connectors + 1)
        self.registers = dict.fromkeys(self.connectors, 10_000)
        self.charging: dict[int, Charging] = {}
        self.stops: dict[int, asyncio.Event] = {}
        self.wanted: asyncio.Queue[Charging] = asyncio.Queue()
        self.said: list[tuple[str, Payload, Payload]] = []
        self.limits = Limits(watts_per_ampere)
        self._telling = asyncio.Lock()
        self._untold: deque[tuple[Said, Charging]] = deque()

    # --- saying -----------------------------------------------------------------------------------------------------

    async def come(self) -> None:
        """Connect, tell what happened meanwhile, and how the connectors are; it boots once."""
        await self.line.open()
        if not self.said:
            await self._call(self.speech.boot())
        await self.catch_up()
        for number in self.connectors:
            await self.show(number, "Charging" if number in self.charging else "Available")

    async def show(self, number: int, word: str) -> None:
        """A status; those that happen while it is offline are nobody's business."""
        with contextlib.suppress(ConnectionError):
            await self._call(self.speech.status(number, word, self.clock.now()))

    async def begin(self, charging: Charging) -> None:
        self.charging[charging.number], self.stops[charging.number] = charging, asyncio.Event()
        if self.speech.subprotocol != "ocpp1.6":
            charging.id = str(uuid.uuid4())
        await self._report(self.speech.start(charging, self.registers[charging.number], self.clock.now()), charging)
        await self.show(charging.number, "Charging")

    async def meter(self, charging: Charging, wh: int, watts: int) -> None:
        """So many Wh more, at such a power."""
        self.registers[charging.number] += wh
        await self._report(
            self.speech.meter(charging, self.registers[charging.number], watts, self.clock.now()), charging
        )

    async def end(self, charging: Charging, reason: str) -> None:
        """It draws nothing any more when it says so: what it is told next may count on that."""
        wh = self.registers[charging.number]
        charging.is_over = True
        self.limits.end(str(charging.id))
        await self._report(self.speech.stop(charging, wh, reason, self.clock.now()), charging)
        del self.charging[charging.number]
        await self.show(charging.number, "Finishing")
        await self.show(charging.number, "Available")

    async def _report(self, said: Said, charging: Charging) -> None:
        """What is about a transaction is told later if it cannot be told now, in its order."""
        self._untold.append((said, charging))
        await self.catch_up()

    async def catch_up(self) -> None:
        async with self._telling:
            while self._untold and self.line.is_open:
                try:
                    await self._tell(*self._untold[0])
                except ConnectionError:
                    return
                self._untold.popleft()

    async def _tell(self, said: Said, charging: Charging) -> None:
        action, payload = said
        if payload.get("transactionId") == UNCONFIRMED:
            payload["transactionId"] = charging.id
        answer = await self._call((action, payload))
        if action == "StartTransaction":
            charging.id = answer["transactionId"]

    @property
    def has_told_all(self) -> bool:
        return not self._untold

    async def _call(self, said: Said) -> Payload:
        answer = await self.line.call(*said)
        self.said.append((*said, answer))
        return answer

    # --- being asked ------------------------------------------------------------------------------------------------

    def _asked(self, action: str, payload: Payload) -> Payload | None:
        if action in _STARTS:
            return {"status": "Accepted" if self._start(payload) else "Rejected"}
        if action in _STOPS:
            return {"status": "Accepted" if self._stop(payload["transactionId"]) else "Rejected"}
        if action in ("SetChargingProfile", "ClearChargingProfile"):
            return {"status": self._limit(action, payload)}
        if action == "GetTransactionStatus":
            return self._standing(payload.get("transactionId"))
        return agreed(action, payload)

    def _start(self, payload: Payload) -> bool:
        number: Any = payload.get("connectorId") or payload.get("evseId") or self._free()
        if number not in self.connectors or number in self.charging:
            return False
        token: Any = payload.get("idTag") or payload["idToken"]["idToken"]
        self.wanted.put_nowait(Charging(number, token, remote_start_id=payload.get("remoteStartId")))
        return True

    def _limit(self, action: str, payload: Payload) -> str:
        """Keeps to it from now on; a limit for a transaction that it does not have is refused."""
        if action == "ClearChargingProfile":
            return "Accepted" if self.limits.clear(payload.get("id") or payload.get("chargingProfileId")) else "Unknown"
        found = Limit.of(payload)
        if found.transaction_id is not None:
            charging = self.charging.get(found.number)
            if charging is None or charging.is_over or str(charging.id) != found.transaction_id:
                return "Rejected"
        self.limits.keep(found)
        return "Accepted"

    def allowed(self, number: int) -> float | None:
        """How many W who charges at a connector may draw now; None: as many as it can."""
        charging = self.charging.get(number)
        return self.limits.watts(number, str(charging.id) if charging else None, self.clock.now())

    def _free(self) -> int | None:
        return next((number for number in self.connectors if number not in self.charging), None)

    def _stop(self, id: int | str) -> bool:
        found = next((charging for charging in self.charging.values() if charging.id == id), None)
        if found is not None:
            self.stops[found.number].set()
        return found is not None

    def _standing(self, id: str | None) -> Payload:
        told: Payload = {"messagesInQueue": bool(self._untold)}
        if id is not None:
            told["ongoingIndicator"] = any(charging.id == id for charging in self.charging.values())
        return told
