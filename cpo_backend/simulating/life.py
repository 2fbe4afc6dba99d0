"""What goes on at a charger: cars come and go, by themselves or by command; it fails and is cut off now and then."""

import asyncio
import contextlib
import random
from dataclasses import dataclass

from websockets.exceptions import WebSocketException

from cpo_backend.simulating.speech import Charging
from cpo_backend.simulating.station import Station

_HOUR = 3600
_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Habits:
    """`sessions`: how many cars come by themselves, after which it is over; none: until it is ended.

    Times in seconds of the charger's clock; `wait` is how long it really waits between samples.
    """

    tag: str
    sessions: int = 0
    watts: int = 11_000
    duration: int = _HOUR
    samples: int = 12
    wait: float = 1.0
    faults: float = 0.0
    offline: float = 0.0


@dataclass(slots=True)
class Tally:
    """What a charger has done."""

    sessions: int = 0
    wh: int = 0
    reconnects: int = 0
    faults: int = 0


async def live(station: Station, habits: Habits, chance: random.Random) -> Tally:
    """Until all sessions are over, or for ever."""
    tally = Tally()
    await _stay(station, tally)
    remote = asyncio.create_task(_follow(station, habits, chance, tally))
    try:
        for _ in range(habits.sessions):
            number = chance.choice([number for number in station.connectors if number not in station.charging])
            await _charge(station, habits, chance, tally, Charging(number, habits.tag))
        while not (habits.sessions and station.has_told_all):
            await _stay(station, tally)
            await asyncio.sleep(_RETRY_SECONDS)
    finally:
        remote.cancel()
        await asyncio.gather(remote, return_exceptions=True)
        await station.line.close()
    tally.reconnects -= 1  # the first time is none
    return tally


async def _stay(station: Station, tally: Tally) -> None:
    """Connect, as often as it takes, unless it is connected."""
    while not station.line.is_open:
        try:
            await station.come()
            tally.reconnects += 1
        except (OSError, WebSocketException):
            await asyncio.sleep(_RETRY_SECONDS)


async def _follow(station: Station, habits: Habits, chance: random.Random, tally: Tally) -> None:
    """Charge as it was commanded, each connector by itself."""
    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(_charge(station, habits, chance, tally, await station.wanted.get()))


async def _charge(station: Station, habits: Habits, chance: random.Random, tally: Tally, charging: Charging) -> None:
    """A car, until it is full or somebody stops it."""
    await station.begin(charging)
    stop, reason = station.stops[charging.number], "EVDisconnected"
    for _ in range(habits.samples):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), habits.wait)
            reason = "Remote"
            break
        if chance.random() < habits.offline:
            await station.line.close()  # until the next sample
        else:
            await _stay(station, tally)
        watts = round(habits.watts * chance.uniform(0.8, 1.0))
        if (allowed := station.allowed(charging.number)) is not None:
            watts = min(watts, int(allowed))
        wh = watts * habits.duration // habits.samples // _HOUR
        tally.wh += wh
        await station.meter(charging, wh, watts)
    await station.end(charging, reason)
    tally.sessions += 1
    if chance.random() < habits.faults:
        tally.faults += 1
        await station.show(charging.number, "Faulted")
        await asyncio.sleep(habits.wait)
        await station.show(charging.number, "Available")
