"""The EVSEs of a site: what each can take, and the most that each may draw, as far as the node can know."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from django.db.models import Q

from cpo_backend.billing import terms
from cpo_backend.models import Charger, ChargerEvse, PowerShare, PowerSite, SentProfile, SessionProfile, Transaction
from cpo_backend.ocpp import fencing
from cpo_backend.profiles import schedules
from ocpi.ids import PartyId
from ocpi.store import documents
from ocpi.store.documents import Document
from ocpi.store.locations import Path, locations
from ocpi.types import codec, times
from ocpi.v221.charging_profiles import ChargingRateUnit

_ZERO, _ONE = Decimal(0), Decimal(1)
_DC = "DC"
_FAR = 3600
_GONE = (ChargerEvse.Override.PLANNED, ChargerEvse.Override.REMOVED)


@dataclass(slots=True)
class Seat:
    """An EVSE. `connector`: the one that is used, else the strongest; `full`: the most that any of them can deliver;
    without anybody knowing, all that the site has. All in W.
    """

    share: PowerShare
    charger: Charger
    evse_uid: str
    connectors: list[Document]
    connector: Document
    full: Decimal
    site: PowerSite
    is_online: bool = False
    transaction: Transaction | None = None
    profile: Document | None = None
    defaults_sent: list[Decimal] = field(default_factory=list)
    sent: list[Decimal] = field(default_factory=list)

    @property
    def per_ampere(self) -> Decimal | None:
        return schedules.watts_per_ampere(self.connector)

    @property
    def unit(self) -> str:
        """In which a charger is told a limit of ours, if it takes either."""
        is_direct = self.connector.get("power_type") == _DC
        return str(ChargingRateUnit.W if is_direct or self.per_ampere is None else ChargingRateUnit.A)

    @property
    def minimum(self) -> Decimal:
        return self._watts(self.site.minimum)

    @property
    def reserve(self) -> Decimal:
        """What is kept for a car that just came."""
        return self._watts(self.site.kept)

    def _watts(self, amperes: Decimal) -> Decimal:
        """Where nobody knows the voltage, as of three phases."""
        per_ampere = self.per_ampere or 3 * schedules.NOMINAL_VOLTAGE
        return min((amperes * per_ampere).quantize(_ONE, ROUND_CEILING), self.full)

    @property
    def by_default(self) -> Decimal:
        """The most that a car may draw which has just come."""
        if self.share.default_watts is None:
            return self.full
        return min(self.full, max(self.share.default_watts, self.share.default_doubt, *self.defaults_sent, _ZERO))

    @property
    def committed(self) -> Decimal:
        """The most that may be drawn here at any moment: by who charges, or by who comes before we know."""
        charging = max(self.share.watts or _ZERO, self.share.doubt, *self.sent, _ZERO) if self.transaction else _ZERO
        return min(self.full, max(self.by_default, charging))

    @property
    def certain(self) -> Decimal:
        """What who charges here certainly may draw already: more than this could be more than now."""
        is_certain = self.share.told and not self.share.doubt and not self.sent and not self.has_forgotten
        return self.share.watts or _ZERO if is_certain else _ZERO

    @property
    def certain_reserve(self) -> Decimal:
        """The same of a car that comes: of a charger that never took a limit, all."""
        if self.share.default_watts is not None:
            return self.share.default_watts
        return self.full if self.share.default_at is None else _ZERO

    @property
    def has_forgotten(self) -> bool:
        """Whether it has booted since it was last told its share."""
        booted_at, told_at = self.charger.last_boot_at, self.share.told_at
        return booted_at is not None and told_at is not None and booted_at > told_at

    def obeys(self, now: datetime) -> bool:
        """Whether it takes a limit for cars that come, or may be expected to."""
        return self.is_online and _is_over(self.share.default_retry_at, now)

    def is_told(self, now: datetime) -> bool:
        """The same of a share for who charges here."""
        return self.is_online and _is_over(self.share.retry_at, now)

    def elapsed(self, now: datetime) -> float:
        """Seconds since the begin of the charging."""
        return (now - _begin(self.transaction)).total_seconds() if self.transaction else 0.0

    def wanted(self, now: datetime) -> tuple[Decimal, int | None]:
        """The most it can take now, and in how many seconds, or an hour, to look again."""
        most = self.full.quantize(_ONE, ROUND_FLOOR)
        if self.transaction is None or self.profile is None:
            return most, None
        second = self.elapsed(now)
        limit, following = schedules.at(schedules.steps(self.profile, offset(self.transaction, self.profile)), second)
        if limit is not None:
            factor = schedules.watts_per(str(self.profile["charging_rate_unit"]), self.per_ampere)
            most = min(most, limit * factor).quantize(_ONE, ROUND_FLOOR)
        return most, None if following is None else min(max(1, int(following - second) + 1), _FAR)


def _is_over(moment: datetime | None, now: datetime) -> bool:
    return moment is None or moment <= now


def _begin(transaction: Transaction) -> datetime:
    return transaction.start_told_at or transaction.start_received_at


def offset(transaction: Transaction, profile: Document) -> int:
    """How many seconds after the begin of the charging a profile begins; before, if it is negative."""
    if profile.get("start_date_time") is None:
        return 0
    return int((times.parse(profile["start_date_time"]) - _begin(transaction)).total_seconds())


def sketch(site: PowerSite) -> list[Seat]:
    """All of them, in the order of chargers and numbers, without what is granted to them."""
    location = _location(site)
    return [_empty(site, location, evse) for evse in _evses(site)]


def _empty(site: PowerSite, location: Document, evse: ChargerEvse) -> Seat:
    there = documents.child(location, "evses", "uid", evse.evse_uid) or {}
    connectors = documents.objects(there, "connectors") or [{}]
    powers = [terms.power(connector) or site.limit for connector in connectors]
    strongest = connectors[powers.index(max(powers))]
    share = PowerShare(site=site, charger=evse.charger, number=evse.number)
    return Seat(share, evse.charger, evse.evse_uid, connectors, strongest, max(powers), site)


def of(site: PowerSite) -> list[Seat]:
    """All of them as they stand; the caller holds the site's lock."""
    found = sketch(site)
    shares, online = _shares(site, found), _online(found)
    going_on = {(row.charger_id, row.number): row for row in _transactions(found)}
    profiles = _profiles(row.pk for row in going_on.values())
    for seat in found:
        place = seat.charger.pk, seat.share.number
        seat.share, seat.is_online = shares[place], seat.charger.pk in online
        seat.charger = online.get(seat.charger.pk, seat.charger)
        if (transaction := going_on.get(place)) is not None:
            _seat(seat, transaction, profiles.get(transaction.pk))
    _add_sent(found)
    return found


