"""Our decision as a CPO: may this Token charge here? Its owner says; else what the owner let us put on our list.

Whoever has just commanded a session or a reservation for a Token has said so already (`commanded.py`).

Several eMSPs may own a Token of one uid and type. The first that allows it counts: ours before the list, the list
before a real-time answer, that before the list of somebody out of reach; of equals, the one we have known for longest.
Who need not be asked for that is not asked.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.models import Token
from ocpi.ports import Decision
from ocpi.store.documents import Document
from ocpi.store.tokens import token_key
from ocpi.types import codec
from ocpi.v221.common import Role, TokenType
from ocpi.v221.tokens import AllowedType, WhitelistType
from ocpi.v221.versions import InterfaceRole, ModuleID
from roaming.authorization import asking, terms
from roaming.authorization.asking import Answer, Inquiry, Kind, Question
from roaming.authorization.commanded import by_command
from roaming.authorization.recording import record
from roaming.authorization_models import Authorization
from roaming.directory import Picture, directory
from roaming.reaching import reach

Source = Authorization.Source
_ORDER = list(Source)  # of those that allow it, and of those that do not
_LONGEST_UID = 36
_TROUBLES = 5  # eMSPs whose trouble with an unknown Token is told


@dataclass(frozen=True, slots=True)
class Rule:
    """What a whitelist says of a Token: whether its eMSP is asked, and what holds without an answer of it."""

    asks: bool
    allowed: AllowedType
    source: Authorization.Source
    reason: str


_MUST_ASK = Rule(True, AllowedType.NOT_ALLOWED, Source.ERROR, "without its eMSP's word nobody may charge")
# (whitelist, valid) -> what to do (§mod_tokens_whitelisttype_enum). ALLOWED leaves it to us to ask: a valid Token
# charges at once, and only one that may have become valid again is worth the wait.
RULES: dict[tuple[str, bool], Rule] = {
    (WhitelistType.ALWAYS, True): Rule(
        False, AllowedType.ALLOWED, Source.WHITELIST, "a valid Token charges, its eMSP is never asked"
    ),
    (WhitelistType.ALWAYS, False): Rule(
        False, AllowedType.BLOCKED, Source.WHITELIST, "the Token is not valid, its eMSP is never asked"
    ),
    (WhitelistType.ALLOWED, True): Rule(
        False, AllowedType.ALLOWED, Source.WHITELIST, "a valid Token charges without asking"
    ),
    (WhitelistType.ALLOWED, False): Rule(
        True, AllowedType.BLOCKED, Source.OFFLINE_FALLBACK, "the Token was not valid when we last heard of it"
    ),
    (WhitelistType.ALLOWED_OFFLINE, True): Rule(
        True, AllowedType.ALLOWED, Source.OFFLINE_FALLBACK, "a valid Token charges when its eMSP cannot be asked"
    ),
    (WhitelistType.ALLOWED_OFFLINE, False): Rule(
        True, AllowedType.BLOCKED, Source.OFFLINE_FALLBACK, "the Token was not valid when we last heard of it"
    ),
    (WhitelistType.NEVER, True): _MUST_ASK,
    (WhitelistType.NEVER, False): _MUST_ASK,
}


class Finding(NamedTuple):
    """A decision, and the platform that was asked for it."""

    decision: Decision
    platform_id: int | None = None


def decide(cpo: PartyId, uid: str, type: TokenType = TokenType.RFID, place: Document | None = None) -> Decision:
    """Whether a Token may charge with `cpo` at `place`; stored with its reason. As `ocpi.ports.Authorizer.decide`."""
    started = time.monotonic()
    inquiry = Inquiry(cpo, uid, type, place)
    found = _find(inquiry)
    seconds = time.monotonic() - started
    _record(inquiry, found, seconds)
    return replace(found.decision, milliseconds=round(seconds * 1000))


def _find(inquiry: Inquiry) -> Finding:
    if not _is_uid(inquiry.uid):
        return _unheard_of("no Token has such a uid: it takes 1 to 36 printable ASCII characters")
    if decision := by_command(inquiry):
        return Finding(decision)
    tokens = list(Token.objects.filter(key=token_key(inquiry.uid, inquiry.type)).order_by("pk"))
    return _of_held(inquiry, tokens) if tokens else _of_unknown(inquiry)


def _is_uid(uid: str) -> bool:
    """Whether it can be one, also in a URL (§types_cistring_type)."""
    return bool(uid.strip(".")) and len(uid) <= _LONGEST_UID and uid.isascii() and uid.isprintable()


def _record(inquiry: Inquiry, found: Finding, seconds: float) -> None:
    decision = found.decision
    uid = inquiry.uid if _is_uid(inquiry.uid) else ascii(inquiry.uid)[1:-1]
    record(
        Authorization.Side.CPO,
        platform_id=found.platform_id,
        cpo=inquiry.cpo,
        emsp=decision.emsp,
        uid=uid[:_LONGEST_UID],
        type=inquiry.type,
        place=inquiry.place,
        allowed=decision.allowed,
        source=decision.source,
        reason=decision.reason,
        reference=decision.reference,
        seconds=seconds,
        correlation_id=inquiry.ids.correlation_id,
    )


# --- a Token we hold ------------------------------------------------------------------------------------------------


def _of_held(inquiry: Inquiry, tokens: Sequence[Token]) -> Finding:
    picture = directory.picture()
    found, to_ask = [], []
    for token in tokens:
        if token.owner in picture.own_parties:
            found.append(_own(inquiry, token))
        elif _rule(token).asks:
            to_ask.append(token)
        else:
            found.append(Finding(_listed(inquiry, token)))
    if to_ask and not any(_allows(one) for one in found):
        found += _asked(inquiry, to_ask, picture)
    best, *others = sorted(found, key=lambda one: (not _allows(one), _ORDER.index(Source(one.decision.source))))
    if len(tokens) == 1:
        return best
    reasons = "; ".join(one.decision.reason for one in (best, *others))
    reason = f"{len(tokens)} eMSPs have such a Token, the first that allows it counts: {reasons}"
    return best._replace(decision=replace(best.decision, reason=reason))


def _allows(found: Finding) -> bool:
    return found.decision.allowed == AllowedType.ALLOWED


def _document(token: Token) -> Document:
    document: Document = codec.decode(token.document.encode())
    return document


def _own(inquiry: Inquiry, token: Token) -> Finding:
    document = _document(token)
    allowed, reason = terms.judge(document, terms.of(token), inquiry.cpo, inquiry.place, timezone.now())
    place = inquiry.place if allowed == AllowedType.ALLOWED else None
    reason = f"a Token of {token.owner}, ours: {reason}"
    return Finding(Decision(allowed, Source.OWN, reason, PartyId(token.owner), document, place=place))


def _rule(token: Token) -> Rule:
    """A whitelist that OCPI does not know is taken as the strictest."""
    return RULES.get((token.whitelist, token.valid), _MUST_ASK)


def _listed(inquiry: Inquiry, token: Token, trouble: str = "") -> Decision:
    """What the list says, after `trouble` with asking."""
    rule = _rule(token)
    reason = f"{trouble}{'; ' if trouble else ''}whitelist {token.whitelist} of {token.owner}: {rule.reason}"
    place = inquiry.place if rule.allowed == AllowedType.ALLOWED else None
    return Decision(rule.allowed, rule.source, reason, PartyId(token.owner), _document(token), place=place)


def _asked(inquiry: Inquiry, tokens: Sequence[Token], picture: Picture) -> list[Finding]:
    """What their eMSPs say, in the order of the Tokens."""
    questions = {}
    for token in tokens:
        emsp = PartyId(token.owner)
        if peer := reach(picture, emsp, Role.EMSP, through=token.source):
            questions[token.pk] = Question(inquiry, peer, emsp, _document(token)["uid"])
    answers = dict(asking.ask(list(questions.values())))
    found = []
    for token in tokens:
        if question := questions.get(token.pk):
            found.append(Finding(_heard(inquiry, token, answers[question]), question.peer.id))
        else:
            found.append(Finding(_listed(inquiry, token, f"{token.owner} is not connected")))
    return found


def _heard(inquiry: Inquiry, token: Token, answer: Answer) -> Decision:
    """An eMSP that was reached has the last word, also when it does not know its Token any more or will not decide."""
    if answer.kind is Kind.SILENT:
        return _listed(inquiry, token, answer.reason)
    return _told(answer, PartyId(token.owner), answer.token or _document(token))


def _told(answer: Answer, emsp: PartyId, token: Document | None) -> Decision:
    source = Source.ERROR if answer.kind is Kind.DECLINED else Source.REAL_TIME
    return Decision(answer.allowed, source, answer.reason, emsp, token, answer.reference, answer.place, answer.info)


# --- a Token nobody has told us of ----------------------------------------------------------------------------------


def _of_unknown(inquiry: Inquiry) -> Finding:
    """Ask every connected eMSP; the first that allows it wins. Hubs are not asked: they do not know whom to ask."""
    if not settings.NODE_AUTHORIZE_UNKNOWN:
        return _unheard_of("nobody has told us of this Token, and NODE_AUTHORIZE_UNKNOWN=0: nobody is asked")
    questions = [
        Question(inquiry, peer, emsp, inquiry.uid)
        for _, peer in sorted(directory.picture().peers.items())
        for role, emsp in sorted(peer.roles)
        if role == Role.EMSP and peer.connected and peer.endpoint(ModuleID.TOKENS, InterfaceRole.SENDER)
    ]
    if not questions:
        return _unheard_of("nobody has told us of this Token, and no eMSP that is connected can be asked")
    refused: list[Finding] = []
    others: list[Answer] = []
    with closing(asking.ask(questions)) as heard:
        for question, answer in heard:
            found = Finding(_told(answer, question.emsp, answer.token), question.peer.id)
            if answer.kind is not Kind.DECIDED:
                others.append(answer)
            elif not _allows(found):
                refused.append(found)
            elif answer.token:
                return found
            else:
                reason = f"{answer.reason}, but for no Token of its own that could be billed"
                others.append(replace(answer, reason=reason))
    return refused[0] if refused else _unheard_of(_nobody(others))


def _unheard_of(reason: str) -> Finding:
    return Finding(Decision(AllowedType.NOT_ALLOWED, Source.UNKNOWN, reason))


def _nobody(answers: Sequence[Answer]) -> str:
    """Why a Token that every eMSP was asked about stays unknown."""
    trouble = [answer.reason for answer in answers if answer.kind is not Kind.UNKNOWN]
    unknown = len(answers) - len(trouble)
    told = [f"of {len(answers)} eMSPs asked, {unknown} do not know it", *trouble[:_TROUBLES]]
    more = [f"{len(trouble) - _TROUBLES} more gave no usable answer"] if len(trouble) > _TROUBLES else []
    return f"nobody has told us of this Token; {'; '.join(told + more)}"
