"""Registers chargers: identity, password, Location and which EVSE each number of OCPP stands for."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from cpo_backend.alarms import sounding
from cpo_backend.models import Alarm, Charger, ChargerEvse
from cpo_backend.ocpp import handshake
from cpo_backend.power import waking
from cpo_backend.registry import keys
from cpo_backend.status import publishing
from ocpi import ports
from ocpi.ids import PartyId
from ocpi.store import documents
from ocpi.store.documents import Document
from ocpi.store.locations import Path, locations
from ocpi.types import codec
from ocpi.v221.common import Role


class Unregistrable(ValueError):
    """What is wrong with a registration, in words."""


@dataclass(frozen=True, slots=True)
class Registration:
    """`evses` are UIDs with the number each has in OCPP, None for its place in the list, beginning with 1.

    Without `party`, the Location is looked for among those of all our CPO parties.
    """

    identity: str
    location_id: str
    evses: Sequence[tuple[str, int | None]]
    party: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Registered:
    """`password` is the one that was made, empty when none was."""

    charger: Charger
    is_new: bool
    password: str = field(repr=False)


@transaction.atomic
def register(wanted: Registration) -> Registered:
    """Register a charger, or change what is registered of it; raises Unregistrable and changes nothing then.

    A charger that has no password gets one if none is given; whatever its state was, it is accepted.
    """
    if not handshake.is_identity(wanted.identity):
        raise Unregistrable(f"no identity: {wanted.identity!r}; up to 48 of A-Z a-z 0-9 * _ - = : + | @ .")
    owner, location = _location(wanted)
    charger = Charger.objects.select_for_update().filter(identity=wanted.identity).first()
    is_new = charger is None
    charger = charger or Charger(identity=wanted.identity)
    charger.party, charger.location_id, charger.state = str(owner), str(location["id"]), Charger.State.ACCEPTED
    made = "" if wanted.password or charger.key_hash else keys.new_key()
    if key := wanted.password or made:
        try:
            keys.check(key)
        except keys.UnfitKey as error:
            raise Unregistrable(str(error)) from None
        charger.key_hash, charger.new_key_hash = keys.digest(key.encode()), ""
    charger.save()
    _map(charger, location, wanted.evses)
    for number in publishing.judge_locked(charger, timezone.now()):
        sounding.clear(charger.pk, Alarm.Kind.UNKNOWN_CONNECTOR, subject=f"{number}")
    waking.after_commit([charger.pk])
    return Registered(charger, is_new, made)


def _location(wanted: Registration) -> tuple[PartyId, Document]:
    """The Location of one of our CPO parties, and which."""
    own = {
        PartyId.of(role["country_code"], role["party_id"])
        for role in ports.directory().roles()
        if role["role"] == Role.CPO
    }
    if wanted.party:
        own &= {PartyId(wanted.party.upper())}
    found = {party: text for party in own if (text := locations.find_part(Path(party, wanted.location_id)))}
    if len(found) != 1:
        told = "is one of several parties: say which" if found else "is not one of ours"
        raise Unregistrable(f"Location {wanted.location_id} {told}")
    [(party, text)] = found.items()
    return party, codec.decode(text.encode())


def _map(charger: Charger, location: Document, evses: Sequence[tuple[str, int | None]]) -> None:
    rows: dict[int, ChargerEvse] = {}
    for place, (uid, number) in enumerate(evses, start=1):
        evse = documents.child(location, "evses", "uid", uid)
        if evse is None:
            raise Unregistrable(f"Location {charger.location_id} has no EVSE {uid}")
        number = place if number is None else number
        if number < 1 or number in rows:
            raise Unregistrable(f"the number of EVSE {uid} must be 1 or more, and no other EVSE's")
        rows[number] = ChargerEvse(charger=charger, number=number, evse_uid=str(evse["uid"]))
        rows[number].place = f"{charger.party}/{charger.location_id}/{evse['uid']}".lower()
    known = {row.number: row for row in ChargerEvse.objects.filter(charger=charger)}
    same = {number for number, row in rows.items() if number in known and known[number].place == row.place}
    ChargerEvse.objects.filter(charger=charger).exclude(number__in=same).delete()
    try:
        with transaction.atomic():
            ChargerEvse.objects.bulk_create([row for number, row in rows.items() if number not in same])
    except IntegrityError:
        raise Unregistrable("one of the EVSEs belongs to another charger") from None


def numbered(text: str) -> tuple[str, int | None]:
    """`UID` or `UID:NUMBER`; a UID may have colons of its own."""
    uid, colon, number = text.rpartition(":")
    return (uid, int(number)) if colon and number.isdecimal() else (text, None)


def url(charger: Charger) -> str:
    """Where the charger connects."""
    return f"{settings.NODE_URL.replace('http', 'ws', 1)}{handshake.PREFIX}{charger.identity}"
