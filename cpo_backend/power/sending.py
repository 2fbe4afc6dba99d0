"""Asks chargers to keep to limits. Whatever is on its way is a row until it is answered."""

from datetime import datetime
from decimal import Decimal

from cpo_backend.commanding import queue
from cpo_backend.models import OcppCommand, PowerSite, SentProfile, Transaction
from cpo_backend.power import seats
from cpo_backend.power.seats import Seat
from cpo_backend.power_models import key
from cpo_backend.profiles import payloads, schedules
from ocpi.store.documents import Document
from ocpi.types import codec

_ACTION = "SetChargingProfile"
_PURPOSE = OcppCommand.Purpose.POWER


def seat_of(transaction: Transaction) -> Seat | None:
    """Where a Session goes on, with the lock of the site; None where nobody shares."""
    place = key(transaction.charger.party, transaction.charger.location_id)
    site = PowerSite.objects.select_for_update(no_key=True).filter(key=place).first()
    found = seats.of(site) if site else []
    return next((seat for seat in found if seat.transaction and seat.transaction.pk == transaction.pk), None)


def within(seat: Seat, profile: Document | None, watts: Decimal) -> Document:
    """A profile at a shared site: never above a share; raises `schedules.Unfit`."""
    assert seat.transaction is not None, "a profile is that of a Session"
    offset = seats.offset(seat.transaction, profile) if profile else 0
    return schedules.capped(profile, watts, seat.per_ampere, seat.unit, offset)


def ceiling(seat: Seat) -> Decimal:
    """What a partner may have a Session draw at once: no more than it was granted, or else certainly has."""
    share = seat.share
    is_lost = seat.has_forgotten or bool(share.doubt)
    if share.told and share.granted is not None and not is_lost:
        return share.granted
    if is_lost:
        return Decimal(0)
    held = (share.default_watts if share.watts is None else share.watts) or Decimal(0)
    return held if share.granted is None else min(held, share.granted)


def grant(seat: Seat, watts: Decimal, now: datetime) -> None:
    """Ask for such a share of who charges here; the caller has seen to it that there is room for it."""
    assert seat.transaction is not None, "a share is that of a Session"
    told = within(seat, seat.profile, watts)
    payload = payloads.of_transaction(seat.transaction, told, seat.per_ampere)
    note(seat, queue.put(seat.charger, _ACTION, payload, purpose=_PURPOSE), told, watts, now)


def note(seat: Seat, command: OcppCommand, told: Document, watts: Decimal, now: datetime) -> None:
    """What has just been put on its way for who charges here, by whomever it is wanted."""
    is_sent = command.status == OcppCommand.Status.QUEUED
    seat.share.granted, seat.share.told_at = watts, now
    seat.share.told = codec.encode_text(told) if is_sent else ""
    seat.share.save()
    if is_sent:
        SentProfile.objects.create(ocpp_command=command, share=seat.share, transaction=seat.transaction, watts=watts)
        seat.sent.append(watts)


def welcome(seat: Seat, watts: Decimal, now: datetime) -> None:
    """Ask for a limit for cars that come."""
    profile = schedules.capped(None, watts, seat.per_ampere, seat.unit)
    payload = payloads.of_newcomer(seat.charger, seat.share.number, profile, seat.per_ampere)
    command = queue.put(seat.charger, _ACTION, payload, purpose=_PURPOSE)
    if command.status == OcppCommand.Status.QUEUED:
        SentProfile.objects.create(ocpp_command=command, share=seat.share, watts=watts)
        seat.defaults_sent.append(watts)
