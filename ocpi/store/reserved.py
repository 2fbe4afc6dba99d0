"""Locations for readers who are not to know of some Tariffs: their Connectors do not name them.

A text that has none of their ids in it is passed on as it is, unread.
"""

from collections.abc import Collection

from ocpi.ids import PartyId
from ocpi.store import documents
from ocpi.store.documents import Document
from ocpi.types import codec

Reserved = Collection[tuple[PartyId, str]]
"""Tariffs by owner and key."""


def without(text: str, reserved: Reserved, owner: PartyId | None = None) -> str:
    """The JSON of a Location, or of a part of a Location of `owner`, that names none of these Tariffs."""
    lowered = text.lower() if reserved else ""
    if not any(key in lowered for _, key in reserved):
        return text
    document = codec.decode(text.encode())
    owner = owner or PartyId.of(document["country_code"], document["party_id"])
    keys = {key for of, key in reserved if of == owner}
    changed = [_forget(connector, keys) for connector in _connectors(document)]
    return codec.encode_text(document) if any(changed) else text


def _connectors(document: Document) -> list[Document]:
    """Those of a Location or an EVSE, or the Connector itself."""
    evses = documents.objects(document, "evses") or [document]
    found = [connector for evse in evses for connector in documents.objects(evse, "connectors")]
    return found or [document]


def _forget(connector: Document, keys: Collection[str]) -> bool:
    """Take the Tariffs out of a Connector; True when there were any."""
    ids = documents.items(connector, "tariff_ids")
    left = [id for id in ids if not (isinstance(id, str) and id.lower() in keys)]
    if len(left) == len(ids):
        return False
    if left:
        connector["tariff_ids"] = left
    else:
        del connector["tariff_ids"]
    return True
