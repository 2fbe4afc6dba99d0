"""The parts of a Location document: found, placed, stamped. Pure; nothing here knows the database."""

from typing import Any

from ocpi.types import times

Document = dict[str, Any]


def child(parent: Document, member: str, name: str, key: str) -> Document | None:
    """The object in a list whose `name` is `key`, compared without case."""
    return next((item for item in items(parent, member) if str(item[name]).lower() == key.lower()), None)


def items(parent: Document, member: str) -> list[Any]:
    """What is in a list; nothing when a partner wrote something else there, which is kept with its defect."""
    found = parent.get(member)
    return found if isinstance(found, list) else []


def objects(parent: Document, member: str) -> list[Document]:
    """The objects in a list of a document that nothing is known of."""
    return [item for item in items(parent, member) if isinstance(item, dict)]


def place(parent: Document, member: str, name: str, part: Document) -> bool:
    """Put a part into a list, in the place of its predecessor or at the end; True when it is new."""
    present = items(parent, member)
    for index, item in enumerate(present):
        if str(item[name]).lower() == str(part[name]).lower():
            present[index] = part
            return False
    parent[member] = [*present, part]
    return True


def raise_stamp(parent: Document, stamp: str) -> None:
    """Give a parent its child's `last_updated` unless its own is newer (errata E12)."""
    try:
        current = times.parse(parent["last_updated"])
    except (KeyError, TypeError, ValueError):
        parent["last_updated"] = stamp
        return
    if times.parse(stamp) > current:
        parent["last_updated"] = stamp
