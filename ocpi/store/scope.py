"""Which objects a request may see."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ocpi.ids import PartyId

_REMEMBERED = 4096  # scopes, of which each party has one or two


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of owners, or everyone but a set (what a hub shows a caller: all but the caller's own objects).

    `token_owners` narrows Sessions and CDRs to those of some eMSPs' drivers, `local` to what no platform sent us.
    Tariffs that are reserved for others, by owner and key, are `hidden` themselves, and `unnamed` in Locations.
    """

    owners: tuple[PartyId, ...]
    inverted: bool = False
    token_owners: tuple[PartyId, ...] | None = None
    local: bool = False
    hidden: tuple[tuple[PartyId, str], ...] = ()
    unnamed: tuple[tuple[PartyId, str], ...] = ()

    @classmethod
    def only(cls, owners: Iterable[PartyId]) -> "Scope":
        return cls(tuple(sorted(owners)))

    @classmethod
    def all_but(cls, owners: Iterable[PartyId]) -> "Scope":
        return cls(tuple(sorted(owners)), inverted=True)

    def of_owners(self, owners: Iterable[PartyId], *, inverted: bool = False) -> "Scope":
        """The same with other owners."""
        return replace(self, owners=tuple(sorted(owners)), inverted=inverted)

    def includes(self, owner: PartyId) -> bool:
        """Whether objects of this owner are in it, as far as owners decide."""
        return (owner in self.owners) is not self.inverted

    @property
    def whole(self) -> "Scope":
        """The same with everything that is reserved for others."""
        return replace(self, hidden=(), unnamed=()) if self.hidden or self.unnamed else self

    def hides(self, owner: PartyId, key: str) -> bool:
        """Whether this object is reserved for others."""
        return (owner, key) in self.hidden

    def without(self, other: "Scope") -> "Scope":
        """What is in this and not in the other, or is there but seen otherwise; as far as owners decide."""
        otherwise = {
            owner
            for mine, its in ((self.hidden, other.hidden), (self.unnamed, other.unnamed))
            for owner, _ in set(mine) ^ set(its)
            if self.includes(owner)
        }
        whole = self.whole
        if not self.inverted:
            return whole.of_owners(owner for owner in self.owners if owner in otherwise or not other.includes(owner))
        if other.inverted:
            return whole.of_owners(otherwise | {owner for owner in other.owners if self.includes(owner)})
        return whole.of_owners({*self.owners, *other.owners} - otherwise, inverted=True)

    def as_json(self) -> dict[str, Any]:
        """The owners and what is reserved, to be remembered; `from_json` reads them again."""
        reserved = {"hidden": self.hidden, "unnamed": self.unnamed}
        return {
            "owners": list(map(str, self.owners)),
            "inverted": self.inverted,
            **{name: [[str(owner), key] for owner, key in found] for name, found in reserved.items() if found},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Scope":
        hidden, unnamed = (
            tuple((PartyId(owner), key) for owner, key in value.get(name, ())) for name in ("hidden", "unnamed")
        )
        return cls(tuple(map(PartyId, value["owners"])), value["inverted"], hidden=hidden, unnamed=unnamed)

    def with_tokens_of(self, owners: Iterable[PartyId]) -> "Scope":
        """The same, narrowed to sessions of these eMSPs' drivers."""
        return replace(self, token_owners=tuple(sorted(owners)))

    @property
    def is_by_owner(self) -> bool:
        """Whether the owners alone decide, so that totals per owner are totals of the scope."""
        return self.token_owners is None and not self.local and not self.hidden

    @lru_cache(_REMEMBERED)  # noqa: B019 - a method of a value
    def sql(self) -> tuple[str, tuple[str, ...]]:
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
        for owner in sorted({owner for owner, _ in self.hidden}):
            keys = tuple(key for of, key in self.hidden if of == owner)
            conditions.append(f"NOT (owner = %s AND key IN {_marks(keys)})")
            params += [owner, *keys]
        return " AND ".join(conditions) or "true", tuple(params)


def _marks(values: tuple[str, ...]) -> str:
    return f"({', '.join(['%s'] * len(values))})"
