"""What was decided of a token, as a transaction keeps it. Waits for partners: call it outside any transaction."""

from cpo_backend.tokens import authorizing
from cpo_backend.transactions.facts import Permit
from ocpi.store.documents import Document
from ocpi.types import codec
from ocpi.v221.cdrs import CdrToken
from ocpi.v221.common import TokenType
from ocpi.v221.tokens import AllowedType

# Of a transaction that began without a token.
NOBODY = Permit(AllowedType.NOT_ALLOWED)
_OF_TOKEN = CdrToken.__struct_fields__


def ask(charger_id: int, uid: str, type: TokenType = TokenType.RFID) -> Permit:
    """Whether the token may charge at the charger, and whom to bill."""
    decision = authorizing.decide_start(charger_id, uid, type)
    return Permit(
        allowed=decision.allowed,
        cdr_token=codec.encode_text(cdr_token(decision.token)) if decision.token else "",
        auth_method=str(decision.auth_method),
        reference=decision.reference,
        group_id=decision.group_id,
    )


def cdr_token(token: Document) -> Document:
    """What Sessions and CDRs say of a Token (§mod_cdrs_cdr_token_object)."""
    return {name: token[name] for name in _OF_TOKEN if name in token}
