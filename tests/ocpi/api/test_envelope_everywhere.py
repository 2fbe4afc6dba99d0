"""Whatever happens below /ocpi/, the answer is an envelope with the message ids.

`PartnerClient` checks the envelope and the ids of every answer; these tests provoke each kind.
"""

import io
from typing import Any

import pytest
from django.test import Client, RequestFactory

from config.wsgi import application
from ocpi.transport import authorization
from ocpi.transport.headers import CORRELATION_ID, REQUEST_ID
from ocpi.types import codec
from tests.kit.caller import CREDENTIALS, DETAILS, RECEIVER_LOCATIONS, SENDER_LOCATIONS, VERSIONS, PartnerClient
from tests.kit.objects import location
from tests.kit.platforms import register

HARBOUR = f"{RECEIVER_LOCATIONS}/DE/CPO/LOC-1"


def test_without_a_token_it_is_401(db: None) -> None:
    """R1.5, R2.2"""
    answer = PartnerClient().get(VERSIONS)
    assert answer.codes == (401, 2000)
    assert answer.headers["WWW-Authenticate"] == "Token"


def test_an_unknown_url_is_404_with_a_token_and_401_without(emsp_client: PartnerClient) -> None:
    """R1.5"""
    for path in (
        "/ocpi/",
        "/ocpi/2.2.1/sender/unicorns",
        "/ocpi/2.1.1",
        "/ocpi/2.2.1/locations",
        "/ocpi/%00",
        "/ocpi//",
    ):
        assert emsp_client.get(path).codes == (404, 2000), path
        refusal = PartnerClient().get(path)
        assert refusal.codes == (401, 2000) and refusal.headers["WWW-Authenticate"] == "Token", path


def test_a_missing_object_is_404(emsp_client: PartnerClient) -> None:
    """R1.8, errata E5"""
    assert emsp_client.get(f"{SENDER_LOCATIONS}/NOWHERE").codes == (404, 2003)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", VERSIONS, {"GET"}),
        ("DELETE", DETAILS, {"GET"}),
        ("PATCH", CREDENTIALS, {"GET", "POST", "PUT", "DELETE"}),
        ("PUT", SENDER_LOCATIONS, {"GET"}),
        ("POST", HARBOUR, {"GET", "PUT", "PATCH"}),
        ("DELETE", HARBOUR, {"GET", "PUT", "PATCH"}),
        ("OPTIONS", HARBOUR, {"GET", "PUT", "PATCH"}),
        ("OPTIONS", VERSIONS, {"GET"}),
        ("TRACE", VERSIONS, {"GET"}),
        ("PROPFIND", HARBOUR, {"GET", "PUT", "PATCH"}),
    ],
)
def test_a_method_that_is_not_defined_is_405_and_says_what_is(
    cpo_client: PartnerClient, method: str, path: str, allowed: set[str]
) -> None:
    """R1.5, R4.10, R6.5"""
    answer = cpo_client.request(method, path)
    assert answer.codes == (405, 2000)
    assert set(answer.headers["Allow"].split(", ")) - {"HEAD"} == allowed


@pytest.mark.parametrize("path", [VERSIONS, SENDER_LOCATIONS])
def test_head_is_get_without_a_body(emsp_client: PartnerClient, path: str) -> None:
    got, head = emsp_client.get(path), emsp_client.request("HEAD", path)
    assert (head.http, head.body) == (200, b"")
    ignored = {REQUEST_ID, CORRELATION_ID, "Content-Length"}
    assert {n: v for n, v in head.headers.items() if n not in ignored} == {
        n: v for n, v in got.headers.items() if n not in ignored
    }


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff\xfe", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1,}', b'"\\ud800"', b"\xef\xbb\xbf{}",
        b"[" * 10_000,
    ],
)  # fmt: skip
@pytest.mark.parametrize(("method", "path"), [("PUT", HARBOUR), ("PATCH", HARBOUR), ("PUT", CREDENTIALS)])
def test_a_body_that_is_no_json_is_400(cpo_client: PartnerClient, method: str, path: str, body: bytes) -> None:
    """R1.6, traps 3 and 4"""
    assert cpo_client.request(method, path, body).codes == (400, 2001)


@pytest.mark.parametrize("body", [[], "text", 1, None, True, [location()]])
@pytest.mark.parametrize(("method", "path"), [("PUT", HARBOUR), ("PATCH", HARBOUR), ("PUT", CREDENTIALS)])
def test_json_that_is_no_object_is_2001(cpo_client: PartnerClient, method: str, path: str, body: Any) -> None:
    """R1.7, trap 3"""
    assert cpo_client.request(method, path, body).codes == (200, 2001)


def test_a_body_above_the_limit_is_413(cpo_client: PartnerClient, settings: Any) -> None:
    settings.NODE_MAX_BODY = 10_000
    assert cpo_client.put(HARBOUR, location(name="x" * 10_000)).codes == (413, 2000)


def test_a_large_location_passes(cpo_client: PartnerClient) -> None:
    """Trap 38: Django's own limit of 2.5 MB does not apply."""
    document = location(country_code="DE", party_id="CPO", vendor_extension=["x" * 1000] * 3000)
    assert cpo_client.put(HARBOUR, document).codes == (201, 1000)
    assert cpo_client.get(HARBOUR).data == document


