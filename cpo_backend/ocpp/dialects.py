"""The versions of OCPP that we speak, and what differs between them on the wire.

A further version is a further `Dialect`: its actions, its spelling of error codes, and a table of handlers
(`handling`), most of which are those of its predecessor.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cpo_backend.ocpp.wire.frames import Code
from cpo_backend.ocpp.wire.messages import Action
from cpo_backend.ocpp.wire.v16 import actions as v16
from cpo_backend.ocpp.wire.v201 import actions as v201


@dataclass(frozen=True, slots=True)
class Dialect:
    """One version. `tells_unreadable`: whether a frame without a readable message id is answered at all."""

    version: str
    subprotocol: str
    from_charger: Mapping[str, Action]
    to_charger: Mapping[str, Action]
    tells_unreadable: bool
    spelling: Mapping[Code, str] = field(default_factory=dict)

    def spelled(self, code: Code) -> str:
        return self.spelling.get(code, code.value)


V16 = Dialect(
    version="1.6",
    subprotocol="ocpp1.6",
    from_charger=v16.FROM_CHARGER,
    to_charger=v16.TO_CHARGER,
    tells_unreadable=False,
    # Two codes that this version spells in its own way, and two that it does not have.
    spelling={
        Code.FORMAT: "FormationViolation",
        Code.OCCURRENCE: "OccurenceConstraintViolation",
        Code.RPC: "FormationViolation",
        Code.MESSAGE_TYPE: "NotSupported",
    },
)
V201 = Dialect(
    version="2.0.1",
    subprotocol="ocpp2.0.1",
    from_charger=v201.FROM_CHARGER,
    to_charger=v201.TO_CHARGER,
    tells_unreadable=True,
)

DIALECTS = {dialect.version: dialect for dialect in (V16, V201)}
BY_SUBPROTOCOL = {dialect.subprotocol: dialect for dialect in (V16, V201)}
