"""What chargers answer to limits: taken, not taken, or perhaps taken."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from cpo_backend.models import OcppCommand, PowerShare, PowerSite, SentProfile, SessionProfile
from cpo_backend.profiles import composite
from ocpi.types import codec

Status = OcppCommand.Status
_FIRST_RETRY, _LAST_RETRY = timedelta(seconds=5), timedelta(seconds=300)


def answered(command: OcppCommand) -> None:
    """The outcome of a command, if it was about a limit: then the site is shared anew."""
    row = SentProfile.objects.filter(pk=command.pk).first()
    if row is None:
        return
    sites = PowerSite.objects.select_for_update(of=("self",), no_key=True)
    site = sites.filter(shares=row.share_id).first()
    if site is None:
        return  # has just ceased to share
    share = PowerShare.objects.select_related("charger").get(pk=row.share_id)
    if row.transaction_id is None:
        _of_newcomers(share, command, row.watts)
    elif row.transaction_id == share.transaction_id:
        _of_session(share, command, row.watts)
    share.save()
    row.delete()
    site.due_at = timezone.now()
    site.save(update_fields=["due_at"])
    if command.purpose == OcppCommand.Purpose.POWER and row.transaction_id and _is_accepted(command):
        _tell(row.transaction_id)


def _of_newcomers(share: PowerShare, command: OcppCommand, watts: Decimal) -> None:
    if _is_accepted(command):
        share.default_watts, share.default_doubt, share.default_at = watts, Decimal(0), command.sent_at
        share.default_failures, share.default_retry_at = 0, None
        return
    if _is_doubtful(command):
        share.default_doubt = max(share.default_doubt, watts)
    booted_at = share.charger.last_boot_at
    if booted_at and share.default_at and booted_at > share.default_at:
        share.default_watts = None  # what it had accepted before may have been lost with the boot
    if command.status != Status.OFFLINE:
        share.default_retry_at = timezone.now() + _pause(share.default_failures)
        share.default_failures += 1


def _of_session(share: PowerShare, command: OcppCommand, watts: Decimal) -> None:
    if _is_accepted(command):
        share.watts, share.doubt, share.told_at = watts, Decimal(0), command.sent_at
        share.failures, share.retry_at = 0, None
        return
    share.told = ""
    if _is_doubtful(command):
        share.doubt = max(share.doubt, watts)
    if command.status != Status.OFFLINE:
        share.retry_at = timezone.now() + _pause(share.failures)
        share.failures += 1


def _is_accepted(command: OcppCommand) -> bool:
    return _status(command) == "Accepted"


def _is_doubtful(command: OcppCommand) -> bool:
    """Sent, and not clearly refused: it may apply all the same."""
    return command.sent_at is not None and not _status(command)


def _status(command: OcppCommand) -> str:
    """The word of an answer; empty without one."""
    told = codec.decode(command.result.encode()) if command.status == Status.OK and command.result else None
    return str(told.get("status") or "") if isinstance(told, dict) else ""


def _pause(failures: int) -> timedelta:
    """Until the next attempt, the longer the more have failed."""
    return min(_FIRST_RETRY * int(3 ** min(failures, 5)), _LAST_RETRY)


def _tell(transaction_id: int) -> None:
    """What applies has changed: a partner who has set a profile hears of it."""
    profile = SessionProfile.objects.filter(pk=transaction_id, transaction__closed_by="").exclude(applied="")
    if found := profile.select_related("transaction__charger").first():
        composite.ask(found.transaction)
