"""Three simulated chargers of both versions at one fuse: at no message do they together have more than it carries."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from cpo_backend.models import Charger, PowerSite
from cpo_backend.ocpp import fencing
from cpo_backend.power import sites
from cpo_backend.simulating.line import Line, Payload
from cpo_backend.simulating.speech import SPEECH, Charging
from cpo_backend.simulating.station import Clock, Station
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from tests.kit import chargers, charging
from tests.kit.chargers import PASSWORD
from tests.kit.objects import connector, evse, location

LIMIT, RESERVE, FULL = 11_000, 1_380, 7_360
VERSIONS = {"CP-1": "1.6", "CP-2": "2.0.1", "CP-3": "1.6"}
SECONDS = 20.0


class Fuse:
    """What all may draw together, looked at whenever one of them has been told something."""

    def __init__(self, url: str) -> None:
        self.most, self.told = 0.0, 0
        self.stations = {identity: self._station(url, identity, version) for identity, version in VERSIONS.items()}

    def _station(self, url: str, identity: str, version: str) -> Station:
        speech = SPEECH[version]()
        line = Line(url, identity, PASSWORD, speech.subprotocol)
        station = Station(line, speech, Clock(1, timedelta(0)), 1, watts_per_ampere=230)
        answer = line.answer

        def look(action: str, payload: Payload) -> Payload | None:
            found = answer(action, payload)
            if action == "SetChargingProfile":
                self.told += 1
                if all(station.limits.kept for station in self.stations.values()):
                    self.most = max(self.most, self.drawn())
            return found

        line.answer = look
        return station

    def allowed(self, identity: str) -> float:
        """For who charges there, or for who comes next."""
        station = self.stations[identity]
        found, newcomer = station.allowed(1), station.limits.watts(1, None, datetime.now(UTC))
        return max(FULL if limit is None else limit for limit in (found, newcomer))

    def drawn(self) -> float:
        return sum(self.allowed(identity) for identity in self.stations)

    async def until(self, is_so: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not is_so():
            held = {identity: self.allowed(identity) for identity in self.stations}
            assert time.monotonic() < deadline, f"waited in vain for {what}: {held}"
            await asyncio.sleep(0.02)

    async def shares(self, **wanted: int) -> None:
        """Wait until each has its share, to a tenth of an ampere."""
        names = {name.replace("_", "-"): watts for name, watts in wanted.items()}
        await self.until(
            lambda: all(0 <= watts - self.allowed(name) <= 23 for name, watts in names.items()), str(names)
        )


@pytest.fixture
def site(transactional_db: None) -> PowerSite:
    charging.add_tariff()
    charging.add_token()
    uids = [f"LOC-1-{number}" for number in (1, 2, 3)]
    single = connector(power_type="AC_1_PHASE", tariff_ids=["TARIFF-1"])
    for uid, identity in zip(uids, VERSIONS, strict=True):
        chargers.add_charger(identity, (uid,))
    evses = [evse(uid=uid, evse_id=f"NL*OCP*E{uid}", connectors=[single]) for uid in uids]
    locations.put(Arrival(location(id="LOC-1", evses=evses)), None)
    found = PowerSite(party="NL*OCP", location_id="LOC-1", limit=Decimal(LIMIT))
    sites.save(found)
    return found


def test_the_limit_holds_whatever_happens(site: PowerSite, url: str) -> None:
    fuse = Fuse(url)
    asyncio.run(_day(fuse))
    assert fuse.told > 8
    assert 0 < fuse.most <= LIMIT


async def _day(fuse: Fuse) -> None:
    try:
        await _hours(fuse)
    finally:
        for station in fuse.stations.values():
            await station.line.close()


async def _hours(fuse: Fuse) -> None:
    one, two, three = fuse.stations.values()
    for station in fuse.stations.values():
        await station.come()
    await fuse.shares(CP_1=RESERVE, CP_2=RESERVE, CP_3=RESERVE)
    first, second, third = (Charging(1, charging.TAG) for _ in range(3))
    await one.begin(first)
    await fuse.shares(CP_1=FULL)
    await two.begin(second)
    await fuse.shares(CP_1=4_810, CP_2=4_810, CP_3=RESERVE)
    await three.begin(third)
    await fuse.shares(CP_1=3_666, CP_2=3_666, CP_3=3_666)

    await two.line.close()  # what it has is kept for it
    await _missed("CP-2")  # else more would be on its way to it, and be kept as well
    await one.end(first, "Local")
    await fuse.shares(CP_1=RESERVE, CP_2=3_666, CP_3=5_954)
    await two.end(second, "Local")  # which nobody hears of
    await two.begin(Charging(1, charging.TAG))
    assert fuse.drawn() <= LIMIT
    await two.come()
    await fuse.shares(CP_1=RESERVE, CP_2=4_810, CP_3=4_810)

    await three.end(third, "Local")
    await fuse.shares(CP_1=RESERVE, CP_2=FULL, CP_3=RESERVE)


async def _missed(identity: str) -> None:
    """Wait until the node knows that a charger has gone."""

    def is_here() -> bool:
        try:
            return Charger.objects.filter(fencing.online(), identity=identity).exists()
        finally:
            connection.close()

    deadline = time.monotonic() + SECONDS
    while await asyncio.to_thread(is_here):
        assert time.monotonic() < deadline, f"{identity} is not missed"
        await asyncio.sleep(0.02)
