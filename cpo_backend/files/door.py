"""The way to the files, ahead of Django: they are sent and taken a piece at a time, whatever their size.

GET and HEAD, with one range, so that a charger goes on where it was cut off; PUT and POST, once.
"""

import asyncio
import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import BinaryIO, TypeVar

import structlog
from django.conf import settings
from django.db import connection

from cpo_backend.files import keeping, links, ranges
from cpo_backend.files.keeping import Found, Received
from cpo_backend.files.links import Mode
from cpo_backend.files.ranges import Span, Unsatisfiable
from ocpi.transport.asgi import AsgiHeaders, Receive, Scope, Send, encoded

log = structlog.get_logger(__name__)

T = TypeVar("T")
PREFIX = links.PREFIX
PIECE = 256 * 1024
_IDLE_SECONDS = 60.0
_METHODS = {Mode.GET: ("GET", "HEAD"), Mode.PUT: ("PUT", "POST")}


class _Refused(Exception):
    """The answer is this status and nothing else."""

    def __init__(self, status: HTTPStatus, **headers: str) -> None:
        self.status, self.headers = status, headers


class FileDoor:
    """An ASGI application for paths below `PREFIX`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            found = await _with_database(lambda: keeping.find(scope["path"]))
            if found is None:
                raise _Refused(HTTPStatus.NOT_FOUND)
            if scope["method"] not in _METHODS[found.mode]:
                raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, Allow=", ".join(_METHODS[found.mode]))
            if found.mode is Mode.GET:
                await _give(found, scope, send)
            else:
                await _take(found, scope, receive)
                await _answer(send, HTTPStatus.CREATED)
        except _Refused as refusal:
            await _answer(send, refusal.status, **refusal.headers)


async def _with_database(work: Callable[[], T]) -> T:
    def run() -> T:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(run)


async def _answer(send: Send, status: HTTPStatus, **headers: str) -> None:
    told = {"Content-Length": "0", **headers} | ({"Connection": "close"} if status >= 400 else {})
    await send({"type": "http.response.start", "status": status.value, "headers": encoded(told)})
    await send({"type": "http.response.body", "body": b""})


# --- out ------------------------------------------------------------------------------------------------------------


async def _give(found: Found, scope: Scope, send: Send) -> None:
    if not found.is_whole or not found.path.is_file():
        raise _Refused(HTTPStatus.NOT_FOUND)
    headers, etag = AsgiHeaders(scope["headers"]), f'"{found.digest}"'
    span = None
    if headers.get("If-Range", etag) == etag:
        try:
            span = ranges.read(headers.get("Range", ""), found.size)
        except Unsatisfiable:
            told = {"Content-Range": f"bytes */{found.size}"}
            raise _Refused(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, **told) from None
    part = span or Span(0, found.size)
    told = {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(part.end - part.start),
        "Content-Disposition": f'attachment; filename="{links.plain(found.name) or found.id}"',
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "ETag": etag,
    }
    if span is not None:
        told["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{found.size}"
    status = HTTPStatus.OK if span is None else HTTPStatus.PARTIAL_CONTENT
    with await asyncio.to_thread(found.path.open, "rb") as stream:
        await send({"type": "http.response.start", "status": status.value, "headers": encoded(told)})
        if scope["method"] != "HEAD":
            await _send(stream, part, send)
        await send({"type": "http.response.body", "body": b""})


async def _send(stream: BinaryIO, part: Span, send: Send) -> None:
    stream.seek(part.start)
    left = part.end - part.start
    while left and (piece := await asyncio.to_thread(stream.read, min(PIECE, left))):
        left -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})


# --- in -------------------------------------------------------------------------------------------------------------


async def _take(found: Found, scope: Scope, receive: Receive) -> None:
    if found.is_whole:
        raise _Refused(HTTPStatus.CONFLICT)
    headers = AsgiHeaders(scope["headers"])
    declared = headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared) > settings.OCPP_FILE_LIMIT:
        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    path = await asyncio.to_thread(keeping.temporary)
    try:
        with await asyncio.to_thread(path.open, "wb") as stream:
            size, digest = await _write(stream, receive)
        if not size:
            raise _Refused(HTTPStatus.BAD_REQUEST)
        name = scope["path"].removeprefix(PREFIX).partition("/")[2]
        received = Received(path, name, headers.get("Content-Type", ""), size, digest)
        if not await _with_database(lambda: keeping.take(found.id, received)):
            raise _Refused(HTTPStatus.CONFLICT)
    except TimeoutError:
        raise _Refused(HTTPStatus.REQUEST_TIMEOUT) from None
    except OSError as error:
        log.warning("a file could not be written", error=str(error))
        raise _Refused(HTTPStatus.INSUFFICIENT_STORAGE) from None
    finally:
        path.unlink(missing_ok=True)


async def _write(stream: BinaryIO, receive: Receive) -> tuple[int, str]:
    """The body, piece by piece; its size and its SHA-256."""
    size, digest, goes_on = 0, hashlib.sha256(), True
    while goes_on:
        async with asyncio.timeout(_IDLE_SECONDS):
            message = await receive()
        if message["type"] == "http.disconnect":
            raise _Refused(HTTPStatus.BAD_REQUEST)
        piece, goes_on = message.get("body", b""), message.get("more_body", False)
        size += len(piece)
        if size > settings.OCPP_FILE_LIMIT:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        digest.update(piece)
        await asyncio.to_thread(stream.write, piece)
    return size, digest.hexdigest()
