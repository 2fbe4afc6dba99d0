"""How an owner tells others of its objects: method, path and body (§transport_and_format_client_owned_object_push).

`base` is the URL of the Receiver's endpoint. A path is that of one object below it, in the owner's spelling.
"""

from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from ocpi.client.sending import Request
from ocpi.transport.headers import RoutingHeaders
from ocpi.types import codec
from ocpi.v221.versions import ModuleID


def path(module: ModuleID, document: dict[str, Any]) -> str:
    """Where the object is at a Receiver; empty for CDRs, which get their URLs from it."""
    party = (document["country_code"], document["party_id"])
    match module:
        case ModuleID.CDRS:
            return ""
        case ModuleID.TOKENS:
            return f"{_joined(*party, document['uid'])}?{urlencode({'type': document['type']})}"
        case ModuleID.HUB_CLIENT_INFO:
            return _joined(*party)
    return _joined(*party, document["id"])


def put(base: str, path: str, text: str, routing: RoutingHeaders) -> Request:
    """Bring the whole object; a CDR, which has no path, is POSTed."""
    if not path:
        return Request("POST", base, routing, text.encode())
    return Request("PUT", _below(base, path), routing, text.encode())


def patch(base: str, path: str, changes: dict[str, Any], routing: RoutingHeaders) -> Request:
    """Change some fields of an object."""
    return Request("PATCH", _below(base, path), routing, codec.encode(changes))


def put_evse(base: str, path: str, evse: dict[str, Any], routing: RoutingHeaders) -> Request:
    """Bring one EVSE of the Location at `path`."""
    return Request("PUT", _below(base, f"{path}/{_quoted(evse['uid'])}"), routing, codec.encode(evse))


def patch_evse(base: str, path: str, uid: str, changes: dict[str, Any], routing: RoutingHeaders) -> Request:
    """Change some fields of one EVSE of the Location at `path`."""
    return Request("PATCH", _below(base, f"{path}/{_quoted(uid)}"), routing, codec.encode(changes))


def delete(base: str, path: str, routing: RoutingHeaders) -> Request:
    """Tell that an object is no more."""
    return Request("DELETE", _below(base, path), routing)


def read(base: str, path: str, routing: RoutingHeaders) -> Request:
    """Ask what the Receiver has of an object."""
    return Request("GET", _below(base, path), routing)


def _below(base: str, path: str) -> str:
    return f"{base.rstrip('/')}/{path}"


def _joined(*segments: str) -> str:
    return "/".join(map(_quoted, segments))


@lru_cache(4096)  # the same change goes to many
def _quoted(segment: str) -> str:
    return quote(segment, safe="")
