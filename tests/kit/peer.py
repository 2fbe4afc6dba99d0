"""A partner as server: a real HTTP server on loopback that plays an OCPI 2.2.1 CPO, eMSP or hub.

    with FakePeer(party="DE*MSP", role="EMSP") as peer:
        client.post(CREDENTIALS, peer.credentials())
        peer.misbehave(slow(5), method="GET", path="/versions")
        assert [request.method for request in peer.requests] == ["GET", "GET"]

It serves versions, details, credentials, the Sender lists in `objects` (paged), and on its Receiver interfaces stores
what it is sent in `received`. Each request is recorded. `misbehave` says how the next matching requests go wrong.
"""

import json
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from ocpi.ids import PartyId
from ocpi.transport import authorization
from ocpi.transport.headers import CORRELATION_ID, REQUEST_ID, RoutingHeaders
from ocpi.types import codec, times
from tests.kit.objects import Document

ALL_MODULES = ("locations", "sessions", "cdrs", "tariffs", "tokens", "commands", "chargingprofiles")
_CPO_SENDS = frozenset({"locations", "sessions", "cdrs", "tariffs"})


@dataclass(frozen=True)
class Recorded:
    """A request that the peer received."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return codec.decode(self.body)

    @property
    def routing(self) -> RoutingHeaders:
        return RoutingHeaders.read(self.headers)


@dataclass(frozen=True)
class Reply:
    """What goes back over the wire; `pause` seconds before each of `pieces`, `hang_up` instead of an answer."""

    http: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    pause: float = 0
    pieces: int = 1
    hang_up: bool = False


Behaviour = Callable[["FakePeer", Recorded], Reply]


def enveloped(data: Any = None, code: int = 1000, http: int = 200, **headers: str) -> Reply:
    """An OCPI answer; without `data` when it is None."""
    body: Document = {} if data is None else {"data": data}
    body |= {"status_code": code, "status_message": "as scripted", "timestamp": times.now()}
    return Reply(http, codec.encode(body), headers)


# --- how a partner misbehaves ---------------------------------------------------------------------------------------


def answers(reply: Reply) -> Behaviour:
    """Answers with exactly this: `enveloped(code=2000)`, `enveloped(code=2004, http=404)`, any `Reply`."""
    return lambda peer, request: reply


def fails(http: int = 500, **headers: str) -> Behaviour:
    """A web server's own error page: 500, 502, or 429 with `Retry_After="7"`."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return answers(Reply(http, b"<html>something else</html>", names, "text/html"))


def garbage(body: bytes = b"{not json") -> Behaviour:
    return answers(Reply(body=body))


def redirects(to: str = "http://127.0.0.1:1/elsewhere") -> Behaviour:
    return answers(Reply(301, headers={"Location": to}))


def slow(seconds: float) -> Behaviour:
    """The right answer, late."""
    return lambda peer, request: _with(peer.answer(request), pause=seconds)


def drips(pause: float, pieces: int = 100) -> Behaviour:
    """The right answer in pieces: each in time, the whole too late."""
    return lambda peer, request: _with(peer.answer(request), pause=pause, pieces=pieces)


def hangs_up() -> Behaviour:
    """The connection closes without an answer."""
    return answers(Reply(hang_up=True))


def forgets_to_answer() -> Behaviour:
    """The request is done, and the connection closes without an answer."""

    def reply(peer: "FakePeer", request: Recorded) -> Reply:
        peer.answer(request)
        return Reply(hang_up=True)

    return reply


def now_and_then(share: float, behaviour: Behaviour, seed: int) -> Behaviour:
    """So for a share of the requests, at random; the right answer to the others."""
    chance = random.Random(seed)
    return lambda peer, request: (behaviour if chance.random() < share else FakePeer.answer)(peer, request)


def circular_link() -> Behaviour:
    """A page whose Link leads back to itself."""

    def reply(peer: "FakePeer", request: Recorded) -> Reply:
        url = f"{peer.url}{request.path}?{urlencode(request.query)}".rstrip("?")
        return _with(peer.answer(request), headers={"Link": f'<{url}>; rel="next"'})

    return reply


def _with(reply: Reply, **changes: Any) -> Reply:
    return Reply(**{**vars(reply), **changes})


@dataclass
class _Script:
    behaviour: Behaviour
    method: str | None
    path: str
    left: int


# --- the partner ----------------------------------------------------------------------------------------------------


