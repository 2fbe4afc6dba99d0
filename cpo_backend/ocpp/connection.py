"""One connection of a charger: reads frames, has them worked on in their order, answers.

The reader waits for nobody but the charger: what needs the database or a partner goes to threads, one message of a
connection at a time, while heartbeats and answers to our own CALLs pass by. Only when too much waits does it stop to
read, and the charger feels it.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from msgspec import Raw

from cpo_backend.ocpp.calls import Calls
from cpo_backend.ocpp.frame_log import FrameLog
from cpo_backend.ocpp.handling import Handling, Received, Work
from cpo_backend.ocpp.limits import LARGEST_FRAME, MOST_WAITING, Rate
from cpo_backend.ocpp.rooms import Room, Rooms
from cpo_backend.ocpp.station import Station
from cpo_backend.ocpp.wire import frames
from cpo_backend.ocpp.wire.frames import Call, Code, Error, Fault, Result, Unreadable
from cpo_backend.ocpp.wire.messages import Message
from ocpi.transport.asgi import Receive, Send

log = structlog.get_logger(__name__)

TOO_BIG, REPLACED = 1009, 1000
_GOODBYE_SECONDS = 2.0


class _Waiting(NamedTuple):
    action: str
    handling: Handling
    request: Any
    received: Received
    began: float


class Connection:
    """`handlers` is the table of the charger's version."""

    __slots__ = (
        "__weakref__",
        "_calls",
        "_handlers",
        "_log",
        "_rate",
        "_receive",
        "_room_left",
        "_rooms",
        "_send",
        "_waiting",
        "_worker",
        "has_spoken",
        "is_open",
        "settles_at",
        "station",
    )

    def __init__(
        self,
        station: Station,
        receive: Receive,
        send: Send,
        handlers: Mapping[str, Handling],
        rooms: Rooms,
        log: FrameLog,
    ) -> None:
        self.station, self._receive, self._send = station, receive, send
        self._handlers, self._rooms, self._log = handlers, rooms, log
        self._rate = Rate(settings.OCPP_RATE)
        self._waiting: list[_Waiting] = []  # rarely more than one; an empty deque takes 600 bytes
        self._worker: asyncio.Task[None] | None = None
        self._room_left: asyncio.Event | None = None
        self._calls = Calls(self._say)
        self.is_open, self.has_spoken = True, True
        # When, by the monotonic clock, it should have said by itself all that it says after connecting; 0: looked at.
        self.settles_at = time.monotonic() + settings.OCPP_SETTLE

    async def serve(self) -> None:
        """Until the charger goes, or is sent away."""
        try:
            while self.is_open:
                message = await self._receive()
                if message["type"] == "websocket.disconnect":
                    return
                text = message.get("text") or message.get("bytes") or b""
                if len(text) > LARGEST_FRAME:
                    await self.close(TOO_BIG, "frame too big")
                    return
                self.has_spoken = True
                if answer := self._take(text):
                    await self._say(answer)
                if len(self._waiting) >= MOST_WAITING:
                    await self._until_room()
                if delay := self._rate.delay():
                    await asyncio.sleep(delay)
        except OSError:
            return  # it went while we were talking
        finally:
            self.is_open = False
            self._calls.end()

    async def call(self, id: str, action: str, payload: Raw, timeout: float) -> Result | Error:
        """Ask the charger; raises TimeoutError and Gone."""
        text = frames.call(id, action, payload)
        self._log.sent(self.station.identity, text, id, action)
        return await self._calls.call(id, action, text, timeout)

    async def close(self, code: int = REPLACED, reason: str = "") -> None:
        """Say goodbye; what was received is still worked on."""
        self.is_open = False
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):  # it may not read any more
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except (OSError, RuntimeError):
            return  # it had gone, or been sent away before

    async def settled(self) -> None:
        """Wait until what was received has been worked on."""
        if self._worker is not None:
            await self._worker

    def _take(self, text: str | bytes) -> str:
        """Begin to work on a frame; returns what can be answered at once."""
        began = time.perf_counter()
        try:
            frame = frames.read(text)
        except Unreadable as error:
            self._log.received(self.station.identity, text, error.id, "", str(error.code))
            return self._unreadable(error)
        if isinstance(frame, Call):
            self._log.received(self.station.identity, text, frame.id, frame.action)
            return self._take_call(frame, began)
        action = self._calls.settle(frame)
        code = frame.code if isinstance(frame, Error) else ""
        self._log.received(self.station.identity, text, frame.id, action, code)
        return ""

    def _take_call(self, call: Call, began: float) -> str:
        try:
            handling, request = self._understood(call)
        except Fault as fault:
            return self._answered(call.id, call.action, fault, began)
        received = Received(datetime.now(UTC), call.id, call.payload)
        if handling.room is Room.LOOP:
            return self._answered(call.id, call.action, handling.function(self.station, request, received), began)
        self._waiting.append(_Waiting(call.action, handling, request, received, began))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return ""

    def _understood(self, call: Call) -> tuple[Handling, Any]:
        """Who works on it, and the request; raises Fault."""
        dialect, handling = self.station.dialect, self._handlers.get(call.action)
        if handling is None:
            known = call.action in dialect.from_charger or call.action in dialect.to_charger
            code = Code.NOT_SUPPORTED if known else Code.NOT_IMPLEMENTED
            raise Fault(code, f"nothing is done about {call.action[:50]}")
        if not (self.station.is_accepted or handling.before_acceptance):
            raise Fault(Code.SECURITY, "the charger waits for acceptance")
        try:
            payload = call.payload if call.is_plain else frames.without_nul(call.payload)
            return handling, dialect.from_charger[call.action].read_request(payload)
        except frames.BROKEN as error:
            raise frames.fault_of(error) from None

    async def _work(self) -> None:
        """Work on what waits, one after the other; an answer that cannot be given any more is not missed."""
        try:
            while self._waiting:
                message = self._waiting.pop(0)
                if self._room_left is not None and len(self._waiting) < MOST_WAITING:
                    self._room_left.set()
                found = await self._handled(message)
                answer = self._answered(message.received.id, message.action, found, message.began)
                if self.is_open:
                    try:
                        await self._say(answer)
                    except OSError:
                        continue
        finally:
            self._worker = None

    async def _handled(self, message: _Waiting) -> Message | Fault:
        handling, work = message.handling, Work(self.station, message.request, message.received)
        try:
            if handling.many is not None:
                answer = await self._rooms.run_together(handling.room, handling.many, work)
                if answer is not None:
                    return answer
            return await self._rooms.run(handling.room_of(message.request), handling.function, *work)
        except Fault as fault:
            return fault
        except Exception:
            log.exception("a message failed", identity=self.station.identity, action=message.action)
            return Fault(Code.INTERNAL, "our fault; it is noted")

    async def _until_room(self) -> None:
        room_left = self._room_left = asyncio.Event()
        if len(self._waiting) >= MOST_WAITING:
            await room_left.wait()
        self._room_left = None

    def _answered(self, id: str, action: str, answer: Message | Fault, began: float) -> str:
        code = ""
        if isinstance(answer, Fault):
            code = self.station.dialect.spelled(answer.code)
            text = frames.error(id, code, answer.description)
        else:
            text = frames.result(id, answer)
        self._log.sent(self.station.identity, text, id, action, code, time.perf_counter() - began)
        return text

    def _unreadable(self, error: Unreadable) -> str:
        """OCPP 2 answers whatever it gets; 1.6 has no answer to a frame of unknown kind or without an id."""
        is_beyond_words = not error.id or error.code is Code.MESSAGE_TYPE
        if error.is_answer or (is_beyond_words and not self.station.dialect.tells_unreadable):
            return ""
        return self._answered(error.id or frames.UNKNOWN_ID, "", error, time.perf_counter())

    async def _say(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})
