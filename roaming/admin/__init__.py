"""Partners as staff see and manage them."""

from roaming.admin.agreements import AgreementAdmin
from roaming.admin.audits import CdrAuditAdmin
from roaming.admin.authorizations import AuthorizationAdmin
from roaming.admin.callbacks import CallbackAdmin
from roaming.admin.commands import ActiveProfileAdmin, ProfileFollowerAdmin, ReceivedCommandAdmin, SentCommandAdmin
from roaming.admin.deliveries import DeliveryAdmin
from roaming.admin.disputes import DisputeAdmin
from roaming.admin.exchanges import ExchangeAdmin
from roaming.admin.lab import LabRunAdmin
from roaming.admin.lanes import FeedCursorAdmin
from roaming.admin.parties import PartyAdmin
from roaming.admin.platforms import PlatformAdmin
from roaming.admin.pulls import DanglingReferenceAdmin, MissingObjectAdmin, PullCursorAdmin, SyncRunAdmin
from roaming.admin.quarantine import QuarantinedObjectAdmin
from roaming.admin.settlements import SettledCdrAdmin, SettlementAdmin

__all__ = [
    "ActiveProfileAdmin",
    "AgreementAdmin",
    "AuthorizationAdmin",
    "CallbackAdmin",
    "CdrAuditAdmin",
    "DanglingReferenceAdmin",
    "DeliveryAdmin",
    "DisputeAdmin",
    "ExchangeAdmin",
    "FeedCursorAdmin",
    "LabRunAdmin",
    "MissingObjectAdmin",
    "PartyAdmin",
    "PlatformAdmin",
    "ProfileFollowerAdmin",
    "PullCursorAdmin",
    "QuarantinedObjectAdmin",
    "ReceivedCommandAdmin",
    "SentCommandAdmin",
    "SettledCdrAdmin",
    "SettlementAdmin",
    "SyncRunAdmin",
]
