"""What we ask a charger: one CALL at a time, until it answers, the time is over or the connection ends."""

import asyncio
from collections.abc import Awaitable, Callable

from cpo_backend.ocpp.wire.frames import Error, Result


class Gone(Exception):
    """The connection ended before there was an answer."""


class Calls:
    """The one outstanding CALL of a connection."""

    __slots__ = ("_action", "_answer", "_id", "_send")

    def __init__(self, send: Callable[[str], Awaitable[None]]) -> None:
        self._send = send
        self._id = self._action = ""
        self._answer: asyncio.Future[Result | Error] | None = None

    async def call(self, id: str, action: str, text: str, timeout: float) -> Result | Error:
        """Send the frame and wait for the answer; raises TimeoutError and Gone. Nothing else may be outstanding."""
        assert self._answer is None
        answer: asyncio.Future[Result | Error] = asyncio.get_running_loop().create_future()
        self._answer = answer
        self._id, self._action = id, action
        try:
            async with asyncio.timeout(timeout):
                await self._send(text)
                return await answer
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise Gone from error
        finally:
            self._answer = None

    def settle(self, frame: Result | Error) -> str:
        """Hand over an answer; returns the action it answers, empty when nothing was asked under that id."""
        if self._answer is None or self._answer.done() or frame.id != self._id:
            return ""
        self._answer.set_result(frame)
        return self._action

    def end(self) -> None:
        """There will be no answer any more."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Gone())
