"""The response envelope (§transport_and_format_response_format)."""

from decimal import Decimal

import pytest

from ocpi import errors
from ocpi.errors import OcpiError
from ocpi.status import OcpiStatus
from ocpi.transport import envelope
from ocpi.types import codec, times


def test_success_holds_data_status_and_time() -> None:
    """R1.2, R1.4"""
    read = codec.decode(envelope.wrap({"a": 1}))
    assert read["data"] == {"a": 1}
    assert (read["status_code"], read["status_message"]) == (1000, "Success")
    assert read["timestamp"].endswith("Z") and len(read["timestamp"]) <= 25 and times.parse(read["timestamp"])


def test_data_is_left_out_when_the_specification_names_none() -> None:
    """R1.10"""
    assert "data" not in codec.decode(envelope.wrap())


@pytest.mark.parametrize("data", [[], None, "text", [{"a": []}]])
def test_data_is_passed_on_as_it_is(data: object) -> None:
    """R1.3: an empty list is [], one object is no list."""
    assert codec.decode(envelope.wrap(data))["data"] == data


def test_stored_documents_are_embedded_digit_for_digit() -> None:
    """R1.15"""
    texts = ['{"a":0.1000,"unknown":null}', '{"b":12345678901234567890.00}']
    documents = [text.encode() for text in texts]
    assert b'"data":[{"a":0.1000,"unknown":null},{"b":12345678901234567890.00}]' in envelope.wrap_stored(documents)
    assert b'"data":{"a":0.1000,"unknown":null}' in envelope.wrap(envelope.raw(texts[0]))
    assert codec.decode(envelope.wrap_stored([]))["data"] == []


def test_numbers_are_no_strings_and_no_floats() -> None:
    """R1.15"""
    assert b'"data":[0.1000,0.3]' in envelope.wrap([Decimal("0.1000"), Decimal("0.1") + Decimal("0.2")])


EXPECTED = {
    "MalformedBody": (400, 2001),
    "BodyTooLarge": (413, 2000),
    "Unauthenticated": (401, 2000),
    "NotFound": (404, 2000),
    "MethodNotAllowed": (405, 2000),
    "InvalidParameters": (200, 2001),
    "NotEnoughInformation": (200, 2002),
    "UnknownLocation": (200, 2003),
    "UnknownToken": (200, 2004),
    "ServerError": (500, 3000),
    "ClientApiUnusable": (200, 3001),
    "UnsupportedVersion": (200, 3002),
    "NoMatchingEndpoints": (200, 3003),
    "HubError": (200, 4000),
    "UnknownReceiver": (200, 4001),
    "ReceiverTimeout": (200, 4002),
    "ReceiverNotConnected": (200, 4003),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_error_has_its_http_and_ocpi_status(name: str) -> None:
    """R1.5 to R1.8, section 10 of the digest: an HTTP error only where HTTP failed."""
    error: OcpiError = getattr(errors, name)("what is wrong")
    read = codec.decode(envelope.wrap_error(error))
    assert (error.http_status, read["status_code"]) == EXPECTED[name]
    assert read["status_message"] == "what is wrong" and "data" not in read and "timestamp" in read


def test_an_error_without_words_has_those_of_its_status() -> None:
    assert codec.decode(envelope.wrap_error(errors.UnknownLocation()))["status_message"] == "Unknown location"


def test_an_error_may_name_the_faulty_fields() -> None:
    error = errors.InvalidParameters("two things", data=[{"pointer": "/id"}])
    assert codec.decode(envelope.wrap_error(error))["data"] == [{"pointer": "/id"}]


def test_every_status_code_has_four_digits_and_a_phrase() -> None:
    """R1.2"""
    assert all(1000 <= status <= 4999 and status.phrase for status in OcpiStatus)
