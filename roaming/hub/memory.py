"""Decisions that are made once for all requests of a kind.

Each picture of the directory has a memory of its own, so that nothing outlives what it was decided by; what hangs on
agreements is forgotten when the next of them begins or ends.
"""

import math
from collections.abc import Hashable
from datetime import datetime
from typing import Any

from msgspec import Struct

_MOST = 10_000


class _Held(Struct, frozen=True):
    decision: Any
    until: float


class Memory:
    """Decisions by kind of request; safe to use from any thread."""

    def __init__(self) -> None:
        self._held: dict[Hashable, _Held] = {}

    def known(self, kind: Hashable, now: float) -> Any:
        """The decision, or None when it is to be made; `now` is in seconds since 1970, UTC."""
        held = self._held.get(kind)
        return held.decision if held is not None and now < held.until else None

    def keep(self, kind: Hashable, decision: Any, until: datetime | None) -> None:
        """Remember a decision until a moment, or for good."""
        if len(self._held) >= _MOST:
            self._held.clear()
        self._held[kind] = _Held(decision, until.timestamp() if until else math.inf)
