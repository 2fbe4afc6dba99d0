"""Identifiers of the protocol that the specification has no type for: a party, our version, module kinds."""

from ocpi.v221.versions import ModuleID


class PartyId(str):
    """A party as `CC*PID` (`NL*TNM`), upper case: country codes and party ids are CiString, so equality ignores case.

    A `str`, so that it is hashable, sortable and stored as it is; documents keep the spelling of their owner.
    """

    __slots__ = ()

    @classmethod
    def of(cls, country_code: str, party_id: str) -> "PartyId":
        """The party of the two separate values that OCPI uses everywhere."""
        return cls(f"{country_code}*{party_id}".upper())

    @classmethod
    def parse(cls, text: str) -> "PartyId":
        """The party written `CC*PID`; raises ValueError when it is not two and three printable ASCII characters."""
        country_code, star, party_id = text.strip().partition("*")
        if not (star and len(country_code) == 2 and len(party_id) == 3 and text.isascii() and text.isprintable()):
            raise ValueError(f"not a party: {text!r}; expected CC*PID, for example NL*TNM")
        return cls.of(country_code, party_id)

    @property
    def country_code(self) -> str:
        return self[:2]

    @property
    def party_id(self) -> str:
        return self[3:]


# Their messages are never routed and carry no routing headers (§transport_and_format_message_routing).
CONFIGURATION_MODULES = frozenset({ModuleID.CREDENTIALS, ModuleID.HUB_CLIENT_INFO})

VERSION = "2.2.1"
