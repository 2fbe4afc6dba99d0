"""Partner input is hostile input (DESIGN section 2.9): at every mounted URL, by every method.

Whatever comes, the answer is no 5xx, it is an envelope with the message ids (`PartnerClient` checks both of every
answer), and a request that was refused has changed nothing in the database.
"""

import io
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ocpi.ids import PartyId
from ocpi.store.locations import locations as store
from ocpi.store.objects import Arrival
from ocpi.store.sessions import sessions
from ocpi.store.tariffs import tariffs
from ocpi.store.tokens import tokens
from ocpi.transport import authorization
from ocpi.types import codec
from roaming import directory
from roaming.command_models import SentCommand
from roaming.models import Party
from roaming.registration import invite
from tests.kit.caller import Answer, PartnerClient
from tests.kit.commands import BODIES as COMMANDS
from tests.kit.commands import CAPABLE, RESPONSE_URL, active_profile, charging_profile
from tests.kit.objects import (
    Document,
    cdr,
    cdr_token,
    charging_period,
    client_info,
    connector,
    credentials,
    credentials_role,
    credit_cdr,
    evse,
    location,
    session,
    tariff,
    token,
)
from tests.kit.platforms import register
from tests.kit.urls import mounted

URLS = ["/ocpi/", *mounted()]
METHODS = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
WRITING = ["PUT", "PATCH", "POST"]
ROAMING = ["platform", "credentialstoken", "endpoint", "party", "receivedcommand", "sentcommand", "activeprofile"]


# --- what is thrown -------------------------------------------------------------------------------------------------

