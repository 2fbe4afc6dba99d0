"""Which objects a request may see."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ocpi.ids import PartyId


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of owners, or everyone but a set (what a hub shows a caller: all but the caller's own objects).

    `token_owners` narrows Sessions and CDRs to those of some eMSPs' drivers, `local` to what no platform sent us.
    """

    owners: tuple[PartyId, ...]
    inverted: bool = False
    token_owners: tuple[PartyId, ...] | None = None
    local: bool = False

    @classmethod
    def only(cls, owners: Iterable[PartyId]) -> "Scope":
        return cls(tuple(sorted(owners)))

    @classmethod
    def all_but(cls, owners: Iterable[PartyId]) -> "Scope":
        return cls(tuple(sorted(owners)), inverted=True)

    def with_tokens_of(self, owners: Iterable[PartyId]) -> "Scope":
        """The same, narrowed to sessions of these eMSPs' drivers."""
        return replace(self, token_owners=tuple(sorted(owners)))

    @property
    def is_by_owner(self) -> bool:
        """Whether the owners alone decide, so that totals per owner are totals of the scope."""
        return self.token_owners is None and not self.local

    def sql(self) -> tuple[str, list[str]]:
        """A condition on the columns of a module's table, with its parameters."""
        conditions, params = [], list[str]()
        if self.owners:
            conditions.append(f"owner {'NOT ' if self.inverted else ''}IN {_marks(self.owners)}")
            params += self.owners
        elif not self.inverted:
            conditions.append("false")
        if self.token_owners is not None:
            conditions.append(f"token_owner IN {_marks(self.token_owners)}" if self.token_owners else "false")
            params += self.token_owners
        if self.local:
            conditions.append("source IS NULL")
        return " AND ".join(conditions) or "true", params


def _marks(values: tuple[PartyId, ...]) -> str:
    return f"({', '.join(['%s'] * len(values))})"
