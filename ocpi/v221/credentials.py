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
        if members.get("roles") == []:
            yield Broken("/roles", "must have at least one item", fatal=True)
        yield from repeated(members, "roles", "country_code", "party_id", "role")


class CredentialsRole(Part):
    """One party in one role (§credentials_credentials_role_class)."""

    key = ("country_code", "party_id", "role")

    role: Role
    business_details: BusinessDetails
    party_id: CiString3
    country_code: CiString2

    @staticmethod
    def rules(members: Members) -> Iterator[Broken]:
        for name, length in (("country_code", 2), ("party_id", 3)):
            value = members.get(name)
            if isinstance(value, str) and len(value) < length:
                yield Broken(f"/{name}", f"must have {length} characters", fatal=True)