THEIRS = {"country_code": "DE", "party_id": "CPO"}
LATER = {"last_updated": "2026-03-01T13:00:00Z"}
BELONGING: dict[str, list[Document]] = {  # by the segment of the URL that names the module
    "locations": [location(**THEIRS), evse(), connector(), {"status": "CHARGING", **LATER}],
    "sessions": [session(id="X", **THEIRS), {"charging_periods": [charging_period()], "status": "COMPLETED", **LATER}],
    "charging_preferences": [{"profile_type": "GREEN", "departure_time": "2026-03-01T13:00:00Z", "energy_need": 5}],
    "cdrs": [cdr(id="X", **THEIRS), credit_cdr(**THEIRS)],
    "tariffs": [tariff(id="X", **THEIRS)],
    "tokens": [token(uid="X", country_code="FR", party_id="MSP"), {"valid": False, **LATER}],
    "authorize": [{"location_id": "L0", "evse_uids": ["EVSE-1"]}],
    "hubclientinfo": [client_info(role="CPO", **THEIRS)],
    "commands": [*(body() for body in COMMANDS.values()), {"result": "ACCEPTED", "message": []}],
    "chargingprofiles": [
        {"response_url": RESPONSE_URL, "charging_profile": charging_profile()},
        active_profile(),
        {"result": "ACCEPTED", "profile": active_profile()},
    ],
    "credentials": [
        credentials(url="https://127.0.0.1/versions", roles=[credentials_role(country_code="DE", party_id="NEW")])
    ],
}
# Further URLs that documents belong at, and who speaks there when it is not the CPO.
DEEP = [
    "/ocpi/2.2.1/receiver/tokens/FR/MSP/X",
    *(f"/ocpi/2.2.1/receiver/commands/{command}" for command in COMMANDS),
    "/ocpi/2.2.1/sender/chargingprofiles/results/active/ASKED",
]
SPEAKERS = {
    "credentials": 2,
    "hubclientinfo": 4,
    "charging_preferences": 1,
    "receiver/commands": 1,
    "receiver/chargingprofiles": 1,
    "receiver/tokens": 1,
}
DOCUMENTS = [document for documents in BELONGING.values() for document in documents]
VALUES: list[Any] = [
    None, True, -1, 0, 10**18, -(10**400), Decimal("1e999999"), Decimal("1E-999999"), Decimal("-0.0"),
    Decimal("0.1") ** 20,
    "", " ", "\0", "a\0b", "\x1b[2J", "\r\nX-Injected: 1", "\u202e", "\ufeff", "é" * 20, "⚡", "x" * 100_000, "\uff11",
    "../../etc/passwd", "' OR 1=1 --", "%00", "{{7*7}}", "2026-02-30T00:00:00Z", 
    "2026-03-01T12:00:00." + "1" * 64 + "Z",
    "9999-12-31T23:59:60Z", "0001-01-01T00:00:00Z", "#NA", [], {}, [[]], [None], [{}], {"": None}, {"\0": 1},
    {"a": {"b": "\x07"}}, [[[[[[[[[[1]]]]]]]]]], "LOC-1", "NL", "OCP",
]  # fmt: skip
BODIES: list[bytes] = [
    b"", b" ", b"{", b"}", b"null", b"true", b"0", b'"text"', b"[]", b"{}", b"[{}]", b"\0" * 100, b"\xff\xfe{\0}\0",
    b"\xef\xbb\xbf{}", b"\x80", b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": 1e400}', b'{"a": 01}', b"{'a': 1}",
    b'{"a":1}{}',
    b'{"a": 1} trailing', b'{"id": "LOC-1", "id": "LOC-2"}', b'{"last_updated": "\\ud800"}', b'{"\\u0000": "\\u0000"}',
    b'{"a": "\x01"}', b'{"a": "\xc3\x28"}', b'{"a": ' + b"1" * 5000 + b"}", b'{"a": 1e' + b"9" * 5000 + b"}",
    b"[" * 10_000, b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b'{"a":[' * 40 + b"]}" * 40,
    b'{"status": "CHARGING", "last_updated": "2026-03-01T13:00:00Z", "x": ' + b"[" * 50 + b"]" * 50 + b"}",
    b"a=1&b=2", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--", b"<?xml version='1.0'?><a/>",
]  # fmt: skip
PATHS = [
    "%00", "%2F", "%2f..%2f..", "%ff%fe", "%C3%28", "%ED%A0%80", "..", ".", "%0A", "%0D%0AX-Injected:%201", "%E2%80%AE",
    "%25", "%2525", "%F0%9F%94%8C", ";a=b", "%5C", "%20", "+", "*", "//", "a" * 300, "a" * 60_000, "%00" * 100,
    "LOC-1%00",
    "loc-1", "null", "-1", "%7B%7D", "%3F", "%23", "\xff", "é",
]  # fmt: skip
QUERIES = [
    "", "=", "&&&", "?", "limit=", "limit=%00", "limit=%ff", "limit=1&limit=x", "limit=1;offset=2", "limit=1e9",
    "limit=0x1",
    "offset=" + "9" * 18, "offset=" + "9" * 5000, "cursor=" + "9" * 18, "cursor=-1", "limit=%EF%BC%91", "date_from=%00",
    "date_from=%ED%A0%80", "date_from=2026-03-01T12:00:00+00:00", "date_to=0001-01-01T00:00:00Z", "a" * 60_000,
    "&a" * 5000,
    "date_from=9999-12-31T23:59:60Z", "\xff\xfe=\xff", "%", "%zz=%zz", "limit[]=1", "__proto__=1", "format=html",
    "limit=1&x=%0D%0AX-Injected:%201", "type=RFID%00", "response_url=%00",
]  # fmt: skip
HEADER_VALUES = [
    "", " ", "\xff\xfe", "x" * 5000, "\t", "NL, NL", "%00", "N", "nl", "DE", "CPO", "HUB", "FR", "null",
    "☃".encode().decode("latin-1"),
]  # fmt: skip
HEADERS = [
    "X-Request-ID", "X-Correlation-ID", "OCPI-to-country-code", "OCPI-to-party-id", "OCPI-from-country-code",
    "OCPI-from-party-id", "Accept", "Accept-Language", "Accept-Encoding", "Host", "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Http-Method-Override", "Cookie", "If-None-Match", "If-Modified-Since", "Range", "Transfer-Encoding",
    "Content-Type",
    "Origin", "Expect",
]  # fmt: skip
TOKENS = [
    None,
    "",
    "Token",
    "Token \xff",
    "Token a,Token b",
    "Basic YTpi",
    authorization.encode("x"),
    "Token " + "=" * 60_000,
]


@st.composite
def spoilt_documents(draw: st.DrawFn, url: str = "") -> bytes:
    """A valid document, of those that belong at the URL, with one to three values at any depth replaced or removed."""
    belonging = [document for segment in url.split("/") for document in BELONGING.get(segment, ())]
    document = codec.decode(codec.encode(draw(st.sampled_from(belonging or DOCUMENTS))))
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(list(_places(document))))
        if draw(st.booleans()) or not isinstance(holder, dict):
            holder[key] = deepcopy(draw(st.sampled_from(VALUES)))
        else:
            del holder[key]
        if not document:
            break
    return codec.encode(document)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(item, (dict, list)):
            yield from _places(item)


