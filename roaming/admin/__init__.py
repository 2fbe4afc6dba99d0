"""Partners as staff see and manage them."""

from roaming.admin.parties import PartyAdmin
from roaming.admin.platforms import PlatformAdmin
from roaming.admin.records import LaneAdmin, QuarantinedObjectAdmin, RefusedDeliveryAdmin, SyncRunAdmin

__all__ = [
    "LaneAdmin",
    "PartyAdmin",
    "PlatformAdmin",
    "QuarantinedObjectAdmin",
    "RefusedDeliveryAdmin",
    "SyncRunAdmin",
]
