"""A CPO, partner of a hub, whose objects change at random all the time; its books say how they are.

It sends each change until it has an answer: PUT, PATCH and DELETE may be repeated, and so may the POST of a CDR.
"""

import random
import time
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx

from ocpi.ids import PartyId
from ocpi.transport import authorization
from ocpi.transport.headers import MessageIds, RoutingHeaders
from ocpi.types import codec, times
from tests.kit.objects import NOON, Document, cdr, cdr_token, charging_period, evse, location, session, tariff, without

_STATUSES = ("AVAILABLE", "CHARGING", "BLOCKED", "RESERVED", "OUTOFORDER", "INOPERATIVE")
_PATIENCE = 90
_TARIFFS = 5
# What changes, and how often of a hundred times.
_KINDS = {"status": 78, "evse": 4, "site": 4, "tariff": 4, "session": 7, "cdr": 3}


class BusyCpo:
    """`books`: every object as it is, under the key that FakePeer keeps it under. `repeated`: requests sent again."""

    def __init__(
        self, party: str, token: str, hub: str, drivers: Sequence[str], *, seed: int, sites: int, points: int
    ) -> None:
        self.party, self.repeated = PartyId.parse(party), 0
        self.books: dict[str, Document] = {}
        self._drivers = [PartyId.parse(driver) for driver in drivers]
        self._random, self._seconds = random.Random(seed), 0
        self._sites = [f"L{number}" for number in range(sites)]
        self._points = [f"E{number}" for number in range(points)]
        self._owner = {"country_code": self.party.country_code, "party_id": self.party.party_id}
        headers = {"Authorization": authorization.encode(token), "Content-Type": "application/json"}
        headers |= RoutingHeaders(from_=self.party).headers()
        self._http = httpx.Client(base_url=f"{hub}/ocpi/2.2.1/receiver/", headers=headers, timeout=15, trust_env=False)

    def open(self) -> None:
        """All sites and Tariffs begin."""
        for id in self._sites:
            evses = [without(evse(uid=uid, last_updated=self._now()), "evse_id") for uid in self._points]
            self._put("locations", location(**self._owner, id=id, evses=evses))
        for number in range(_TARIFFS):
            self._put("tariffs", tariff(**self._owner, id=f"T{number}"))

    def change(self) -> None:
        """One change, and its sending."""
        (kind,) = self._random.choices(list(_KINDS), list(_KINDS.values()))
        getattr(self, f"_change_{kind}")()

    def close(self) -> None:
        self._http.close()

    # --- what changes -----------------------------------------------------------------------------------------------

    def _change_status(self) -> None:
        site = self._book("locations", self._random.choice(self._sites))
        point = self._random.choice(site["evses"])
        changes = {"status": self._random.choice(_STATUSES), "last_updated": self._now()}
        self._send("PATCH", f"{self._path('locations', site['id'])}/{point['uid']}", changes)
        point |= changes

    def _change_evse(self) -> None:
        site = self._book("locations", self._random.choice(self._sites))
        point = self._random.choice(site["evses"])
        changed = {**point, "physical_reference": self._text(), "last_updated": self._now()}
        self._send("PUT", f"{self._path('locations', site['id'])}/{point['uid']}", changed)
        point |= changed

    def _change_site(self) -> None:
        site = self._book("locations", self._random.choice(self._sites))
        now = self._now()
        evses = [{**one, "status": self._random.choice(_STATUSES), "last_updated": now} for one in site["evses"]]
        self._put("locations", {**site, "name": self._text(), "evses": evses})

    def _change_tariff(self) -> None:
        id = f"T{self._random.randrange(_TARIFFS)}"
        if f"tariffs/{self._key(id)}" in self.books and self._random.random() < 0.5:
            self._send("DELETE", self._path("tariffs", id))
            del self.books[f"tariffs/{self._key(id)}"]
        else:
            self._put("tariffs", tariff(**self._owner, id=id, tariff_alt_url=f"https://cpo.example/{self._text()}"))

    def _change_session(self) -> None:
        going_on = [one for one in self.books.values() if one.get("status") == "ACTIVE" and "kwh" in one]
        if len(going_on) < 3:
            started = {"id": self._text(), "cdr_token": self._driver(), "charging_periods": []}
            self._put("sessions", session(**self._owner, **started, kwh=Decimal("0.0000")))
            return
        chosen = self._random.choice(going_on)
        kwh = chosen["kwh"] + Decimal("0.7500")
        if self._random.random() < 0.3:  # periods would be appended by a PATCH, each time it is repeated
            self._put("sessions", {**chosen, "kwh": kwh, "charging_periods": [charging_period(str(kwh))]})
            return
        changes: Document = {"kwh": kwh, "last_updated": self._now()}
        if self._random.random() < 0.3:
            changes |= {"status": "COMPLETED", "end_date_time": changes["last_updated"]}
        self._send("PATCH", self._path("sessions", chosen["id"]), changes)
        chosen |= changes

    def _change_cdr(self) -> None:
        bill = cdr(**self._owner, id=self._text(), cdr_token=self._driver(), last_updated=self._now())
        self._send("POST", "cdrs", bill)
        self.books[f"cdrs/{self._key(bill['id'])}"] = bill

    # --- books and sending ------------------------------------------------------------------------------------------

    def _now(self) -> str:
        """A moment later than every one before."""
        self._seconds += 1
        return times.format(times.parse(NOON) + timedelta(seconds=self._seconds))

    def _text(self) -> str:
        return f"{self._random.getrandbits(48):012X}"

    def _driver(self) -> Document:
        owner = self._random.choice(self._drivers)
        return cdr_token(country_code=owner.country_code, party_id=owner.party_id)

    def _key(self, id: str) -> str:
        return f"{self.party.country_code}/{self.party.party_id}/{id}"

    def _path(self, module: str, id: str) -> str:
        return f"{module}/{self._key(id)}"

    def _book(self, module: str, id: str) -> Document:
        return self.books[f"{module}/{self._key(id)}"]

    def _put(self, module: str, document: Document) -> None:
        document["last_updated"] = self._now()
        path = self._path(module, document["id"])
        self._send("PUT", path, document)
        self.books[path] = document

    def _send(self, method: str, path: str, body: Any = None) -> None:
        content = None if body is None else codec.encode(body)
        deadline = time.monotonic() + _PATIENCE
        while not self._is_done(method, path, content):
            assert time.monotonic() < deadline, f"{method} {path} has no answer"
            self.repeated += 1
            time.sleep(0.1)

    def _is_done(self, method: str, path: str, content: bytes | None) -> bool:
        try:
            response = self._http.request(method, path, content=content, headers=MessageIds().headers())
        except httpx.HTTPError:
            return False
        if response.status_code >= 500:
            return False
        code = codec.decode(response.content)["status_code"]
        if method == "DELETE" and response.status_code == 404:
            return True  # the answer to the first time was lost
        assert code < 2000 or code >= 3000, f"{method} {path}: {response.text}"
        return bool(code < 2000)
