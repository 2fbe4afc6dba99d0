"""What a platform holds of an object, as digests: enough to tell the smallest change, little enough to keep for each
platform and object.

`last_updated` is left out: an object that was stamped anew and says the same is no change to anybody.
"""

from hashlib import blake2b
from typing import Any

import msgspec

from ocpi.client import pushing
from ocpi.store import documents
from ocpi.types import codec
from ocpi.v221.versions import ModuleID

Document = dict[str, Any]

_STAMP = "last_updated"
_LIVE = ("status", _STAMP)  # of an EVSE


class Evse(msgspec.Struct, frozen=True, array_like=True):
    """An EVSE: all but its live part as a digest, and its status as it is."""

    digest: str
    status: str


class Image(msgspec.Struct, frozen=True, omit_defaults=True):
    """One object as a platform has acknowledged it.

    `path` is where it is at the Receiver. `digest` is of everything that has no digest of its own: the EVSEs of a
    Location by `uid`, the fields of a Session by name. An image with `gone` is of an object that was withdrawn.
    """

    path: str
    digest: str = ""
    evses: dict[str, Evse] = {}
    fields: dict[str, str] = {}
    gone: bool = False

    @property
    def text(self) -> str:
        return msgspec.json.encode(self).decode()


_decoder = msgspec.json.Decoder(Image)


def read(text: str) -> Image | None:
    """The image in a row; None when there is none."""
    return _decoder.decode(text) if text else None


def of(module: ModuleID, document: Document) -> Image:
    """What a platform holds that has been sent the whole object."""
    path = pushing.path(module, document)
    match module:
        case ModuleID.LOCATIONS:
            evses = documents.objects(document, "evses")
            return Image(path, _digest(document, "evses"), {str(evse["uid"]): _evse(evse) for evse in evses})
        case ModuleID.SESSIONS:
            return Image(path, fields={name: _sum(value) for name, value in document.items() if name != _STAMP})
    return Image(path, _digest(document))


def seen(module: ModuleID, answered: object) -> Image | None:
    """The image of what a platform says it holds; None for what cannot be such an object."""
    try:
        return of(module, answered) if isinstance(answered, dict) else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def with_evse(held: Image, uid: str, evse: Evse) -> Image:
    """The same with another state of one EVSE."""
    return msgspec.structs.replace(held, evses={**held.evses, uid: evse})


def with_status(held: Image, uid: str, status: str) -> Image:
    """The same with another status of an EVSE that is in it."""
    return with_evse(held, uid, Evse(held.evses[uid].digest, status))


_UNKNOWN = Evse("", "")


def doubted(held: Image | None, sent: Image) -> Image | None:
    """What a platform holds that may have got `sent`, and may not: what differs is unlike anything that can be sent."""
    if held is None:
        return None
    if held.path != sent.path:
        return Image(sent.path)
    return Image(
        held.path,
        _agreed(held.digest, sent.digest),
        {uid: _doubted(held.evses.get(uid), sent.evses.get(uid)) for uid in held.evses | sent.evses},
        {name: _agreed(held.fields.get(name), sent.fields.get(name)) for name in held.fields | sent.fields},
        gone=held.gone and sent.gone,
    )


def _doubted(held: Evse | None, sent: Evse | None) -> Evse:
    if held is None or sent is None:
        return _UNKNOWN
    return Evse(_agreed(held.digest, sent.digest), _agreed(held.status, sent.status))


def _agreed(held: str | None, sent: str | None) -> str:
    return held if held is not None and held == sent else ""


def _evse(evse: Document) -> Evse:
    return Evse(_digest(evse, *_LIVE), str(evse.get("status", "")))


def _digest(document: Document, *left_out: str) -> str:
    return _sum({name: value for name, value in document.items() if name != _STAMP and name not in left_out})


def _sum(value: Any) -> str:
    """Twelve hex digits: a change goes unnoticed once in 10^14."""
    return blake2b(codec.encode(value), digest_size=6).hexdigest()
