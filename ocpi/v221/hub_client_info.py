"""Parties behind a hub (§mod_hub_client_info_module). Owner: hub."""

from __future__ import annotations

from enum import auto

from ocpi.types.scalars import CiString2, CiString3, DateTime, OpenEnum, Wire
from ocpi.v221.common import Role


class ClientInfo(Wire):
    """A party behind the hub and its connection (§mod_hub_client_info_hub_client_info_object)."""

    key = ("country_code", "party_id", "role")

    party_id: CiString3
    country_code: CiString2
    role: Role
    status: ConnectionStatus
    last_updated: DateTime


class ConnectionStatus(OpenEnum):
    """The state of a connection; nobody is ever deleted (§mod_hub_client_info_hub_connection_type_enum)."""

    CONNECTED = auto()
    OFFLINE = auto()
    PLANNED = auto()
    SUSPENDED = auto()
