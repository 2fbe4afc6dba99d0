"""Partners as staff see and manage them."""

from roaming.admin.agreements import AgreementAdmin
from roaming.admin.authorizations import AuthorizationAdmin
from roaming.admin.commands import ActiveProfileAdmin, ProfileFollowerAdmin, ReceivedCommandAdmin, SentCommandAdmin
from roaming.admin.exchanges import ExchangeAdmin
from roaming.admin.parties import PartyAdmin
from roaming.admin.platforms import PlatformAdmin
from roaming.admin.records import LaneAdmin, QuarantinedObjectAdmin, RefusedDeliveryAdmin, SyncRunAdmin

__all__ = [
    "ActiveProfileAdmin",
    "AgreementAdmin",
    "AuthorizationAdmin",
    "ExchangeAdmin",
    "LaneAdmin",
    "PartyAdmin",
    "PlatformAdmin",
    "ProfileFollowerAdmin",
    "QuarantinedObjectAdmin",
    "ReceivedCommandAdmin",
    "RefusedDeliveryAdmin",
    "SentCommandAdmin",
    "SyncRunAdmin",
]
