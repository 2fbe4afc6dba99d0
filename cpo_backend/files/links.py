"""URLs of files: signed, so that nobody can guess one, and good for a while. They need no other credentials."""

import re
import time
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from django.conf import settings
from django.core.signing import BadSignature, Signer

PREFIX = "/api/v1/charger-files/"
_SIGNER = "cpo_backend.files"
_SIGNED = re.compile(r"([gp])(\d{1,18})-(\d{1,12})", re.ASCII)
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


class Mode(StrEnum):
    """What a URL is for."""

    GET = "g"
    PUT = "p"


class Pass(NamedTuple):
    """What a URL allows."""

    mode: Mode
    file_id: int


def path(file_id: int, mode: Mode, lasts: timedelta, name: str = "") -> str:
    """The path of a file; with its name in the end, for some chargers go by that."""
    until = int(time.time() + lasts.total_seconds())
    token = _signer().sign(f"{mode}{file_id}-{until}")
    return PREFIX + token + (f"/{plain(name)}" if name else "")


def url(file_id: int, mode: Mode, lasts: timedelta, name: str = "") -> str:
    """The same as chargers are told it."""
    return settings.OCPP_FILES_URL + path(file_id, mode, lasts, name)


def read(path: str) -> Pass | None:
    """What a path allows; None: nothing, or not any more."""
    token = path.removeprefix(PREFIX).partition("/")[0]
    try:
        told = _SIGNED.fullmatch(_signer().unsign(token))
    except BadSignature:
        return None
    if told is None or int(told[3]) < time.time():
        return None
    return Pass(Mode(told[1]), int(told[2]))


def plain(name: str) -> str:
    """A file's name without what has a meaning in URLs, headers or file systems."""
    return _UNFIT.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(".")[:100]


def _signer() -> Signer:
    return Signer(salt=_SIGNER, sep=".")
