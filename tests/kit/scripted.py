"""A server that says what it is told to, byte for byte, and keeps what it was asked."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """What is said to one request: the pieces, with a pause between them; `hangs_up`: then the connection is closed."""

    pieces: tuple[bytes, ...]
    hangs_up: bool = False
    pause: float = 0.0


def says(*pieces: bytes, hangs_up: bool = False, pause: float = 0.0) -> Line:
    return Line(pieces, hangs_up, pause)


def ok(body: bytes = b"{}", headers: bytes = b"", **how: bool) -> Line:
    """A proper answer."""
    return says(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (headers, len(body), body), **how)


class ScriptedServer:
    """Answers the requests of all its connections line by line. A context manager."""

    def __init__(self, lines: Iterable[Line], security: ssl.SSLContext | None = None) -> None:
        self._lines = iter(lines)
        self._security = security
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port: int = self._socket.getsockname()[1]
        self.requests: list[bytes] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._security else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> "ScriptedServer":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._socket, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, StopIteration):
            if self._security:
                connection = self._security.wrap_socket(connection, server_side=True)
            with connection:
                while request := _read(connection):
                    self.requests.append(request)
                    line = next(self._lines)
                    for piece in line.pieces:
                        connection.sendall(piece)
                        time.sleep(line.pause)
                    if line.hangs_up:
                        return


def _read(connection: socket.socket) -> bytes:
    """One request, whole; empty when there is none any more."""
    found = b""
    while b"\r\n\r\n" not in found:
        if not (piece := connection.recv(65536)):
            return b""
        found += piece
    head, _, body = found.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
