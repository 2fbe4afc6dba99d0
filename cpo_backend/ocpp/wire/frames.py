"""OCPP-J frames: `[2, id, action, payload]`, `[3, id, payload]`, `[4, id, code, description, details]`.

A frame is read as far as its payload, which stays raw until its action is known. Whatever a charger sends, reading it
either succeeds or raises `Unreadable` with as much of the message id as could be made out: an error answer needs one.
"""

import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta, Raw

from cpo_backend.ocpp.wire.messages import Message

LONGEST_ID = 36
LONGEST_DESCRIPTION = 255
UNKNOWN_ID = "-1"
_EMPTY = Raw(b"{}")
_CALL, _RESULT, _ERROR = 2, 3, 4
_BEGINNING = re.compile(r'\s*\[\s*2\s*,\s*"([^"\\]{1,36})"')

_read = msgspec.json.Decoder(list[Raw]).decode
_Id = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]
_Action = Annotated[str, Meta(min_length=1)]
_read_call = msgspec.json.Decoder(tuple[Literal[2], _Id, _Action, Raw]).decode
_read_text = msgspec.json.Decoder(str).decode
_read_anything = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode
# What decoders raise for hostile input besides their own errors, which are ValueErrors.
BROKEN = (ValueError, ArithmeticError, RecursionError)


class Code(StrEnum):
    """Why a CALL was not carried out, in the words of OCPP 2.0.1."""

    FORMAT = "FormatViolation"
    GENERIC = "GenericError"
    INTERNAL = "InternalError"
    MESSAGE_TYPE = "MessageTypeNotSupported"
    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    OCCURRENCE = "OccurrenceConstraintViolation"
    PROPERTY = "PropertyConstraintViolation"
    PROTOCOL = "ProtocolError"
    RPC = "RpcFrameworkError"
    SECURITY = "SecurityError"
    TYPE = "TypeConstraintViolation"


class Fault(Exception):
    """A CALL that is answered with an error."""

    def __init__(self, code: Code, description: str = "") -> None:
        super().__init__(f"{code}: {description}")
        self.code, self.description = code, description


class Unreadable(Fault):
    """A frame that is none; `id` is empty when it cannot be made out. What was an answer is not answered."""

    def __init__(self, code: Code, description: str, id: str = "", *, is_answer: bool = False) -> None:
        super().__init__(code, description)
        self.id, self.is_answer = id, is_answer


class Call(NamedTuple):
    """`is_plain`: without any NUL in its payload; what is not known to be may have some."""

    id: str
    action: str
    payload: Raw
    is_plain: bool = False


class Result(NamedTuple):
    id: str
    payload: Raw


class Error(NamedTuple):
    id: str
    code: str
    description: str


def read(text: str | bytes) -> Call | Result | Error:
    """The frame; raises Unreadable."""
    if call := _plain_call(text):
        return call
    try:
        parts = _read(text)
    except BROKEN as error:
        raise Unreadable(Code.RPC, _told(error), _beginning(text)) from None
    kind, id = bytes(parts[0]) if parts else b"", _text(parts[1]) if len(parts) > 1 else ""
    if not id or len(id) > LONGEST_ID:
        told = f"the message id is no text of 1 to {LONGEST_ID} characters"
        raise Unreadable(Code.RPC, told, is_answer=kind in (b"3", b"4"))
    if kind == b"2":
        return _call(id, parts)
    if kind == b"3":
        return Result(id, _payload(parts[2]) if len(parts) > 2 else _EMPTY)
    if kind == b"4":
        code, description, *_ = (*map(_text, parts[2:]), "", "")
        return Error(id, code, description)
    raise Unreadable(Code.MESSAGE_TYPE, "a message type that we do not know", id)


def _plain_call(text: str | bytes) -> Call | None:
    """What nearly every frame is, and is read in half the time; None when it is something else."""
    if not isinstance(text, str) or not text.endswith("}]") or "\\u0000" in text:
        return None
    try:
        _, id, action, payload = _read_call(text)
    except BROKEN:
        return None
    return Call(id, action, payload, is_plain=True)


def _call(id: str, parts: list[Raw]) -> Call:
    if len(parts) < 4:
        raise Unreadable(Code.FORMAT, "the action or the payload is missing", id)
    action = _text(parts[2])
    if not action:
        raise Unreadable(Code.FORMAT, "the action is no text", id)
    return Call(id, action, _payload(parts[3]))


def _payload(raw: Raw) -> Raw:
    """What some send for a payload without members is null."""
    return _EMPTY if bytes(raw) == b"null" else raw


def _text(raw: Raw) -> str:
    """A text without the NULs that no database takes; empty when it is something else."""
    try:
        return _read_text(raw).replace("\0", "")
    except BROKEN:
        return ""


def _beginning(text: str | bytes) -> str:
    """The message id of a CALL whose rest cannot be read."""
    match = _BEGINNING.match(text if isinstance(text, str) else text[:80].decode(errors="replace"))
    return match[1] if match else ""


def fault_of(error: Exception) -> Fault:
    """What is wrong with a payload that does not fit its action, told by the decoder's words."""
    told = _told(error)
    if not isinstance(error, msgspec.ValidationError):
        return Fault(Code.FORMAT, told)
    if told.startswith("Object missing required field"):
        return Fault(Code.OCCURRENCE, told)
    if told.startswith("Expected") and " got " in told:
        return Fault(Code.FORMAT if "`$`" in told or " at " not in told else Code.TYPE, told)
    return Fault(Code.PROPERTY, told)


def _told(error: Exception) -> str:
    return "nested too deep" if isinstance(error, RecursionError) else str(error)


def without_nul(payload: Raw) -> Raw | bytes:
    """The payload without the NULs that no database takes in a text; raises what decoders raise."""
    if b"\\u0000" not in bytes(payload):
        return payload
    return _encode(_cleaned(_read_anything(payload)))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(item) for name, item in value.items()}
    return value


def call(id: str, action: str, payload: Message | Raw | dict[str, Any]) -> str:
    """A CALL as it goes out: compact, for there is firmware that takes no space between elements."""
    return _encode((_CALL, id, action, payload)).decode()


def result(id: str, payload: Message) -> str:
    return _encode((_RESULT, id, payload)).decode()


def error(id: str, code: str, description: str) -> str:
    return _encode((_ERROR, id, code, description[:LONGEST_DESCRIPTION], {})).decode()
