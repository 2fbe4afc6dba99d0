"""A transaction that begins where an EVSE is reserved uses the reservation up, and goes on with its Session."""

from django.db import transaction
from django.db.models import Q

from cpo_backend.models import Reservation
from cpo_backend.remote import sessions
from cpo_backend.reserving import holding
from cpo_backend.transactions.facts import Permit
from ocpi.v221.cdrs import AuthMethod
from ocpi.v221.tokens import AllowedType

State = Reservation.State


@transaction.atomic
def permit(charger_id: int, number: int | None, tag: str, told_id: int | None, by: str) -> Permit | None:
    """The permit that the reserved token has; None when no reservation is used, or by another token.

    `told_id` is what the charger says it is; one that says nothing uses that of the same token at the same place.
    `by` names the transaction: its first message may come again.
    """
    there = Q(told_id=told_id) if told_id is not None else Q(number=number, id_tag__iexact=tag)
    mine = Q(state=State.ACTIVE) | Q(state=State.USED, taken_by=by)
    found = Reservation.objects.select_for_update().filter(there & mine, charger=charger_id).order_by("-pk").first()
    if found is None:
        return None
    if found.state == State.ACTIVE:
        holding.use(found, by)
    if found.id_tag.lower() != tag.lower():
        sessions.withdraw(found.party, found.session_id)  # somebody else of the group pays, in a Session of theirs
        return None
    return Permit(
        allowed=AllowedType.ALLOWED,
        cdr_token=found.cdr_token,
        auth_method=str(AuthMethod.COMMAND),
        reference=found.authorization_reference,
        session_id=found.session_id,
        reserved_since=found.active_since,
    )
