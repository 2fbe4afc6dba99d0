"""Our answer as the eMSP that owns a Token: may it charge, on the terms it was issued on (§mod_tokens_post_method)?

Opening hours and the status of EVSEs are not ours to judge: the CPO knows them better.
"""

import secrets
import time
from datetime import datetime

from django.utils import timezone

from ocpi.errors import NotEnoughInformation
from ocpi.ids import PartyId
from ocpi.models import Token
from ocpi.ports import AuthorizationRequest
from ocpi.store.documents import Document
from ocpi.store.tokens import Terms
from ocpi.v221.tokens import AllowedType
from roaming.authorization.recording import record
from roaming.authorization_models import Authorization

# What the driver is told, in the language of the specification's default.
_TOLD = {
    AllowedType.BLOCKED: "This card is blocked.",
    AllowedType.EXPIRED: "This card has expired.",
    AllowedType.NO_CREDIT: "There is not enough credit on this card.",
    AllowedType.NOT_ALLOWED: "This card may not be used here.",
}
_REFERENCE_BYTES = 18  # 24 characters


def of(token: Token) -> Terms:
    """The terms of a Token's row."""
    return Terms.of(token.expires_at, token.has_credit, token.places)


def lacking(terms: Terms, cpo: PartyId | None, place: Document | None) -> str:
    """What would have to be said for a decision; empty when nothing is wanting."""
    if cpo is None and (terms.parties or terms.locations):
        return "which CPO asks (OCPI-from-*)"
    if place is None and cpo not in terms.parties and any(party == cpo for party, _ in terms.locations):
        return "at which Location of this CPO (LocationReferences)"
    return ""


def _fits(terms: Terms, cpo: PartyId | None, place: Document | None) -> bool:
    """Whether it may charge there."""
    if not (terms.parties or terms.locations) or cpo in terms.parties:
        return True
    return place is not None and (cpo, place["location_id"].lower()) in terms.locations


def judge(
    token: Document, terms: Terms, cpo: PartyId | None, place: Document | None, now: datetime
) -> tuple[AllowedType, str]:
    """The decision and its reason in words for staff."""
    if terms.expired(now):
        return AllowedType.EXPIRED, f"it expired at {terms.expires_at:%Y-%m-%d %H:%M} UTC"
    if not terms.has_credit:
        return AllowedType.NO_CREDIT, "it has no credit"
    if not token["valid"]:
        return AllowedType.BLOCKED, "it is blocked"
    if lack := lacking(terms, cpo, place):
        return AllowedType.NOT_ALLOWED, f"it may charge at some places only, and nobody said {lack}"
    if not _fits(terms, cpo, place):
        here = f"{cpo} {place['location_id']}" if place else str(cpo)
        return AllowedType.NOT_ALLOWED, f"it may not charge at {here}, only at: {', '.join(terms.places.split())}"
    return AllowedType.ALLOWED, "it is valid"


def answer(request: AuthorizationRequest) -> Document:
    """The AuthorizationInfo for a CPO, stored with its reason. As `ocpi.ports.Authorizer.answer`.

    Raises NotEnoughInformation when it depends on what was not said (2002).
    """
    started = time.monotonic()
    allowed, reason = judge(request.token, request.terms, request.cpo, request.place, timezone.now())
    if allowed == AllowedType.NOT_ALLOWED and (lack := lacking(request.terms, request.cpo, request.place)):
        raise NotEnoughInformation(f"the Token may charge at some places only: say {lack}")
    found: Document = {"allowed": allowed, "token": request.token}
    if allowed == AllowedType.ALLOWED:
        found["authorization_reference"] = secrets.token_urlsafe(_REFERENCE_BYTES)
        if request.place is not None:
            found["location"] = request.place
    else:
        found["info"] = {"language": "en", "text": _TOLD[allowed]}
    record(
        Authorization.Side.EMSP,
        platform_id=request.platform_id,
        cpo=request.cpo,
        emsp=request.owner,
        uid=request.token["uid"],
        type=request.token["type"],
        place=request.place,
        allowed=allowed,
        source=Authorization.Source.OWN,
        reason=reason,
        reference=found.get("authorization_reference", ""),
        seconds=time.monotonic() - started,
        correlation_id=request.correlation_id,
    )
    return found
