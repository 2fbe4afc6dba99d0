"""The smallest difference between what a platform holds of an object and how it is: the requests that make up for it.

| what changed                                          | what is sent                                     |
|-------------------------------------------------------|--------------------------------------------------|
| nothing but `last_updated`                            | nothing                                          |
| the platform holds nothing of it                      | PUT of the object; POST of a CDR                 |
| the status of an EVSE                                 | PATCH of the EVSE: status, last_updated          |
| an EVSE otherwise, or it is new                       | PUT of the EVSE                                  |
| more than half of the EVSEs, and more than two        | PUT of the Location                              |
| a Location itself, or an EVSE is not in it any more   | PUT of the Location                              |
| fields of a Session, other than its charging periods  | PATCH of the Session: those fields, last_updated |
| charging periods of a Session, or a field is gone     | PUT of the Session                               |
| a Tariff is withdrawn                                 | DELETE                                           |

Every one of them may be repeated without harm, for an answer can be lost and a worker can die. That is why charging
periods are not PATCHed: a PATCH appends them (§mod_sessions_patch_method), and twice would be twice.
Source: §transport_and_format_client_owned_object_push.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ocpi.client import pushing
from ocpi.client.sending import Request
from ocpi.store import documents
from ocpi.transport.headers import RoutingHeaders
from ocpi.types import codec
from ocpi.v221.versions import ModuleID
from roaming.delivery import images
from roaming.delivery.images import Image

_PERIODS = "charging_periods"


@dataclass(frozen=True, slots=True)
class Way:
    """How requests about an object reach a platform: the Receiver's endpoint of the module, and the routing headers."""

    module: ModuleID
    base: str
    routing: RoutingHeaders


@dataclass(frozen=True, slots=True)
class Step:
    """A request, and what the platform holds once it has accepted it. `is_part`: less than the whole object."""

    request: Request
    held: Image
    is_part: bool = False


def whole(way: Way, wanted: Image, text: str) -> Step:
    """Bring the object as it is."""
    return Step(pushing.put(way.base, wanted.path, text, way.routing), wanted)


def withdrawal(way: Way, path: str) -> Step:
    """Tell that the object is no more."""
    return Step(pushing.delete(way.base, path, way.routing), Image(path, gone=True))


def steps(way: Way, held: Image | None, wanted: Image, text: str) -> list[Step]:
    """What turns `held` into `wanted`, whose JSON is `text`, in the order to be sent."""
    if held == wanted:
        return []
    if held is None or held.gone or held.path != wanted.path:
        return [whole(way, wanted, text)]
    match way.module:
        case ModuleID.LOCATIONS:
            return _of_location(way, held, wanted, text)
        case ModuleID.SESSIONS:
            return _of_session(way, held, wanted, text)
        case ModuleID.CDRS:
            return []  # immutable: what was accepted is what there is
    return [whole(way, wanted, text)]


def status_steps(way: Way, held: Image, changed: Iterable[tuple[str, str, str]]) -> list[Step]:
    """The PATCHes for EVSEs that are in `held` with another status; `changed` has uid, status and last_updated."""
    spelled = {uid.lower(): uid for uid in held.evses}
    found = []
    for key, status, stamp in changed:
        uid = spelled.get(key.lower())
        if uid is None or held.evses[uid].status == status or not status:
            continue
        held = images.with_status(held, uid, status)
        changes = {"status": status, "last_updated": stamp}
        request = pushing.patch_evse(way.base, held.path, uid, changes, way.routing)
        found.append(Step(request, held, is_part=True))
    return found


def _of_location(way: Way, held: Image, wanted: Image, text: str) -> list[Step]:
    changed = [uid for uid, evse in wanted.evses.items() if held.evses.get(uid) != evse]
    if (
        held.digest != wanted.digest
        or held.evses.keys() - wanted.evses.keys()
        or len(changed) > max(2, len(wanted.evses) / 2)
    ):
        return [whole(way, wanted, text)]
    document = codec.decode(text.encode())
    found = []
    for uid in changed:
        evse = documents.child(document, "evses", "uid", uid) or {}
        found.append(_of_evse(way, held, uid, wanted.evses[uid], evse))
        held = found[-1].held
    return found


def _of_evse(way: Way, held: Image, uid: str, wanted: images.Evse, evse: dict[str, Any]) -> Step:
    known = held.evses.get(uid)
    if known is not None and known.digest == wanted.digest:
        return status_steps(way, held, [(uid, wanted.status, evse["last_updated"])])[0]
    request = pushing.put_evse(way.base, held.path, evse, way.routing)
    return Step(request, images.with_evse(held, uid, wanted), is_part=True)


def _of_session(way: Way, held: Image, wanted: Image, text: str) -> list[Step]:
    changed = {name for name, digest in wanted.fields.items() if held.fields.get(name) != digest}
    if _PERIODS in changed or held.fields.keys() - wanted.fields.keys():
        return [whole(way, wanted, text)]
    document = codec.decode(text.encode())
    changes = {name: value for name, value in document.items() if name in changed or name == "last_updated"}
    request = pushing.patch(way.base, wanted.path, changes, way.routing)
    return [Step(request, wanted, is_part=True)]
