"""The requests that are answered on the event loop, and how. A lane returns None for what Django has to answer."""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import NamedTuple

from django.conf import settings

from ocpi import ports
from ocpi.express.database import Database
from ocpi.ids import VERSION, PartyId
from ocpi.modules import paths
from ocpi.ports import Admission, Caller
from ocpi.store import evse_status
from ocpi.store.catalogue import STORES
from ocpi.store.locations import locations
from ocpi.transport import envelope, pagination, queries
from ocpi.transport.asgi import Conversation, Scope
from ocpi.transport.headers import RoutingHeaders
from ocpi.transport.pagination import PageQuery
from ocpi.types import codec, validation
from ocpi.v221.locations import Evse
from ocpi.v221.versions import InterfaceRole, ModuleID


class Answer(NamedTuple):
    """Success: the content, and the headers that only this answer has."""

    admission: Admission
    content: bytes
    headers: Mapping[str, str] = {}


Lane = Callable[[Conversation, Database], Awaitable[Answer | None]]

_PAGED = (ModuleID.LOCATIONS, ModuleID.SESSIONS, ModuleID.CDRS, ModuleID.TARIFFS, ModuleID.TOKENS)
_PLAIN = "[!-$&-.0-~]"  # what an id may hold and a URL need not encode
_EVSE = re.compile(
    rf"/ocpi/{paths.RECEIVER}/locations/({_PLAIN}{{2}})/({_PLAIN}{{3}})/({_PLAIN}{{1,255}})/({_PLAIN}{{1,255}})/?"
)
_SMALL = re.compile(r"[0-9]{1,4}")  # bytes of a body; what is begun here can be read to its end and passed on


def find(scope: Scope) -> Lane | None:
    """The lane of a request, by its method and path; None for nearly all of them."""
    if scope["method"] == "GET":
        return _PAGES.get(scope["path"])
    if scope["method"] != "PATCH":
        return None
    path = scope.get("raw_path") or scope["path"].encode()
    match = _EVSE.fullmatch(path.decode("latin-1"))
    return partial(_status, match) if match else None


async def _page(module: ModuleID, conversation: Conversation, database: Database) -> Answer | None:
    """A page of a module's Sender."""
    caller = _caller(conversation)
    if caller is None or "Content-Length" in conversation.headers or "Transfer-Encoding" in conversation.headers:
        return None
    admission = _admitted(conversation, caller, module, InterfaceRole.SENDER, is_list=True)
    params, store = queries.read(conversation.scope["query_string"]), STORES[module]
    query = PageQuery.read(params, settings.NODE_PAGE_LIMIT)
    rows = await database.fetch(*store.page_statement(admission.scope, query))
    if not store.is_whole(rows):
        return None
    page = store.page_of(rows, admission.scope, query)
    url = f"{settings.NODE_URL}{conversation.scope['path']}"
    headers = pagination.headers(page, query, params, url, settings.NODE_PAGE_LIMIT)
    return Answer(admission, envelope.wrap_stored(page.documents), headers)


async def _status(place: re.Match[str], conversation: Conversation, database: Database) -> Answer | None:
    """A change of an EVSE's status and of nothing else (§mod_locations_patch_method)."""
    caller, length = _caller(conversation), conversation.headers.get("Content-Length", "")
    if caller is None or not _SMALL.fullmatch(length):
        return None
    admission = _admitted(conversation, caller, ModuleID.LOCATIONS, InterfaceRole.RECEIVER, is_list=False)
    country_code, party_id, location, evse = place.groups()
    owner = PartyId.of(country_code, party_id)
    if not ports.directory().may_write(caller, owner):
        return None
    try:
        changes = codec.decode(await conversation.body(settings.NODE_MAX_BODY))
    except codec.MalformedJson:
        return None
    if not isinstance(changes, dict) or validation.check_patch(changes, Evse):
        return None
    if not evse_status.is_status_change(changes):
        return None
    source = caller.platform_id
    if await database.execute(*evse_status.statement(owner, location.lower(), evse, changes, source)) != 1:
        return None
    locations.tell(owner, source)
    return Answer(admission, envelope.wrap())


_PAGES: dict[str, Lane] = {f"/ocpi/{VERSION}/sender/{module}": partial(_page, module) for module in _PAGED}


def _caller(conversation: Conversation) -> Caller | None:
    """Who calls with a token that is known and in use, and asks for what is ours."""
    caller = ports.directory().remembered(conversation.headers.get("Authorization", ""))
    return caller if caller and caller.registered and "ocpi.opened" not in conversation.scope else None


def _admitted(
    conversation: Conversation, caller: Caller, module: ModuleID, interface: InterfaceRole, *, is_list: bool
) -> Admission:
    """The gateway's decision, as the exchange log will have it; raises OcpiError."""
    routing, method = RoutingHeaders.read(conversation.headers), conversation.scope["method"]
    admission = ports.gateway().admit(caller, method, module, interface, routing, is_list=is_list)
    transcript = conversation.transcript
    transcript.platform_id = caller.platform_id
    transcript.route, transcript.reason = admission.route, admission.reason
    return admission
