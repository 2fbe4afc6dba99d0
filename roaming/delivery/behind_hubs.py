"""Parties behind a hub: what it could not pass on to one is due when it tells that the party is CONNECTED again.

To hubs go the Sessions and CDRs of drivers whose eMSPs are behind them. When such an eMSP is away the hub refuses them
in its own name (4xxx, §status_codes_4xxx_hub_errors); that is no fault of theirs, and may be over long before their
next attempt.
"""

from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.models import ClientInfo
from ocpi.store.catalogue import STORES
from ocpi.v221.hub_client_info import ConnectionStatus
from ocpi.v221.versions import ModuleID
from roaming.delivery_models import Delivery
from roaming.sync.audience import PRIVATE


def returned(party: PartyId, hub_id: int) -> list[ModuleID]:
    """Let another attempt be due for what waits for a party that is CONNECTED to a hub; returns the modules of it."""
    if not ClientInfo.objects.filter(owner=party, source=hub_id, status=ConnectionStatus.CONNECTED).exists():
        return []
    return [module for module in sorted(PRIVATE) if _due(module, party, hub_id)]


def _due(module: ModuleID, party: PartyId, hub_id: int) -> int:
    for_party = STORES[module].rows(token_owner=party).values("pk")
    refused = Delivery.objects.filter(platform=hub_id, module=module.value, retry_at__isnull=False)
    by_hub = refused.filter(object_id__in=for_party, error__startswith="4")
    return by_hub.update(retry_at=timezone.now())
