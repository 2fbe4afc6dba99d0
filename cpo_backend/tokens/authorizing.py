"""Whether a token may charge at a charger. Waits for the eMSP where need be: call it outside any transaction."""

from dataclasses import dataclass

from cpo_backend.models import Charger
from cpo_backend.remote import starts
from cpo_backend.tokens import aliases, remembering
from ocpi import ports
from ocpi.ids import PartyId
from ocpi.store.documents import Document
from ocpi.types import codec
from ocpi.v221.cdrs import AuthMethod
from ocpi.v221.common import TokenType
from ocpi.v221.tokens import AllowedType

# How a session that begins with a decision was authorized (§mod_cdrs_authmethod_enum); else it is from the list.
_AUTH_METHOD = {
    "COMMAND": AuthMethod.COMMAND,
    "REAL_TIME": AuthMethod.AUTH_REQUEST,
    "OWN": AuthMethod.AUTH_REQUEST,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """`is_known`: whether anybody knows the token; then `token` is its document. `auth_method` as Sessions have it."""

    allowed: AllowedType
    is_known: bool
    group_id: str | None = None
    token: Document | None = None
    auth_method: str = ""
    reference: str = ""


def decide(charger_id: int, uid: str, type: TokenType = TokenType.RFID) -> Decision:
    """Asks the Authorizer, as the CPO that owns the charger's Location and at that Location.

    A token that a partner has just started with is not asked about; an eMSP that allows it is not asked at the start.
    """
    if commanded := starts.awaited(charger_id, uid):
        return Decision(
            allowed=AllowedType.ALLOWED,
            is_known=True,
            token=codec.decode(commanded.cdr_token.encode()),
            auth_method=str(AuthMethod.COMMAND),
            reference=commanded.authorization_reference,
        )
    uid, type = aliases.resolve(uid, type)
    found = _asked(charger_id, uid, type)
    if found.allowed == AllowedType.ALLOWED and found.auth_method == AuthMethod.AUTH_REQUEST:
        told = {"group_id": found.group_id, "token": found.token, "reference": found.reference}
        remembering.remember(charger_id, uid, type, told)
    else:
        remembering.forget(charger_id, uid, type)
    return found


def decide_start(charger_id: int, uid: str, type: TokenType = TokenType.RFID) -> Decision:
    """The same for a transaction that begins: what was decided a moment ago still holds, for one start."""
    uid, type = aliases.resolve(uid, type)
    if told := remembering.recall(charger_id, uid, type):
        return Decision(AllowedType.ALLOWED, is_known=True, auth_method=str(AuthMethod.AUTH_REQUEST), **told)
    return _asked(charger_id, uid, type)


def _asked(charger_id: int, uid: str, type: TokenType) -> Decision:
    charger = Charger.objects.get(pk=charger_id)
    if not charger.party:
        return Decision(AllowedType.NOT_ALLOWED, is_known=False)
    evses = list(charger.evses.order_by("number").values_list("evse_uid", flat=True))
    place = {"location_id": charger.location_id, "evse_uids": evses}
    found = ports.authorizer().decide(PartyId(charger.party), uid, type, place)
    group = (found.token or {}).get("group_id")
    return Decision(
        allowed=found.allowed,
        is_known=found.token is not None,
        group_id=group if isinstance(group, str) else None,
        token=found.token,
        auth_method=_AUTH_METHOD.get(found.source, AuthMethod.WHITELIST),
        reference=found.reference,
    )
