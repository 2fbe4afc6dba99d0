"""Turns RESERVE_NOW and CANCEL_RESERVATION into CALLs (§mod_commands_reservenow_object).

A reservation asked for again replaces itself under the number that the charger knows. At another charger it is made
anew, and the old one is given back only when the new one stands.
"""

from uuid import uuid4

from django.utils import timezone

from cpo_backend.models import Charger, Reservation
from cpo_backend.ocpp.wire import times as charger_times
from cpo_backend.remote.ordering import group_of, id_token, order, rejected
from cpo_backend.remote.places import Target
from cpo_backend.tokens import aliases
from cpo_backend.transactions import permits
from ocpi.ports import CommandRequest, Verdict
from ocpi.store.documents import Document
from ocpi.types import codec, times

State = Reservation.State
_STANDING = (State.ASKED, State.ACTIVE)


def standing(request: CommandRequest, location_id: str | None = None) -> Reservation | None:
    """The reservation that a command names, while it stands: names are those of the eMSP, ids of whatever case."""
    named = Reservation.objects.filter(
        party=request.party,
        commander=request.commander,
        reservation_id__iexact=request.document["reservation_id"],
        state__in=_STANDING,
        expires_at__gt=timezone.now(),
    )
    if location_id is not None:
        named = named.filter(location_id__iexact=location_id)
    return named.select_related("charger").order_by("state", "-pk").first()


def reserve(command_id: int, request: CommandRequest, target: Target) -> Verdict:
    """ReserveNow."""
    assert request.location is not None
    token, expires_at = request.document["token"], times.parse(request.document["expiry_date"])
    if expires_at <= timezone.now():
        return rejected("the reservation would have ended already")
    before = standing(request, request.location["id"])
    is_v16 = target.charger.version == "1.6"
    row = Reservation.objects.create(
        charger=target.charger,
        number=target.number,
        party=request.party,
        commander=request.commander,
        location_id=request.location["id"],
        reservation_id=request.document["reservation_id"],
        id_tag=aliases.tag(token["uid"], token["type"]) if is_v16 else token["uid"],
        cdr_token=codec.encode_text(permits.cdr_token(token)),
        authorization_reference=request.document.get("authorization_reference") or "",
        session_id=before.session_id if before else uuid4().hex,
        command_id=command_id,
        created_at=before.created_at if before else timezone.now(),
        expires_at=expires_at,
    )
    row.told_id = before.told_id if before and before.charger_id == row.charger_id else row.pk
    row.save(update_fields=["told_id"])
    return order(command_id, request.command, row.charger, "ReserveNow", _payload(row, token), row.pk)


def _payload(row: Reservation, token: Document) -> Document:
    expiry = charger_times.format(row.expires_at)
    if row.charger.version == "1.6":
        told: Document = {"connectorId": row.number, "expiryDate": expiry, "idTag": row.id_tag}
        group = token.get("group_id")
        parent = {"parentIdTag": group} if group and len(group) <= aliases.LONGEST_TAG else {}
        return told | {"reservationId": row.told_id} | parent
    told = {"id": row.told_id, "expiryDateTime": expiry, "idToken": id_token(token), "evseId": row.number}
    return told | group_of(token)


def cancel(command_id: int, request: CommandRequest) -> Verdict:
    """CancelReservation."""
    row = standing(request)
    if row is None:
        return rejected("no such reservation")
    return order(command_id, request.command, row.charger, CANCEL, cancellation(row.told_id), row.pk)


CANCEL = "CancelReservation"


def cancellation(told_id: int) -> Document:
    return {"reservationId": told_id}


def target_of(request: CommandRequest) -> Target | None:
    """Where a reservation is that is asked for again without an EVSE."""
    assert request.location is not None
    row = standing(request, request.location["id"])
    return Target(row.charger, row.number, {}) if row and row.charger.state == Charger.State.ACCEPTED else None
