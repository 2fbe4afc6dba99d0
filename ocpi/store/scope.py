"""Which owners' objects a request may see."""

from collections.abc import Iterable
from dataclasses import dataclass

from ocpi.ids import PartyId


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of owners, or everyone but a set (what a hub shows a caller: all but the caller's own objects)."""

    owners: tuple[PartyId, ...]
    inverted: bool = False

    @classmethod
    def only(cls, owners: Iterable[PartyId]) -> "Scope":
        return cls(tuple(sorted(owners)))

    @classmethod
    def all_but(cls, owners: Iterable[PartyId]) -> "Scope":
        return cls(tuple(sorted(owners)), inverted=True)

    def __contains__(self, owner: PartyId) -> bool:
        return (owner in self.owners) is not self.inverted

    def sql(self) -> tuple[str, list[str]]:
        """A condition on the column `owner`, with its parameters."""
        if not self.owners:
            return ("true" if self.inverted else "false"), []
        marks = ", ".join(["%s"] * len(self.owners))
        return f"owner {'NOT ' if self.inverted else ''}IN ({marks})", list(self.owners)
