"""Who may connect at `/ocpp/<identity>`: the request is read without the database, and judged with it.

An unknown identity is 404 and a wrong password 401, both after the same comparison of hashes. Whoever may not connect
learns a status and nothing else.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import unquote

from django.conf import settings
from django.db import IntegrityError, transaction

from cpo_backend.models import Charger
from cpo_backend.ocpp.dialects import BY_SUBPROTOCOL, Dialect
from cpo_backend.registry import keys
from ocpi.transport.asgi import AsgiHeaders, Scope

PREFIX = "/ocpp/"
_IDENTITY = re.compile(r"[A-Za-z0-9*_\-=:+|@.]{1,48}", re.ASCII)
_COMMON_NAME = re.compile(r"(?:^|[,/;]|\s)CN\s*=\s*([^,/;]+)")
State, Profile = Charger.State, Charger.Profile


class Refused(Exception):
    """The handshake ends with this HTTP status. `is_suspicious`: somebody may be guessing."""

    def __init__(self, status: HTTPStatus, reason: str, *, is_suspicious: bool = False) -> None:
        super().__init__(reason)
        self.status, self.reason, self.is_suspicious = status, reason, is_suspicious


@dataclass(frozen=True, slots=True)
class Request:
    """What a charger asks for. `key` is the password, None without one; `profile` the security profile it uses."""

    identity: str
    dialect: Dialect
    profile: int
    key: bytes | None = field(repr=False)
    address: str


def is_identity(text: str) -> bool:
    """Whether a charger may have this identity."""
    return _IDENTITY.fullmatch(text) is not None


def read(scope: Scope) -> Request:
    """The request in the scope; raises Refused."""
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    # Slashes around it come from whoever wrote a URL into the charger, where the charger appends the rest.
    identity = unquote(raw_path.decode("latin-1").removeprefix(PREFIX).strip("/"))
    if not raw_path.startswith(PREFIX.encode()) or not is_identity(identity):
        raise Refused(HTTPStatus.NOT_FOUND, "no such identity")
    offered = [BY_SUBPROTOCOL[name] for name in scope.get("subprotocols", ()) if name in BY_SUBPROTOCOL]
    if not offered:
        raise Refused(HTTPStatus.BAD_REQUEST, f"offer one of the subprotocols {', '.join(BY_SUBPROTOCOL)}")
    headers = AsgiHeaders(scope["headers"])
    # Only a proxy that is trusted, or our own TLS, makes the scheme wss; so the header with it is the proxy's as well.
    is_secure = scope.get("scheme") == "wss"
    name = settings.OCPP_CERTIFICATE_HEADER
    if is_secure and name and (certified := headers.get(name)):
        if _common_name(certified) != identity:
            raise Refused(HTTPStatus.UNAUTHORIZED, "the certificate is another's", is_suspicious=True)
        profile, key = Profile.CERTIFICATE, None
    else:
        profile = Profile.TLS if is_secure else Profile.PLAIN
        key = _password(headers.get("Authorization", ""), identity)
    if profile < settings.OCPP_MIN_PROFILE:
        raise Refused(HTTPStatus.FORBIDDEN, f"security profile {settings.OCPP_MIN_PROFILE} is needed")
    return Request(identity, offered[0], profile, key, (scope.get("client") or ("",))[0])


def _common_name(subject: str) -> str:
    """The CN in a distinguished name, of whatever notation; what has none is taken as it is."""
    found = _COMMON_NAME.search(subject)
    return found[1].strip() if found else subject.strip()


def _password(authorization: str, identity: str) -> bytes | None:
    """What follows `identity:` in Basic authorization, as bytes; None when there is nothing of the kind."""
    scheme, _, credentials = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(credentials.strip() + "==", validate=False)
    except (binascii.Error, ValueError):
        return None
    user, _, _ = decoded.partition(b":")
    start = f"{identity}:".encode()
    if not decoded.startswith(start):
        raise Refused(HTTPStatus.UNAUTHORIZED, f"the user is not the identity: {user[:48]!r}", is_suspicious=True)
    return decoded.removeprefix(start)


def admit(request: Request) -> Charger:
    """The charger that this is; raises Refused. A new password that is used becomes the only one."""
    charger = Charger.objects.filter(identity=request.identity).first()
    if request.profile != Profile.CERTIFICATE:
        _check_key(request, charger)
    if charger is None:
        charger = _quarantined(request)
    if charger.state == State.BLOCKED:
        raise Refused(HTTPStatus.FORBIDDEN, "the charger is blocked")
    if request.profile < charger.security_profile:
        raise Refused(HTTPStatus.FORBIDDEN, f"the charger has used security profile {charger.security_profile} before")
    return charger


def _check_key(request: Request, charger: Charger | None) -> None:
    stored = (charger.key_hash, charger.new_key_hash) if charger else _commissioning()
    place = keys.fits(request.key or b"", *stored)
    if charger is None and not (settings.OCPP_COMMISSIONING_KEY and place is not None):
        raise Refused(HTTPStatus.NOT_FOUND, "no such identity", is_suspicious=True)
    if request.key is None:
        raise Refused(HTTPStatus.UNAUTHORIZED, "no password")
    if place is None:
        raise Refused(HTTPStatus.UNAUTHORIZED, "wrong password", is_suspicious=True)
    if charger is not None and place == 1:
        used = Charger.objects.filter(pk=charger.pk, new_key_hash=charger.new_key_hash)
        used.update(key_hash=charger.new_key_hash, new_key_hash="")


def _commissioning() -> tuple[str, str]:
    key = settings.OCPP_COMMISSIONING_KEY
    return (keys.digest(key.encode()) if key else "", "")


def _quarantined(request: Request) -> Charger:
    """A charger that proved who it is, but that nobody registered: it waits for staff."""
    hash = keys.digest(request.key) if request.key is not None else ""
    try:
        with transaction.atomic():
            return Charger.objects.create(
                identity=request.identity, state=State.PENDING, key_hash=hash, security_profile=request.profile
            )
    except IntegrityError:
        return Charger.objects.get(identity=request.identity)
