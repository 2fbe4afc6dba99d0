"""What the modules of client-owned objects share (§transport_and_format_client_owned_object_push).

An owner's Sender interface lists its objects; on the Receiver interface owners write theirs, each below its own
country code and party id.
"""

import types
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse

from ocpi import ports
from ocpi.api.schema import Message
from ocpi.api.views import FunctionalView, refuse
from ocpi.errors import InvalidParameters, NotFound
from ocpi.ids import PartyId
from ocpi.status import OcpiStatus
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival, Objects
from ocpi.transport import envelope
from ocpi.types import validation
from ocpi.types.validation import Violation
from ocpi.v221.versions import InterfaceRole


class ListView(FunctionalView):
    """The Sender's list of a module; subclasses name the module and the store."""

    interface = InterfaceRole.SENDER
    store: ClassVar[Objects]

    @classmethod
    def message(cls, method: str, path: str) -> Message:
        return Message(data=types.GenericAlias(list, (cls.store.shape,)))

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(self.store.page, self.admitted.scope)


class OwnerView(FunctionalView):
    """A Receiver URL below `{country_code}/{party_id}`: only for platforms that speak for that party."""

    interface = InterfaceRole.RECEIVER

    def initial(self, request: HttpRequest, **kwargs: Any) -> None:
        super().initial(request, **kwargs)
        self.owner = PartyId.of(kwargs["country_code"], kwargs["party_id"])
        if not ports.directory().may_write(self.caller, self.owner):
            raise NotFound(f"{self.owner} is not a party of the calling platform")


class ObjectView(OwnerView):
    """GET and PUT of one object in a module's Receiver; `patched` is what a PATCH method calls.

    `object_id` in the URL names the object; a module whose key is more than that says so in `key` and `identity`.
    """

    store: ClassVar[Objects]
    missing: ClassVar[OcpiStatus] = OcpiStatus.CLIENT_ERROR  # status of a GET that finds nothing (errata E5)

    @classmethod
    def message(cls, method: str, path: str) -> Message:
        shape = cls.store.shape
        match method:
            case "get":
                return Message(data=shape)
            case "put" | "patch":
                return Message(body=shape, partial=method == "patch")
        return Message()

    def key(self, object_id: str) -> str:
        """The store's key of the object that the URL names."""
        return object_id

    def identity(self, object_id: str) -> dict[str, str]:
        """Members of the object that must be as the URL says, beside the owner's."""
        return {"id": object_id}

    def get(self, request: HttpRequest, *, object_id: str, **_: Any) -> HttpResponse:
        text = self.store.find(self.owner, self.key(object_id))
        if text is None:
            raise NotFound("no such object here", status=self.missing)
        return self.answer(envelope.raw(text))

    def put(self, request: HttpRequest, *, object_id: str, **_: Any) -> HttpResponse:
        document = self.document()
        defects = refuse(validation.check(document, self.store.shape))
        same_ids(document, **owner_members(self.owner), **self.identity(object_id))
        return self.answer(created=self.store.put(Arrival(document, defects), self.caller.platform_id))

    def patched(self, object_id: str) -> HttpResponse:
        """Change the named fields (§transport_and_format_patch)."""
        changes = self.document()
        refuse(validation.check_patch(changes, self.store.shape))
        identity = {**owner_members(self.owner), **self.identity(object_id)}
        same_ids(changes, **{name: value for name, value in identity.items() if name in changes})
        self.store.patch(self.owner, self.key(object_id), changes, self.caller.platform_id, self._defects)
        return self.answer()

    def _defects(self, document: Document) -> list[Violation]:
        """The defects of the object after the change; raises InvalidParameters when it became unusable."""
        violations = validation.check(document, self.store.shape)
        refuse([violation for violation in violations if violation.fatal])
        return violations


def owner_members(owner: PartyId) -> dict[str, str]:
    """The members of an object that name its owner."""
    return {"country_code": owner.country_code, "party_id": owner.party_id}


def same_ids(document: Document, **expected: str | None) -> None:
    """Raise InvalidParameters unless the members are as the URL says, compared without case."""
    for name, value in expected.items():
        if str(document[name]).lower() != str(value).lower():
            raise InvalidParameters(f"/{name}: {document[name]!r} differs from {value!r} in the URL")
