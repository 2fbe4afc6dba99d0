"""The `Authorization: Token <base64>` header (§transport_and_format_authorization_header)."""

import base64
import binascii

_SCHEME = "token "


def encode(token: str) -> str:
    """The header value that presents `token`: base64 of its UTF-8 bytes, one space after the scheme."""
    return f"Token {base64.b64encode(token.encode()).decode()}"


def decode(value: str | None) -> tuple[str, ...]:
    """The tokens that a header value may mean, most likely first; empty when it is none.

    2.1.1 and 2.2 peers often send the token unencoded, so the literal value is the second candidate. Garbage is no
    token, never an error.
    """
    if not value or value[: len(_SCHEME)].lower() != _SCHEME:
        return ()
    literal = value[len(_SCHEME) :]
    if not literal or not literal.isascii() or not literal.isprintable() or " " in literal:
        return ()
    try:
        decoded = base64.b64decode(literal, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return (literal,)
    return (decoded, literal)