class FakePeer:
    """One platform with one party. `token` is what it gave us to call it with; `ours` is what we gave it."""

    def __init__(
        self,
        party: str = "DE*MSP",
        role: str = "EMSP",
        *,
        modules: Iterable[str] = ALL_MODULES,
        versions: Iterable[str] = ("2.2.1",),
        page_limit: int = 50,
    ) -> None:
        self.party, self.role = PartyId.parse(party), role
        self.modules, self.versions, self.page_limit = tuple(modules), tuple(versions), page_limit
        self.token = secrets.token_urlsafe(24)  # what callers must present; credentials POST and PUT renew it
        self.ours = ""  # the token in the last credentials we received
        self.requests: list[Recorded] = []
        self.objects: dict[str, list[Any]] = {}
        self.received: dict[str, Document] = {}
        self._scripts: list[_Script] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.peer = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name=f"peer {party}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.hang_up_all()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def versions_url(self) -> str:
        return f"{self.url}/versions"

    def endpoint_url(self, module: str, interface: str) -> str:
        return f"{self.url}/2.2.1/{interface.lower()}/{module}"

    def credentials(self, **changes: Any) -> Document:
        """The credentials object of this partner; POST it to the node to register."""
        role = {
            "role": self.role,
            "business_details": {"name": f"Partner {self.party}"},
            "country_code": self.party.country_code,
            "party_id": self.party.party_id,
        }
        return {"token": self.token, "url": self.versions_url, "roles": [role], **changes}

    def endpoints(self) -> dict[tuple[str, str], str]:
        """The interfaces of the role, as (module, interface role): those of its own side, for a hub both."""
        found = {("credentials", "SENDER"): f"{self.url}/2.2.1/credentials"}
        for module in filter(lambda name: name != "hubclientinfo", self.modules):
            cpo, emsp = ("SENDER", "RECEIVER") if module in _CPO_SENDS else ("RECEIVER", "SENDER")
            interfaces = {"CPO": {cpo}, "HUB": {cpo, emsp}}.get(self.role, {emsp})
            for interface in interfaces:
                found[module, interface] = self.endpoint_url(module, interface)
        if self.role == "HUB":
            found["hubclientinfo", "SENDER"] = self.endpoint_url("hubclientinfo", "SENDER")
        elif "hubclientinfo" in self.modules:
            found["hubclientinfo", "RECEIVER"] = self.endpoint_url("hubclientinfo", "RECEIVER")
        return found

    def misbehave(
        self, behaviour: Behaviour, *, method: str | None = None, path: str = "", count: int = 10_000
    ) -> None:
        """The next `count` requests with this method whose path contains `path` are answered so. The latest wins."""
        with self._lock:
            self._scripts.insert(0, _Script(behaviour, method, path, count))

    def behave(self) -> None:
        """Forget every script."""
        with self._lock:
            self._scripts.clear()

    def requested(self, method: str, path: str = "") -> list[Recorded]:
        """The recorded requests with this method whose path contains `path`."""
        with self._lock:
            return [request for request in self.requests if request.method == method and path in request.path]

    def wait_for(self, method: str, path: str = "", count: int = 1, seconds: float = 5) -> list[Recorded]:
        """The same, once there are `count` of them; fails when there are not in time."""
        deadline = time.monotonic() + seconds
        while len(found := self.requested(method, path)) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} {method} {path}: {self.requests}"
            time.sleep(0.01)
        return found

    # --- answering ----------------------------------------------------------------------------------------------

    def handle(self, request: Recorded) -> Reply:
        with self._lock:
            self.requests.append(request)
            script = next((script for script in self._scripts if self._applies(script, request)), None)
            if script:
                script.left -= 1
        return script.behaviour(self, request) if script else self.answer(request)

    def _applies(self, script: _Script, request: Recorded) -> bool:
        return script.left > 0 and script.method in (None, request.method) and script.path in request.path

    def answer(self, request: Recorded) -> Reply:
        """What a partner without faults answers."""
        if self.token not in authorization.decode(request.headers.get("Authorization")):
            return enveloped(code=2000, http=401)
        match request.path.strip("/").split("/"):
            case ["versions"]:
                return enveloped([{"version": version, "url": f"{self.url}/{version}"} for version in self.versions])
            case ["2.2.1"]:
                endpoints = [
                    {"identifier": module, "role": role, "url": url} for (module, role), url in self.endpoints().items()
                ]
                return enveloped({"version": "2.2.1", "endpoints": endpoints})
            case ["2.2.1", "credentials"]:
                return self._credentials(request)
            case ["2.2.1", "sender", module] if request.method == "GET":
                return self._page(request, module)
            case ["2.2.1", "sender", "tokens", uid, "authorize"] if request.method == "POST":
                return self._authorize(request, unquote(uid))
            case ["2.2.1", "sender", module, id]:
                found = [item for item in self.objects.get(module, ()) if item.get("id") == unquote(id)]
                return enveloped(found[0]) if found else enveloped(code=2003, http=404)
            case ["2.2.1", "receiver", *rest]:
                return self._receive(request, "/".join(map(unquote, rest)))
        return enveloped(code=2000, http=404)

    def _credentials(self, request: Recorded) -> Reply:
        if request.method in ("POST", "PUT"):
            self.ours = request.document["token"]
            self.token = secrets.token_urlsafe(24)
        return enveloped() if request.method == "DELETE" else enveloped(self.credentials())

    def _page(self, request: Recorded, module: str) -> Reply:
        found = [item for item in self.objects.get(module, ()) if _is_within(item, request.query)]
        offset = int(request.query.get("offset", 0))
        limit = min(int(request.query.get("limit", self.page_limit)), self.page_limit)
        headers = {"X-Total-Count": str(len(found)), "X-Limit": str(self.page_limit)}
        if offset + limit < len(found):
            following = {**request.query, "offset": str(offset + limit), "limit": str(limit)}
            headers["Link"] = f'<{self.url}{request.path}?{urlencode(following)}>; rel="next"'
        return enveloped(found[offset : offset + limit], **headers)

    def _authorize(self, request: Recorded, uid: str) -> Reply:
        """A valid Token among `objects` may charge wherever it is asked for."""
        key = (uid.lower(), request.query.get("type", "RFID"))
        found = [item for item in self.objects.get("tokens", ()) if (item["uid"].lower(), item["type"]) == key]
        if not found:
            return enveloped(code=2004, http=404)
        info = {"allowed": "ALLOWED" if found[0]["valid"] else "BLOCKED", "token": found[0]}
        if found[0]["valid"]:
            info["authorization_reference"] = f"AUTH-{uid}"
            info |= {"location": request.document} if request.body else {}
        return enveloped(info)

    def _receive(self, request: Recorded, key: str) -> Reply:
        module, _, below = key.partition("/")
        if request.method == "POST":
            if module == "cdrs":
                return self._receive_cdr(request)
            return enveloped({"result": "ACCEPTED", "timeout": 30})
        with self._lock:
            if module == "locations" and below.count("/") == 3:
                return self._receive_evse(request, *key.rpartition("/")[::2])
            known = self.received.get(key)
            match request.method:
                case "PUT":
                    self.received[key] = request.document
                    return enveloped(http=200 if known else 201)
                case "PATCH" if known:
                    known.update(request.document)
                    return enveloped()
                case "PATCH":
                    return enveloped(code=2003)
                case "DELETE" if known:
                    del self.received[key]
                    return enveloped()
            return enveloped(known) if known else enveloped(code=2003, http=404)

    def _receive_cdr(self, request: Recorded) -> Reply:
        """A CDR is kept once, however often it is sent."""
        with self._lock:
            document = request.document
            key = f"cdrs/{document['country_code']}/{document['party_id']}/{document['id']}"
            self.received.setdefault(key, document)
        return enveloped(Location=f"{self.url}/{key}")

    def _receive_evse(self, request: Recorded, location_key: str, uid: str) -> Reply:
        """An EVSE of a Location that is here; its `last_updated` becomes the Location's, too."""
        parent = self.received.get(location_key)
        if parent is None:
            return enveloped(code=2003)
        evses = {evse["uid"]: evse for evse in parent.get("evses", ())}
        if request.method == "PATCH" and uid not in evses:
            return enveloped(code=2003)
        evses[uid] = (evses[uid] if request.method == "PATCH" else {}) | request.document
        parent |= {"evses": list(evses.values()), "last_updated": request.document["last_updated"]}
        return enveloped()

    def pause(self, seconds: float) -> None:
        """Sleep, unless the peer is being stopped."""
        self._stopping.wait(seconds)


