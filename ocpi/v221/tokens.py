"""Tokens and real-time authorization (§mod_tokens_tokens_module). Owner: eMSP."""

from __future__ import annotations

from enum import auto

from ocpi.types.scalars import CiString2, CiString3, CiString36, DateTime, Language, OpenEnum, String64, Wire
from ocpi.v221.common import DisplayText, ProfileType, TokenType


class Token(Wire):
    """What a driver identifies with, and how far it may be trusted offline (§mod_tokens_token_object)."""

    key = ("country_code", "party_id", "uid", "type")

    country_code: CiString2
    party_id: CiString3
    uid: CiString36
    type: TokenType
    contract_id: CiString36
    visual_number: String64 | None = None
    issuer: String64
    group_id: CiString36 | None = None
    valid: bool
    whitelist: WhitelistType
    language: Language | None = None
    default_profile_type: ProfileType | None = None
    energy_contract: EnergyContract | None = None
    last_updated: DateTime


class AuthorizationInfo(Wire):
    """The eMSP's real-time answer (§mod_tokens_authorizationinfo_object)."""

    allowed: AllowedType
    token: Token
    location: LocationReferences | None = None
    authorization_reference: CiString36 | None = None
    info: DisplayText | None = None


class LocationReferences(Wire):
    """A Location, or some of its EVSEs (§mod_tokens_locationreferences_class)."""

    key = ("location_id",)

    location_id: CiString36
    evse_uids: list[CiString36] | None = None


class EnergyContract(Wire):
    """The driver's own energy supplier (§mod_tokens_energy_contract)."""

    supplier_name: String64
    contract_id: String64 | None = None


class AllowedType(OpenEnum):
    """Whether a Token may charge, or why not (§mod_tokens_allowed_enum)."""

    ALLOWED = auto()
    BLOCKED = auto()
    EXPIRED = auto()
    NO_CREDIT = auto()
    NOT_ALLOWED = auto()


class WhitelistType(OpenEnum):
    """Whether a Token may or must be authorized in real time (§mod_tokens_whitelisttype_enum)."""

    ALWAYS = auto()
    ALLOWED = auto()
    ALLOWED_OFFLINE = auto()
    NEVER = auto()
