"""Partners as staff see and manage them."""

from roaming.admin.agreements import AgreementAdmin
from roaming.admin.authorizations import AuthorizationAdmin
from roaming.admin.commands import ActiveProfileAdmin, ProfileFollowerAdmin, ReceivedCommandAdmin, SentCommandAdmin
from roaming.admin.deliveries import DeliveryAdmin, FeedCursorAdmin
from roaming.admin.exchanges import ExchangeAdmin
from roaming.admin.parties import PartyAdmin
from roaming.admin.platforms import PlatformAdmin
from roaming.admin.records import QuarantinedObjectAdmin, SyncRunAdmin

__all__ = [
    "ActiveProfileAdmin",
    "AgreementAdmin",
    "AuthorizationAdmin",
    "DeliveryAdmin",
    "ExchangeAdmin",
    "FeedCursorAdmin",
    "PartyAdmin",
    "PlatformAdmin",
    "ProfileFollowerAdmin",
    "QuarantinedObjectAdmin",
    "ReceivedCommandAdmin",
    "SentCommandAdmin",
    "SyncRunAdmin",
]
