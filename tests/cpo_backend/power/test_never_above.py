"""Chargers that refuse, fall silent, obey without saying so, leave, boot and come back: never above the limit."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from cpo_backend.billing import dues
from cpo_backend.commanding import concluding
from cpo_backend.models import (
    Bill,
    Charger,
    OcppCommand,
    OcppConnection,
    OcppNode,
    PowerShare,
    PowerSite,
    SentProfile,
    Transaction,
)
from cpo_backend.power import deciding, seats
from cpo_backend.profiles import ordering
from cpo_backend.simulating.limits import Limit, Limits
from cpo_backend.transactions import lost
from ocpi.ids import PartyId
from ocpi.ports import Command, CommandRequest
from ocpi.types import codec
from tests.cpo_backend.power.conftest import COUNT, PLACE, add_node, add_site

FULL, LIMIT = 7_360, 11_000
Status = OcppCommand.Status


class Box:
    """A charger as it is, whatever the node knows of it."""

    def __init__(self, charger: Charger, version: str) -> None:
        Charger.objects.filter(pk=charger.pk).update(version=version)
        self.charger, self.limits = charger, Limits(230)
        self.begun = 0  # how many have charged here
        self.charging: str | None = None
        self.is_online = False
        self.unread = deque[dict[str, Any]]()

    def allowed(self) -> float:
        """For who charges, else for who comes next."""
        found = self.limits.watts(1, self.charging, datetime.now(UTC))
        return FULL if found is None else found

    def read(self, payload: dict[str, Any]) -> bool:
        """A limit for a transaction that is over is refused."""
        limit = Limit.of(payload)
        if limit.transaction_id is not None:
            # By the number that its id is, whatever the version calls the transaction.
            limit = replace(limit, transaction_id=Transaction.objects.get(pk=limit.id).told_id)
        if limit.transaction_id in (None, self.charging):
            self.limits.keep(limit)
        return limit.transaction_id in (None, self.charging)


class World:
    def __init__(self, site: PowerSite, node: OcppNode, chance: random.Random) -> None:
        self.site, self.node, self.chance = site, node, chance
        rows = Charger.objects.order_by("identity")
        self.boxes = [Box(row, version) for row, version in zip(rows, ["1.6", "2.0.1"] * COUNT, strict=False)]

    def step(self) -> None:
        """Something happens somewhere."""
        box = self.chance.choice(self.boxes)
        what: list[tuple[int, Callable[[Box], None]]] = [
            (6, self.answer),
            (3, self.start),
            (2, self.stop),
            (1, self.leave),
            (2, self.come),
            (1, self.boot),
            (1, self.partner),
            (2, self.time_passes),
        ]
        weights, doings = zip(*what, strict=True)
        self.chance.choices(doings, weights)[0](box)
        if self.chance.random() < 0.7:
            self.decide()

    def decide(self) -> None:
        PowerSite.objects.update(due_at=timezone.now())
        deciding.decide_due()

    # --- what happens -----------------------------------------------------------------------------------------------

    def come(self, box: Box) -> None:
        if box.is_online:
            return
        box.is_online = True
        now, generation = timezone.now(), uuid4()
        OcppConnection.objects.create(
            charger=box.charger,
            node=self.node,
            generation=generation,
            version=box.charger.version,
            security_profile=1,
            connected_at=now,
        )
        self._tell(box)

    def leave(self, box: Box) -> None:
        OcppConnection.objects.filter(charger=box.charger).delete()
        box.is_online = False
        box.unread.clear()
        for id in OcppCommand.objects.filter(charger=box.charger, status=Status.QUEUED).values_list("pk", flat=True):
            concluding.conclude(id, Status.OFFLINE)

    def start(self, box: Box) -> None:
        if box.charging is None:
            box.begun += 1
            box.charging = f"{box.charger.identity}-{box.begun}"
            self._tell(box)

    def stop(self, box: Box) -> None:
        if box.charging is not None:
            box.limits.end(box.charging)
            box.charging = None
            self._tell(box)

    def _tell(self, box: Box) -> None:
        """The node hears what is so, when the charger can say it."""
        if not box.is_online:
            return
        known = Transaction.objects.filter(charger=box.charger, closed_by="").first()
        if known is not None and known.ocpp_id != box.charging:
            lost.end(known, Transaction.ClosedBy.CHARGER)
        if box.charging is not None and (known is None or known.ocpp_id != box.charging):
            now = timezone.now()
            made = Transaction.objects.create(
                charger=box.charger,
                number=1,
                told_id=box.charging,
                start_told_at=now,
                start_received_at=now,
                heard_at=now,
            )
            dues.opened(made, box.charging)

    def boot(self, box: Box) -> None:
        """What was set for a transaction is forgotten."""
        if box.is_online:
            box.limits.kept = {id: limit for id, limit in box.limits.kept.items() if limit.transaction_id is None}
            Charger.objects.filter(pk=box.charger.pk).update(last_boot_at=timezone.now())

    def partner(self, box: Box) -> None:
        """Sets a profile, or clears it."""
        command, amperes = Command.SET_CHARGING_PROFILE, self.chance.choice([0, 3, 8, 16, 32])
        if self.chance.random() < 0.3:
            command = Command.CLEAR_CHARGING_PROFILE
        bill = Bill.objects.filter(transaction__charger=box.charger, transaction__closed_by="").first()
        if bill is None:
            return
        period = {"start_period": 0, "limit": Decimal(amperes)}
        document = {"charging_profile": {"charging_rate_unit": "A", "charging_profile_period": [period]}}
        owner = PartyId("NL*OCP")
        request = CommandRequest(command, owner, owner, document, session={"id": bill.session_id})
        doing = ordering.apply if command is Command.SET_CHARGING_PROFILE else ordering.clear
        doing(self.chance.randrange(10**9), request)

    def time_passes(self, box: Box) -> None:
        PowerShare.objects.filter(charger=box.charger).update(retry_at=None, default_retry_at=None)

    def answer(self, box: Box) -> None:
        """The oldest command reaches the charger, or does not; it says so, or does not."""
        command = OcppCommand.objects.filter(charger=box.charger, status=Status.QUEUED).order_by("pk").first()
        if command is None or not box.is_online:
            return
        OcppCommand.objects.filter(pk=command.pk).update(status=Status.SENT, sent_at=timezone.now())
        if command.action != "SetChargingProfile":
            concluding.conclude(command.pk, Status.OK, '{"status":"Rejected"}')
            return
        payload = codec.decode(command.payload.encode())
        box.unread.append(payload)
        match self.chance.choices(["obeys", "refuses", "late", "silent", "lost", "error"], [12, 2, 1, 1, 1, 1])[0]:
            case "obeys":
                taken = [box.read(box.unread.popleft()) for _ in range(len(box.unread))]
                word = "Accepted" if taken[-1] else "Rejected"
                concluding.conclude(command.pk, Status.OK, f'{{"status":"{word}"}}')
            case "refuses":
                box.unread.pop()
                concluding.conclude(command.pk, Status.OK, '{"status":"Rejected"}')
            case "late":  # it will obey, but nobody waits any more
                concluding.conclude(command.pk, Status.TIMEOUT)
            case "silent":
                box.read(box.unread.pop())
                concluding.conclude(command.pk, Status.OFFLINE)
            case "lost":
                box.unread.pop()
                concluding.conclude(command.pk, Status.TIMEOUT)
            case "error":
                box.read(box.unread.pop())
                concluding.conclude(command.pk, Status.ERROR, "", "FormatViolation")

    # --- what is so -------------------------------------------------------------------------------------------------

    def check(self) -> None:
        seen = {seat.charger.pk: seat for seat in seats.of(self.site)}
        for box in self.boxes:
            assert box.allowed() <= seen[box.charger.pk].committed, f"{box.charger} may draw more than is known"
        assert sum(box.allowed() for box in self.boxes) <= self.site.limit

    def settle(self) -> None:
        """All are there and obey, until there is nothing left to be said."""
        self.chance = random.Random("obedient")
        self.chance.choices = lambda *_: ["obeys"]  # type: ignore[method-assign, assignment]
        for box in self.boxes:
            self.come(box)
        for _ in range(60):
            PowerShare.objects.update(retry_at=None, default_retry_at=None)
            self.decide()
            if not OcppCommand.objects.filter(status=Status.QUEUED).exists():
                break
            for box in self.boxes:
                self.answer(box)
                self.check()


@pytest.mark.django_db
@pytest.mark.parametrize("seed", (0, 29, 31))
@pytest.mark.parametrize(("way", "reserve"), [("fair", None), ("priority", Decimal(0))])
def test_never_above_the_limit(seed: int, way: str, reserve: Decimal | None) -> None:
    site = add_site(LIMIT, way=way, reserve=reserve)
    world = World(site, add_node(), random.Random(f"{seed} {way}"))
    for box in world.boxes:  # the first limits are taken: before that, nothing holds a charger back
        world.come(box)
    world.decide()
    for box in world.boxes:
        command = OcppCommand.objects.get(charger=box.charger)
        OcppCommand.objects.filter(pk=command.pk).update(status=Status.SENT, sent_at=timezone.now())
        box.read(codec.decode(command.payload.encode()))
        concluding.conclude(command.pk, Status.OK, '{"status":"Accepted"}')
    for _ in range(40):
        world.step()
        world.check()
    world.settle()
    assert not SentProfile.objects.exists()
    assert PowerSite.objects.get().location_id == PLACE
    drawn = sum(box.allowed() for box in world.boxes)
    active = [box for box in world.boxes if box.charging]
    unlimited = [box for box in active if box.allowed() >= FULL - 23]
    if len(active) > len(unlimited) and not Transaction.objects.exclude(session_profile=None).exists():
        assert drawn > LIMIT - 4 * 23, "nothing is left over while somebody could take more"
