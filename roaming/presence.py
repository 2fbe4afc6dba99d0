"""What a hub tells of the parties connected to it: our own ClientInfos, kept true (§mod_hub_client_info_module).

They follow from the parties and the state of their platforms (OFFLINE: roaming/breaker.py), so they are never edited
but compared and corrected: after each change of the directory, when a node starts, and by beat. One whose party is
gone is SUSPENDED, for a ClientInfo is never removed. Lanes push what changed.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.models import ClientInfo
from ocpi.store.client_infos import client_infos
from ocpi.store.objects import Arrival
from ocpi.types import times
from ocpi.v221.common import Role
from ocpi.v221.hub_client_info import ConnectionStatus
from roaming.models import DirectoryVersion, Party, Platform

State = Platform.State
_Seat = tuple[str, str]  # a party in one of its roles


def refresh() -> int:
    """Correct what we tell; returns how many ClientInfos changed. Does nothing at a node that is no hub."""
    if not _outdated():
        return 0
    with transaction.atomic():
        # Whoever changes the directory waits until we are done: nothing newer is overwritten by what we read before.
        list(DirectoryVersion.objects.select_for_update())
        outdated = _outdated()
        client_infos.put_many(outdated, source=None)
    return len(outdated)


def _outdated() -> list[Arrival]:
    """The ClientInfos that are missing or no longer true, as they should be."""
    if not Party.objects.filter(platform=None, role=Role.HUB).exists():
        return []
    told = {
        (owner, role): (status, moment)
        for owner, role, status, moment in ClientInfo.objects.filter(source=None).values_list(
            "owner", "role", "status", "last_updated"
        )
    }
    true = dict.fromkeys(told, ConnectionStatus.SUSPENDED) | _true()
    return [
        Arrival(_client_info(seat, status, told[seat][1] if seat in told else None))
        for seat, status in sorted(true.items())
        if seat not in told or told[seat][0] != status
    ]


def _true() -> dict[_Seat, ConnectionStatus]:
    """The status of every party, ours included, but the hub itself."""
    parties = Party.objects.exclude(platform=None, role=Role.HUB)
    return {
        (party, role): _status(platform_id, state, connected_at, offline_since)
        for party, role, platform_id, state, connected_at, offline_since in parties.values_list(
            "party", "role", "platform_id", "platform__state", "platform__connected_at", "platform__offline_since"
        )
    }


def _status(
    platform_id: int | None, state: str, connected_at: datetime | None, offline_since: datetime | None
) -> ConnectionStatus:
    """§mod_hub_client_info_hub_connection_type_enum"""
    if platform_id is None:
        return ConnectionStatus.CONNECTED
    if state == State.CONNECTED:
        return ConnectionStatus.OFFLINE if offline_since else ConnectionStatus.CONNECTED
    if state == State.SUSPENDED:
        return ConnectionStatus.SUSPENDED
    return ConnectionStatus.PLANNED if connected_at is None else ConnectionStatus.OFFLINE  # invited once more


def _client_info(seat: _Seat, status: ConnectionStatus, before: datetime | None) -> dict[str, str]:
    """The document; later than the one before it also when a clock was set back."""
    party, moment = PartyId(seat[0]), timezone.now()
    if before is not None:
        moment = max(moment, before + timedelta(milliseconds=1))
    return {
        "country_code": party.country_code,
        "party_id": party.party_id,
        "role": seat[1],
        "status": status.value,
        "last_updated": times.format(moment),
    }
