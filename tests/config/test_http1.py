"""What goes over the wire at the front door, byte for byte."""

import asyncio
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from ocpi.transport.asgi import SHORTCUT, Application, Headers, Receive, Scope, Send
from tests.kit.front_door import serve

SECONDS = 30  # longer than any machine takes
GET = b"GET %b HTTP/1.1\r\nHost: node\r\n\r\n"
Open = Callable[..., socket.socket]


def answering(*messages: dict[str, Any]) -> Application:
    """An application that sends these messages whatever it is asked."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return application


def started(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


def length(number: int) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % number


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with path and body."""
    message = await receive()
    content = b"%b %b %b" % (scope["path"].encode(), scope["raw_path"], message["body"])
    await send(started(length(len(content))))
    await send(part(content))


@pytest.fixture
def dial() -> Iterator[Open]:
    """Opens a connection to a front door with an application behind it."""
    with ExitStack() as stack:

        def dialled(application: Application, **options: Any) -> socket.socket:
            url = stack.enter_context(serve(application, lifespan="off", **options))
            parts = urlsplit(url)
            address = (str(parts.hostname), parts.port)
            return stack.enter_context(socket.create_connection(address, timeout=SECONDS))

        yield dialled


def answer(line: socket.socket, method: str = "GET") -> http.client.HTTPResponse:
    """The next answer on a connection."""
    found = http.client.HTTPResponse(line, method=method)
    found.begin()
    return found


def asked(line: socket.socket, request: bytes) -> http.client.HTTPResponse:
    line.sendall(request)
    return answer(line)


def everything(line: socket.socket) -> bytes:
    """What comes until the other side closes."""
    found = b""
    while piece := line.recv(65536):
        found += piece
    return found


def test_an_answer_has_its_headers_and_body(dial: Open) -> None:
    line = dial(answering(started((b"x-request-id", b"mine"), length(5), status=201), part(b"hello")))
    found = asked(line, GET % b"/")
    assert (found.status, found.reason, found.headers["X-Request-ID"]) == (201, "Created", "mine")
    assert found.headers["Date"]
    assert found.read() == b"hello"


def test_the_path_comes_with_and_without_its_percent_encoding(dial: Open) -> None:
    assert asked(dial(echo), GET % b"/a%2Fb?c=%20d").read() == b"/a/b /a%2Fb "


def test_a_connection_serves_one_request_after_the_other(dial: Open) -> None:
    line = dial(echo)
    for name in (b"/1", b"/2", b"/3"):
        assert asked(line, GET % name).read().startswith(name)


def test_requests_sent_at_once_are_answered_in_their_order(dial: Open) -> None:
    line = dial(echo)
    line.sendall(b"".join(GET % b"/%d" % number for number in range(5)) + b"GET /end HTTP/1.0\r\n\r\n")
    found = everything(line)
    places = [found.index(b"/%d /%d" % (number, number)) for number in range(5)]
    assert places == sorted(places)
    assert found.endswith(b"/end /end ")


def test_a_body_in_pieces_without_a_length_is_chunked(dial: Open) -> None:
    line = dial(answering(started(), part(b"one, ", more=True), part(b"", more=True), part(b"two")))
    found = asked(line, GET % b"/")
    assert found.headers["Transfer-Encoding"] == "chunked"
    assert found.read() == b"one, two"


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_can_have_no_body_is_not_chunked(dial: Open, status: int) -> None:
    found = asked(dial(answering(started(status=status), part(b""))), GET % b"/")
    assert (found.status, found.headers["Transfer-Encoding"]) == (status, None)


def test_an_answer_to_head_has_no_body(dial: Open) -> None:
    line = dial(answering(started(length(5)), part(b"hello")))
    line.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
    found = everything(line)
    assert b"content-length: 5\r\n" in found
    assert found.endswith(b"\r\n\r\n")


def test_after_http_1_0_the_connection_is_closed(dial: Open) -> None:
    line = dial(echo)
    line.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert b"connection: close\r\n" in everything(line)


def test_an_application_can_have_the_connection_closed(dial: Open) -> None:
    line = dial(answering(started(length(0), (b"connection", b"close")), part(b"")))
    line.sendall(GET % b"/")
    assert everything(line).count(b"connection: close\r\n") == 1


