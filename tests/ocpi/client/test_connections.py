"""Many requests over few connections, to servers that are not always polite."""

import asyncio
import datetime
import ipaddress
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ocpi.client import http, http1
from ocpi.client.connections import Connections
from ocpi.client.http1 import Response
from ocpi.client.url_policy import ForbiddenUrl
from tests.kit.scripted import Line, ScriptedServer, ok, says


@pytest.fixture(autouse=True)
def _laboratory(settings):
    settings.NODE_ALLOW_PRIVATE_URLS = True


def ask(
    server: ScriptedServer,
    *methods: str,
    path: str = "/",
    headers: dict[str, str] | None = None,
    most: int = 1000,
    seconds: float = 5,
    pause: float = 0,
) -> list[Response | Exception]:
    """One request after the other; what each was answered, or why not."""

    async def talk() -> list[Response | Exception]:
        connections, found = Connections(), []
        for method in methods:
            body = None if method == "GET" else b'{"a":1}'
            try:
                lines = http1.lines(headers or {})
                found.append(await connections.send(method, f"{server.url}{path}", lines, body, seconds, most))
            except (OSError, ValueError) as error:
                found.append(error)
            await asyncio.sleep(pause)
        connections.close()
        await asyncio.sleep(0)  # for the transports to end
        return found

    return asyncio.run(talk())


def answer(*lines: Line, most: int = 1000, **how: float) -> Response | Exception:
    with ScriptedServer(lines) as server:
        return ask(server, "PUT", most=most, **how)[0]


def test_a_request_is_whole_and_its_answer_too():
    with ScriptedServer([ok(b'{"data":1}', b"X-Request-ID: 7\r\n")]) as server:
        [found] = ask(server, "PUT", path="/a%20b?c=d#e", headers={"Accept": "application/json"})
    assert found == Response(200, {"x-request-id": "7", "content-length": "10"}, b'{"data":1}')
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"PUT /a%20b?c=d HTTP/1.1",
        b"Host: 127.0.0.1:%d" % server.port,
        b"Accept-Encoding: identity",
        b"Accept: application/json",
        b"Content-Length: 7",
    ]
    assert body == b'{"a":1}'


def test_a_url_without_a_path_asks_for_the_root():
    with ScriptedServer([ok(), ok()]) as server:
        ask(server, "GET", path="")
        ask(server, "GET", path="?a=b")
    assert [request.split(b"\r\n")[0] for request in server.requests] == [b"GET / HTTP/1.1", b"GET /?a=b HTTP/1.1"]


def test_a_connection_is_kept_for_the_next_request():
    with ScriptedServer([ok(), ok(), ok()]) as server:
        found = ask(server, "PUT", "POST", "GET")
    assert [one.status for one in found] == [200] * 3
    assert server.connections == 1


def test_a_connection_that_the_server_wants_closed_is_not_used_again():
    with ScriptedServer([ok(headers=b"Connection: close\r\n"), ok()]) as server:
        assert [one.status for one in ask(server, "PUT", "PUT")] == [200, 200]
    assert server.connections == 2


def test_an_answer_in_chunks_is_put_together():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
    assert answer(says(chunked, b"1\r\n \r\n", b"0\r\n\r\n", pause=0.02)).body == b"{} "


def test_an_answer_without_a_length_ends_with_the_connection():
    assert answer(says(b"HTTP/1.1 200 OK\r\n\r\n{", b"}", hangs_up=True, pause=0.02)).body == b"{}"


def test_an_answer_that_is_cut_off_is_none():
    found = answer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", hangs_up=True))
    assert isinstance(found, OSError)


def test_an_answer_without_a_body_has_none():
    with ScriptedServer([says(b"HTTP/1.1 204 No Content\r\n\r\n"), ok()]) as server:
        found = ask(server, "PUT", "PUT")
    assert [(one.status, one.body) for one in found] == [(204, b""), (200, b"{}")]


def test_what_comes_before_the_answer_is_passed_over():
    early = b"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    assert answer(says(early + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) == Response(
        200, {"content-length": "2"}, b"{}"
    )


def test_more_than_is_wanted_is_cut_and_the_connection_given_up():
    with ScriptedServer([ok(b"x" * 50_000), ok()]) as server:
        cut, whole = ask(server, "PUT", "PUT", most=100)
    assert (cut.body, cut.is_cut) == (b"x" * 100, True)
    assert (whole.body, whole.is_cut) == (b"{}", False)
    assert server.connections == 2


def test_exactly_what_is_wanted_is_not_cut():
    assert not answer(ok(b"x" * 100), most=100).is_cut


def test_what_is_no_http_is_no_answer():
    assert isinstance(answer(says(b"SSH-2.0-OpenSSH_9.6\r\n")), OSError)


