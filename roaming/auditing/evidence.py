"""What we know of the sessions of some CDRs besides themselves, gathered for a batch with one query of each kind."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from ocpi.ids import PartyId
from ocpi.models import Cdr, Location, Session, Tariff, Token
from ocpi.store.documents import Document, objects
from ocpi.types import codec, times
from roaming.audit_models import CdrAudit
from roaming.authorization_models import Authorization


@dataclass(frozen=True, slots=True)
class Facts:
    """What a CDR says of its session, as columns: who charged where, when, how much (kWh)."""

    owner: PartyId
    token_owner: PartyId
    token_uid: str
    evse_id: str
    started_at: datetime
    ended_at: datetime


@dataclass(slots=True)
class Evidence:
    """One CDR and what we know of its session. `others` are CDRs of the same session, `overlapping` of its time."""

    cdr_id: int
    document: Document
    facts: Facts
    session: Document | None = None
    location: Document | None = None
    is_our_driver: bool = False
    token: Token | None = None
    is_authorized: bool | None = None  # None: it names no authorization
    tariffs: dict[str, Document] = field(default_factory=dict)
    others: list[Document] = field(default_factory=list)
    overlapping: list[CdrAudit] = field(default_factory=list)
    original: Document | None = None  # what a credit CDR credits


def facts(document: Document) -> Facts:
    """The facts of a stored CDR, whose required fields are there."""
    token, place = document["cdr_token"], document["cdr_location"]
    return Facts(
        PartyId.of(document["country_code"], document["party_id"]),
        PartyId.of(token["country_code"], token["party_id"]),
        str(token["uid"]).lower()[:36],
        str(place.get("evse_id") or "").lower()[:48],
        _moment(document, "start_date_time"),
        _moment(document, "end_date_time"),
    )


def _moment(document: Document, name: str) -> datetime:
    """A time in a CDR; where a partner wrote something else, when the CDR was made. It cannot be priced then."""
    try:
        return times.parse(document[name])
    except ValueError:
        return times.parse(document["last_updated"])


def gather(rows: Sequence[Cdr], own: Iterable[PartyId]) -> list[Evidence]:
    """The evidence for each of these CDRs; those of one batch are evidence for each other."""
    ours = set(own)
    found = [Evidence(row.pk, document, facts(document)) for row in rows if (document := _decoded(row.document))]
    for evidence in found:
        evidence.is_our_driver = evidence.facts.token_owner in ours
    _sessions(found)
    _locations(found)
    _tokens(found)
    _authorizations(found)
    _tariffs(found)
    _other_cdrs(found, rows)
    overlaps(found)
    return found


def _decoded(text: str) -> Document:
    document: Document = codec.decode(text.encode())
    return document


def _key(document: Document, name: str) -> str:
    return str(document.get(name) or "").lower()


def _by_owner(model: Any, wanted: Iterable[tuple[PartyId, str]]) -> dict[tuple[str, str], Document]:
    """The documents of these owners and keys."""
    pairs = {(str(owner), key) for owner, key in wanted if key}
    if not pairs:
        return {}
    rows = model.objects.filter(owner__in={owner for owner, _ in pairs}, key__in={key for _, key in pairs})
    return {
        (owner, key): _decoded(text)
        for owner, key, text in rows.values_list("owner", "key", "document")
        if (owner, key) in pairs
    }


def _sessions(found: list[Evidence]) -> None:
    held = _by_owner(Session, ((one.facts.owner, _key(one.document, "session_id")) for one in found))
    for one in found:
        one.session = held.get((str(one.facts.owner), _key(one.document, "session_id")))


def _locations(found: list[Evidence]) -> None:
    held = _by_owner(Location, ((one.facts.owner, _key(one.document["cdr_location"], "id")) for one in found))
    for one in found:
        one.location = held.get((str(one.facts.owner), _key(one.document["cdr_location"], "id")))


def _tokens(found: list[Evidence]) -> None:
    rows = Token.objects.filter(uid__in={one.facts.token_uid for one in found}).defer("document")
    held = {(row.owner, row.uid): row for row in rows}
    for one in found:
        one.token = held.get((str(one.facts.token_owner), one.facts.token_uid))


def _authorizations(found: list[Evidence]) -> None:
    references = {str(one.document["authorization_reference"]) for one in found if _reference(one)}
    if not references:
        return
    known = set(Authorization.objects.filter(reference__in=references).values_list("reference", flat=True))
    for one in found:
        one.is_authorized = str(one.document["authorization_reference"]) in known if _reference(one) else None


def _reference(one: Evidence) -> bool:
    """Whether it names an authorization that we have given in real time; those of commands are the commander's own."""
    return bool(one.document.get("authorization_reference")) and one.document.get("auth_method") == "AUTH_REQUEST"


