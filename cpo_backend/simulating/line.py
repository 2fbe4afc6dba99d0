"""The charger's end of a connection."""

import asyncio
import base64
import contextlib
import json
import uuid
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Payload = dict[str, Any]
SECONDS = 30.0


class Refused(Exception):
    """A CALL that was answered with an error."""


class Line:
    """`answer` is asked for each CALL: a payload, or None for what is not known."""

    def __init__(self, url: str, identity: str, password: str, subprotocol: str) -> None:
        self._url, self._subprotocol = f"{url.rstrip('/').replace('http', 'ws', 1)}/ocpp/{identity}", subprotocol
        key = base64.b64encode(f"{identity}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {key}"}
        self.answer: Callable[[str, Payload], Payload | None] = lambda action, payload: None
        self._waiting: dict[str, asyncio.Future[list[Any]]] = {}
        self._socket: ClientConnection | None = None

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    async def open(self) -> None:
        """Connect; raises OSError and websockets' errors."""
        self._socket = await connect(
            self._url,
            subprotocols=[Subprotocol(self._subprotocol)],
            additional_headers=self._headers,
            compression=None,
            proxy=None,
        )
        self._reader = asyncio.create_task(self._read(self._socket))

    async def close(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()
            await self._reader

    async def call(self, action: str, payload: Payload) -> Payload:
        """The answer; raises Refused, and ConnectionError when the line breaks before it comes."""
        if self._socket is None:
            raise ConnectionError("not connected")
        id = uuid.uuid4().hex
        waiting = self._waiting[id] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send(json.dumps([2, id, action, payload]))
            frame = await asyncio.wait_for(waiting, SECONDS)
        except (ConnectionClosed, TimeoutError) as error:
            raise ConnectionError(str(error)) from None
        finally:
            self._waiting.pop(id, None)
        if frame[0] != 3:
            raise Refused(f"{action}: {frame[2]} {frame[3]}")
        answer: Payload = frame[2]
        return answer

    async def _read(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                frame = json.loads(text)
                if frame[0] == 2:
                    await self._reply(socket, *frame[1:4])
                elif (waiting := self._waiting.get(frame[1])) and not waiting.done():
                    waiting.set_result(frame)
        if self._socket is socket:
            self._socket = None
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the line broke"))

    async def _reply(self, socket: ClientConnection, id: str, action: str, payload: Payload) -> None:
        answer = self.answer(action, payload)
        frame = [4, id, "NotImplemented", "", {}] if answer is None else [3, id, answer]
        await socket.send(json.dumps(frame))
