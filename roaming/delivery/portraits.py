"""Objects as they are now: text, image, and whom they concern. Lanes of many platforms ask for the same ones at the
same time, so a process keeps those of late.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, replace

from ocpi.client import pushing
from ocpi.ids import PartyId
from ocpi.store.catalogue import STORES
from ocpi.types import codec
from ocpi.v221.versions import ModuleID
from roaming.delivery import images
from roaming.delivery.images import Document, Image
from roaming.sync.audience import PRIVATE

_KEPT_CHARACTERS = 32_000_000


@dataclass(frozen=True, slots=True)
class Portrait:
    """One object at one revision, or newer. `image.gone`: it was withdrawn, and `text` is the last that there was."""

    image: Image
    text: str
    token_owner: PartyId | None  # of Sessions and CDRs: the eMSP whose driver charged


_Key = tuple[ModuleID, int, int]


class Portraits:
    """The portraits of late, by module, row and revision."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, Portrait] = OrderedDict()
        self._size, self._lock = 0, threading.Lock()

    def of(self, module: ModuleID, wanted: Collection[tuple[int, int]]) -> dict[int, Portrait]:
        """By row; `wanted` has row and revision of each object."""
        with self._lock:
            found = {id: kept for id, revision in wanted if (kept := self._kept.get((module, id, revision)))}
        missing = [(id, revision) for id, revision in wanted if id not in found]
        if missing:
            painted = _paint(module, [id for id, _ in missing])
            self._keep({(module, id, revision): painted[id] for id, revision in missing if id in painted})
            found |= painted
        return found

    def _keep(self, painted: dict[_Key, Portrait]) -> None:
        with self._lock:
            self._kept |= painted
            self._size += sum(len(portrait.text) for portrait in painted.values())
            while self._size > _KEPT_CHARACTERS:
                self._size -= len(self._kept.popitem(last=False)[1].text)


portraits = Portraits()


def _paint(module: ModuleID, ids: list[int]) -> dict[int, Portrait]:
    store = STORES[module]
    texts = store.texts(ids)
    found = {id: _portrait(module, text) for id, text in texts.items()}
    for id, text in store.withdrawn([id for id in ids if id not in texts]).items():
        path = pushing.path(module, codec.decode(text.encode()))
        found[id] = Portrait(Image(path, gone=True), text, None)
    return found


def _portrait(module: ModuleID, text: str) -> Portrait:
    document = codec.decode(text.encode())
    return Portrait(images.of(module, document), text, _token_owner(module, document))


def retouched(portrait: Portrait, module: ModuleID, text: str) -> Portrait:
    """The same with another text: as somebody sees it who may not see all of it."""
    return replace(portrait, image=images.of(module, codec.decode(text.encode())), text=text)


def _token_owner(module: ModuleID, document: Document) -> PartyId | None:
    if module not in PRIVATE:
        return None
    token = document["cdr_token"]
    return PartyId.of(token["country_code"], token["party_id"])
