"""Discovery of versions and endpoints (§versions_module)."""

from __future__ import annotations

import re
from enum import auto

from ocpi.types.scalars import OpenEnum, Some, Url, Wire

CUSTOM_MODULE = re.compile(r"[A-Za-z]{2}[A-Za-z0-9]{3}-\S+", re.ASCII)
VERSION_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)+", re.ASCII)


class Version(Wire):
    """A version and where its details are (§version_information_endpoint_version_class)."""

    version: VersionNumber
    url: Url


class VersionDetails(Wire):
    """The endpoints of a version (§version_information_get_details_endpoint_data)."""

    version: VersionNumber
    endpoints: Some[Endpoint]


class Endpoint(Wire):
    """One interface of a module; where its URL is found (§version_information_endpoint_endpoint_class)."""

    identifier: ModuleID
    role: InterfaceRole
    url: Url


class InterfaceRole(OpenEnum):
    """Sides of a module; no meaning for credentials (§version_information_endpoint_interface_role_enum)."""

    SENDER = auto()
    RECEIVER = auto()


class ModuleID(OpenEnum):
    """The modules (§version_information_endpoint_moduleid_enum)."""

    CDRS = "cdrs"
    CHARGING_PROFILES = "chargingprofiles"
    COMMANDS = "commands"
    CREDENTIALS = "credentials"
    HUB_CLIENT_INFO = "hubclientinfo"
    LOCATIONS = "locations"
    SESSIONS = "sessions"
    TARIFFS = "tariffs"
    TOKENS = "tokens"

    @classmethod
    def permits(cls, value: str) -> bool:
        """Custom modules, prefixed by their inventor (§version_information_endpoint_custom_modules)."""
        return CUSTOM_MODULE.fullmatch(value) is not None


class VersionNumber(OpenEnum):
    """The versions of OCPI (§version_information_endpoint_versionnumber_enum)."""

    V2_0 = "2.0"
    V2_1 = "2.1"
    V2_1_1 = "2.1.1"
    V2_2 = "2.2"
    V2_2_1 = "2.2.1"

    @classmethod
    def permits(cls, value: str) -> bool:
        """A platform may well speak versions that came after this one."""
        return VERSION_NUMBER.fullmatch(value) is not None
