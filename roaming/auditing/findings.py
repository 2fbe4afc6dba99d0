"""What an audit finds, and the verdict that follows from it: the gravest finding decides."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from roaming.audit_models import CdrAudit


class Severity(IntEnum):
    """What a finding means for the payment."""

    NOTE = 0  # worth knowing
    TOLERATED = 1  # differs, and is paid
    DISPUTE = 2  # differs, and is to be talked about
    HOLD = 3  # cannot be; not to be paid before a person has looked


VERDICTS = {
    Severity.NOTE: CdrAudit.Verdict.OK,
    Severity.TOLERATED: CdrAudit.Verdict.TOLERATED,
    Severity.DISPUTE: CdrAudit.Verdict.DISPUTE,
    Severity.HOLD: CdrAudit.Verdict.HOLD,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found: a stable code, what it means, where in the CDR it shows, and the figures behind it."""

    code: str
    severity: Severity
    message: str
    pointer: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity.name,
            "message": self.message,
            "pointer": self.pointer,
            "evidence": self.evidence,
        }


def verdict(findings: Iterable[Finding]) -> CdrAudit.Verdict:
    """The verdict on a CDR with these findings."""
    return VERDICTS[max((finding.severity for finding in findings), default=Severity.NOTE)]