TEXT = st.text(st.characters(codec="utf-8"), max_size=9)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
).map(codec.encode)
ANY_BODY = st.sampled_from(BODIES) | spoilt_documents() | JSON | st.binary(max_size=60)


# --- where it is thrown ---------------------------------------------------------------------------------------------


@pytest.fixture
def clients(db: None, settings: Any) -> list[PartnerClient]:
    """A CPO with objects here, an eMSP whose driver charges, a partner not registered yet, a stranger and a hub."""
    settings.NODE_MAX_BODY = 64 * 1024
    settings.NODE_PARTNER_TIMEOUT = 1
    cpo, emsp = register("CPO:DE*CPO"), register("EMSP:FR*MSP")
    store.put(Arrival(location(country_code="DE", party_id="CPO")), cpo.platform.pk)
    sessions.put(Arrival(session(id="X", **THEIRS)), cpo.platform.pk)
    tariffs.put(Arrival(tariff(id="X", **THEIRS)), cpo.platform.pk)
    capable = [evse(capabilities=["CHARGING_PREFERENCES_CAPABLE", *CAPABLE])]
    store.put_many([Arrival(location(id=f"L{number}", evses=capable)) for number in range(3)], None)
    tokens.put(Arrival(token(uid="X", country_code="FR", party_id="MSP")), emsp.platform.pk)
    tokens.issue(token(uid="X"))
    driver = cdr_token(country_code="FR", party_id="MSP")
    sessions.put(Arrival(session(id="X", location_id="L0", cdr_token=driver)), None)
    newcomer = PartnerClient(invite("Newcomer"))
    newcomer.get("/ocpi/versions")
    asked = {"platform": cpo.platform, "party": "DE*CPO", "subject": "X"}
    SentCommand.objects.create(uid="X", command="START_SESSION", **asked)
    SentCommand.objects.create(uid="ASKED", command="ACTIVE_CHARGING_PROFILE", **asked)
    hub = register("HUB:BE*HUB")
    return [cpo.client(), emsp.client(), newcomer, PartnerClient("stranger"), hub.client()]


@pytest.fixture(params=["node", "hub"])
def any_clients(request: pytest.FixtureRequest, clients: list[PartnerClient]) -> list[PartnerClient]:
    """The same, at a plain node and at a hub."""
    if request.param == "hub":
        Party.objects.create(party=PartyId("NL*HUB"), role="HUB", name="Hub", business_details={"name": "Hub"})
        directory.changed()
    return clients


def everything() -> dict[str, list[Any]]:
    """All rows of the protocol's tables and of the partners'."""
    found: list[type[models.Model]] = [
        *apps.get_app_config("ocpi").get_models(),
        *(apps.get_model("roaming", name) for name in ROAMING),
    ]
    return {model._meta.label: list(model._default_manager.order_by("pk").values_list()) for model in found}


def throw(client: PartnerClient, method: str, path: str, body: bytes | None = None, **options: Any) -> Answer:
    """One request, undone afterwards, and what must hold of its answer."""
    wrote: list[str] = []

    def note(execute: Any, sql: str, *arguments: Any) -> Any:
        if not sql.lstrip().startswith(("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK")):
            if not wrote:
                before.update(everything())
            wrote.append(sql)
        return execute(sql, *arguments)

    before: dict[str, list[Any]] = {}
    with transaction.atomic():
        with connection.execute_wrapper(note):
            answer = client.request(method, path, *([] if body is None else [body]), **options)
        assert answer.http < 500, f"{method} {path[:200]}: {answer.envelope}"
        assert "X-Injected" not in answer.headers
        refused = answer.envelope.get("status_code") != 1000 or method not in {"PUT", "PATCH", "POST", "DELETE"}
        if wrote and refused:
            assert everything() == before, f"{method} {path[:200]} was refused and yet changed something"
        transaction.set_rollback(True)
    if wrote:
        directory.directory.forget()
    return answer


def bounded(examples: int) -> Any:
    """The same examples on every run, and no database of failures: a test that is red stays red."""
    return hypothesis_settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


# --- throwing -------------------------------------------------------------------------------------------------------


def test_the_urls_are_derived_from_what_is_mounted() -> None:
    assert {
        "/ocpi/",
        "/ocpi/versions",
        "/ocpi/2.2.1",
        "/ocpi/2.2.1/credentials",
        "/ocpi/2.2.1/sender/locations",
    } <= set(URLS)
    assert "/ocpi/2.2.1/receiver/locations/DE/CPO/LOC-1/EVSE-1/1" in URLS


