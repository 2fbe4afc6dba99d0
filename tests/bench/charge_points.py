"""Charge points by the thousand in one process: OCPP 1.6 over the thinnest websocket there can be.

python -m tests.bench.charge_points WHAT URL COUNT SECONDS    # prints what was seen as JSON

`flood`: MeterValues, StatusNotifications and Heartbeats as fast as they are answered. `crowd`: all connect and boot at
once, hold until standard input ends, having printed how long that took. `beats`: a Heartbeat each second, and how long
the answers took. `hang`: an Authorize each, and nothing more until standard input ends. `meter`: a transaction each,
MeterValues as fast as they are answered, and the end of the transactions.
"""

import asyncio
import base64
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

PASSWORD = "bench-charger-password-0123"
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_AT_ONCE = 250  # handshakes under way, as few as a backlog may hold
_MEASURANDS = (
    ("Energy.Active.Import.Register", "", "Wh"),
    ("Power.Active.Import", "", "W"),
    ("Current.Import", "L1", "A"),
    ("Current.Import", "L2", "A"),
    ("Current.Import", "L3", "A"),
    ("SoC", "", "Percent"),
)


class ChargePoint(asyncio.Protocol):
    """One connection. `call` sends a CALL and returns the text of its answer; one at a time."""

    def __init__(self, identity: str, host: str) -> None:
        self.identity, self._host = identity, host
        self._buffer, self._is_open = b"", False
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(f"{self.identity}:{PASSWORD}".encode()).decode()
        self._transport.write(
            f"GET /ocpp/{self.identity} HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: Basic {key}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self._is_open:
            head, found, rest = buffer.partition(b"\r\n\r\n")
            if not found:
                self._buffer = buffer
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                self._fail(head.partition(b"\r\n")[0].decode())
                return
            self._is_open, buffer = True, rest
            self._answer.set_result("")
        while (frame := _frame(buffer)) is not None:
            kind, payload, buffer = frame
            self._take(kind, payload)
        self._buffer = buffer

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == _PING:
            self._write(_PONG, payload)
        elif kind == _CLOSE:
            self._fail(f"closed: {payload[2:].decode()}")
        elif payload.startswith(b"[2"):  # what the node asks: nothing that this charger knows
            self._write(_TEXT, f'[4,"{json.loads(payload)[1]}","NotSupported","",{{}}]'.encode())
        elif not self._answer.done():
            self._answer.set_result(payload.decode())

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(str(error or "the connection ended"))

    def _fail(self, why: str) -> None:
        if not self._answer.done():
            self._answer.set_exception(ConnectionError(f"{self.identity}: {why}"))

    async def opened(self) -> None:
        await self._answer

    def say(self, action: str, payload: str) -> "asyncio.Future[str]":
        """Send a CALL; the answer comes by itself."""
        self._number += 1
        self._answer = asyncio.get_running_loop().create_future()
        self._write(_TEXT, f'[2,"{self._number}","{action}",{payload}]'.encode())
        return self._answer

    async def call(self, action: str, payload: str = "{}") -> str:
        """The answer's payload and what is around it; raises ConnectionError when it is an error."""
        if not (answer := await self.say(action, payload)).startswith("[3"):
            raise ConnectionError(f"{self.identity}: {action} was answered {answer}")
        return answer

    def _write(self, kind: int, payload: bytes) -> None:
        """Masked with zeros, which is allowed and costs nothing."""
        size = len(payload)
        length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        assert self._transport is not None
        self._transport.write(bytes((0x80 | kind,)) + length + b"\0\0\0\0" + payload)

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _frame(buffer: bytes) -> tuple[int, bytes, bytes] | None:
    """Kind and payload of the first frame, and what follows it; None until it is complete."""
    if len(buffer) < 2:
        return None
    size, start = buffer[1], 2
    if size == 126:
        if len(buffer) < 4:
            return None
        size, start = int.from_bytes(buffer[2:4], "big"), 4
    end = start + size
    return (buffer[0] & 15, buffer[start:end], buffer[end:]) if len(buffer) >= end else None


async def _connected(url: str, identities: Iterable[str]) -> list[ChargePoint]:
    parts, loop = urlsplit(url), asyncio.get_running_loop()
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(identity: str) -> ChargePoint:
        async with limit:
            _, found = await loop.create_connection(
                lambda: ChargePoint(identity, parts.netloc), parts.hostname, parts.port
            )
            await found.opened()
            return found

    return list(await asyncio.gather(*map(one, identities)))


def identity(number: int) -> str:
    return f"BENCH-{number:05}"


def meter_values(at: datetime, wh: int, transaction: int | None = None) -> str:
    """A payload with six samples of one moment."""
    values = ({"Wh": wh, "W": 11000, "A": 16, "Percent": 50}[unit] for _, _, unit in _MEASURANDS)
    samples = [
        {"value": str(value), "measurand": measurand, "unit": unit} | ({"phase": phase} if phase else {})
        for value, (measurand, phase, unit) in zip(values, _MEASURANDS, strict=True)
    ]
    payload = {"connectorId": 1, "meterValue": [{"timestamp": _written(at), "sampledValue": samples}]}
    return json.dumps(payload if transaction is None else payload | {"transactionId": transaction})


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


_NOW = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)
_BOOT = json.dumps({"chargePointVendor": "Bench", "chargePointModel": "One"})
_STATUS = json.dumps({"connectorId": 1, "errorCode": "NoError", "status": "Charging", "timestamp": _written(_NOW)})
# Of ten messages of a charger that charges: eight, one and one.
MIX = [*[("MeterValues", meter_values(_NOW, 123_456))] * 8, ("StatusNotification", _STATUS), ("Heartbeat", "{}")]


