"""What is told of a transaction, whatever the version."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from cpo_backend.ocpp.wire import times
from cpo_backend.ocpp.wire.v16 import core
from cpo_backend.transactions.readings import NOTHING, quantity
from ocpi.v221.tokens import AllowedType


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came: whose, when, and how far the charger's clock was behind then, if that is known."""

    charger_id: int
    action: str
    payload: str
    received_at: datetime
    offset: timedelta | None = None

    @property
    def offset_seconds(self) -> float | None:
        return None if self.offset is None else self.offset.total_seconds()


@dataclass(frozen=True, slots=True)
class Permit:
    """What was decided of a token. `cdr_token` is JSON, empty when nobody knows the token.

    `session_id` is that of the Session which a command has made already; `reserved_since` is from when on the EVSE was
    held for its driver.
    """

    allowed: AllowedType
    cdr_token: str = ""
    auth_method: str = ""
    reference: str = ""
    group_id: str | None = None
    session_id: str = ""
    reserved_since: datetime | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.cdr_token)


@dataclass(frozen=True, slots=True)
class Start:
    """A StartTransaction of OCPP 1.6; `meter` in Wh."""

    number: int
    id_tag: str
    told: str
    meter: Decimal
    reservation_id: int | None = None

    @classmethod
    def of(cls, request: core.StartTransaction) -> "Start":
        return cls(
            number=request.connectorId,
            id_tag=request.idTag,
            told=request.timestamp,
            meter=quantity(request.meterStart) or NOTHING,
            reservation_id=request.reservationId,
        )

    @property
    def told_at(self) -> datetime | None:
        return times.read(self.told)


@dataclass(frozen=True, slots=True)
class Stop:
    """A StopTransaction of OCPP 1.6; `meter` in Wh."""

    transaction_id: int
    told: str
    meter: Decimal
    reason: str = ""
    id_tag: str = ""

    @classmethod
    def of(cls, request: core.StopTransaction) -> "Stop":
        return cls(
            transaction_id=request.transactionId,
            told=request.timestamp,
            meter=quantity(request.meterStop) or NOTHING,
            reason=request.reason or "",
            id_tag=request.idTag or "",
        )

    @property
    def told_at(self) -> datetime | None:
        return times.read(self.told)


@dataclass(frozen=True, slots=True)
class Event:
    """A TransactionEvent of OCPP 2.0.1. `number` is None where the EVSE is not told; `state` is empty likewise."""

    told_id: str
    kind: str
    seq_no: int
    told: str
    number: int | None = None
    connector: int | None = None
    state: str = ""
    reason: str = ""
    id_tag: str = ""
    token_type: str = ""
    reservation_id: int | None = None
    remote_start_id: int | None = None

    @property
    def told_at(self) -> datetime | None:
        return times.read(self.told)
