"""What the word of a source means: those of OCPI as they are, those of OCPP by the same rules as for chargers. Pure."""

from datetime import datetime

from cpo_backend.ocpp.wire.v16.types import ChargePointStatus
from cpo_backend.ocpp.wire.v201.types import ConnectorStatus
from cpo_backend.status import judging
from cpo_backend.status.judging import Facts, Patience, Reported, Verdict
from ocpi.v221.locations import Status

# REMOVED is final: that is for staff, not for a feed.
_OF_OCPI = {
    str(status): status
    for status in (
        Status.AVAILABLE,
        Status.BLOCKED,
        Status.CHARGING,
        Status.INOPERATIVE,
        Status.OUTOFORDER,
        Status.PLANNED,
        Status.RESERVED,
        Status.UNKNOWN,
    )
}
_OF_OCPP = frozenset({str(word.value) for kind in (ChargePointStatus, ConnectorStatus) for word in kind})


def understood(word: str) -> str | None:
    """The word, if a source may say it. Those of OCPI and OCPP differ in their letters: the case counts."""
    return word if word in _OF_OCPI or word in _OF_OCPP else None


def judge(word: str, since: datetime, patience: Patience, now: datetime) -> Verdict:
    """The status that follows, and when to judge again."""
    if word in _OF_OCPI:
        return Verdict(_OF_OCPI[word])
    return judging.judge(Facts(connectors=[Reported(word, since)]), patience, now)
