"""A Token of ours as staff write it: one value per field of a form or column of a file, and the document they make."""

import copy
from collections.abc import Mapping
from typing import Any

from ocpi import models as rows
from ocpi import ports
from ocpi.ids import PartyId
from ocpi.store.documents import Document
from ocpi.store.tokens import Terms
from ocpi.types import times, validation
from ocpi.v221.common import Role
from ocpi.v221.tokens import Token

# Where each value stands in the document.
MEMBERS: dict[str, tuple[str, ...]] = {
    "uid": ("uid",),
    "type": ("type",),
    "contract_id": ("contract_id",),
    "visual_number": ("visual_number",),
    "issuer": ("issuer",),
    "group_id": ("group_id",),
    "valid": ("valid",),
    "whitelist": ("whitelist",),
    "language": ("language",),
    "default_profile_type": ("default_profile_type",),
    "energy_supplier": ("energy_contract", "supplier_name"),
    "energy_contract_id": ("energy_contract", "contract_id"),
}
IDENTITY = frozenset({"uid", "type"})
_BY_POINTER = {
    "/country_code": "party",
    "/party_id": "party",
    "/energy_contract": "energy_supplier",
    **{f"/{'/'.join(path)}": name for name, path in MEMBERS.items()},
}


def issuers() -> dict[PartyId, str]:
    """Our own eMSP parties and their names."""
    return {
        PartyId.of(role["country_code"], role["party_id"]): str(role["business_details"].get("name", ""))
        for role in ports.directory().roles()
        if role["role"] == Role.EMSP
    }


def value(document: Document, name: str) -> Any:
    """What the document says; None when it says nothing."""
    found: Any = document
    for member in MEMBERS[name]:
        found = found.get(member) if isinstance(found, dict) else None
    return found


def changes(document: Document, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What the values would change: old and new by name."""
    olds = {name: value(document, name) for name in values}
    return {name: (olds[name], new) for name, new in values.items() if olds[name] != new}


def revised(document: Document, values: Mapping[str, Any]) -> Document:
    """The document with these values, None taking a member away, and `last_updated` now; itself if it says the same."""
    if not changes(document, values):
        return document
    new = copy.deepcopy(document)
    for name, given in values.items():
        _place(new, MEMBERS[name], given)
    return new | {"last_updated": times.now()}


def _place(document: Document, path: tuple[str, ...], given: Any) -> None:
    member, *below = path
    if below:
        part = document.get(member)
        part = dict(part) if isinstance(part, dict) else {}
        _place(part, tuple(below), given)
        given = part or None
    if given is None:
        document.pop(member, None)
    else:
        document[member] = given


def fresh(party: PartyId, values: Mapping[str, Any], issuer: str) -> Document:
    """A new Token; what may be supposed where it is not given: it is valid, and its `issuer`."""
    document = {"country_code": party.country_code, "party_id": party.party_id}
    supposed = {"valid": True, "issuer": issuer or None}
    given = {name: found for name, found in values.items() if found is not None}
    return revised(document, supposed | given)


def faults(document: Document) -> dict[str, list[str]]:
    """What is wrong with a Token we are to send, by field or column; of what is neither, under the empty name."""
    found: dict[str, list[str]] = {}
    for violation in validation.check(document, Token):
        name = _BY_POINTER.get(violation.pointer, "")
        found.setdefault(name, []).append(violation.message if name else f"{violation.pointer}: {violation.message}")
    return found


def terms(token: rows.Token) -> Terms:
    """The terms of a Token of ours."""
    return Terms.of(token.expires_at, token.has_credit, token.places)


def places(text: str) -> str:
    """Where a Token may charge, as it is stored: parties may be separated by commas. Raises ValueError."""
    return Terms.of(None, True, text if "/" in text else text.replace(",", "\n")).places
