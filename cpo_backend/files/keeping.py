"""The files on disk, below `var/charger-files`: each under its number. Processes on several hosts must share it."""

import contextlib
import hashlib
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast
from uuid import uuid4

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import transaction
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils import timezone

from cpo_backend.files import links
from cpo_backend.files.links import Mode
from cpo_backend.models import ChargerFile, OperationJob
from cpo_backend.operations import progress

_FORM = "multipart/form-data"


class Found(NamedTuple):
    """A file that somebody has a URL of."""

    id: int
    mode: Mode
    path: Path
    name: str
    size: int
    digest: str
    is_whole: bool


class Received(NamedTuple):
    """What has come, in a file of its own."""

    path: Path
    name: str
    content_type: str
    size: int
    digest: str


def find(url_path: str) -> Found | None:
    """The file behind a URL."""
    allowed = links.read(url_path)
    row = ChargerFile.objects.filter(pk=allowed.file_id).first() if allowed else None
    if allowed is None or row is None:
        return None
    is_whole = row.received_at is not None
    return Found(row.pk, allowed.mode, where(row.pk), row.name, row.size, row.digest, is_whole)


def where(file_id: int) -> Path:
    return settings.OCPP_FILES_DIR / str(file_id)


def temporary() -> Path:
    """A place for what is coming."""
    settings.OCPP_FILES_DIR.mkdir(parents=True, exist_ok=True)
    return settings.OCPP_FILES_DIR / f"{uuid4().hex}.part"


def take(file_id: int, received: Received) -> bool:
    """Keep what has come; False when it has come before. The temporary file is gone afterwards."""
    try:
        received = _unwrapped(received)
        with transaction.atomic():
            row = ChargerFile.objects.select_for_update().filter(pk=file_id, received_at=None).first()
            if row is None:
                return False
            row.received_at, row.size, row.digest = timezone.now(), received.size, received.digest
            row.name = row.name or links.plain(received.name)
            row.save()
            received.path.replace(where(file_id))
            if row.charger_id is not None and row.step_id is not None:
                progress.reported(row.charger_id, OperationJob.Kind.DIAGNOSTICS, "Uploaded", row.step_id)
        return True
    finally:
        received.path.unlink(missing_ok=True)


def _unwrapped(received: Received) -> Received:
    """The first file of a form, for some chargers send one; what is no form, or a broken one, is kept as it came."""
    if not received.content_type.lower().startswith(_FORM):
        return received
    meta = {"CONTENT_TYPE": received.content_type, "CONTENT_LENGTH": received.size}
    with received.path.open("rb") as stream, contextlib.suppress(MultiPartParserError):
        _, files = MultiPartParser(meta, stream, [TemporaryFileUploadHandler()]).parse()
        for part in cast("Iterable[UploadedFile[Any]]", files.values()):
            target = temporary()
            with part, target.open("wb") as output:
                for chunk in part.chunks():
                    output.write(chunk)
            received.path.unlink()
            digest = digest_of(target)
            return Received(target, received.name or part.name or "", "", target.stat().st_size, digest)
    return received


def digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def remove(rows: Iterable[ChargerFile]) -> None:
    """Forget files, content and all."""
    for row in rows:
        path = where(row.pk)
        row.delete()
        transaction.on_commit(partial(path.unlink, missing_ok=True))


def prune() -> int:
    """Forget diagnostics of long ago, those that never came sooner, and what broke off; returns how many files."""
    now = timezone.now()
    diagnostics = ChargerFile.objects.exclude(kind=ChargerFile.Kind.FIRMWARE)
    old = diagnostics.filter(created_at__lt=now - timedelta(days=settings.OCPP_FILE_DAYS))
    missing = diagnostics.filter(created_at__lt=now - timedelta(days=7), received_at=None)
    rows = list((old | missing)[:1000])
    remove(rows)
    if settings.OCPP_FILES_DIR.is_dir():
        for part in settings.OCPP_FILES_DIR.glob("*.part"):
            with contextlib.suppress(OSError):
                if part.stat().st_mtime < (now - timedelta(days=1)).timestamp():
                    part.unlink()
    return len(rows)
