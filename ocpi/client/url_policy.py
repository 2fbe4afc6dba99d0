"""Which URLs we are willing to call. Partners choose `versions_url`, endpoint URLs and `response_url`, so each of them
is hostile until proven otherwise: https to public addresses only, unless NODE_ALLOW_PRIVATE_URLS=1.

A host name is judged by the addresses it resolves to at the moment of connecting, and the connection goes to the
judged address: a name that changes its mind in between (DNS rebinding) gains nothing.
"""

import ipaddress
import re
import socket
from functools import lru_cache
from urllib.parse import urlsplit

from ocpi.kept import kept

# Scheme and authority, which ends where urllib and the clients see its end, and the rest: printable ASCII, no blanks.
_ABSOLUTE = re.compile(r"""([A-Za-z][A-Za-z0-9+.-]*://[!"$-.0->@-~]*)[!-~]*""")


class ForbiddenUrl(ValueError):
    """A URL or address that this node does not call; the message says why."""


def check_url(url: str) -> str:
    """Scheme and authority of a URL; raises ForbiddenUrl for what can be told from the URL alone."""
    match = _ABSOLUTE.fullmatch(url)
    if match is None:
        raise ForbiddenUrl("not an absolute URL")
    _check_origin(match[1], bool(kept.NODE_ALLOW_PRIVATE_URLS))
    return match[1]


@lru_cache(4096)
def _check_origin(url: str, allow_private: bool) -> None:
    """Scheme and host; nearly always those of a partner's endpoint, which were judged before."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ForbiddenUrl("not a URL") from None
    if not host:
        raise ForbiddenUrl("not an absolute URL")
    allowed = {"http", "https"} if allow_private else {"https"}
    if parts.scheme not in allowed:
        raise ForbiddenUrl(f"the scheme {parts.scheme!r} is not allowed; use https")
    if parts.username is not None:
        raise ForbiddenUrl("user names in URLs are not allowed")
    try:
        check_address(host)
    except ValueError as error:
        if isinstance(error, ForbiddenUrl):
            raise


def check_address(address: str) -> None:
    """Raise ForbiddenUrl for an IP address that is not public; ValueError for what is no IP address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    if kept.NODE_ALLOW_PRIVATE_URLS:
        return
    if not mapped.is_global or mapped.is_multicast or mapped.is_reserved:
        raise ForbiddenUrl(f"{address} is not a public address")


def resolve(host: str, port: int) -> str:
    """The address to connect to; raises ForbiddenUrl when any address of the host is not public, OSError when none."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        check_address(address)
    return found[0]