def _seat(seat: Seat, transaction: Transaction, profile: Document | None) -> None:
    """Who charges here; what was granted to the one before is no matter any more."""
    share, seat.transaction = seat.share, transaction
    transaction.charger = seat.charger
    seat.connector = terms.connector_of(seat.connectors, transaction.connector)
    if share.transaction_id != transaction.pk:
        share.transaction, share.watts, share.doubt, share.granted = transaction, None, _ZERO, None
        share.told, share.told_at, share.retry_at, share.failures = "", None, None, 0
    try:
        if profile is not None:
            schedules.watts_per(str(profile["charging_rate_unit"]), seat.per_ampere)
            seat.profile = profile
    except schedules.Unfit:
        seat.profile = None  # from before the site shared its power: it cannot be compared


def _evses(site: PowerSite) -> list[ChargerEvse]:
    """Of chargers that are there, wherever they are in the course of things."""
    rows = ChargerEvse.objects.filter(charger__party__iexact=site.party, charger__location_id__iexact=site.location_id)
    rows = rows.exclude(Q(override__in=_GONE) | Q(charger__state=Charger.State.PLANNED))
    return list(rows.select_related("charger").order_by("charger__identity", "number"))


def _online(found: Iterable[Seat]) -> dict[int, Charger]:
    """Those that are connected, with the version they speak now: it was read with the connection, not before."""
    rows = Charger.objects.filter(fencing.online(), pk__in={seat.charger.pk for seat in found})
    return {row.pk: row for row in rows.filter(state=Charger.State.ACCEPTED)}


def _shares(site: PowerSite, found: Iterable[Seat]) -> dict[tuple[int, int], PowerShare]:
    """A row for each; those of EVSEs that are not here any more are forgotten."""
    known = {(row.charger_id, row.number): row for row in PowerShare.objects.filter(site=site)}
    places = [(seat.charger.pk, seat.share.number) for seat in found]
    PowerShare.objects.filter(pk__in=[row.pk for place, row in known.items() if place not in places]).delete()
    for place in places:
        if place not in known:
            charger_id, number = place
            known[place], _ = PowerShare.objects.update_or_create(
                charger_id=charger_id, number=number, defaults={"site": site}
            )
    return known


def _transactions(found: Iterable[Seat]) -> Iterable[Transaction]:
    rows = Transaction.objects.filter(charger__in={seat.charger.pk for seat in found}, closed_by="")
    return rows.exclude(number=None).select_related("charger", "bill")


def _profiles(transaction_ids: Iterable[int]) -> dict[int, Document]:
    """What partners have set and chargers accepted."""
    rows = SessionProfile.objects.filter(pk__in=list(transaction_ids)).exclude(applied="")
    return {row.pk: codec.decode(row.applied.encode()) for row in rows}


def _location(site: PowerSite) -> Document:
    text = locations.find_part(Path(PartyId(site.party), site.location_id))
    found: Document = codec.decode(text.encode()) if text else {}
    return found


def _add_sent(seats: Iterable[Seat]) -> None:
    """What is on its way; of a transaction that is over it does not count any more."""
    rows = defaultdict(list)
    for row in SentProfile.objects.filter(share__in=[seat.share.pk for seat in seats]):
        rows[row.share_id].append(row)
    for seat in seats:
        for row in rows[seat.share.pk]:
            if row.transaction_id is None:
                seat.defaults_sent.append(row.watts)
            elif seat.transaction is not None and row.transaction_id == seat.transaction.pk:
                seat.sent.append(row.watts)
