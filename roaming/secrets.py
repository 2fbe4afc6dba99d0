"""Credentials tokens at rest: those we receive as keyed hashes, those we present encrypted.

Both use FIELD_KEYS, newest first: the first key writes, every key reads, so keys rotate without a pause. A laboratory
node without FIELD_KEYS derives one from SECRET_KEY.
"""

import base64
import hashlib
import hmac
import secrets
from functools import cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.signals import setting_changed
from django.db import models


@cache
def _keys() -> tuple[bytes, ...]:
    derived = base64.urlsafe_b64encode(hashlib.sha256(b"field-keys:" + settings.SECRET_KEY.encode()).digest())
    return tuple(key.encode() for key in settings.FIELD_KEYS) or (derived,)


@cache
def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in _keys()])


def _forget(*, setting: str, **_: Any) -> None:
    if setting in {"FIELD_KEYS", "SECRET_KEY"}:
        _keys.cache_clear()
        _fernet.cache_clear()


setting_changed.connect(_forget)


def new_token() -> str:
    """A credentials token of 256 random bits: 64 hexadecimal digits, the longest that §credentials_credentials_object
    allows, and never one that a command line takes for an option.
    """
    return secrets.token_hex(32)


def digests(token: str) -> list[str]:
    """The keyed hashes a token may be stored under, the one to store first."""
    return [hmac.new(key, token.encode(), hashlib.sha256).hexdigest() for key in _keys()]


class EncryptedField(models.TextField):  # type: ignore[type-arg]  # not subscriptable at run time
    """Text that is encrypted in the database; unreadable without FIELD_KEYS."""

    def get_prep_value(self, value: Any) -> str:
        return _fernet().encrypt(value.encode()).decode() if value else ""

    def from_db_value(self, value: str, *_: Any) -> str:
        if not value:
            return ""
        try:
            return _fernet().decrypt(value.encode()).decode()
        except InvalidToken:
            raise ValueError("a stored secret does not fit any key in FIELD_KEYS") from None
