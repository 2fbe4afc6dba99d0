"""DRF parser, renderer and content negotiation: exact decimals both ways, whatever the media type says."""

from typing import IO, Any

from django.conf import settings
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from ocpi.errors import BodyTooLarge, MalformedBody
from ocpi.types import codec


class OcpiParser(BaseParser):
    """A JSON body of any declared content type, for partners forget it; numbers become `Decimal`, never floats."""

    media_type = "*/*"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        body = stream.read(settings.NODE_MAX_BODY + 1)
        if len(body) > settings.NODE_MAX_BODY:
            raise BodyTooLarge(f"the body is larger than {settings.NODE_MAX_BODY} bytes")
        try:
            return codec.decode(body)
        except codec.MalformedJson as error:
            raise MalformedBody(f"the body is not JSON: {error}") from None


class OcpiRenderer(BaseRenderer):
    """Passes on the envelope that the view or the exception handler has already encoded."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data: bytes, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return data


class OneRepresentation(BaseContentNegotiation):
    """There is one parser and one renderer; an Accept or Content-Type header changes nothing."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type