def test_headers_without_an_end_are_no_answer():
    assert isinstance(answer(says(b"HTTP/1.1 200 OK\r\n", b"X: %b\r\n" % (b"x" * 30_000) * 5)), OSError)


def test_pieces_that_say_nothing_do_not_go_on_for_ever():
    chunks = b"".join(b"1;%b\r\nx\r\n" % (b"e" * 1000) for _ in range(200))
    found = answer(says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks))
    assert found.is_cut


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next():
    with ScriptedServer([says(*ok(b"1").pieces, *ok(b"unasked").pieces), ok(b"2")]) as server:
        assert [one.body for one in ask(server, "PUT", "PUT", pause=0.1)] == [b"1", b"2"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "GET"])
def test_what_met_a_connection_just_closed_is_sent_once_more(method: str):
    with ScriptedServer([ok(), says(hangs_up=True), ok()]) as server:
        assert [one.status for one in ask(server, "PUT", method)] == [200, 200]
    assert len(server.requests) == 3


def test_a_post_is_never_sent_twice():
    with ScriptedServer([ok(), says(hangs_up=True), ok()]) as server:
        _, found = ask(server, "PUT", "POST")
    assert isinstance(found, OSError)
    assert len(server.requests) == 2


def test_what_met_a_new_connection_that_closes_is_not_sent_again():
    with ScriptedServer([says(hangs_up=True), ok()]) as server:
        assert isinstance(ask(server, "PUT")[0], OSError)
    assert len(server.requests) == 1


def test_an_answer_must_come_in_time_and_a_late_one_is_nobodys():
    with ScriptedServer([says(b"HTTP/1.1 200 OK\r\n", *ok(b"late").pieces, pause=0.4), ok(b"2")]) as server:
        late, found = ask(server, "PUT", "PUT", seconds=0.2)
    assert isinstance(late, TimeoutError)
    assert found.body == b"2"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b"])
def test_a_header_cannot_hold_another(value: str):
    with ScriptedServer([ok()]) as server:
        assert isinstance(ask(server, "PUT", headers={"Authorization": value})[0], ValueError)
    assert server.requests == []


def test_nothing_is_sent_where_nothing_may_be_called(settings):
    settings.NODE_ALLOW_PRIVATE_URLS = False
    with ScriptedServer([ok()], _security(Path("/nowhere"))) as server:
        assert isinstance(ask(server, "PUT")[0], ForbiddenUrl)
    assert server.connections == 0


# --- TLS ------------------------------------------------------------------------------------------------------------


def test_a_certificate_that_is_trusted_will_do(tmp_path, monkeypatch):
    with ScriptedServer([ok(), ok()], _security(tmp_path)) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate"))
        http.trust.cache_clear()
        try:
            assert [one.status for one in ask(server, "PUT", "PUT")] == [200, 200]
        finally:
            http.trust.cache_clear()
    assert server.connections == 1


def test_a_certificate_that_nobody_signed_will_not(tmp_path):
    with ScriptedServer([ok()], _security(tmp_path)) as server:
        [found] = ask(server, "PUT")
    assert isinstance(found, ssl.SSLError)
    assert server.requests == []


def _security(directory: Path) -> ssl.SSLContext:
    """A server's, with a certificate of its own for 127.0.0.1 in `directory`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if not directory.is_dir():
        return context
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    (directory / "certificate").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (directory / "key").write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    context.load_cert_chain(directory / "certificate", directory / "key")
    return context


def test_a_name_that_is_slow_to_resolve_takes_one_thread_however_many_ask():
    asked, ready = [], threading.Event()

    def resolve(host: str, port: int) -> str:
        asked.append(host)
        ready.wait(10)
        return "127.0.0.1"

    async def talk(port: int) -> list[int]:
        connections = Connections(resolve)
        url = f"http://slow.example:{port}/"
        given_up = connections.send("GET", url, "", None, 0.1, 1000)
        others = [asyncio.create_task(connections.send("GET", url, "", None, 10, 1000)) for _ in range(3)]
        with pytest.raises(TimeoutError):
            await given_up
        ready.set()
        found = await asyncio.gather(*others)
        connections.close()
        return [response.status for response in found]

    with ScriptedServer([ok()] * 3) as server:
        assert asyncio.run(talk(server.port)) == [200, 200, 200]
    assert asked == ["slow.example"]


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rb", "a\0b"])
def test_a_line_break_in_a_header_is_never_sent(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        http1.lines({"X-Request-ID": "mine", "X-Correlation-ID": value})
    with pytest.raises(ValueError, match="line break"):
        http1.lines({value: "mine"})
