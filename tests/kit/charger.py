"""A charge point: a real websocket that speaks OCPP 1.6 or 2.0.1, driven by a test.

    with FakeCharger(url, "CP-1", password) as charger:
        assert charger.boot()["status"] == "Accepted"
        charger.call("StatusNotification", {...})
        charger.answers["Reset"] = {"status": "Accepted"}

What it is asked is answered from `answers`, by action: a payload, a function of the request, a CallError, or None for
silence; what is not there is answered NotImplemented. Everything asked is recorded in `asked`.

Whatever the node says is held against the JSON schemas of its version; `faults` has what does not fit, and leaving
the charger fails with them.
"""

import base64
import json
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from functools import cache
from typing import Any

from jsonschema import Draft4Validator
from ocpp.messages import get_validator
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

SECONDS = 30.0
V16, V201 = "ocpp1.6", "ocpp2.0.1"


@cache
def _validator(kind: int, action: str, version: str) -> Draft4Validator:
    """One that calculates with Decimals; that of the library, with floats, is the same for all who ask for it."""
    return Draft4Validator(_exact(get_validator(kind, action, version).schema))


def _exact(document: Any) -> Any:
    """23.9 is a multiple of 0.1."""
    return json.loads(json.dumps(document), parse_float=Decimal)


class CallError(Exception):
    """What a CALL was answered with, or shall be."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(f"{code}: {description}")
        self.code, self.description = code, description


Answer = dict[str, Any] | CallError | Callable[[dict[str, Any]], dict[str, Any]] | None


def basic(identity: str, password: str | bytes) -> str:
    """The Authorization header."""
    key = password.encode() if isinstance(password, str) else password
    return f"Basic {base64.b64encode(identity.encode() + b':' + key).decode()}"


class FakeCharger:
    def __init__(
        self,
        url: str,
        identity: str,
        password: str | bytes | None = None,
        *,
        subprotocols: tuple[str, ...] = (V16,),
        headers: dict[str, str] | None = None,
    ) -> None:
        self.url = f"{url.replace('http', 'ws', 1)}/ocpp/{identity}"
        self._subprotocols = list(subprotocols) or None
        self._headers = dict(headers or {})
        if password is not None:
            self._headers["Authorization"] = basic(identity, password)
        self.answers: dict[str, Answer] = {}
        self.reply_raw: dict[str, str] = {}  # payloads as text, sent as they are
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.frames: list[str] = []
        self.faults: list[str] = []
        self._said: dict[str, str] = {}
        self._answered: dict[str, list[Any]] = {}
        self._news = threading.Condition()
        self._open = ExitStack()
        self._socket: ClientConnection | None = None
        self.close_code: int | None = None

    @property
    def socket(self) -> ClientConnection:
        assert self._socket is not None
        return self._socket

    def __enter__(self) -> "FakeCharger":
        self._socket = self._open.enter_context(self._connecting())
        self._reader = threading.Thread(target=self._read, name="fake charger")
        self._reader.start()
        return self

    def _connecting(self) -> ClientConnection:
        return connect(
            self.url,
            subprotocols=self._subprotocols,  # type: ignore[arg-type]
            additional_headers=self._headers,
            compression=None,
            open_timeout=SECONDS,
            close_timeout=2,
            proxy=None,
        )

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._reader.join()
        assert not self.faults, self.faults

    # --- saying -----------------------------------------------------------------------------------------------------

    def send(self, text: str | bytes) -> None:
        """Send any frame, whatever it is."""
        self.socket.send(text)

    def call(self, action: str, payload: Any = None, id: str | None = None) -> dict[str, Any]:
        """The answer to a CALL; raises CallError."""
        id = id or str(uuid.uuid4())
        self._said[id] = action
        self.send(json.dumps([2, id, action, payload if payload is not None else {}]))
        return self.answer_to(id)

    def answer_to(self, id: str) -> dict[str, Any]:
        """The answer to what was sent under that id; raises CallError."""
        frame = self._wait(lambda: self._answered.pop(id, None), f"an answer to {id}")
        if frame[0] == 4:
            raise CallError(frame[2], frame[3])
        return frame[2]

    def boot(self) -> dict[str, Any]:
        if self.socket.subprotocol == V16:
            return self.call("BootNotification", {"chargePointVendor": "Kit", "chargePointModel": "One"})
        station = {"vendorName": "Kit", "model": "Two", "serialNumber": "S-1"}
        return self.call("BootNotification", {"reason": "PowerUp", "chargingStation": station})

    def status(self, number: int, word: str, *, connector: int = 1, **more: Any) -> None:
        if self.socket.subprotocol == V16:
            self.call("StatusNotification", {"connectorId": number, "errorCode": "NoError", "status": word, **more})
            return
        status = {"evseId": number, "connectorId": connector, "connectorStatus": word}
        self.call("StatusNotification", {"timestamp": "2026-01-01T00:00:00Z", **status, **more})

    # --- hearing ----------------------------------------------------------------------------------------------------

    def wait_asked(self, action: str, count: int = 1) -> dict[str, Any]:
        """The payload of the last of so many CALLs of an action."""

        def found() -> dict[str, Any] | None:
            payloads = [payload for asked, payload in self.asked if asked == action]
            return payloads[count - 1] if len(payloads) >= count else None

        result: dict[str, Any] = self._wait(found, f"{count} {action}")
        return result

    def wait_closed(self) -> int | None:
        """The close code with which the node ended the connection."""
        self._reader.join(SECONDS)
        assert not self._reader.is_alive(), "still connected"
        return self.close_code

    def _wait(self, find: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + SECONDS
        with self._news:
            while (found := find()) is None:
                left = deadline - time.monotonic()
                assert left > 0, f"waited in vain for {what}"
                assert self.close_code is None, f"closed with {self.close_code} while waiting for {what}"
                self._news.wait(left)
        return found

    def _read(self) -> None:
        try:
            for text in self.socket:
                self._take(str(text))
        except ConnectionClosed:
            pass
        with self._news:
            self.close_code = self.socket.close_code
            self._news.notify_all()

    def _take(self, text: str) -> None:
        frame = json.loads(text)
        with self._news:
            self.frames.append(text)
            if frame[0] == 2:
                self.asked.append((frame[2], frame[3]))
                self._hold_against_schema(2, frame[2], frame[3])
            else:
                if frame[0] == 3 and frame[1] in self._said:
                    self._hold_against_schema(3, self._said[frame[1]], frame[2])
                self._answered[frame[1]] = frame
            self._news.notify_all()
        if frame[0] == 2:
            self._reply(frame[1], frame[2], frame[3])

    def _hold_against_schema(self, kind: int, action: str, payload: Any) -> None:
        version = self.socket.subprotocol.removeprefix("ocpp") if self.socket.subprotocol else ""
        for error in _validator(kind, action, version).iter_errors(_exact(payload)):
            self.faults.append(f"{action}: {error.message}")

    def _reply(self, id: str, action: str, payload: dict[str, Any]) -> None:
        if raw := self.reply_raw.get(action):
            self.send(f'[3,"{id}",{raw}]')
            return
        answer = self.answers.get(action, CallError("NotImplemented"))
        if callable(answer):
            answer = answer(payload)
        if isinstance(answer, CallError):
            self.send(json.dumps([4, id, answer.code, answer.description, {}]))
        elif answer is not None:
            self.send(json.dumps([3, id, answer]))
