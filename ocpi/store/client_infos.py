"""ClientInfos: which party is behind which hub, and whether it can be reached (§mod_hub_client_info_module)."""

from typing import Any

from ocpi.errors import InvalidParameters
from ocpi.ids import PartyId
from ocpi.models import ClientInfo
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival, Objects, Stored, short
from ocpi.types import times
from ocpi.v221 import hub_client_info as wire


class ClientInfos(Objects):
    model, shape, unknown = ClientInfo, wire.ClientInfo, InvalidParameters

    def key(self, document: Document, source: int | None) -> str:
        """A party may be behind several hubs: the hub that says so belongs to the key; our own say nothing."""
        return f"{document['role']}@{source or ''}".lower()

    def columns(self, document: Document) -> dict[str, Any]:
        return {"role": short(document["role"], 40), "status": short(document["status"], 40)}

    def differs(self, stored: Stored | None, arrival: Arrival) -> bool:
        """News that was overtaken on its way changes nothing: what we know is newer."""
        if stored is None or not super().differs(stored, arrival):
            return stored is None
        moment = times.parse(self.current(stored)["last_updated"])
        return times.parse(arrival.document["last_updated"]) >= moment

    def find_from(self, source: int, party: PartyId) -> str | None:
        """The JSON of what a hub last said of a party; of a party in several roles, what it said most recently."""
        rows = self.rows(owner=party, source=source).order_by("-last_updated", "-revision")
        return rows.values_list("document", flat=True).first()


client_infos = ClientInfos()