@pytest.mark.parametrize(
    "content_type",
    [
        None, "", "text/plain", "application/json; charset=latin-1", "application/x-www-form-urlencoded",
        "multipart/form-data",
    ],
)  # fmt: skip
def test_a_body_is_json_whatever_its_content_type_says(cpo_client: PartnerClient, content_type: str | None) -> None:
    """R1.1, trap 40"""
    document = location(country_code="DE", party_id="CPO", name="Straße ⚡")
    assert cpo_client.put(HARBOUR, document, headers={"Content-Type": content_type}).codes == (201, 1000)
    assert cpo_client.get(HARBOUR).data == document


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=" + name for name in ("hex", "zip", "idna", "utf-16", "nonsense", "latin-1")]
    + ["application/json; charset*=nonsense''utf-8", "application/json; charset", ";;", "; charset=\xe9"],
)
def test_a_strange_content_type_changes_nothing(db: None, content_type: str) -> None:
    """R1.1: UTF-8 always. With the request object of the WSGI application; Django's test client makes its own."""
    environ = RequestFactory()._base_environ(
        PATH_INFO=SENDER_LOCATIONS, QUERY_STRING="limit=%32&note=%C3%96l", CONTENT_TYPE=content_type
    )
    environ["HTTP_AUTHORIZATION"] = authorization.encode(register("EMSP:DE*MSP").token)
    response = application.get_response(application.request_class(environ))
    assert codec.decode(response.content)["status_code"] == 1000


@pytest.mark.parametrize("accept", ["text/html", "*/*", "application/xml;q=1", ";", "nonsense"])
def test_the_accept_header_changes_nothing(emsp_client: PartnerClient, accept: str) -> None:
    """Trap 40"""
    assert emsp_client.get(VERSIONS, headers={"Accept": accept}).codes == (200, 1000)


def test_both_forms_of_a_url_work_without_a_redirect(cpo_client: PartnerClient, emsp_client: PartnerClient) -> None:
    """Trap 37"""
    for path in (VERSIONS, DETAILS, CREDENTIALS, SENDER_LOCATIONS):
        assert emsp_client.get(path + "/").codes == (200, 1000), path
    assert cpo_client.put(HARBOUR + "/", location(country_code="DE", party_id="CPO")).codes == (201, 1000)
    assert cpo_client.get(HARBOUR).http == cpo_client.get(HARBOUR + "/").http == 200


def test_a_line_break_ends_no_url(emsp_client: PartnerClient, cpo_client: PartnerClient) -> None:
    """`$` in a pattern would let one pass, and into the Link header."""
    for path in (VERSIONS, DETAILS, CREDENTIALS, SENDER_LOCATIONS, f"{SENDER_LOCATIONS}/LOC-1"):
        assert emsp_client.get(f"{path}%0A").codes == (404, 2000), path
    body = location(country_code="DE", party_id="CPO")
    assert cpo_client.put(f"{HARBOUR}%0A", body).codes == (404, 2000)


def test_a_wrong_host_header_changes_nothing(emsp_client: PartnerClient) -> None:
    """Trap 10: URLs in answers are built from NODE_URL."""
    answer = emsp_client.get(VERSIONS, environ={"HTTP_HOST": "evil.example"})
    assert answer.codes == (200, 1000) and b"evil" not in answer.body


def test_too_many_query_parameters_are_2001(emsp_client: PartnerClient) -> None:
    """R5.8"""
    answer = emsp_client.get(SENDER_LOCATIONS, {f"p{number}": "1" for number in range(1500)})
    assert answer.codes == (200, 2001)


@pytest.mark.parametrize("bad", ["", "a" * 500, "é"])
def test_an_unusable_message_id_is_replaced(emsp_client: PartnerClient, bad: str) -> None:
    """R1.11"""
    answer = emsp_client.get(VERSIONS, headers={REQUEST_ID: bad, CORRELATION_ID: None})
    assert len(answer.headers[REQUEST_ID]) == len(answer.headers[CORRELATION_ID]) == 36


def test_a_client_that_hangs_up_is_no_defect_of_ours(cpo_client: PartnerClient) -> None:
    class BrokenPipe(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise OSError("connection reset")

    answer = cpo_client.put(HARBOUR, location(), environ={"wsgi.input": BrokenPipe()})
    assert answer.codes == (400, 2001)


def test_our_own_defect_is_500_3000_without_its_details(emsp_client: PartnerClient, settings: Any) -> None:
    settings.OCPI = {**settings.OCPI, "gateway": "tests.ocpi.api.test_envelope_everywhere.defective_gateway"}
    answer = emsp_client.get(SENDER_LOCATIONS)
    assert answer.codes == (500, 3000) and b"secret detail" not in answer.body


class _DefectiveGateway:
    def admit(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")


defective_gateway = _DefectiveGateway()


def test_staff_urls_keep_their_own_pages(db: None) -> None:
    response = Client().get("/healthz")
    assert codec.decode(response.content) == {"status": "ok"} and REQUEST_ID not in response.headers
