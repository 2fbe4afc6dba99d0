"""Both halves of the credentials handshake (§credentials_registration).

Whoever asks, the network comes first and the database last: a failed attempt has changed nothing. The receiving half
reads the caller's versions and details before it answers; the answer then carries the new token, the bootstrap token
is dead, and on an update the old token lives until the new one is used or NODE_TOKEN_GRACE seconds have passed.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from ocpi import ports
from ocpi.client.discovery import Discovery, NoCommonVersion, discover
from ocpi.client.http import OcpiClient
from ocpi.client.messages import PartnerError, Presented
from ocpi.errors import ClientApiUnusable, InvalidParameters, MethodNotAllowed, NoMatchingEndpoints, UnsupportedVersion
from ocpi.ids import PartyId
from ocpi.ports import Caller
from ocpi.types import validation
from ocpi.v221.credentials import Credentials
from roaming import directory, events, secrets
from roaming.models import CredentialsToken, Endpoint, Party, Platform

Kind = CredentialsToken.Kind
Client = Callable[[Presented], OcpiClient]


class HandshakeFailed(Exception):
    """We could not register with a platform; the message is for staff."""


def own_versions_url() -> str:
    return f"{settings.NODE_URL}/ocpi/versions"


# --- receiving: a partner registers with us -------------------------------------------------------------------------


@transaction.atomic
def invite(name: str) -> str:
    """A new or suspended platform gets a bootstrap token (CREDENTIALS_TOKEN_A); returns it, the only time it is seen.

    Inviting a planned platform again replaces its token. Raises ValueError for a connected one.
    """
    platform, _ = Platform.objects.select_for_update().get_or_create(name=name)
    if platform.state == Platform.State.CONNECTED:
        raise ValueError(f"{name} is connected; suspend it first")
    _forget(platform)
    platform.state = Platform.State.PLANNED
    platform.save()
    return _issue(platform, Kind.BOOTSTRAP)


class Registrar:
    """Implements `ocpi.ports.Registrar`."""

    def __init__(self, client: Client = OcpiClient) -> None:
        self._client = client

    def register(self, caller: Caller, credentials: dict[str, Any]) -> str:
        found = self._call_back(caller, credentials)
        with transaction.atomic():
            platform = Platform.objects.select_for_update().get(pk=caller.platform_id)
            if platform.state == Platform.State.CONNECTED:
                raise MethodNotAllowed("already registered; use PUT", allowed=("GET", "PUT", "DELETE"))
            _adopt(platform, credentials, found)
            platform.tokens.all().delete()
            return _issue(platform, Kind.INBOUND)

    def update(self, caller: Caller, credentials: dict[str, Any]) -> str:
        found = self._call_back(caller, credentials)
        with transaction.atomic():
            platform = Platform.objects.select_for_update().get(pk=caller.platform_id)
            if platform.state != Platform.State.CONNECTED:
                raise MethodNotAllowed("not registered; use POST", allowed=("GET", "POST"))
            _adopt(platform, credentials, found)
            # A partner that lost our answer asks again with its old token: the unused new one is replaced.
            platform.tokens.filter(used_at=None).exclude(digest__in=secrets.digests(caller.token)).delete()
            platform.tokens.filter(expires_at=None).update(
                expires_at=timezone.now() + timedelta(seconds=settings.NODE_TOKEN_GRACE)
            )
            return _issue(platform, Kind.INBOUND)

    def unregister(self, caller: Caller) -> None:
        with transaction.atomic():
            _suspend(Platform.objects.select_for_update().get(pk=caller.platform_id))

    def _call_back(self, caller: Caller, credentials: dict[str, Any]) -> Discovery:
        try:
            with self._client(Presented(credentials["token"], platform_id=caller.platform_id)) as client:
                found = discover(client, credentials["url"])
        except NoCommonVersion as error:
            raise UnsupportedVersion(str(error)) from None
        except PartnerError as error:
            raise ClientApiUnusable(str(error)) from None
        if found.credentials is None:
            raise NoMatchingEndpoints("your version details list no credentials endpoint")
        return found


registrar = Registrar()


# --- asking: we register with a partner -----------------------------------------------------------------------------


def connect(name: str, versions_url: str, token: str, client: Client = OcpiClient) -> Platform:
    """Register with the platform at `versions_url` using the token it gave us; raises HandshakeFailed.

    Our own new token must be valid before the POST, for the partner calls back while it answers; when the handshake
    fails it is withdrawn.
    """
    platform, created = Platform.objects.get_or_create(name=name)
    if platform.state == Platform.State.CONNECTED:
        raise HandshakeFailed(f"{name} is connected already; to renew its tokens use the action in the admin")
    with transaction.atomic():
        ours = _issue(platform, Kind.INBOUND)
    try:
        with client(Presented(token, platform.sends_plain_token, platform.pk)) as partner:
            found, credentials = _exchange(partner, "POST", versions_url, ours)
        with transaction.atomic():
            platform = Platform.objects.select_for_update().get(pk=platform.pk)
            platform.tokens.exclude(digest__in=secrets.digests(ours)).delete()
            _adopt(platform, credentials, found)
    except (PartnerError, InvalidParameters) as error:
        with transaction.atomic():
            platform.tokens.filter(digest__in=secrets.digests(ours)).delete()
            if created:
                platform.delete()
            directory.changed()
        if not created:
            platform.record_error(str(error))
        raise HandshakeFailed(str(error)) from None
    return platform


def renew(platform: Platform, client: Client = OcpiClient) -> None:
    """Exchange both tokens by PUT (§credentials_updating_the_credentials_and_resetting_the_token)."""
    with transaction.atomic():
        ours = _issue(platform, Kind.INBOUND)
    try:
        with client(platform.presented) as partner:
            found, credentials = _exchange(partner, "PUT", platform.versions_url, ours)
        with transaction.atomic():
            platform = Platform.objects.select_for_update().get(pk=platform.pk)
            _adopt(platform, credentials, found)
            platform.tokens.exclude(digest__in=secrets.digests(ours)).filter(expires_at=None).update(
                expires_at=timezone.now() + timedelta(seconds=settings.NODE_TOKEN_GRACE)
            )
    except (PartnerError, InvalidParameters) as error:
        with transaction.atomic():
            platform.tokens.filter(digest__in=secrets.digests(ours)).delete()
            directory.changed()
        platform.record_error(str(error))
        raise HandshakeFailed(str(error)) from None


def disconnect(platform: Platform, client: Client = OcpiClient) -> None:
    """Unregister by DELETE; whatever the platform answers, our side ends. Raises HandshakeFailed to tell staff."""
    trouble = ""
    try:
        with client(platform.presented) as partner:
            if url := discover(partner, platform.versions_url).credentials:
                partner.request("DELETE", url)
    except PartnerError as error:
        trouble = str(error)
    with transaction.atomic():
        _suspend(Platform.objects.select_for_update().get(pk=platform.pk))
    if trouble:
        raise HandshakeFailed(f"suspended here, but the partner was not told: {trouble}")


def _exchange(client: OcpiClient, method: str, versions_url: str, ours: str) -> tuple[Discovery, dict[str, Any]]:
    found = discover(client, versions_url)
    if found.credentials is None:
        raise PartnerError(f"{versions_url} lists no credentials endpoint")
    body = {"token": ours, "url": own_versions_url(), "roles": ports.directory().roles()}
    credentials = client.request(method, found.credentials, body).data
    violations = validation.check(credentials, Credentials)
    if fatal := [violation for violation in violations if violation.fatal]:
        raise PartnerError(f"unusable credentials in the answer: {fatal[0].pointer}: {fatal[0].message}")
    return found, credentials


# --- what both halves write -----------------------------------------------------------------------------------------


def _issue(platform: Platform, kind: CredentialsToken.Kind) -> str:
    token = secrets.new_token()
    CredentialsToken.objects.create(platform=platform, kind=kind, digest=secrets.digests(token)[0])
    directory.changed()
    return token


def _adopt(platform: Platform, credentials: dict[str, Any], found: Discovery) -> None:
    """Take over the partner's token, endpoints and parties; raises InvalidParameters for a party of somebody else."""
    platform.outbound_token = credentials["token"]
    platform.versions_url = credentials["url"]
    platform.state = Platform.State.CONNECTED
    platform.connected_at = timezone.now()
    platform.failures, platform.last_error = 0, ""
    platform.last_seen_at, platform.offline_since, platform.probe_at = platform.connected_at, None, None
    platform.save()
    platform.endpoints.all().delete()
    Endpoint.objects.bulk_create(
        Endpoint(platform=platform, module=module, role=role, url=url)
        for (module, role), url in found.endpoints.items()
    )
    platform.parties.all().delete()
    for role in credentials["roles"]:
        _adopt_party(platform, role)
    directory.changed()
    transaction.on_commit(lambda: events.platform_connected.send(sender=Platform, platform_id=platform.pk))


def _adopt_party(platform: Platform, role: dict[str, Any]) -> None:
    party = PartyId.of(role["country_code"], role["party_id"])
    taken = Party.objects.filter(party=party).exclude(platform=platform).first()
    if taken is not None:
        raise InvalidParameters(f"/roles: {party} is already a party of another platform")
    details = role.get("business_details") or {}
    try:
        with transaction.atomic():
            Party.objects.create(
                platform=platform,
                party=party,
                role=role["role"],
                name=str(details.get("name") or party)[:100],
                business_details=details,
            )
    except IntegrityError:
        raise InvalidParameters(f"/roles: {party} {role['role']} is listed twice, or taken meanwhile") from None


def _suspend(platform: Platform) -> None:
    _forget(platform)
    platform.state = Platform.State.SUSPENDED
    platform.save()
    directory.changed()


def _forget(platform: Platform) -> None:
    """End every access in both directions."""
    platform.tokens.all().delete()
    platform.endpoints.all().delete()
    platform.outbound_token = ""
