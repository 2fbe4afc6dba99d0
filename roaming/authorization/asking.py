"""The real-time question to eMSPs: may this Token charge here (§mod_tokens_post_method)?

A driver stands at the charge point, so all of it takes NODE_AUTHORIZE_TIMEOUT seconds at most, whatever partners do.
Each question is put by a thread that touches no database, and whoever waits for the answers waits no longer than that.

The Token in an answer is used for this decision and never stored: its eMSP pushes Tokens itself, in an order that an
answer says nothing about, and an answer that crosses a push would bring an old Token back.
"""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from ocpi.client.http import OcpiClient
from ocpi.client.messages import NotOcpi, PartnerError, Refused
from ocpi.ids import PartyId
from ocpi.status import OcpiStatus
from ocpi.store.documents import Document
from ocpi.store.tokens import token_key
from ocpi.transport.headers import MessageIds, RoutingHeaders
from ocpi.types import validation
from ocpi.v221.tokens import AllowedType, AuthorizationInfo
from ocpi.v221.versions import InterfaceRole, ModuleID
from roaming import breaker
from roaming.directory import Peer
from roaming.models import Platform

AT_ONCE = 16  # requests under way for one decision


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Whether a Token may charge with `cpo`, a party of ours, at `place` (LocationReferences)."""

    cpo: PartyId
    uid: str
    type: str
    place: Document | None = None
    ids: MessageIds = field(default_factory=MessageIds)


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """The inquiry as it is put to one eMSP, at its platform or through a hub; `uid` in that eMSP's spelling."""

    inquiry: Inquiry
    peer: Peer
    emsp: PartyId
    uid: str


class Kind(Enum):
    """What became of a question."""

    DECIDED = auto()
    UNKNOWN = auto()  # it does not know the Token
    DECLINED = auto()  # it was reached and would not decide
    SILENT = auto()  # nothing that could count as its answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What an eMSP says. `token` is its own Token that was asked about, `place` what is allowed of that asked about."""

    kind: Kind
    reason: str
    allowed: AllowedType = AllowedType.NOT_ALLOWED
    token: Document | None = None
    reference: str = ""
    place: Document | None = None
    info: Document | None = None


def ask(questions: Sequence[Question], at_once: int = AT_ONCE) -> Generator[tuple[Question, Answer], None, None]:
    """Put all questions, so many `at_once`; yields each with its answer, as they come, the silent ones in the end.

    Who has heard enough stops listening: what has not been asked by then is not asked any more.
    """
    assert not connection.in_atomic_block, "no transaction may wait for the network"
    deadline = time.monotonic() + settings.NODE_AUTHORIZE_TIMEOUT
    platforms = Platform.objects.in_bulk({question.peer.id for question in questions})
    answers: SimpleQueue[tuple[Question, Answer]] = SimpleQueue()
    waiting = iter(questions)

    def work() -> None:
        for question in waiting:
            answers.put((question, _put(question, platforms.get(question.peer.id))))

    for _ in range(min(at_once, len(questions))):
        Thread(target=work, name="authorize", daemon=True).start()
    silent = list(questions)
    try:
        while silent:
            question, answer = answers.get(timeout=max(0, deadline - time.monotonic()))
            silent.remove(question)
            yield question, answer
    except Empty:
        late = f"no answer within {settings.NODE_AUTHORIZE_TIMEOUT} s"
        yield from ((question, _silent(question, late)) for question in silent)
    finally:
        for _ in waiting:  # leave nothing to the threads
            pass


def _put(question: Question, platform: Platform | None) -> Answer:
    """Ask one eMSP."""
    inquiry, url = question.inquiry, question.peer.endpoint(ModuleID.TOKENS, InterfaceRole.SENDER)
    if url is None or platform is None:
        return _silent(question, f"{question.peer.name} has no Sender endpoint of tokens")
    if outage := breaker.outage(question.peer):
        return _silent(question, outage)
    try:
        with OcpiClient(
            platform.presented,
            RoutingHeaders(question.emsp, inquiry.cpo),
            inquiry.ids,
            seconds=settings.NODE_AUTHORIZE_TIMEOUT,
        ) as client:
            authorize = f"{url.rstrip('/')}/{quote(question.uid, safe='')}/authorize"
            return _read(question, client.request("POST", authorize, inquiry.place, {"type": inquiry.type}).data)
    except (Refused, NotOcpi) as error:
        return _refused(question, error)
    except PartnerError as error:
        return _silent(question, str(error))


