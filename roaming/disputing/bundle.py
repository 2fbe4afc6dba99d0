"""The evidence for a dispute as one document: all that the CPO needs to see what we see, and to replay it.

It names nothing of ours that the CPO does not know from its own system or from what we sent it.
"""

import hashlib
from typing import Any

from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.models import Cdr
from ocpi.pricing import ENGINE_VERSION
from ocpi.store.documents import Document, child, objects
from ocpi.types import codec
from roaming.audit_models import CdrAudit
from roaming.auditing import evidence as gathering
from roaming.auditing import prices
from roaming.auditing.evidence import Evidence
from roaming.auditing.terms import AllTerms
from roaming.authorization_models import Authorization
from roaming.directory import directory
from roaming.disputing.arriving import arrival
from roaming.disputing.comparing import comparison


def bundle(row: Cdr, audit: CdrAudit) -> Document:
    """The evidence about a received CDR and its audit, as it is now."""
    own = {party for _, party in directory.picture().own}
    (one,) = gathering.gather([row], own)
    facts = one.facts
    priced = prices.written(one, AllTerms().between(facts.owner, facts.token_owner, facts.started_at))
    return {
        "made_at": timezone.now(),
        "engine": ENGINE_VERSION,
        "cpo": str(facts.owner),
        "emsp": str(facts.token_owner),
        "cdr_id": one.document["id"],
        "session_id": one.document.get("session_id"),
        "currency": audit.currency,
        "cdr": arrival(row).document(row),
        "verdict": audit.verdict,
        "audited_at": audit.audited_at,
        "findings": codec.decode(audit.findings.encode()),
        "comparison": comparison(one.document, priced),
        "tariffs": _tariffs(one, priced),
        "pricing": priced or None,
        "session": one.session,
        "location": _place(one),
        "token": _token(one),
        "authorization": _authorization(one),
        "other_cdrs_of_the_session": [other.get("id") for other in one.others],
        "at_the_same_time": [other.cdr.key for other in one.overlapping if PartyId(other.owner) == facts.owner],
    }


def text(document: Document) -> str:
    """The document as it is kept and handed over."""
    return codec.encode_text(document)


def _tariffs(one: Evidence, priced: Document) -> list[Document]:
    """Those in the CDR and those published, with their hashes; `priced_by` marks those that the price is by.

    The hash is of the canonical JSON of those that were priced by, as the engine tells it, else of the stored text.
    """
    used = {str(tariff["id"]).lower(): tariff for tariff in priced.get("tariffs") or []}
    own = objects(one.document, "tariffs")
    rows = [("in the CDR", tariff, True) for tariff in own]
    rows += [("published by the CPO", tariff, not own) for tariff in one.tariffs.values()]
    found = []
    for source, tariff, may_price in rows:
        by = used.get(str(tariff.get("id")).lower()) if may_price else None
        sha256 = by["sha256"] if by else hashlib.sha256(codec.encode(tariff)).hexdigest()
        found.append(
            {
                "id": tariff.get("id"),
                "source": source,
                "priced_by": by is not None,
                "last_updated": tariff.get("last_updated"),
                "sha256": sha256,
                "document": tariff,
            }
        )
    return found


def _place(one: Evidence) -> Document | None:
    """Where it was, as the CPO published it: the clock, the EVSE and the Connector."""
    location, named = one.location, one.document["cdr_location"]
    if location is None:
        return None
    evse = child({"evses": objects(location, "evses")}, "evses", "uid", str(named.get("evse_uid")))
    connectors = {"connectors": objects(evse or {}, "connectors")}
    return {
        "id": location.get("id"),
        "time_zone": location.get("time_zone"),
        "evse_uid": evse and evse.get("uid"),
        "evse_id": evse and evse.get("evse_id"),
        "connector": child(connectors, "connectors", "id", str(named.get("connector_id"))),
    }


def _token(one: Evidence) -> Document | None:
    """What we have told the CPO of the driver's Token, if the driver is ours."""
    if not one.is_our_driver:
        return None
    token = one.token
    return {
        "is_known": token is not None,
        "type": token and token.type,
        "valid": token and token.valid,
        "whitelist": token and token.whitelist,
        "last_updated": token and token.last_updated,
    }


def _authorization(one: Evidence) -> Document | None:
    """The decision that the CDR refers to, as we answered it."""
    reference: Any = one.document.get("authorization_reference")
    if not isinstance(reference, str) or not reference:
        return None
    given = Authorization.objects.filter(reference=reference, cpo=one.facts.owner).order_by("-pk").first()
    return {
        "reference": reference,
        "is_known": given is not None,
        "decided_at": given and given.decided_at,
        "allowed": given and given.allowed,
        "location_id": given and given.location_id,
    }
