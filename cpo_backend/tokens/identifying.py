"""Which Token of OCPI an idToken of OCPP 2.0.1 is."""

import re

from ocpi.models import Token
from ocpi.store.tokens import token_key
from ocpi.v221.common import TokenType

# What is told -> the types that it may be. What has no card behind it is told as Central, and so we tell it ourselves;
# what a station reads without knowing how is Local. A KeyCode is typed in by anybody, so it is never that of a card.
_TYPES = {
    "ISO14443": (TokenType.RFID,),
    "ISO15693": (TokenType.RFID,),
    "Central": (TokenType.APP_USER, TokenType.AD_HOC_USER, TokenType.OTHER),
    "Local": (TokenType.OTHER, TokenType.RFID),
}
_CONTRACT = "eMAID"
_EMAID = re.compile(r"([A-Z]{2})-?([A-Z0-9]{3})-?([A-Z0-9]{9})(?:-?([A-Z0-9]))?", re.ASCII)


def identify(told: str, told_type: str) -> tuple[str, TokenType]:
    """The uid and type of the Token: of several types that it may be the first of which we hold one."""
    if told_type == _CONTRACT and (held := _of_contract(told)):
        return held
    first, *others = _TYPES.get(told_type, (TokenType.OTHER,))
    if not others:
        return told, first
    keys = {token_key(told, type): type for type in (first, *others)}
    known = set(Token.objects.filter(key__in=keys).values_list("key", flat=True))
    return told, next((type for key, type in keys.items() if key in known), first)


def _of_contract(emaid: str) -> tuple[str, TokenType] | None:
    """The Token with this contract id, with or without separators and check digit; a valid one before others."""
    names, upper = {emaid, emaid.upper()}, emaid.upper()
    if match := _EMAID.fullmatch(upper):
        country, provider, instance, digit = match.groups()
        parts = (country, provider, instance)
        names |= {"".join(parts), "-".join(parts)}
        names |= {"".join((*parts, digit)), "-".join((*parts, digit))} if digit else set()
    row = Token.objects.filter(contract_id__in=names).order_by("-valid", "pk").first()
    return (row.uid, TokenType(row.type)) if row else None
