"""Which tokens belong on the list of a charger, and what is said of them there, in the words of its version."""

from collections.abc import Iterable, Mapping
from typing import Any

from cpo_backend.models import Charger
from cpo_backend.tokens import aliases
from ocpi.ports import OfflineToken
from ocpi.store.documents import Document
from ocpi.types import times
from ocpi.v221.common import TokenType

_LONGEST_GROUP = {"1.6": 20, "2.0.1": 36}
# What a charger reads of a card of either standard; it is the same card.
_CARD = "ISO14443"

# What is said of a tag; None: nothing any more.
Entry = dict[str, Any] | None


def entries(charger: Charger, tokens: Iterable[OfflineToken], most: int) -> dict[str, Any]:
    """What the list should have, by tag, as far as there is room: the first of the tokens come first."""
    found: dict[str, Any] = {}
    seen: set[str] = set()
    for token in tokens:
        if len(found) >= most:
            break
        if token.places is not None and charger.location_id.lower() not in token.places:
            continue
        if token.uid.lower() in seen:  # of another eMSP: chargers tell cards apart by their uid alone
            continue
        seen.add(token.uid.lower())
        tag = aliases.tag(token.uid, str(TokenType.RFID)) if charger.version == "1.6" else token.uid
        found[tag] = _entry(charger.version, token)
    return found


def _entry(version: str, token: OfflineToken) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if token.group_id and len(token.group_id) <= _LONGEST_GROUP.get(version, 36):
        entry["group"] = token.group_id
    if token.expires_at is not None:
        entry["until"] = times.format(token.expires_at)
    return entry


def difference(held: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[tuple[str, Entry]]:
    """What is to be said to come from one to the other: what goes first, for it makes room."""
    gone: list[tuple[str, Entry]] = [(tag, None) for tag in held if tag not in wanted]
    return gone + [(tag, entry) for tag, entry in wanted.items() if tag not in held or held[tag] != entry]


def request(version: str, number: int, changes: Iterable[tuple[str, Entry]], *, is_full: bool) -> Document:
    """SendLocalList of either version; an entry without more than its tag is taken off the list."""
    is_v16 = version == "1.6"
    told = [_v16(tag, entry) if is_v16 else _v201(tag, entry) for tag, entry in changes]
    found: Document = {
        "listVersion" if is_v16 else "versionNumber": number,
        "updateType": "Full" if is_full else "Differential",
    }
    return found | ({"localAuthorizationList": told} if told else {})


def _v16(tag: str, entry: Entry) -> Document:
    if entry is None:
        return {"idTag": tag}
    info = {"status": "Accepted", "parentIdTag": entry.get("group"), "expiryDate": entry.get("until")}
    return {"idTag": tag, "idTagInfo": {name: value for name, value in info.items() if value}}


def _v201(tag: str, entry: Entry) -> Document:
    named: Document = {"idToken": {"idToken": tag, "type": _CARD}}
    if entry is None:
        return named
    info: Document = {"status": "Accepted"}
    if group := entry.get("group"):
        info["groupIdToken"] = {"idToken": group, "type": "Central"}
    if until := entry.get("until"):
        info["cacheExpiryDateTime"] = until
    return named | {"idTokenInfo": info}
