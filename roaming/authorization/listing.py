"""Which Tokens may charge while nobody can be asked: what chargers keep on their local lists.

Ours, and those of parties with whom the CPO may exchange Tokens, as far as their owners let a CPO decide without them
(§mod_tokens_whitelisttype_enum). Ours come first, then whoever charged last with us.
"""

from collections.abc import Iterator

from django.db.models import Case, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.models import Token
from ocpi.ports import OfflineToken
from ocpi.types import codec
from ocpi.v221.common import TokenType
from ocpi.v221.tokens import WhitelistType
from ocpi.v221.versions import ModuleID
from roaming.agreements import may_exchange
from roaming.authorization import terms
from roaming.authorization_models import Authorization
from roaming.directory import directory

_WITHOUT_ASKING = (WhitelistType.ALWAYS, WhitelistType.ALLOWED, WhitelistType.ALLOWED_OFFLINE)


def offline(cpo: PartyId, most: int) -> list[OfflineToken]:
    """As `ocpi.ports.Authorizer.offline`: cards only, for nothing else is read by a charger."""
    own = [str(party) for party in directory.picture().own_parties]
    rows = Token.objects.filter(valid=True, type=TokenType.RFID, whitelist__in=_WITHOUT_ASKING)
    trusted = rows.filter(owner__in=[*own, *_partners(cpo, rows)])
    return list(_listed(cpo, _in_order(trusted, own)[:most]))


def _partners(cpo: PartyId, rows: "QuerySet[Token]") -> list[str]:
    """Those of the owners with whom Tokens may be exchanged now."""
    agreements, now = directory.picture().table.agreements, timezone.now()
    owners = rows.order_by("owner").values_list("owner", flat=True).distinct()
    return [one for one in owners if may_exchange(agreements, cpo, PartyId(one), ModuleID.TOKENS, now)]


def _in_order(rows: "QuerySet[Token]", own: list[str]) -> "QuerySet[Token]":
    used = Authorization.objects.filter(side=Authorization.Side.CPO, uid=OuterRef("uid"), emsp=OuterRef("owner"))
    is_own = Case(When(Q(owner__in=own), then=Value(0)), default=Value(1), output_field=IntegerField())
    latest = used.order_by("-decided_at").values("decided_at")[:1]
    rows = rows.annotate(group=is_own, used_at=Subquery(latest))
    return rows.order_by("group", F("used_at").desc(nulls_last=True), "pk")


def _listed(cpo: PartyId, rows: "QuerySet[Token]") -> Iterator[OfflineToken]:
    now = timezone.now()
    for row in rows:
        agreed = terms.of(row)
        places = None
        if not agreed.usable(now):
            continue
        if (agreed.parties or agreed.locations) and cpo not in agreed.parties:
            places = frozenset(location for party, location in agreed.locations if party == cpo)
        document = codec.decode(row.document.encode())
        yield OfflineToken(document["uid"], document.get("group_id"), row.expires_at, places)
