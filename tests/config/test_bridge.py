"""The bridge from ASGI to WSGI, driven as a server drives it and over a real socket."""

import asyncio
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import uvicorn

from config.bridge import WsgiBridge, environ
from config.http1 import FrontDoor


def scope(method="GET", path="/", raw_path=None, headers=(), query=b"", **more):
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": raw_path or path.encode(),
        "query_string": query,
        "headers": list(headers),
        "http_version": "1.1",
        "client": ("192.0.2.1", 4711),
        "server": ("node", 8000),
        **more,
    }


def ask(
    application: Callable[..., Any], request: dict[str, Any], *parts: bytes, max_body: int = 1000, **options: Any
) -> Any:
    """Status, headers and body that the bridge sends for a request whose body comes in `parts`."""
    bridge = WsgiBridge(application, threads=2, max_body=max_body, **options)
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts[:-1]]
    messages.append({"type": "http.request", "body": parts[-1] if parts else b"", "more_body": False})
    sent: list[Any] = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(bridge(request, receive, send))
    bridge.close()
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])


def echo(environ, start_response):
    """Answers with the environ's strings and the body."""
    start_response("200 OK", [("Content-Type", "application/json")])
    told = {key: value for key, value in environ.items() if isinstance(value, str)}
    return [json.dumps({**told, "body": environ["wsgi.input"].read().decode()}).encode()]


def test_the_request_arrives_whole():
    headers = [(b"content-type", b"application/json"), (b"x-request-id", b"abc")]
    status, _, body = ask(echo, scope("PUT", "/a b", b"/a%20b", headers, b"x=1"), b'{"a":', b"1}")
    seen = json.loads(body)
    assert status == 200
    assert seen["body"] == '{"a":1}'
    assert seen["CONTENT_LENGTH"] == "7"
    assert seen["CONTENT_TYPE"] == "application/json"
    assert seen["HTTP_X_REQUEST_ID"] == "abc"
    assert (seen["PATH_INFO"], seen["RAW_PATH"], seen["QUERY_STRING"]) == ("/a b", "/a%20b", "x=1")
    assert seen["REMOTE_ADDR"] == "192.0.2.1"


def test_an_encoded_slash_can_be_told_from_a_slash():
    assert environ(scope(path="/a/b", raw_path=b"/a%2Fb"), b"")["RAW_PATH"] == "/a%2Fb"


def test_text_outside_latin_1_survives_in_the_path():
    assert environ(scope(path="/ü€"), b"")["PATH_INFO"].encode("latin-1").decode() == "/ü€"


def test_bytes_that_are_no_utf_8_reach_the_application_unharmed():
    assert environ(scope(path="/\ufffd", raw_path=b"/%FF"), b"")["PATH_INFO"] == "/\xff"


def test_the_path_below_a_mount_point_is_without_it():
    seen = environ(scope(path="/node/ocpi", raw_path=b"/node/ocpi", root_path="/node"), b"")
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == ("/node", "/ocpi")


def test_a_unix_socket_has_no_port_and_no_client():
    seen = environ(scope(server=("/run/node.sock", None), client=None), b"")
    assert (seen["SERVER_PORT"], seen["REMOTE_ADDR"]) == ("", "")


def test_repeated_headers_are_joined():
    repeated = [(b"accept", b"a"), (b"accept", b"b"), (b"cookie", b"a=1"), (b"cookie", b"b=2")]
    seen = environ(scope(headers=repeated), b"")
    assert seen["HTTP_ACCEPT"] == "a,b"
    assert seen["HTTP_COOKIE"] == "a=1; b=2"


def test_a_chunked_body_has_a_length_when_it_reaches_the_application():
    seen = environ(scope("PUT", headers=[(b"transfer-encoding", b"chunked")]), b"12345")
    assert seen["CONTENT_LENGTH"] == "5" and "HTTP_TRANSFER_ENCODING" not in seen


def test_a_header_with_an_underscore_cannot_pass_for_another():
    seen = environ(scope(headers=[(b"x_request_id", b"spoofed")]), b"")
    assert "HTTP_X_REQUEST_ID" not in seen


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_bound_is_413_with_envelope_and_ids(declared):
    headers = [(b"x-request-id", b"r1"), (b"x-correlation-id", b"c1")]
    if declared:
        headers.append((b"content-length", b"1001"))
    status, answered, body = ask(echo, scope("PUT", headers=headers), b"x" * 600, b"x" * 401)
    assert status == 413
    assert json.loads(body)["status_code"] == 2000
    assert answered[b"x-request-id"] == b"r1" and answered[b"x-correlation-id"] == b"c1"
    assert (b"connection" in answered) is declared  # what is unread would pass for the next request


def test_what_a_partner_is_refused_here_is_noted():
    """Django, which notes all else, has not seen it or has failed on it."""
    found = []

    def broken(environ, start_response):
        raise ValueError

    there = "/ocpi/2.2.1/receiver/locations/DE/CPO/1"
    for application, request in [
        (echo, scope("PUT", there, **{"ocpi.platform_id": 7})),
        (broken, scope("PUT", there)),
        (echo, scope("PUT", "/admin/")),
    ]:
        ask(application, request, b"x" * 1001, max_body=1000 if application is echo else 2000, note=found.append)
    noted = [(entry.http_status, entry.status_code, entry.platform_id, entry.url) for entry in found]
    assert noted == [(413, 2000, 7, there), (500, 3000, None, there)]


def test_the_bound_holds_for_a_body_that_comes_in_one_piece():
    assert ask(echo, scope("PUT"), b"x" * 1001)[0] == 413