def _is_within(item: Any, query: Mapping[str, str]) -> bool:
    """Whether an object is between date_from (including) and date_to (excluding); what has no date always is."""
    if not isinstance(item, dict) or not {"date_from", "date_to"} & query.keys():
        return True
    moment = times.parse(str(item.get("last_updated")))
    begins, ends = query.get("date_from"), query.get("date_to")
    return (begins is None or times.parse(begins) <= moment) and (ends is None or moment < times.parse(ends))


class _Server(ThreadingHTTPServer):
    peer: FakePeer
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up_all(self) -> None:
        """End the connections that clients keep alive, so that no handler thread waits for their next request."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is nothing to print."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._any
        raise AttributeError(name)

    def _any(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Recorded(self.command, parts.path, query, self.headers, body)
        try:
            reply = self.server.peer.handle(request)
        except Exception as error:  # a test shall see what its peer could not do
            reply = Reply(500, json.dumps({"fake peer": repr(error)}).encode())
        if reply.hang_up:
            self.close_connection = True
            return
        self.server.peer.pause(reply.pause if reply.pieces == 1 else 0)
        self.send_response(reply.http)
        for name in (REQUEST_ID, CORRELATION_ID):
            if value := self.headers.get(name):
                self.send_header(name, value)
        for name, answer in (("from", "to"), ("to", "from")):
            for part in ("country-code", "party-id"):
                if value := self.headers.get(f"OCPI-{name}-{part}"):
                    self.send_header(f"OCPI-{answer}-{part}", value)
        for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        size = -(-len(reply.body) // reply.pieces) or 1
        for start in range(0, len(reply.body), size):
            self.wfile.write(reply.body[start : start + size])
            self.wfile.flush()
            if reply.pieces > 1:
                self.server.peer.pause(reply.pause)
