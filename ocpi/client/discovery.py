"""Versions and version details of a partner: choose a version, learn its endpoints. No ORM."""

from dataclasses import dataclass
from typing import Any

from ocpi.client.http import OcpiClient
from ocpi.client.messages import PartnerError
from ocpi.ids import VERSION
from ocpi.types import validation
from ocpi.v221.versions import Endpoint, InterfaceRole, ModuleID


class NoCommonVersion(PartnerError):
    """The partner speaks none of our versions."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """The endpoints of a partner at our version, by (module, interface role)."""

    endpoints: dict[tuple[str, str], str]

    @property
    def credentials(self) -> str | None:
        """The credentials endpoint, whatever role it is listed under (§version_information_endpoint_endpoint_class)."""
        return next(
            (url for (module, _), url in sorted(self.endpoints.items()) if module == ModuleID.CREDENTIALS), None
        )


def discover(client: OcpiClient, versions_url: str) -> Discovery:
    """Read the versions and then the details of ours; raises PartnerError, NoCommonVersion when ours is missing.

    Endpoints that cannot be used are passed over: a partner may list what we do not know.
    """
    versions = client.get(versions_url).data
    details_url = next(
        (entry.get("url") for entry in _objects(versions) if str(entry.get("version")).strip() == VERSION), None
    )
    if not isinstance(details_url, str):
        offered = ", ".join(str(entry.get("version")) for entry in _objects(versions)) or "none"
        raise NoCommonVersion(f"{versions_url} does not offer OCPI {VERSION} (it offers: {offered})")
    details = client.get(details_url).data
    if not isinstance(details, dict):
        raise PartnerError(f"{details_url} answers without version details")
    found: dict[tuple[str, str], str] = {}
    for entry in _objects(details.get("endpoints")):
        endpoint = {**entry, "role": entry.get("role") or InterfaceRole.SENDER.value}
        usable = all(violation.code == "enum" for violation in validation.check(endpoint, Endpoint))
        if usable and InterfaceRole(endpoint["role"]).is_known:
            found[endpoint["identifier"], endpoint["role"]] = endpoint["url"]
    return Discovery(found)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
