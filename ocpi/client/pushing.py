"""How an owner tells others of its objects: method, path and body (§transport_and_format_client_owned_object_push)."""

from typing import Any
from urllib.parse import quote, urlencode

from ocpi.client.sending import Request
from ocpi.transport.headers import RoutingHeaders
from ocpi.types import codec
from ocpi.v221.versions import ModuleID


def push(module: ModuleID, url: str, text: str, routing: RoutingHeaders) -> Request:
    """The request that brings a Receiver, whose endpoint is `url`, the whole object as it is now."""
    if module == ModuleID.CDRS:
        return Request("POST", url, routing, text.encode())
    document = codec.decode(text.encode())
    return Request("PUT", _object_url(module, url, document), routing, text.encode())


def withdraw(module: ModuleID, url: str, text: str, routing: RoutingHeaders) -> Request:
    """The request that tells a Receiver that an object is no more; `text` is the last that was known of it."""
    return Request("DELETE", _object_url(module, url, codec.decode(text.encode())), routing)


def _object_url(module: ModuleID, url: str, document: dict[str, Any]) -> str:
    party = (document["country_code"], document["party_id"])
    match module:
        case ModuleID.TOKENS:
            return f"{_url(url, *party, document['uid'])}?{urlencode({'type': document['type']})}"
        case ModuleID.HUB_CLIENT_INFO:
            return _url(url, *party)
    return _url(url, *party, document["id"])


def _url(base: str, *segments: str) -> str:
    return "/".join([base.rstrip("/"), *(quote(segment, safe="") for segment in segments)])
