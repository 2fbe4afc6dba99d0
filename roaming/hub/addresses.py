"""URLs that lead through the hub: a party's own are of no use to who has no credentials there.

The Sender and Receiver interfaces of the hub stand for those of every party, so the URL of an endpoint, and whatever
is below it, has a counterpart of ours. Any other URL that a party names is sealed into ours and opened again when it
is asked for.
"""

import re
from functools import lru_cache
from urllib.parse import parse_qs, quote, unquote

from django.conf import settings
from django.core import signing
from msgspec import Struct

from ocpi.errors import InvalidParameters
from ocpi.ids import VERSION
from ocpi.v221.versions import InterfaceRole
from roaming.directory import Peer

_ROOT = [b"", b"ocpi", VERSION.encode()]
_INTERFACES = {b"sender": InterfaceRole.SENDER, b"receiver": InterfaceRole.RECEIVER}
_LONGEST_MODULE = 50
_MODULE = re.compile(rb"[^/?#\x80-\xff]+")
_LINKED = re.compile(r"<([^>]*)>")
_SEALED = "sealed"
_SALT = "roaming.hub.addresses"


class Place(Struct, frozen=True):
    """What a URL of ours names: module, interface, and the path below with its percent-encoding."""

    interface: InterfaceRole
    module: str
    below: str
    is_list: bool

    @classmethod
    def read(cls, raw_path: bytes) -> "Place | None":
        """None for a URL that is no interface of a functional module."""
        parts = raw_path.split(b"/", 5)
        if len(parts) < 5 or parts[:3] != _ROOT or len(parts[4]) > _LONGEST_MODULE:
            return None
        interface, module = _INTERFACES.get(parts[3]), _module(parts[4])
        if interface is None or not module:
            return None
        below = f"/{parts[5].decode('latin-1')}" if len(parts) > 5 else ""
        return cls(interface, module, below, below in ("", "/"))

    @property
    def ours(self) -> str:
        """The URL of the module's interface at this hub."""
        return f"{settings.NODE_URL}/ocpi/{VERSION}/{self.interface.lower()}/{quote(self.module)}"


@lru_cache(1024)
def _module(raw: bytes) -> str:
    """The name of a module, empty for what cannot be one."""
    return unquote(raw.decode()) if _MODULE.fullmatch(raw) else ""


class Passage(Struct, frozen=True):
    """A place at the hub and what it stands for at the receiver: an endpoint without the slash at its end."""

    place: Place
    peer: Peer
    endpoint: str

    def target(self, query: str) -> str:
        """Where the receiver has what our URL names; raises InvalidParameters for a seal that is not ours."""
        if query.startswith(f"{_SEALED}="):
            return self._opened(query)
        return f"{self.endpoint}{self.place.below}{'&' if '?' in self.endpoint else '?'}{query}"

    def through_hub(self, url: str) -> str:
        """The URL of ours that leads to a URL of the receiver's."""
        base = self.endpoint
        if url.startswith(base) and url[len(base) : len(base) + 1] in ("", "/", "?"):
            return self.place.ours + url[len(base) :]
        return f"{self.place.ours}?{_SEALED}={signing.dumps([self.peer.id, url], salt=_SALT)}"

    def link_through_hub(self, link: str) -> str:
        """A Link header whose URLs lead through the hub (§transport_and_format_paginated_response)."""
        return _LINKED.sub(lambda match: f"<{self.through_hub(match[1])}>", link)

    def _opened(self, query: str) -> str:
        try:
            platform_id, url = signing.loads(parse_qs(query)[_SEALED][0], salt=_SALT)
        except signing.BadSignature:
            raise InvalidParameters(f"{_SEALED}: not a link of this hub") from None
        # The seal is for one receiver: another one's token must not go to this URL.
        if platform_id != self.peer.id:
            raise InvalidParameters(f"{_SEALED}: a link of another receiver; address that one")
        return str(url)
