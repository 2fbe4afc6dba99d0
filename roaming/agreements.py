"""Which parties may exchange what, and when: one rule, over an immutable snapshot that the directory keeps in memory.

Without an agreement any two parties may exchange anything that their roles allow (roaming/sync/audience.py). As soon
as there is one between two parties, they may exchange what their valid agreements name and nothing else, also when
none is valid now. With NODE_AGREEMENTS_REQUIRED only who has a valid agreement exchanges anything.

A Tariff is for everybody, unless an agreement names it: then it is for the partners of valid agreements that offer it.
To the others it does not exist, and the Connectors that they are shown do not name it. A CDR keeps what it was priced
with.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain

import structlog
from django.conf import settings
from django.utils import timezone

from ocpi.ids import CONFIGURATION_MODULES, PartyId
from ocpi.store.scope import Scope
from ocpi.v221.versions import ModuleID
from roaming.agreement_models import Agreement, TariffOffer

log = structlog.get_logger(__name__)

# What can be agreed on by name. Configuration modules are between platforms, not parties.
MODULES = tuple(sorted(module.value for module in ModuleID if module not in CONFIGURATION_MODULES))
NOTICE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Term:
    """What one agreement allows: these modules (empty: all) from `begins` until just before `ends` (None: for good)."""

    modules: frozenset[str]
    begins: datetime
    ends: datetime | None = None

    def covers(self, module: str | None, now: datetime) -> bool:
        """Whether it is valid and names the module; None stands for any module at all."""
        is_valid = self.begins <= now and (self.ends is None or now < self.ends)
        return is_valid and (module is None or not self.modules or module in self.modules)


@dataclass(frozen=True, slots=True)
class Offer:
    """A Tariff, by owner and key, that a partner may see while a term holds; no partner: it is only reserved."""

    owner: PartyId
    key: str
    partner: PartyId | None
    term: Term


@dataclass(frozen=True, slots=True)
class Agreements:
    """All agreements at one moment, found from either party; `offers` of the Tariffs that are not for everybody."""

    terms: Mapping[PartyId, Mapping[PartyId, tuple[Term, ...]]] = field(default_factory=dict)
    required: bool = False
    offers: tuple[Offer, ...] = ()

    @classmethod
    def of(cls, agreed: Iterable[tuple[str, str, Term]], *, required: bool = False) -> "Agreements":
        """From two parties and what they agreed on, each."""
        terms: dict[PartyId, dict[PartyId, tuple[Term, ...]]] = {}
        for a, b, term in agreed:
            for one, other in ((PartyId(a), PartyId(b)), (PartyId(b), PartyId(a))):
                partners = terms.setdefault(one, {})
                partners[other] = (*partners.get(other, ()), term)
        return cls(terms, required)


def may_exchange(agreements: Agreements, one: PartyId, other: PartyId, module: str | None, now: datetime) -> bool:
    """The rule; `module` None asks whether the two may exchange anything at all."""
    terms = agreements.terms.get(one, {}).get(other)
    if terms is None:
        return not agreements.required
    return any(term.covers(module, now) for term in terms)


def next_change(agreements: Agreements, parties: Iterable[PartyId], now: datetime) -> datetime | None:
    """Until when `may_exchange` and `within` say the same of these parties and whomever they deal with.

    None for as long as the agreements are these.
    """
    agreed = (term for party in parties for terms in agreements.terms.get(party, {}).values() for term in terms)
    terms = chain(agreed, (offer.term for offer in agreements.offers))
    moments = (moment for term in terms for moment in (term.begins, term.ends) if moment and moment > now)
    return min(moments, default=None)


def within(
    agreements: Agreements, scope: Scope, readers: Iterable[PartyId], module: str | None, now: datetime
) -> Scope:
    """Of the objects in `scope` those that at least one of the readers may see.

    Their owners may exchange the module with one of them, and a Tariff is for everybody or offered to one of them.
    """
    if not agreements.terms and not agreements.required:
        return scope
    readers = frozenset(readers)
    scope = _of_partners(agreements, scope, readers, module, now)
    match module if agreements.offers else None:
        case ModuleID.TARIFFS:
            return replace(scope, hidden=_reserved(agreements, scope, readers, now))
        case ModuleID.LOCATIONS:
            return replace(scope, unnamed=_reserved(agreements, scope, readers, now))
    return scope


def _of_partners(
    agreements: Agreements, scope: Scope, readers: frozenset[PartyId], module: str | None, now: datetime
) -> Scope:
    def allowed(owner: PartyId) -> bool:
        return any(may_exchange(agreements, reader, owner, module, now) for reader in readers)

    if not scope.inverted:
        return scope.of_owners(owner for owner in scope.owners if allowed(owner))
    partners = frozenset(partner for reader in readers for partner in agreements.terms.get(reader, {}))
    if agreements.required:
        return scope.of_owners(owner for owner in partners.difference(scope.owners) if allowed(owner))
    barred = {owner for owner in partners if not allowed(owner)}
    return scope.of_owners(barred.union(scope.owners), inverted=True)


def _reserved(
    agreements: Agreements, scope: Scope, readers: frozenset[PartyId], now: datetime
) -> tuple[tuple[PartyId, str], ...]:
    """The Tariffs in `scope` that are for others than these readers."""
    named, offered = set(), set()
    for offer in agreements.offers:
        if scope.includes(offer.owner):
            named.add((offer.owner, offer.key))
            if offer.partner in readers and offer.term.covers(None, now):
                offered.add((offer.owner, offer.key))
    return tuple(sorted(named - offered))


def read() -> Agreements:
    """What is agreed on now, ended agreements included: they bar what they no longer allow."""
    rows = Agreement.objects.order_by("pk").values_list("party_a", "party_b", "modules", "valid_from", "valid_to")
    agreed = Agreements.of(
        ((a, b, Term(frozenset(modules), begins, ends)) for a, b, modules, begins, ends in rows),
        required=settings.NODE_AGREEMENTS_REQUIRED,
    )
    return replace(agreed, offers=tuple(map(_offer, TariffOffer.objects.select_related("agreement").order_by("pk"))))


def _offer(row: TariffOffer) -> Offer:
    agreement = row.agreement
    term = Term(frozenset(agreement.modules), agreement.valid_from, agreement.valid_to)
    return Offer(PartyId(row.owner), row.tariff_id.lower(), PartyId(row.partner) if row.is_offered else None, term)


def ending(now: datetime) -> list[Agreement]:
    """The agreements that end within 30 days and are not followed by others, those that end first in front."""
    agreements = read()

    def is_renewed(row: Agreement) -> bool:
        one, other, end = PartyId(row.party_a), PartyId(row.party_b), row.valid_to or now
        return all(may_exchange(agreements, one, other, module, end) for module in row.modules or MODULES)

    rows = Agreement.objects.filter(valid_to__gt=now, valid_to__lte=now + NOTICE).order_by("valid_to", "pk")
    return [row for row in rows if not is_renewed(row)]


def warn() -> int:
    """Log a warning for each agreement that is about to end; returns how many there are."""
    rows = ending(timezone.now())
    for row in rows:
        log.warning("agreement ends", parties=str(row), modules=row.modules or "all", valid_to=row.valid_to)
    return len(rows)
