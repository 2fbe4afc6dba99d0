"""The Authorization header (§transport_and_format_authorization_header)."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.transport import authorization

TOKENS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64)


@given(TOKENS)
def test_a_token_survives_the_header(token: str) -> None:
    """R2.1, R2.6"""
    assert authorization.decode(authorization.encode(token))[0] == token


def test_the_header_is_base64_of_the_token_after_one_space() -> None:
    """R2.1; errata E1: the encoding of the token alone, without a line break."""
    assert authorization.encode("example-token") == "Token " + base64.b64encode(b"example-token").decode()
    assert authorization.decode("Token " + base64.b64encode(b"example-token\n").decode())[0] == "example-token\n"


def test_the_scheme_ignores_case() -> None:
    assert authorization.decode("token ZXhhbXBsZS10b2tlbg==")[0] == "example-token"


def test_an_unencoded_token_is_the_second_guess() -> None:
    """R2.5: peers of 2.1.1 and 2.2."""
    assert authorization.decode("Token plain-token") == ("plain-token",)
    assert authorization.decode("Token dG9rZW4x") == ("token1", "dG9rZW4x")


@pytest.mark.parametrize(
    "value",
    [
        None, "", "Token", "Token ", "Token  ZXhhbXBsZQ==", "Token a b", "Bearer ZXhhbXBsZQ==", "Basic eDp5",
        "Token é", "Token \0", "TokenZXhhbXBsZQ==", "Token\tZXhhbXBsZQ==",
    ],
)  # fmt: skip
def test_anything_else_is_no_token_and_no_error(value: str | None) -> None:
    """R2.2"""
    assert authorization.decode(value) == ()


@given(st.text())
def test_garbage_never_raises(value: str) -> None:
    """R2.2"""
    authorization.decode(value)
    for token in authorization.decode(f"Token {value}"):
        token.encode()
