"""The base of every OCPI view: who calls, where the request belongs, how it is answered.

A view authenticates the platform by its token, refuses bootstrap tokens outside versions and credentials, asks the
gateway about functional modules, and answers with an envelope and swapped routing headers.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.views import APIView

from ocpi import ports
from ocpi.api import exceptions
from ocpi.api.authentication import authenticate
from ocpi.api.middleware import JSON, transcript
from ocpi.api.schema import Message, OcpiSchema
from ocpi.errors import BodyTooLarge, InvalidParameters, MalformedBody, MethodNotAllowed, OcpiError, Unauthenticated
from ocpi.ports import Admission, Caller
from ocpi.store.scope import Scope
from ocpi.transport import envelope, pagination, queries
from ocpi.transport.headers import ReceivedHeaders, RoutingHeaders
from ocpi.transport.pagination import Page, PageQuery
from ocpi.types import codec
from ocpi.types.validation import Violation
from ocpi.v221.versions import InterfaceRole, ModuleID


class OcpiView(APIView):
    """An authenticated OCPI endpoint of a configuration module; functional modules use `FunctionalView`.

    DRF mounts and describes it. Of its dispatch nothing is left: there is one way to authenticate, one representation
    and one form of error, and choosing among many would cost a request as much as its own work.
    """

    schema = OcpiSchema()
    tag: ClassVar[str] = "versions"  # the heading it stands under in the API documentation
    is_routed: ClassVar[bool] = False  # whether it carries routing headers
    messages: ClassVar[Mapping[str, Message]] = {}  # by method, for the API documentation

    http_method_names = ["get", "head", "put", "patch", "post", "delete"]

    # Only versions and credentials accept the bootstrap token (§transport_and_format_authorization_header).
    accepts_bootstrap_token: ClassVar[bool] = False

    caller: Caller

    @classmethod
    def message(cls, method: str, path: str) -> Message:
        """What a method of the view takes and gives at a path template."""
        return cls.messages.get(method) or Message()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            self.caller = authenticate(request)
            self.initial(request, **kwargs)
            response: HttpResponse = getattr(self, str(request.method).lower())(request, **kwargs)
        except Exception as error:
            response = exceptions.answer(error, request)
            transcript(request).error = str(error) if isinstance(error, OcpiError) else type(error).__name__
        return self.finished(response)

    def initial(self, request: HttpRequest, **kwargs: Any) -> None:
        """What must hold before the method's own code runs; raises what is wrong."""
        if not (self.caller.registered or self.accepts_bootstrap_token):
            raise Unauthenticated("this credentials token is only good for versions and credentials")
        method = str(request.method).lower()
        if method not in self.http_method_names or not hasattr(self, method):
            raise MethodNotAllowed(f"{request.method} is not defined here", allowed=self.allowed_methods)

    def finished(self, response: HttpResponse) -> HttpResponse:
        """The response with what every response of this view carries."""
        return response

    @property
    def params(self) -> dict[str, str]:
        """The query string; the last of repeated parameters counts."""
        return queries.read(self.request.META.get("QUERY_STRING", "").encode("latin-1"))

    def document(self) -> dict[str, Any]:
        """The body of the request, which must be a JSON object; raises MalformedBody or InvalidParameters."""
        body = self.request.read(settings.NODE_MAX_BODY + 1)
        if len(body) > settings.NODE_MAX_BODY:
            raise BodyTooLarge(f"the body is larger than {settings.NODE_MAX_BODY} bytes")
        transcript(self.request).asked(body)
        if not body:
            raise MalformedBody("the body is empty; it must be a JSON object")
        try:
            document = codec.decode(body)
        except codec.MalformedJson as error:
            raise MalformedBody(f"the body is not JSON: {error}") from None
        if not isinstance(document, dict):
            raise InvalidParameters("the body must be a JSON object")
        return document

    def answer(self, data: Any = envelope.NO_DATA, *, created: bool = False) -> HttpResponse:
        """Success: HTTP 201 for a new object, else 200; never branch on which (errata E25)."""
        return HttpResponse(envelope.wrap(data), status=201 if created else 200, content_type=JSON)

    def page(self, read: Callable[[Scope, PageQuery], Page], scope: Scope) -> HttpResponse:
        """Answer with one page of what `scope` holds."""
        params = self.params
        query = PageQuery.read(params, settings.NODE_PAGE_LIMIT)
        found = read(scope, query)
        response = HttpResponse(envelope.wrap_stored(found.documents), content_type=JSON)
        url = absolute(self.request)
        for name, value in pagination.headers(found, query, params, url, settings.NODE_PAGE_LIMIT).items():
            response.headers[name] = value
        return response


class FunctionalView(OcpiView):
    """An endpoint of a functional module: routed, and answered with routing headers."""

    module: ClassVar[ModuleID]
    interface: ClassVar[InterfaceRole]
    is_routed = True

    admission: Admission | None = None

    def initial(self, request: HttpRequest, **kwargs: Any) -> None:
        super().initial(request, **kwargs)
        found = transcript(request)
        found.route = "REFUSE"  # until it is admitted
        self.admission = ports.gateway().admit(
            self.caller,
            str(request.method),
            self.module,
            self.interface,
            RoutingHeaders.read(ReceivedHeaders(request.META)),
            is_list=not kwargs and request.method in ("GET", "HEAD"),
        )
        found.route, found.reason = self.admission.route, self.admission.reason
        if opened := request.META.get("ocpi.opened"):  # the hub in front of us found out whom it is for
            found.route, found.reason = "OPEN", opened

    @property
    def admitted(self) -> Admission:
        assert self.admission is not None, "initial() has run"
        return self.admission

    def finished(self, response: HttpResponse) -> HttpResponse:
        reply = self._reply()
        transcript(self.request).routing = reply.reply()
        for name, value in reply.headers().items():
            response.headers[name] = value
        return response

    def _reply(self) -> RoutingHeaders:
        if self.admission is not None:
            return self.admission.reply
        try:
            return RoutingHeaders.read(ReceivedHeaders(self.request.META)).reply()
        except InvalidParameters:
            return RoutingHeaders()


def absolute(request: HttpRequest) -> str:
    """The URL of the request as a partner knows it: our public base, never the Host header."""
    return f"{settings.NODE_URL}{request.path}"


def refuse(violations: list[Violation]) -> list[Violation]:
    """Raise InvalidParameters (2001) for what makes a pushed object unusable or ill-formed; return mere defects.

    A partner that pushes hears of every missing member and wrong type at once. Odd lengths, patterns and enum values
    are kept with the object as defects: one odd field never loses an object.
    """
    grave = [violation for violation in violations if violation.fatal or violation.code in {"missing", "type"}]
    if grave:
        first = grave[0]
        more = f" (and {len(grave) - 1} more, see data)" if len(grave) > 1 else ""
        raise InvalidParameters(f"{first.pointer or '/'}: {first.message}{more}", data=grave[:50])
    return violations
