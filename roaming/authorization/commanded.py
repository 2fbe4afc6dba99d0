"""What an eMSP has just commanded for a Token is its authorization: it is not asked again.

Not at all for the Tokens of apps, which only their eMSP uses; not within 15 minutes for an RFID card, at the place of
the command: a driver whose app fails there takes the card (§mod_commands_startsession_object,
§mod_commands_reservenow_object).
"""

from datetime import timedelta

from django.utils import timezone

from ocpi.ids import PartyId
from ocpi.ports import Command, Decision
from ocpi.store.documents import Document
from ocpi.store.tokens import token_key
from ocpi.types import codec, validation
from ocpi.v221.commands import CommandResponseType
from ocpi.v221.common import TokenType
from ocpi.v221.tokens import AllowedType, Token
from roaming.authorization.asking import Inquiry, common
from roaming.authorization_models import Authorization
from roaming.command_models import ReceivedCommand

_CARD = timedelta(minutes=15)
_APP = timedelta(days=1)  # a charge point asks within seconds; older commands are not worth the search
_LONGEST_REFERENCE = 36


def by_command(inquiry: Inquiry) -> Decision | None:
    """The decision that an accepted command for this Token at this place has made."""
    since = timezone.now() - (_CARD if inquiry.type == TokenType.RFID else _APP)
    rows = ReceivedCommand.objects.filter(
        received_at__gte=since,
        command__in=(Command.START_SESSION, Command.RESERVE_NOW),
        party=inquiry.cpo,
        response=CommandResponseType.ACCEPTED,
        document__icontains=codec.encode_text(inquiry.uid),
    )
    return next(filter(None, (_decision(inquiry, row) for row in rows.order_by("-pk"))), None)


def _decision(inquiry: Inquiry, row: ReceivedCommand) -> Decision | None:
    """What a command says, unless it is for another Token, of another eMSP, or elsewhere."""
    document = codec.decode(row.document.encode())
    token, emsp = document["token"], PartyId(row.commander)
    if any(violation.fatal for violation in validation.check(token, Token)):
        return None
    of_emsp = PartyId.of(token["country_code"], token["party_id"]) == emsp
    if not of_emsp or token_key(token["uid"], token["type"]) != token_key(inquiry.uid, inquiry.type):
        return None
    place = common(inquiry.place, _place(document)) if inquiry.place else None
    if place is None:
        return None
    reason = f"{emsp} sent {row.command} for it at {row.subject} at {row.received_at:%H:%M:%S} UTC"
    reference = str(document.get("authorization_reference") or "")[:_LONGEST_REFERENCE]
    return Decision(AllowedType.ALLOWED, Authorization.Source.COMMAND, reason, emsp, token, reference, place)


def _place(document: Document) -> Document:
    """Where a command is for; without an EVSE anywhere at its Location."""
    evse_uid = document.get("evse_uid")
    return {"location_id": document["location_id"], "evse_uids": [evse_uid] if evse_uid else []}