def test_who_expects_100_continue_is_told_to_send(dial: Open) -> None:
    line = dial(echo)
    line.sendall(b"PUT / HTTP/1.1\r\nHost: node\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert line.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
    line.sendall(b"hello")
    assert answer(line).read() == b"/ / hello"


@pytest.mark.parametrize("value", [b"a\r\nx-evil: 1", b"a\nx-evil: 1", b"a\rb", b"a\0b"])
def test_a_line_break_in_a_header_is_refused(dial: Open, value: bytes) -> None:
    line = dial(answering(started((b"link", value), length(0)), part(b"")))
    line.sendall(GET % b"/")
    found = everything(line)
    assert b"evil" not in found
    assert b"500 Internal Server Error" in found or not found


@pytest.mark.parametrize("body", [b"hell", b"hello!"])
def test_an_answer_that_is_not_as_long_as_it_says_ends_the_connection(dial: Open, body: bytes) -> None:
    line = dial(answering(started(length(5)), part(body)))
    line.sendall(GET % b"/")
    assert b"hell" not in everything(line)


def test_a_body_before_its_head_is_an_error_of_the_server(dial: Open) -> None:
    assert asked(dial(answering(part(b"hello"))), GET % b"/").status == 500


def test_what_follows_the_last_of_an_answer_is_not_sent(dial: Open) -> None:
    line = dial(answering(started(length(5)), part(b"hello"), part(b"more")))
    line.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert everything(line).endswith(b"\r\n\r\nhello")


def test_what_is_no_http_is_refused(dial: Open) -> None:
    line = dial(echo)
    line.sendall(b"hello\r\n\r\n")
    assert everything(line).startswith(b"HTTP/1.1 400 ")


def test_an_idle_connection_is_closed_after_a_while(dial: Open) -> None:
    line = dial(echo, timeout_keep_alive=0.2)
    assert asked(line, GET % b"/").read() == b"/ / "
    assert line.recv(1) == b""


def test_a_request_that_takes_long_is_not_idle(dial: Open) -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0 if scope["path"] == "/quick" else 3)
        await echo(scope, receive, send)

    line = dial(slow, timeout_keep_alive=2)
    assert asked(line, GET % b"/quick").read() == b"/quick /quick "
    line.sendall(GET % b"/slow")  # its answer comes when the timer of the first request is long over
    assert answer(line).read() == b"/slow /slow "


def test_an_absolute_target_has_a_path_too(dial: Open) -> None:
    assert asked(dial(echo), GET % b"http://node/a%2Fb?c#d").read() == b"/a/b /a%2Fb "


@pytest.mark.parametrize(("proxied", "expected"), [(b"", b"http 127.0.0.1"), (b"https", b"https 203.0.113.9")])
def test_a_proxy_tells_whom_it_serves(dial: Open, proxied: bytes, expected: bytes) -> None:
    """Also of requests sent at once: each has headers of its own."""

    async def client(scope: Scope, receive: Receive, send: Send) -> None:
        content = f"{scope['scheme']} {scope['client'][0]}".encode()
        await send(started(length(len(content))))
        await send(part(content))

    line = dial(client)
    headers = b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n" if proxied else b""
    line.sendall(b"GET / HTTP/1.1\r\nHost: node\r\n" + headers + b"\r\nGET / HTTP/1.0\r\n\r\n")
    first, second = everything(line).split(b"HTTP/1.1 ")[1:]
    assert first.endswith(b"\r\n\r\n" + expected)
    assert second.endswith(b"\r\n\r\nhttp 127.0.0.1")


def test_who_receives_learns_that_the_client_is_gone(dial: Open) -> None:
    seen = threading.Event()

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        seen.set()

    line = dial(waiting)
    line.sendall(GET % b"/")
    line.close()
    assert seen.wait(SECONDS)


# --- a whole request and a whole answer in one step -----------------------------------------------------------------


def in_one_step(headers: Headers, body: bytes, steps: list[bool]) -> Application:
    """An application that gives its answer in one step if it can, and notes whether it could."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        steps.append(scope[SHORTCUT].given(200, headers, body))
        if not steps[-1]:
            await send(started(*headers))
            await send(part(body))

    return application


def test_a_whole_answer_is_given_in_one_step(dial: Open) -> None:
    steps = list[bool]()
    line = dial(in_one_step([(b"x-request-id", b"mine"), length(5)], b"hello", steps))
    for _ in range(2):
        found = asked(line, GET % b"/")
        assert (found.status, found.headers["X-Request-ID"], found.read()) == (200, "mine", b"hello")
        assert found.headers["Date"]
    assert steps == [True, True]


@pytest.mark.parametrize(
    ("request_line", "headers"),
    [
        (b"HEAD / HTTP/1.1", [length(5)]),
        (b"GET / HTTP/1.0", [length(5)]),
        (b"GET / HTTP/1.1", []),
        (b"GET / HTTP/1.1", [length(6)]),
    ],
)
def test_what_takes_more_steps_is_not_given_in_one(dial: Open, request_line: bytes, headers: Headers) -> None:
    """No body, a connection to close, a length to find out, and one that is not true."""
    steps = list[bool]()
    line = dial(in_one_step(headers, b"hello", steps))
    line.sendall(request_line + b"\r\nHost: node\r\nConnection: close\r\n\r\n")
    everything(line)
    assert steps == [False]


@pytest.mark.parametrize("value", [b"a\r\nx-evil: 1", b"a\nx-evil: 1", b"a\rb", b"a\0b"])
def test_a_line_break_in_what_is_given_is_refused(dial: Open, value: bytes) -> None:
    line = dial(in_one_step([(b"link", value), length(0)], b"", []))
    found = asked(line, GET % b"/")
    assert (found.status, found.headers["x-evil"]) == (500, None)


def test_a_body_that_has_come_is_taken_in_one_step(dial: Open) -> None:
    """One that is still coming is to be received."""

    async def taking(scope: Scope, receive: Receive, send: Send) -> None:
        content = scope[SHORTCUT].taken()
        if content is None:
            content, more = b"received ", True
            while more:
                message = await receive()
                content, more = content + message["body"], message["more_body"]
        await send(started(length(len(content))))
        await send(part(content))

    line, head = dial(taking), b"PUT / HTTP/1.1\r\nHost: node\r\nContent-Length: 5\r\n\r\n"
    assert asked(line, head + b"hello").read() == b"hello"
    assert asked(line, GET % b"/").read() == b""
    line.sendall(head + b"hel")
    time.sleep(0.2)
    assert asked(line, b"lo").read() == b"received hello"