async def _flood(points: list[ChargePoint], seconds: float) -> dict[str, Any]:
    ends_at = time.monotonic() + seconds

    async def one(point: ChargePoint) -> int:
        count = 0
        while time.monotonic() < ends_at:
            for action, payload in MIX:
                await point.call(action, payload)
            count += len(MIX)
        return count

    began = time.monotonic()
    counts = await asyncio.gather(*map(one, points))
    return {"messages": sum(counts), "seconds": time.monotonic() - began}


async def _beats(points: list[ChargePoint], seconds: float) -> dict[str, Any]:
    ends_at, taken = time.monotonic() + seconds, list[float]()

    async def one(place: int, point: ChargePoint) -> None:
        await asyncio.sleep(place / len(points))
        while time.monotonic() < ends_at:
            began = time.perf_counter()
            await point.call("Heartbeat")
            taken.append(time.perf_counter() - began)
            await asyncio.sleep(1)

    await asyncio.gather(*(one(place, point) for place, point in enumerate(points)))
    return {"milliseconds": [round(value * 1000, 2) for value in sorted(taken)]}


async def _meter(points: list[ChargePoint], seconds: float) -> dict[str, Any]:
    limit = asyncio.Semaphore(50)

    async def begun(point: ChargePoint) -> int:
        async with limit:
            await point.call("BootNotification", _BOOT)
            start = {"connectorId": 1, "idTag": "BENCHTAG", "meterStart": 0, "timestamp": _written(_NOW)}
            return int(json.loads(await point.call("StartTransaction", json.dumps(start)))[2]["transactionId"])

    ids = await asyncio.gather(*map(begun, points))
    began = time.monotonic()
    ends_at = began + seconds

    async def one(point: ChargePoint, id: int) -> int:
        count = 0
        while time.monotonic() < ends_at:
            count += 1
            await point.call("MeterValues", meter_values(_NOW + timedelta(seconds=10 * count), 100 * count, id))
        return count

    counts = await asyncio.gather(*map(one, points, ids))
    return {"messages": sum(counts), "seconds": time.monotonic() - began}


async def _crowd(url: str, count: int) -> list[ChargePoint]:
    """Connect and boot, all at once, and say how long that took."""
    began = time.monotonic()
    points = await _connected(url, map(identity, range(count)))
    opened = time.monotonic() - began
    answers = await asyncio.gather(*(point.call("BootNotification", _BOOT) for point in points))
    accepted = sum('"Accepted"' in answer for answer in answers)
    _print({"accepted": accepted, "opened": opened, "seconds": time.monotonic() - began})
    return points


async def _until_told() -> None:
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def _print(found: dict[str, Any]) -> None:
    print(json.dumps(found), flush=True)


_Work = Callable[[list[ChargePoint], float], Awaitable[dict[str, Any]]]
_WORK: dict[str, _Work] = {"flood": _flood, "beats": _beats, "meter": _meter}


async def _main(what: str, url: str, count: int, seconds: float) -> None:
    if what == "crowd":
        points = await _crowd(url, count)
        await _until_told()
    elif what == "hang":
        points = await _connected(url, map(identity, range(count)))
        answers = [
            point.say("Authorize", json.dumps({"idTag": f"UNKNOWN{place}"})) for place, point in enumerate(points)
        ]
        _print({"asked": len(answers)})
        await _until_told()
        _print({"answered": sum(answer.done() for answer in answers)})
    else:
        # Others than those that wait, where both are there.
        first = int(os.environ.get("BENCH_FIRST_CHARGER", "0"))
        points = await _connected(url, map(identity, range(first, first + count)))
        _print(await _WORK[what](points, seconds))
    for point in points:
        point.hang_up()
    await asyncio.sleep(0.2)


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
