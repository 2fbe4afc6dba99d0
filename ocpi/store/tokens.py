"""Tokens: one uid may be several Tokens, told apart by type (§mod_tokens_token_object)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ocpi.errors import UnknownToken
from ocpi.ids import PartyId
from ocpi.models import Token
from ocpi.store.documents import Document
from ocpi.store.objects import Objects, short
from ocpi.v221 import tokens as wire


def token_key(uid: str, type: str) -> str:
    """The key of the Token with this uid and type."""
    return f"{type} {uid}".lower()


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms we authorize a Token of our own; `parties` are the only CPOs it may charge at, if any are named."""

    expires_at: datetime | None = None
    has_credit: bool = True
    parties: frozenset[PartyId] = frozenset()


class Tokens(Objects):
    model, shape, unknown = Token, wire.Token, UnknownToken

    def key(self, document: Document, source: int | None) -> str:
        return token_key(document["uid"], document["type"])

    def columns(self, document: Document) -> dict[str, Any]:
        return {
            "uid": document["uid"].lower(),
            "type": short(document["type"], 40),
            "contract_id": short(document["contract_id"], 80),
            "visual_number": short(document.get("visual_number"), 80),
            "valid": document["valid"],
            "whitelist": short(document["whitelist"], 40),
        }


tokens = Tokens()
