"""Tokens: one uid may be several Tokens, told apart by type (§mod_tokens_token_object); and the terms of our own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ocpi.errors import UnknownToken
from ocpi.ids import PartyId
from ocpi.models import Token
from ocpi.store import single, writing
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival, Objects, Reconcile, short
from ocpi.store.scope import Scope
from ocpi.store.writing import Outcome
from ocpi.types import times, validation
from ocpi.v221 import tokens as wire


def token_key(uid: str, type: str) -> str:
    """The key of the Token with this uid and type."""
    return f"{type} {uid}".lower()


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms we authorize a Token of our own.

    Where `parties` (CPOs) or `locations` (of a CPO, by their ids) are named, it may charge there and nowhere else.
    """

    expires_at: datetime | None = None
    has_credit: bool = True
    parties: frozenset[PartyId] = frozenset()
    locations: frozenset[tuple[PartyId, str]] = frozenset()

    @classmethod
    def of(cls, expires_at: datetime | None, has_credit: bool, places: str) -> "Terms":
        """From the columns of a row; SQLite gives times without zone. Raises ValueError as `read_places` does."""
        moment = expires_at.replace(tzinfo=UTC) if expires_at and expires_at.tzinfo is None else expires_at
        return cls(moment, has_credit, *read_places(places))

    @property
    def places(self) -> str:
        """A line for each CPO, `CC*PID`, and for each Location, `CC*PID/id`."""
        return "\n".join(sorted([*self.parties, *(f"{party}/{location}" for party, location in self.locations)]))

    def columns(self) -> dict[str, Any]:
        return {"expires_at": self.expires_at, "has_credit": self.has_credit, "places": self.places}

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def usable(self, now: datetime) -> bool:
        """Whether it may charge anywhere: who goes by the whitelist is told so by `valid`."""
        return self.has_credit and not self.expired(now)


def read_places(text: str) -> tuple[frozenset[PartyId], frozenset[tuple[PartyId, str]]]:
    """The parties and the Locations in lines as `Terms.places` writes them; raises ValueError for what is neither."""
    parties, locations = set(), set()
    for line in filter(None, map(str.strip, text.splitlines())):
        party, slash, location = line.partition("/")
        if slash:
            locations.add((PartyId.parse(party), location.strip().lower()))
        else:
            parties.add(PartyId.parse(party))
    return frozenset(parties), frozenset(locations)


@dataclass(frozen=True, slots=True)
class Issued:
    """A Token of our own as it was read."""

    owner: PartyId
    text: str
    terms: Terms


class Tokens(Objects):
    model, shape, unknown = Token, wire.Token, UnknownToken

    def key(self, document: Document, source: int | None) -> str:
        return token_key(document["uid"], document["type"])

    def columns(self, document: Document) -> dict[str, Any]:
        return {
            "uid": document["uid"].lower(),
            "type": short(document["type"], 40),
            "contract_id": short(document["contract_id"], 80),
            "visual_number": short(document.get("visual_number"), 80),
            "valid": document["valid"],
            "whitelist": short(document["whitelist"], 40),
        }

    # --- our own ----------------------------------------------------------------------------------------------------

    def find_issued(self, scope: Scope, key: str) -> Issued | None:
        """The oldest Token of our own of that key within `scope`, with its terms, in one query."""
        condition, params = scope.sql()
        rows = self._select(
            "owner, document, expires_at, has_credit, places",
            f"key = %s AND source IS NULL AND {condition} ORDER BY id LIMIT 1",
            [key.lower(), *params],
        )
        return Issued(PartyId(rows[0][0]), rows[0][1], Terms.of(*rows[0][2:])) if rows else None

    def issue(self, document: Document, terms: Terms | None = None) -> bool:
        """A new Token of our own, valid as its terms allow; False when its owner has one of that uid and type."""
        terms = terms or Terms()
        document = {**document, "valid": document["valid"] and terms.usable(timezone.now())}
        arrival = Arrival(document)
        key = self.key(document, None)
        agreed = {**terms.columns(), "expires_at": terms.expires_at and writing.adapted(terms.expires_at)}
        issued = single.insert(
            self.model, {"owner": str(arrival.owner), "key": key, **self.row(arrival, None), **agreed}
        )
        if issued:
            self.announce(arrival.owner, None)
        return issued

    def _put_owner(
        self, owner: PartyId, arrivals: dict[str, Arrival], source: int | None, reconcile: Reconcile | None
    ) -> Outcome:
        """As for all objects; but an import of our own makes no Token valid against its terms."""
        if source is not None:
            return super()._put_owner(owner, arrivals, source, reconcile)
        with transaction.atomic():
            outcome = super()._put_owner(owner, arrivals, None, reconcile)
            unusable = Q(has_credit=False) | Q(expires_at__lte=timezone.now())
            rows = self.model.objects.filter(unusable, owner=owner, key__in=list(arrivals), valid=True)
            self._set_valid(rows, valid=False)
        return outcome

    @transaction.atomic
    def agree(self, id: int, terms: Terms) -> None:
        """Set the terms of a Token of our own; one that may not charge any more is blocked, so that CPOs know.

        Better terms do not unblock it: somebody may have blocked it for another reason.
        """
        self.model.objects.filter(pk=id, source=None).update(**terms.columns())
        if not terms.usable(timezone.now()):
            self.block([id])

    def block(self, ids: Iterable[int]) -> int:
        """Make Tokens of our own invalid, everywhere; returns how many were valid."""
        return self._set_valid(self.model.objects.filter(pk__in=list(ids), valid=True), valid=False)

    def unblock(self, ids: Iterable[int]) -> int:
        """Make Tokens of our own valid again, but those that have expired or lack credit; returns how many."""
        now = timezone.now()
        rows = self.model.objects.filter(pk__in=list(ids), valid=False, has_credit=True)
        return self._set_valid(rows.exclude(expires_at__lte=now), valid=True)

    def expire_due(self, now: datetime) -> int:
        """Block the Tokens of our own that have expired; returns how many."""
        return self._set_valid(self.model.objects.filter(expires_at__lte=now, valid=True), valid=False)

    def _set_valid(self, rows: Any, *, valid: bool) -> int:
        """Like a PATCH of each, so that those who hold a copy are told."""
        found = list(rows.filter(source=None).values_list("owner", "key"))
        for owner, key in found:
            changes = {"valid": valid, "last_updated": times.now()}
            self.patch(PartyId(owner), key, changes, None, lambda document: validation.check(document, self.shape))
        return len(found)


tokens = Tokens()
