"""Registration of platforms (§credentials_credentials_endpoint)."""

from __future__ import annotations

from collections.abc import Iterator

from ocpi.types.scalars import Broken, CiString2, CiString3, Members, Part, SecretToken, Some, Url, Wire
from ocpi.v221.common import BusinessDetails, Role, repeated


class Credentials(Wire):
    """How to reach a platform, and the parties on it (§credentials_credentials_object)."""

    key = ("token",)

    token: SecretToken
    url: Url
    roles: Some[CredentialsRole]

    @staticmethod
    def rules(members: Members) -> Iterator[Broken]:
        return repeated(members, "roles", "country_code", "party_id", "role")


class CredentialsRole(Part):
    """One party in one role (§credentials_credentials_role_class)."""

    key = ("country_code", "party_id", "role")

    role: Role
    business_details: BusinessDetails
    party_id: CiString3
    country_code: CiString2
