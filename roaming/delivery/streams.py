"""What is delivered: streams of changes, in order of urgency. Authorizations and commands never wait in a lane."""

from enum import StrEnum

from ocpi.v221.versions import ModuleID


class Stream(StrEnum):
    """One sequence of changes for a platform. The order of definition is the order of urgency."""

    STATUSES = "statuses"
    SESSIONS = ModuleID.SESSIONS.value
    CDRS = ModuleID.CDRS.value
    TOKENS = ModuleID.TOKENS.value
    HUB_CLIENT_INFO = ModuleID.HUB_CLIENT_INFO.value
    TARIFFS = ModuleID.TARIFFS.value
    LOCATIONS = ModuleID.LOCATIONS.value

    @property
    def module(self) -> ModuleID:
        """The module that the stream's objects belong to: statuses are those of the EVSEs of Locations."""
        return ModuleID.LOCATIONS if self is Stream.STATUSES else ModuleID(self.value)

    @classmethod
    def of(cls, module: ModuleID | str) -> "tuple[Stream, ...]":
        """The streams that a change of the module may be in."""
        return tuple(stream for stream in cls if stream.module == module)