def test_every_url_answers_every_method(any_clients: list[PartnerClient]) -> None:
    for path in URLS:
        for method in METHODS:
            for client in any_clients:
                throw(client, method, path)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:20]))
def test_every_url_survives_a_malformed_body(clients: list[PartnerClient], body: bytes) -> None:
    for path in URLS:
        if not path.endswith("/"):
            throw(clients[0], "PUT", path, body)
            throw(clients[0], "PATCH", path, body)


@given(data=st.data())
@bounded(400)
def test_any_body_at_any_url(clients: list[PartnerClient], data: st.DataObject) -> None:
    client, path = data.draw(st.sampled_from(clients)), data.draw(st.sampled_from(URLS))
    throw(client, data.draw(st.sampled_from(METHODS)), path, data.draw(ANY_BODY))


@given(data=st.data())
@bounded(1500)
def test_spoilt_documents_where_they_belong(clients: list[PartnerClient], data: st.DataObject) -> None:
    """A CPO's own objects, a hub's, an eMSP's wishes, a newcomer's credentials: as far in as input comes."""
    path = data.draw(st.sampled_from([*(url for url in URLS if set(url.split("/")) & BELONGING.keys()), *DEEP]))
    client = clients[next((index for part, index in SPEAKERS.items() if part in path), 0)]
    throw(client, data.draw(st.sampled_from(WRITING)), path, data.draw(spoilt_documents(path)))


@given(data=st.data())
@bounded(300)
def test_odd_paths_below_any_url(clients: list[PartnerClient], data: st.DataObject) -> None:
    odd = data.draw(st.sampled_from(PATHS))
    parts = data.draw(st.sampled_from(URLS)).split("/")
    at = data.draw(st.integers(2, len(parts)))
    path = "/".join([*parts[:at], odd, *parts[at + data.draw(st.integers(0, 1)) :]])
    method = data.draw(st.sampled_from(METHODS))
    throw(data.draw(st.sampled_from(clients)), method, path, codec.encode(data.draw(st.sampled_from(DOCUMENTS))))


@given(data=st.data())
@bounded(300)
def test_odd_query_strings_at_any_url(clients: list[PartnerClient], data: st.DataObject) -> None:
    query = "&".join(data.draw(st.lists(st.sampled_from(QUERIES), min_size=1, max_size=2)))
    environ = {"QUERY_STRING": query}
    method = data.draw(st.sampled_from(["GET", "GET", *METHODS]))
    throw(data.draw(st.sampled_from(clients)), method, data.draw(st.sampled_from(URLS)), environ=environ)


@given(data=st.data())
@bounded(400)
def test_odd_headers_at_any_url(any_clients: list[PartnerClient], data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(HEADERS), min_size=1, max_size=4, unique=True))
    headers = {name: data.draw(st.sampled_from(HEADER_VALUES)) for name in names}
    if data.draw(st.integers(0, 3)) == 0:
        headers["Authorization"] = data.draw(st.sampled_from(TOKENS))
    client, path = data.draw(st.sampled_from(any_clients)), data.draw(st.sampled_from(URLS))
    throw(client, data.draw(st.sampled_from(METHODS)), path, b"{}", headers=headers)


@pytest.mark.parametrize("size", [5, 10])
def test_bodies_of_many_megabytes(clients: list[PartnerClient], settings: Any, size: int) -> None:
    """Above the limit 413, below it judged like any other."""
    megabytes = size * 1024 * 1024
    document = codec.encode(location(country_code="DE", party_id="CPO", name="x" * megabytes))
    for limit, expected in ((4 * 1024 * 1024, (413, 2000)), (megabytes + 1000, (200, 1000))):
        settings.NODE_MAX_BODY = limit
        assert throw(clients[0], "PUT", "/ocpi/2.2.1/receiver/locations/DE/CPO/LOC-1", document).codes == expected
    for path in ("/ocpi/versions", "/ocpi/2.2.1/credentials"):
        throw(clients[0], "PUT", path, b"[" + b"0," * (megabytes // 2) + b"0]")


@pytest.mark.parametrize("length", ["", "abc", "0", "1", "99999999999999999999"])
def test_a_content_length_that_is_not_true(clients: list[PartnerClient], length: str) -> None:
    path = "/ocpi/2.2.1/receiver/locations/DE/CPO/LOC-1"
    body = codec.encode(DOCUMENTS[0])
    answer = throw(clients[0], "PUT", path, body, environ={"CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(body)})
    assert answer.http in {200, 400}
