"""The charging profiles that a charger keeps to, as both versions of OCPP describe them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cpo_backend.ocpp.wire import times

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limit:
    """`number` 0: at every connector. `transaction_id` None: for transactions that have none of their own."""

    id: int
    number: int
    transaction_id: str | None
    unit: str
    begin: datetime | None
    duration: int | None
    periods: list[tuple[int, float]]

    @classmethod
    def of(cls, payload: Payload) -> "Limit":
        """What SetChargingProfile asks for."""
        profile = payload.get("csChargingProfiles") or payload["chargingProfile"]
        told = profile["chargingSchedule"]
        schedule = told[0] if isinstance(told, list) else told
        is_of_transaction = profile["chargingProfilePurpose"] == "TxProfile"
        return cls(
            profile["chargingProfileId"] if "chargingProfileId" in profile else profile["id"],
            payload["connectorId"] if "connectorId" in payload else payload["evseId"],
            str(profile["transactionId"]) if is_of_transaction else None,
            schedule["chargingRateUnit"],
            times.read(schedule.get("startSchedule")),
            schedule.get("duration"),
            [(period["startPeriod"], period["limit"]) for period in schedule["chargingSchedulePeriod"]],
        )

    def at(self, now: datetime) -> float | None:
        """The limit in its unit; None before its begin and after its end."""
        elapsed = (now - self.begin).total_seconds() if self.begin else 0.0
        if elapsed < 0 or (self.duration is not None and elapsed >= self.duration):
            return None
        return next((limit for start, limit in reversed(self.periods) if start <= elapsed), None)


@dataclass(slots=True)
class Limits:
    """Those of a charger, by id. An ampere per phase comes to `watts_per_ampere`."""

    watts_per_ampere: float = 690
    kept: dict[int, Limit] = field(default_factory=dict)

    def keep(self, limit: Limit) -> None:
        self.kept[limit.id] = limit

    def clear(self, id: int | None) -> bool:
        """One, or all."""
        gone = [known for known in self.kept if id in (None, known)]
        for known in gone:
            del self.kept[known]
        return bool(gone)

    def end(self, transaction_id: str) -> None:
        """A transaction is over, and its limits with it."""
        self.kept = {id: limit for id, limit in self.kept.items() if limit.transaction_id != transaction_id}

    def watts(self, number: int, transaction_id: str | None, now: datetime) -> float | None:
        """What a transaction may draw by its own limit, else by that for all; None: as much as it can."""
        for wanted in (transaction_id, None) if transaction_id is not None else (None,):
            for limit in self.kept.values():
                told = limit.at(now) if limit.transaction_id == wanted and limit.number in (0, number) else None
                if told is not None:
                    return told if limit.unit == "W" else told * self.watts_per_ampere
        return None
