"""What a command is about, in a few words for people and for searching."""

from ocpi.ports import Command
from ocpi.store.documents import Document

PROFILES = frozenset({Command.ACTIVE_CHARGING_PROFILE, Command.SET_CHARGING_PROFILE, Command.CLEAR_CHARGING_PROFILE})
OF_SESSIONS = PROFILES | {Command.STOP_SESSION}
_LONGEST = 120


def subject(command: Command, document: Document) -> str:
    """The id of the Session or reservation, or the place written `location/evse/connector`."""
    if command in OF_SESSIONS:
        return str(document["session_id"])[:_LONGEST]
    if command is Command.CANCEL_RESERVATION:
        return str(document["reservation_id"])
    place = (document.get(name) for name in ("location_id", "evse_uid", "connector_id"))
    return "/".join(str(part) for part in place if part is not None)