def _tariffs(found: list[Evidence]) -> None:
    named = {
        one.cdr_id: {_key(tariff, "id") for tariff in objects(one.document, "tariffs")}
        | {_key(period, "tariff_id") for period in objects(one.document, "charging_periods")}
        for one in found
    }
    held = _by_owner(Tariff, ((one.facts.owner, key) for one in found for key in named[one.cdr_id]))
    for one in found:
        keys = ((str(one.facts.owner), key) for key in named[one.cdr_id])
        one.tariffs = {key: held[owner, key] for owner, key in keys if (owner, key) in held}


def _other_cdrs(found: list[Evidence], batch: Sequence[Cdr]) -> None:
    """CDRs of the same session, and the one that a credit CDR credits."""
    keys = {_key(one.document, "session_id") for one in found} - {""}
    credited = {_key(one.document, "credit_reference_id") for one in found} - {""}
    of_session: dict[tuple[str, str], list[tuple[int, Document]]] = {}
    by_key: dict[tuple[str, str], Document] = {}

    def note(pk: int, owner: str, key: str, session_key: str, document: Document) -> None:
        by_key[owner, key] = document
        if session_key:
            of_session.setdefault((owner, session_key), []).append((pk, document))

    decoded = {one.cdr_id: one.document for one in found}
    for row in batch:
        if row.pk in decoded:
            note(row.pk, row.owner, row.key, row.session_key, decoded[row.pk])
    others = Cdr.objects.filter(owner__in={str(one.facts.owner) for one in found}).exclude(pk__in=list(decoded))
    rows = others.filter(session_key__in=keys).union(others.filter(key__in=credited))  # each by its own index
    for pk, owner, key, session_key, text in rows.values_list("pk", "owner", "key", "session_key", "document"):
        note(pk, owner, key, session_key, _decoded(text))
    for one in found:
        owner = str(one.facts.owner)
        same = of_session.get((owner, _key(one.document, "session_id")), [])
        one.others = [document for pk, document in same if pk < one.cdr_id or _credits_another(pk, document, one)]
        one.original = by_key.get((owner, _key(one.document, "credit_reference_id")))


def _credits_another(pk: int, document: Document, one: Evidence) -> bool:
    """Whether it is a credit CDR: those count in whatever order they came."""
    return pk != one.cdr_id and document.get("credit") is True


def overlaps(found: list[Evidence]) -> None:
    """Look up the CDRs that came before, of the same Token or EVSE at the same time."""
    if not found:
        return
    for one in found:
        one.overlapping = []
    begin = min(one.facts.started_at for one in found)
    end = max(one.facts.ended_at for one in found)
    near = CdrAudit.objects.select_related("cdr").filter(
        Q(
            token_owner__in={one.facts.token_owner for one in found},
            token_uid__in={one.facts.token_uid for one in found},
        )
        | Q(owner__in={one.facts.owner for one in found}, evse_id__in={one.facts.evse_id for one in found} - {""}),
        started_at__lt=end,
        ended_at__gt=begin,
        cdr__is_credit=False,
    )
    for audit in near.defer("findings", "breakdown", "cdr__document", "cdr__defects"):
        for one in found:
            if audit.cdr_id < one.cdr_id and _meet(one.facts, audit):
                one.overlapping.append(audit)


def _meet(ours: Facts, other: CdrAudit) -> bool:
    at_once = ours.started_at < other.ended_at and other.started_at < ours.ended_at
    same_driver = (ours.token_uid, ours.token_owner) == (other.token_uid, other.token_owner)
    same_place = ours.evse_id != "" and (ours.evse_id, ours.owner) == (other.evse_id, other.owner)
    return at_once and (same_driver or same_place)
