"""Short names for tokens whose uid is longer than the 20 characters of OCPP 1.6."""

import secrets

from django.db import IntegrityError, transaction

from cpo_backend.models import TagAlias
from ocpi.v221.common import TokenType

LONGEST_TAG = 20
_PREFIX = "A-"
_BYTES = 9  # 18 hexadecimal digits


def tag(uid: str, type: str) -> str:
    """What a charger of OCPP 1.6 is told for a token: its uid, or the alias that it has from then on."""
    if len(uid) <= LONGEST_TAG:
        return uid
    key = f"{uid}/{type}".lower()
    for _ in range(2):
        if known := TagAlias.objects.filter(key=key).first():
            return known.alias
        try:
            with transaction.atomic():
                return TagAlias.objects.create(alias=_new(), uid=uid, key=key, type=type).alias
        except IntegrityError:
            continue  # somebody else has just named it
    raise RuntimeError("no alias could be found")


def _new() -> str:
    return f"{_PREFIX}{secrets.token_hex(_BYTES).upper()}"


def resolve(tag: str, type: TokenType) -> tuple[str, TokenType]:
    """The uid and type that a tag stands for: its own, unless it is an alias."""
    if not tag.upper().startswith(_PREFIX) or len(tag) != LONGEST_TAG:
        return tag, type
    known = TagAlias.objects.filter(alias=tag.upper()).first()
    return (known.uid, TokenType(known.type)) if known else (tag, type)