def test_a_body_at_the_bound_passes():
    assert ask(echo, scope("PUT"), b"x" * 1000)[0] == 200


def test_head_has_the_length_but_no_body():
    status, headers, body = ask(echo, scope("HEAD"))
    assert status == 200 and body == b"" and int(headers[b"content-length"]) > 0


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_that_cannot_have_a_body_has_no_length(status):
    def empty(environ, start_response):
        start_response(status, [])
        return []

    assert b"content-length" not in ask(empty, scope("DELETE"))[1]


def test_what_is_written_comes_before_what_is_returned():
    def writing(environ, start_response):
        start_response("200 OK", [])(b"written, ")
        return [b"returned"]

    assert ask(writing, scope())[2] == b"written, returned"


def test_an_application_may_start_again_only_to_report_an_error():
    def second_thoughts(environ, start_response):
        start_response("200 OK", [])
        start_response("503 Service Unavailable", [], (None, None, None) if environ["PATH_INFO"] == "/error" else None)
        return []

    assert ask(second_thoughts, scope(path="/error"))[0] == 503
    assert ask(second_thoughts, scope(path="/again"))[0] == 500


def test_an_application_that_never_starts_is_500():
    assert ask(lambda environ, start_response: [b"x"], scope())[0] == 500


def test_an_exception_before_the_answer_is_500_with_envelope(caplog):
    def broken(environ, start_response):
        raise ZeroDivisionError

    status, headers, body = ask(broken, scope(headers=[(b"x-request-id", b"r1")]))
    assert status == 500
    assert json.loads(body)["status_code"] == 3000
    assert headers[b"x-request-id"] == b"r1"


def test_the_answer_is_closed_also_when_it_breaks_off():
    closed = []

    class Breaking:
        def __iter__(self):
            raise OSError

        def close(self):
            closed.append(True)

    def application(environ, start_response):
        start_response("200 OK", [])
        return Breaking()

    assert ask(application, scope())[0] == 500
    assert closed == [True]


def test_a_client_that_goes_away_is_not_answered():
    bridge = WsgiBridge(echo, threads=1, max_body=10)
    messages = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(bridge(scope("PUT"), receive, send))
    bridge.close()
    assert sent == []


@pytest.fixture
def served():
    """A real server on a socket; yields its URL and what the application saw."""
    seen = {"threads": set(), "slow": threading.Event()}

    def application(environ, start_response):
        seen["threads"].add(threading.current_thread().name)
        if environ["PATH_INFO"] == "/slow":
            seen["slow"].wait(10)
        return echo(environ, start_response)

    bridge = WsgiBridge(application, threads=3, max_body=1000)
    server = uvicorn.Server(uvicorn.Config(bridge, port=0, http=FrontDoor, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", seen
    seen["slow"].set()
    server.should_exit = True
    thread.join()
    bridge.close()


@pytest.mark.parametrize("declared", [True, False])
def test_a_client_that_reads_only_after_sending_still_gets_the_413(served, declared):
    url, _ = served
    host, port = url.removeprefix("http://").split(":")
    client = http.client.HTTPConnection(host, int(port), timeout=10)
    part = b"x" * 65536
    client.request("PUT", "/", part * 128 if declared else iter([part] * 128))
    answer = client.getresponse()
    assert answer.status == 413
    assert answer.headers["Connection"] == "close"
    assert json.loads(answer.read())["status_code"] == 2000
    client.close()


def test_a_connection_serves_the_next_request_after_a_head(served):
    url, _ = served
    with httpx.Client() as client:
        assert client.head(url).content == b""
        assert client.get(f"{url}/a%2Fb?x=1").json()["RAW_PATH"] == "/a%2Fb"


def test_a_slow_request_does_not_hold_up_others(served):
    url, seen = served
    slow = threading.Thread(target=lambda: httpx.get(f"{url}/slow", timeout=20))
    slow.start()
    for _ in range(20):
        assert httpx.get(f"{url}/quick").status_code == 200
    assert slow.is_alive()
    seen["slow"].set()
    slow.join()


def test_many_requests_at_once_use_the_fixed_number_of_threads(served):
    url, seen = served

    async def many():
        async with httpx.AsyncClient() as client:
            return await asyncio.gather(*(client.post(url, content=b"x" * 100) for _ in range(40)))

    answers = asyncio.run(many())
    assert all(answer.json()["body"] == "x" * 100 for answer in answers)
    assert len(seen["threads"]) <= 3


def test_slow_requests_do_not_hold_up_the_others():
    """A handshake with a partner that hangs occupies a thread; another pool serves everybody else."""
    release, waiting = threading.Event(), threading.Barrier(3)

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            waiting.wait(5)
            release.wait(5)
        start_response("200 OK", [])
        return [b""]

    bridge = WsgiBridge(application, 2, 1000, is_slow=lambda path: path == "/slow")

    async def get(path):
        sent = []

        async def receive():
            return {"type": "http.request", "body": b""}

        async def send(message):
            sent.append(message)

        await bridge(scope(path=path), receive, send)
        return sent[0]["status"]

    async def story():
        slow = [asyncio.create_task(get("/slow")) for _ in range(2)]
        await asyncio.to_thread(waiting.wait, 5)
        assert await asyncio.wait_for(get("/quick"), 5) == 200
        assert not any(task.done() for task in slow)
        release.set()
        assert await asyncio.gather(*slow) == [200, 200]

    asyncio.run(story())
    bridge.close()


def test_a_server_can_load_the_front_door():
    """It imports `config.asgi` and nothing before: Django is not set up by then."""
    done = subprocess.run([sys.executable, "-c", "import config.asgi"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
