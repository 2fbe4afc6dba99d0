"""`POST /api/v1/evse-status`: other systems tell the status of EVSEs."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, ParseError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cpo_backend.ingest import items, sources, taking
from cpo_backend.ingest.items import Unreadable
from cpo_backend.models import StatusSource

_SCHEME = "Token"


class SourceAuthentication(BaseAuthentication):
    """The word Token, a space, and the token of a status source."""

    def authenticate(self, request: Request) -> tuple[StatusSource, None] | None:
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != _SCHEME.lower():
            return None
        source = sources.known(token.strip())
        if source is None:
            raise AuthenticationFailed("no status source has this token")
        return source, None

    def authenticate_header(self, request: Request) -> str:
        return _SCHEME


class SourceScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = SourceAuthentication
    name = "statusSourceToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        told = "The word Token, a space, and the token of a status source"
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": told}


class OfSources(BasePermission):
    """Only sources: staff have the admin."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, StatusSource)


_ITEM = inline_serializer(
    "EvseStatusItem",
    {
        "evse_uid": serializers.CharField(max_length=36),
        "status": serializers.CharField(help_text="A status of OCPI (AVAILABLE), or a word of OCPP (Available)"),
        "location_id": serializers.CharField(
            max_length=36, required=False, help_text="Where the EVSE's uid alone would be ambiguous"
        ),
        "timestamp": serializers.DateTimeField(required=False, help_text="When it came to be so, by your clock"),
    },
    many=True,
)
_RECEIPT = inline_serializer(
    "EvseStatusReceipt",
    {
        "taken": serializers.IntegerField(),
        "outdated": serializers.IntegerField(help_text="Older than what you told before; not taken"),
        "rejected": serializers.IntegerField(),
        "results": inline_serializer(
            "EvseStatusResult",
            {
                "index": serializers.IntegerField(),
                "result": serializers.ChoiceField(choices=[str(result) for result in taking.Result]),
                "pointer": serializers.CharField(required=False, help_text="JSON Pointer to what is wrong"),
                "message": serializers.CharField(required=False),
            },
            many=True,
        ),
    },
)


class EvseStatusView(APIView):
    authentication_classes = [SourceAuthentication]
    permission_classes = [OfSources]
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]

    @extend_schema(
        operation_id="post_evse_status",
        tags=["status of EVSEs"],
        summary="Tell the status of EVSEs",
        description=(
            "A list of statuses, also an empty one as a sign of life. Each is judged by itself: what is wrong with one "
            "is said in its place, the others count. A source that is silent for longer than its grace is not believed "
            "any more, its EVSEs are UNKNOWN."
        ),
        request=_ITEM,
        responses={200: _RECEIPT},
    )
    def post(self, request: Request) -> Response:
        try:
            found = items.of_json(_body(request))
        except Unreadable as error:
            raise ParseError(str(error)) from None
        if len(found) > items.MOST:
            raise ParseError(f"more than {items.MOST} items: send several batches")
        assert isinstance(request.user, StatusSource), "OfSources admits nobody else"
        return Response(taking.take(request.user, found).document())


def _body(request: Request) -> bytes:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if limit is not None and int(request.META.get("CONTENT_LENGTH") or 0) > limit:
        raise ParseError(f"more than {limit} bytes: send several batches")
    body: bytes = request._request.body
    return body
