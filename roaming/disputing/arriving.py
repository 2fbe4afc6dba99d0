"""How a CDR came to us: the request that brought it, and its very bytes where the exchange log has them all."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ocpi.models import Cdr
from ocpi.store.documents import Document
from ocpi.types import codec
from ocpi.v221.versions import ModuleID
from roaming.exchange_models import Exchange
from roaming.models import Platform

_LONGEST = timedelta(minutes=10)  # from a request to the row that it made; a pulled page may be long
_LOOKED_AT = 200

EXACT = "as it was received, byte for byte"
STORED = "as it is stored: every member and digit as it was received, white space is not"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A CDR as text, what that text is, and the exchange that brought it, if the log still has it."""

    text: str
    fidelity: str
    exchange: Exchange | None

    def document(self, row: Cdr) -> dict[str, Any]:
        """As the evidence has it."""
        exchange = self.exchange
        return {
            "text": self.text,
            "fidelity": self.fidelity,
            "sha256": hashlib.sha256(self.text.encode()).hexdigest(),
            "received_at": row.received_at,
            "platform": Platform.objects.filter(pk=row.source or 0).values_list("name", flat=True).first(),
            "exchange": exchange
            and {
                "how": "pushed to us" if exchange.direction == Exchange.Direction.IN else "pulled by us",
                "at": exchange.at,
                "method": exchange.method,
                "url": exchange.url,
                "request_id": exchange.request_id,
                "correlation_id": exchange.correlation_id,
            },
        }


def arrival(row: Cdr) -> Arrival:
    """Find out how a received CDR came."""
    document = codec.decode(row.document.encode())
    for exchange in _near(row):
        if exchange.direction == Exchange.Direction.OUT:
            if f'"{document["id"]}"' in exchange.response_body:
                return Arrival(row.document, STORED, exchange)
        elif (brought := _brought(exchange, document)) is not None:
            return Arrival(*((exchange.request_body, EXACT) if brought else (row.document, STORED)), exchange)
    return Arrival(row.document, STORED, None)


def _near(row: Cdr) -> Iterator[Exchange]:
    """The requests about CDRs between us and the platform shortly before, the last one first."""
    rows = Exchange.objects.filter(
        at__lte=row.received_at, at__gt=row.received_at - _LONGEST, platform=row.source, module=ModuleID.CDRS.value
    )
    wanted = rows.filter(direction="IN", method="POST") | rows.filter(direction="OUT", method="GET")
    return wanted.order_by("-at", "-pk")[:_LOOKED_AT].iterator()


def _brought(exchange: Exchange, document: Document) -> bool | None:
    """Whether the logged body is this CDR with all its bytes; None when it is about another."""
    if len(exchange.request_body.encode()) == exchange.request_size:
        try:
            if codec.decode(exchange.request_body.encode()) == document:
                return True
        except codec.MalformedJson:
            return None
    return False if f'"{document["id"]}"' in exchange.request_body else None
