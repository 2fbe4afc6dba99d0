"""Partners as staff see and manage them."""

from roaming.admin.agreements import AgreementAdmin
from roaming.admin.audits import CdrAuditAdmin
from roaming.admin.authorizations import AuthorizationAdmin
from roaming.admin.callbacks import CallbackAdmin
from roaming.admin.commands import ActiveProfileAdmin, ProfileFollowerAdmin, ReceivedCommandAdmin, SentCommandAdmin
from roaming.admin.deliveries import DeliveryAdmin
from roaming.admin.exchanges import ExchangeAdmin
from roaming.admin.lanes import FeedCursorAdmin
from roaming.admin.parties import PartyAdmin
from roaming.admin.platforms import PlatformAdmin
from roaming.admin.pulls import DanglingReferenceAdmin, MissingObjectAdmin, PullCursorAdmin, SyncRunAdmin
from roaming.admin.quarantine import QuarantinedObjectAdmin

__all__ = [
    "ActiveProfileAdmin",
    "AgreementAdmin",
    "AuthorizationAdmin",
    "CallbackAdmin",
    "CdrAuditAdmin",
    "DanglingReferenceAdmin",
    "DeliveryAdmin",
    "ExchangeAdmin",
    "FeedCursorAdmin",
    "MissingObjectAdmin",
    "PartyAdmin",
    "PlatformAdmin",
    "ProfileFollowerAdmin",
    "PullCursorAdmin",
    "QuarantinedObjectAdmin",
    "ReceivedCommandAdmin",
    "SentCommandAdmin",
    "SyncRunAdmin",
]
