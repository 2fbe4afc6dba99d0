"""Results of commands and charging profiles through the hub (§mod_commands_flow).

The requester's response_url is of no use to the receiver, who has no credentials there. It gets one of ours, for this
one command, from which the result goes on to where the requester wants it: only from the receiver that was addressed,
once, and again when it says the same or cancels a reservation.
"""

import secrets
from datetime import timedelta
from typing import NamedTuple

import msgspec
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from ocpi.client import url_policy
from ocpi.errors import InvalidParameters, NotFound
from ocpi.ids import VERSION, PartyId
from ocpi.ports import Command
from ocpi.transport.headers import RoutingHeaders
from ocpi.v221.commands import CommandResultType
from ocpi.v221.versions import InterfaceRole, ModuleID
from roaming.hub import rewriting
from roaming.hub.addresses import Place
from roaming.hub_models import Callback

PREFIX = f"/ocpi/{VERSION}/callbacks/"
_MODULES = frozenset({ModuleID.COMMANDS, ModuleID.CHARGING_PROFILES})
# Long enough for the cancellation of a reservation; a charge point answers in minutes.
_LIFETIME = timedelta(days=7)


class Rewritten(NamedTuple):
    """A message for the receiver, with a response_url of ours."""

    query: str
    body: bytes


class Due(NamedTuple):
    """Where a result goes."""

    id: int
    requester_id: int
    routing: RoutingHeaders
    url: str


class Parties(NamedTuple):
    """Who asks whom, on which platforms, in which story."""

    requester_id: int
    receiver_id: int
    routing: RoutingHeaders
    correlation_id: str


def wants_result(place: Place) -> bool:
    """Whether a message may carry a response_url."""
    return place.interface == InterfaceRole.RECEIVER and place.module in _MODULES


def opened(place: Place, method: str, query: str, body: bytes, parties: Parties) -> Rewritten:
    """The message as the receiver gets it, after its callback is written down.

    Raises InvalidParameters for a response_url that we would not call. One without is passed on as it is: the
    receiver says what is wrong with it.
    """
    uid = secrets.token_urlsafe(32)
    ours = f"{settings.NODE_URL}{PREFIX}{uid}"
    if body:
        body, given = rewriting.in_body(body, ours)
    else:
        query, given = rewriting.in_query(query, ours)
    if given is None:
        return Rewritten(query, body)
    try:
        url_policy.check_url(given)
    except url_policy.ForbiddenUrl as error:
        raise InvalidParameters(f"/response_url: {error}") from None
    Callback.objects.create(
        uid=uid,
        requester_id=parties.requester_id,
        requester_party=parties.routing.from_ or "",
        receiver_id=parties.receiver_id,
        receiver_party=parties.routing.to or "",
        what=_named(place, method)[:60],
        subject=_subject(place, body),
        response_url=given,
        correlation_id=parties.correlation_id,
        expires_at=timezone.now() + _LIFETIME,
    )
    return Rewritten(query, body)


def _named(place: Place, method: str) -> str:
    return place.below.strip("/") if place.module == ModuleID.COMMANDS else f"{method} {place.module}"


class _Reservation(msgspec.Struct):
    reservation_id: str = ""


def _subject(place: Place, body: bytes) -> str:
    """The reservation that a command makes: by it the hub finds whom its cancellation is for."""
    if place.below.strip("/") != Command.RESERVE_NOW:
        return ""
    try:
        return msgspec.json.decode(body, type=_Reservation).reservation_id[:36].lower()
    except msgspec.DecodeError:
        return ""


class _Result(msgspec.Struct):
    result: str = ""


_result = msgspec.json.Decoder(_Result)


def due(uid: str, platform_id: int, body: bytes) -> Due:
    """Where a result goes; raises NotFound when this platform owes none, InvalidParameters when it has sent another."""
    row = Callback.objects.filter(uid=uid, receiver_id=platform_id, expires_at__gt=timezone.now()).first()
    if row is None:
        raise NotFound("no result is awaited here from the calling platform")
    result = _result_of(body)
    if row.result and result != row.result and not _cancels(row, result):
        raise InvalidParameters(f"/result: this command has had its result, {row.result}")
    routing = RoutingHeaders(PartyId(row.requester_party), PartyId(row.receiver_party))
    return Due(row.pk, row.requester_id, routing, row.response_url)


def _cancels(row: Callback, result: str) -> bool:
    reserved = row.what == Command.RESERVE_NOW and row.result == CommandResultType.ACCEPTED
    return reserved and result == CommandResultType.CANCELED_RESERVATION


def passed_on(id: int, body: bytes) -> None:
    """The requester has taken the result."""
    Callback.objects.filter(pk=id).update(
        result=_result_of(body)[:40], passed_on_at=timezone.now(), results=F("results") + 1
    )


def prune() -> None:
    Callback.objects.filter(expires_at__lt=timezone.now() - timedelta(days=30)).delete()


def _result_of(body: bytes) -> str:
    try:
        return _result.decode(body).result
    except msgspec.DecodeError:
        raise InvalidParameters("/result: must be a string") from None
