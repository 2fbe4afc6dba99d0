"""The query string of a request: UTF-8, whatever charset a Content-Type names."""

from urllib.parse import parse_qsl

from ocpi.errors import InvalidParameters

_MOST_PARAMETERS = 100


def read(query: bytes) -> dict[str, str]:
    """The parameters, the last of repeated ones; raises InvalidParameters when there are more than a hundred."""
    try:
        return dict(parse_qsl(query.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS))
    except ValueError:
        raise InvalidParameters(f"more than {_MOST_PARAMETERS} query parameters") from None
