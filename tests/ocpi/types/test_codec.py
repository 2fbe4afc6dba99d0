"""JSON in and out keeps every digit, and refuses what is no JSON."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.types.codec import MAX_DEPTH, MalformedJson, decode, encode, encode_text
from ocpi.v221.common import Price
from ocpi.v221.locations import Status

text = st.text(st.characters(exclude_categories=("Cs",)))
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=4) | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | decimals | text,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(text, inner, max_size=5),
)


@given(json_values)
def test_what_was_encoded_decodes_to_the_same(value: object) -> None:
    assert decode(encode(value)) == value


@pytest.mark.parametrize("digits", ["0.1000", "4.10", "1234567.8901", "-0.0", "1E+5", "0.1", "3." + "14" * 100])
def test_a_number_leaves_digit_for_digit(digits: str) -> None:
    assert encode_text(decode(digits.encode())) == digits


def test_a_number_with_a_fraction_is_a_decimal() -> None:
    value = decode(b"0.30")
    assert isinstance(value, Decimal) and str(value) == "0.30"


def test_an_integer_beyond_64_bits_is_exact() -> None:
    assert decode(b"123456789012345678901234567890") == 123456789012345678901234567890


def test_a_member_that_occurs_twice_has_its_last_value() -> None:
    assert decode(b'{"a":1,"a":2}') == {"a": 2}


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[1,]", b'{"a":1,}', b"[1] x", b"NaN", b"Infinity", b"-Infinity", b"01", b"+1", b".5", b"'a'",
        b'"\xff"', b'"\xed\xa0\x80"', b'"\\ud800"', b'"\\udc00"', b'"\\ud800\\u0041"', b'"a\nb"', b"\xef\xbb\xbf{}",
        b'{"a":1}'.decode().encode("utf-16"), b"1e9999999999999999999", b"1" * 5000, b"// x\n1",
    ],
)  # fmt: skip
def test_what_is_no_json_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedJson):
        decode(raw)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 500, 100_000])
def test_deep_nesting_is_malformed(depth: int) -> None:
    with pytest.raises(MalformedJson, match="nested deeper"):
        decode(b"[" * depth + b"]" * depth)


@pytest.mark.parametrize("around", [b'"]"', b'"["', b'"}{"', b'"\\"]"', b'"\\\\","]"', b'"","]",""'])
def test_no_text_hides_a_deep_nesting(around: bytes) -> None:
    deep = b"[" + around + b","
    for raw in (deep * 70 + b"0" + b"]" * 70, b"[" * 70 + around + b"]" * 70):
        with pytest.raises(MalformedJson, match="nested deeper"):
            decode(raw)


def test_nesting_up_to_the_limit_is_read() -> None:
    raw = b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH
    assert encode(decode(raw)) == raw


def test_a_wide_document_is_not_a_deep_one() -> None:
    assert len(decode(b"[" + b"[{}]," * 500 + b"[]]")) == 501


def test_brackets_in_text_are_not_nesting() -> None:
    assert decode(b'"' + b"[{" * 500 + b'"') == "[{" * 500


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), [Decimal("-Infinity")]])
def test_a_number_json_does_not_have_is_not_sent(value: object) -> None:
    with pytest.raises(ValueError):
        encode(value)


def test_the_word_nan_in_a_text_is_sent() -> None:
    assert encode({"name": "NaN Infinity"}) == b'{"name":"NaN Infinity"}'


def test_absent_members_of_a_struct_are_omitted() -> None:
    assert encode(Price(excl_vat=Decimal("1.00"))) == b'{"excl_vat":1.00}'


def test_an_unknown_enum_value_is_sent_as_it_came() -> None:
    assert not Status("MELTING").is_known and encode(Status("MELTING")) == b'"MELTING"'
