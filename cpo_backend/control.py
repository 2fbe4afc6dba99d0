"""Implements `ocpi.ports.ChargePoints`: what charge points of ours can be asked to do, and what is answered.

Nothing is ever accepted that nobody would carry out: the EVSE must be capable of it, and a charger be registered there.
"""

from collections.abc import Callable
from typing import Any

from cpo_backend.power import wishes
from cpo_backend.profiles import ordering as profiles
from cpo_backend.remote import ordering, places
from cpo_backend.remote.places import Target
from cpo_backend.reserving import ordering as reserving
from ocpi.ids import PartyId
from ocpi.ports import Command, CommandRequest, Verdict
from ocpi.store import documents
from ocpi.store.documents import Document
from ocpi.store.locations import Path, locations
from ocpi.store.tariffs import tariffs
from ocpi.types import codec
from ocpi.v221.charging_profiles import ChargingProfileResponseType
from ocpi.v221.common import ProfileType
from ocpi.v221.locations import Capability
from ocpi.v221.sessions import ChargingPreferencesResponse
from ocpi.v221.tariffs import TariffType

# What the EVSE must be capable of (§mod_locations_capability_enum).
_NEEDED: dict[Command, Capability] = {
    Command.START_SESSION: Capability.REMOTE_START_STOP_CAPABLE,
    Command.STOP_SESSION: Capability.REMOTE_START_STOP_CAPABLE,
    Command.RESERVE_NOW: Capability.RESERVABLE,
    Command.UNLOCK_CONNECTOR: Capability.UNLOCK_CAPABLE,
    Command.ACTIVE_CHARGING_PROFILE: Capability.CHARGING_PROFILE_CAPABLE,
    Command.SET_CHARGING_PROFILE: Capability.CHARGING_PROFILE_CAPABLE,
    Command.CLEAR_CHARGING_PROFILE: Capability.CHARGING_PROFILE_CAPABLE,
}
# A profile that the driver may choose is one that the Connector has a Tariff for.
_TARIFF_OF: dict[ProfileType, TariffType] = {
    ProfileType.CHEAP: TariffType.PROFILE_CHEAP,
    ProfileType.FAST: TariffType.PROFILE_FAST,
    ProfileType.GREEN: TariffType.PROFILE_GREEN,
}
# Charging later rather than now takes to know until when, and how much.
_LATER = frozenset({ProfileType.CHEAP, ProfileType.GREEN})


class ChargePoints:
    def command(self, command_id: int, request: CommandRequest) -> Verdict:
        if request.command is Command.CANCEL_RESERVATION:
            return reserving.cancel(command_id, request)
        evse, needed = request.evse or _evse_of(request), _NEEDED[request.command]
        if evse is not None and needed not in documents.items(evse, "capabilities"):
            return Verdict(ChargingProfileResponseType.NOT_SUPPORTED, message=f"the EVSE is not {needed}")
        if request.session is not None:
            return _of_session(command_id, request)
        target = _target(request, needed)
        if target is None:
            return ordering.rejected(_nobody(request))
        return _AT_EVSE[request.command](command_id, request, target)

    def charging_preferences(
        self, owner: PartyId, session: Document, preferences: Document
    ) -> ChargingPreferencesResponse:
        profile = ProfileType(preferences["profile_type"])
        if profile != ProfileType.REGULAR and profile not in _offered(owner, session):
            return ChargingPreferencesResponse.PROFILE_TYPE_NOT_SUPPORTED
        if profile in _LATER and preferences.get("departure_time") is None:
            return ChargingPreferencesResponse.DEPARTURE_REQUIRED
        if profile in _LATER and preferences.get("energy_need") is None:
            return ChargingPreferencesResponse.ENERGY_NEED_REQUIRED
        transaction = ordering.running(session)
        if transaction is None or not wishes.take(transaction, preferences):
            return ChargingPreferencesResponse.NOT_POSSIBLE
        return ChargingPreferencesResponse.ACCEPTED


charge_points = ChargePoints()

_AT_EVSE: dict[Command, Callable[[int, CommandRequest, Target], Verdict]] = {
    Command.START_SESSION: ordering.start,
    Command.UNLOCK_CONNECTOR: ordering.unlock,
    Command.RESERVE_NOW: reserving.reserve,
}
_IN_SESSION: dict[Command, Callable[[int, CommandRequest], Verdict]] = {
    Command.STOP_SESSION: ordering.stop,
    Command.SET_CHARGING_PROFILE: profiles.apply,
    Command.CLEAR_CHARGING_PROFILE: profiles.clear,
    Command.ACTIVE_CHARGING_PROFILE: profiles.ask,
}


def _of_session(command_id: int, request: CommandRequest) -> Verdict:
    return _IN_SESSION[request.command](command_id, request)


def _target(request: CommandRequest, needed: Capability) -> Target | None:
    """The charger at the EVSE that is named, or at one that is free."""
    assert request.location is not None, "such commands name a Location"
    if request.evse is None:
        again = reserving.target_of(request) if request.command is Command.RESERVE_NOW else None
        return again or places.free(request.party, request.location, needed)
    connector_id = request.document.get("connector_id")
    return places.target(request.party, request.location["id"], request.evse, connector_id)


def _nobody(request: CommandRequest) -> str:
    if request.evse is None:
        return "no charge point is free at this Location"
    return "no charge point is connected at this EVSE"


def _evse_of(request: CommandRequest) -> Document | None:
    """The EVSE at which the Session goes on, as far as it is known."""
    if request.session is None:
        return None
    return _part(request.party, request.session["location_id"], request.session["evse_uid"])


def _part(owner: PartyId, *ids: str) -> Document | None:
    text = locations.find_part(Path(owner, *ids))
    found: Document | None = codec.decode(text.encode()) if text else None
    return found


def _offered(owner: PartyId, session: Document) -> set[ProfileType]:
    """The profiles that the Connector has a Tariff for (§mod_sessions_charging_preferences_object).

    A Tariff without type is for all of them (§mod_tariffs_tariff_object).
    """
    connector = _part(owner, session["location_id"], session["evse_uid"], session["connector_id"]) or {}
    ids: list[Any] = documents.items(connector, "tariff_ids")
    kinds = {_type(text) for id in ids if (text := tariffs.find(owner, str(id)))}
    return {profile for profile, kind in _TARIFF_OF.items() if kind in kinds or None in kinds}


def _type(tariff: str) -> Any:
    return codec.decode(tariff.encode()).get("type")
