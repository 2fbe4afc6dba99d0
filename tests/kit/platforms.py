"""Platforms that are registered already, made directly in the database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils import timezone

from ocpi.ids import PartyId
from roaming import directory, secrets
from roaming.models import CredentialsToken, Endpoint, Party, Platform
from tests.kit.caller import PartnerClient


@dataclass(frozen=True)
class Registered:
    """A platform and the token that it presents to us."""

    platform: Platform
    token: str

    def client(self, to: str | None = None, from_: str | None = None, at: str = "") -> PartnerClient:
        return PartnerClient(self.token, to, from_, at)


def register(
    *parties: str,
    name: str = "",
    endpoints: Mapping[tuple[str, str], str] | None = None,
    versions_url: str = "https://partner.example/ocpi/versions",
    outbound_token: str = "token-we-present",
) -> Registered:
    """A connected platform with these parties, each written `ROLE:CC*PID`."""
    platform = Platform.objects.create(
        name=name or " and ".join(parties),
        state=Platform.State.CONNECTED,
        versions_url=versions_url,
        outbound_token=outbound_token,
        connected_at=timezone.now(),
    )
    Party.objects.bulk_create(_parties(platform, parties))
    Endpoint.objects.bulk_create(
        Endpoint(platform=platform, module=module, role=role, url=url)
        for (module, role), url in (endpoints or {}).items()
    )
    token = secrets.new_token()
    CredentialsToken.objects.create(
        platform=platform,
        kind=CredentialsToken.Kind.INBOUND,
        digest=secrets.digests(token)[0],
        used_at=timezone.now(),
    )
    directory.changed()
    return Registered(platform, token)


def _parties(platform: Platform, parties: Iterable[str]) -> Iterable[Party]:
    for text in parties:
        role, _, party = text.partition(":")
        yield Party(platform=platform, party=PartyId.parse(party), role=role, name=party, business_details={})