def _silent(question: Question, why: str) -> Answer:
    return Answer(Kind.SILENT, f"{question.emsp} gave no usable answer: {why}")


def _refused(question: Question, error: Refused | NotOcpi) -> Answer:
    """An answer other than success: whether the eMSP has spoken, or somebody before it.

    HTTP 404 and OCPI 2004 say the same, that the Token is unknown; the specification wants both at once (errata E4).
    Any other 2xxx over a sound HTTP status is the eMSP's word. Errors of servers and hubs, and whatever is not OCPI,
    are not.
    """
    status = error.status_code if isinstance(error, Refused) else None
    if status == OcpiStatus.UNKNOWN_TOKEN or error.http_status == 404:
        return Answer(Kind.UNKNOWN, f"{question.emsp} does not know this Token: {error}")
    if status == OcpiStatus.NOT_ENOUGH_INFORMATION:
        told = "although it was told" if question.inquiry.place else "and no Location was given"
        return Answer(Kind.DECLINED, f"{question.emsp} wants to know where, {told}: {error}")
    if status is not None and 2000 <= status < 3000 and error.http_status < 400:
        return Answer(Kind.DECLINED, f"{question.emsp} would not decide: {error}")
    return _silent(question, str(error))


def _read(question: Question, data: Any) -> Answer:
    """The AuthorizationInfo. What does not bear on the decision may be wrong in it, lest a refusal count as silence."""
    found = validation.check(data, AuthorizationInfo)
    fatal = {_member(violation): violation for violation in found if violation.fatal}
    flawed = {_member(violation) for violation in found}
    wrong = fatal.get("allowed") if isinstance(data, dict) else found[0]
    if wrong is not None:
        return _silent(question, f"its answer is no AuthorizationInfo: {wrong.pointer or '/'} {wrong.message}")
    allowed, asked = AllowedType(data["allowed"]), question.inquiry.place
    reason, place = f"{question.emsp} answered {allowed[:40]}", asked
    if not allowed.is_known:
        reason, allowed = f"{reason}, which OCPI does not know", AllowedType.NOT_ALLOWED
    if allowed == AllowedType.ALLOWED and asked and data.get("location") is not None:
        if "location" in flawed:
            return _silent(question, f"{reason}, for a place that cannot be read")
        place = common(asked, data["location"])
        if place is None:
            reason, allowed = f"{reason}, but not for the place asked about", AllowedType.NOT_ALLOWED
    info = data.get("info") if "info" not in flawed else None
    reference = data.get("authorization_reference") or ""
    if "authorization_reference" in flawed:
        reason, reference = f"{reason}, with an authorization_reference that cannot be used", ""
    return Answer(
        Kind.DECIDED,
        f"{reason}: {info['text']}" if info else reason,
        allowed,
        token=None if "token" in fatal else _own(question, data["token"]),
        reference=reference,
        place=place if allowed == AllowedType.ALLOWED else None,
        info=info,
    )


def _member(violation: validation.Violation) -> str:
    """The member of the document that a violation is in."""
    return "".join(violation.pointer.split("/")[1:2])


def _own(question: Question, token: Document) -> Document | None:
    """The Token of an answer, if it is the one asked about and of the eMSP asked."""
    owner = PartyId.of(token["country_code"], token["party_id"])
    asked = token_key(question.uid, question.inquiry.type)
    return token if owner == question.emsp and token_key(token["uid"], token["type"]) == asked else None


def common(asked: Document, allowed: Document) -> Document | None:
    """What of the LocationReferences asked about is allowed; None: nothing. No EVSEs are the whole Location."""
    if asked["location_id"].lower() != allowed["location_id"].lower():
        return None
    wanted, granted = asked.get("evse_uids") or [], allowed.get("evse_uids") or []
    if not wanted or not granted:
        return {**asked, "evse_uids": granted} if granted else asked
    known = {uid.lower() for uid in granted}
    both = [uid for uid in wanted if uid.lower() in known]
    return {**asked, "evse_uids": both} if both else None
