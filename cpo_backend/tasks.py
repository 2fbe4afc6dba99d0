"""Celery tasks: thin. Processes that hold chargers do most of this themselves; these are for when there are none."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from cpo_backend.billing import making
from cpo_backend.commanding import concluding
from cpo_backend.files import keeping as files
from cpo_backend.ingest import taking
from cpo_backend.local_lists import sending
from cpo_backend.ocpp import fencing, frame_log
from cpo_backend.operations import progress
from cpo_backend.owning import drafting
from cpo_backend.power import deciding
from cpo_backend.remote import starts
from cpo_backend.reporting import following
from cpo_backend.reserving import holding, unused
from cpo_backend.status import publishing
from cpo_backend.tokens import remembering
from cpo_backend.transactions import keeping, lost

_OVERDUE = timedelta(seconds=5)


@shared_task
def sweep_chargers() -> None:
    """Give up processes that died, end what nobody will end any more, judge EVSEs and share power that are late."""
    fencing.bury()
    concluding.sweep()
    starts.sweep()
    holding.sweep()
    progress.sweep()
    taking.sweep()
    publishing.judge_due(overdue=_OVERDUE)
    deciding.decide_due(overdue=_OVERDUE)


@shared_task
def prune_chargers() -> None:
    """Forget frames, what was asked of chargers long ago, and what of transactions was billed long ago."""
    frame_log.prune()
    concluding.prune()
    remembering.prune()
    starts.prune()
    holding.prune()
    files.prune()
    keeping.prune_samples()
    keeping.prune_messages()


@shared_task
def make_bills() -> None:
    """End transactions whose stop was lost, and make the Sessions and CDRs that are due."""
    lost.sweep()
    while making.make_due():
        pass
    unused.make_due()


@shared_task
def push_local_lists() -> None:
    """Bring the local lists of chargers up to date."""
    sending.push_due()


@shared_task
def follow_cdrs() -> None:
    """Read the figures of our CDRs that have come."""
    following.follow(wait=False)


@shared_task
def draft_owner_statements() -> None:
    """Draw up the month that ended."""
    drafting.draft_last_month(timezone.now())
