"""The passwords of chargers: bytes, kept as keyed hashes that are fast, for a thousand may reconnect at once.

A fast hash is enough for a key of 128 random bits; so shorter ones are refused, but on a laboratory node. A key that
is written in hexadecimal may be presented as that text or as the bytes it stands for: chargers do either.
"""

import binascii
import hmac
import re
import secrets
from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed

SHORTEST = 16  # bytes
LONGEST = 40
_HEXADECIMAL = re.compile(rb"(?:[0-9A-Fa-f]{2}){16,}")


class UnfitKey(ValueError):
    """A password that a charger should not have, in words."""


@cache
def _peppers() -> tuple[bytes, ...]:
    """Newest first: the first writes, all read, as with every other secret of the node."""
    sources = settings.FIELD_KEYS or [settings.SECRET_KEY]
    return tuple(hmac.digest(source.encode(), b"cpo_backend.registry.keys", "sha256") for source in sources)


def _forget(*, setting: str, **_: Any) -> None:
    if setting in {"FIELD_KEYS", "SECRET_KEY"}:
        _peppers.cache_clear()


setting_changed.connect(_forget)


def new_key() -> str:
    """A password of 160 random bits that every version can store: 40 hexadecimal digits, the most that fits 1.6."""
    return secrets.token_hex(20)


def check(key: str) -> None:
    """Raises UnfitKey."""
    if not key:
        raise UnfitKey("the password is empty")
    if settings.NODE_URL.startswith("https://") and not SHORTEST <= len(key.encode()) <= LONGEST:
        raise UnfitKey(f"a charger's password has {SHORTEST} to {LONGEST} bytes; leave it out to have one made")


def digest(key: bytes) -> str:
    """The hash to store."""
    return _digests(key)[0]


def fits(key: bytes, *stored: str) -> int | None:
    """Which of the stored hashes this key has, by position. Takes the same time whether one fits or none does."""
    found = None
    for pepper_digest in _digests(key):
        for place, hash in enumerate(stored):
            if hmac.compare_digest(pepper_digest, hash or "-" * len(pepper_digest)):
                found = place
    return found


def _digests(key: bytes) -> list[str]:
    plain = _canonical(key)
    return [hmac.new(pepper, plain, "sha256").hexdigest() for pepper in _peppers()]


def _canonical(key: bytes) -> bytes:
    return binascii.unhexlify(key) if _HEXADECIMAL.fullmatch(key) else key
