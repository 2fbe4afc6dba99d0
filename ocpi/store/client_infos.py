"""ClientInfos: which party is behind which hub, and whether it can be reached (§mod_hub_client_info_module)."""

from typing import Any

from ocpi.errors import InvalidParameters
from ocpi.models import ClientInfo
from ocpi.store.documents import Document
from ocpi.store.objects import Objects, short
from ocpi.v221 import hub_client_info as wire


class ClientInfos(Objects):
    model, shape, unknown = ClientInfo, wire.ClientInfo, InvalidParameters

    def key(self, document: Document, source: int | None) -> str:
        """A party may be behind several hubs: the hub that says so belongs to the key; our own say nothing."""
        return f"{document['role']}@{source or ''}".lower()

    def columns(self, document: Document) -> dict[str, Any]:
        return {"role": short(document["role"], 40), "status": short(document["status"], 40)}


client_infos = ClientInfos()
