"""Celery tasks: thin. Each carries ids, re-reads state and calls a function; doing one twice does no harm."""

import contextlib
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from ocpi.store.tokens import tokens
from roaming import agreements, presence, probing
from roaming.auditing import running
from roaming.authorization_models import Authorization
from roaming.commands import delivering, sweeping
from roaming.delivery import alarms, lanes
from roaming.delivery.streams import Stream
from roaming.delivery_models import DeliveryHour
from roaming.disputing import desk as disputes
from roaming.exchanges import pruning
from roaming.lab import running as lab
from roaming.models import Platform
from roaming.pull_models import QuarantinedObject, SyncRun
from roaming.settling import drafting
from roaming.sync import intake, pull
from roaming.sync.cursors import UnderWay


@shared_task
def wake_lanes(module: str | None = None) -> None:
    """Send a worker into every lane that is behind (of one module, when only that changed)."""
    if module is None:
        presence.refresh()
    for platform_id in lanes.wake(Stream.of(module) if module else tuple(Stream)):
        drain_lane.apply_async((platform_id,), expires=60)


@shared_task
def drain_lane(platform_id: int) -> None:
    lanes.drain(platform_id)


@shared_task
def pull_due() -> None:
    """Send a worker to every platform that something is to be pulled from, once its handshake has settled."""
    settled = timezone.now() - lanes.SETTLING
    for platform in Platform.objects.filter(state=Platform.State.CONNECTED, connected_at__lte=settled):
        if pull.due(platform):
            pull_platform.apply_async((platform.pk,), expires=60)


@shared_task
def pull_platform(platform_id: int) -> None:
    """Pull what is due, one module after the other."""
    platform = Platform.objects.filter(pk=platform_id, state=Platform.State.CONNECTED).first()
    while platform and (modules := pull.due(platform)):
        with contextlib.suppress(UnderWay):
            pull.pull(platform, modules[0])


@shared_task
def retry_quarantine() -> None:
    """Judge again what is in quarantine: our rules may have changed since."""
    intake.retry(QuarantinedObject.objects.all())


@shared_task
def probe_due() -> None:
    """Ask platforms that have been quiet, or are OFFLINE, whether they are there."""
    probing.probe_due()


@shared_task
def prune_runs() -> None:
    """Keep a month of pull runs."""
    SyncRun.objects.filter(started_at__lt=timezone.now() - timedelta(days=30)).delete()


@shared_task
def sound_alarms() -> None:
    """Note which platforms are behind, and tell when that begins and ends."""
    alarms.sound()


@shared_task
def prune_delivery_hours() -> None:
    """Keep a month of figures."""
    DeliveryHour.objects.filter(hour__lt=timezone.now() - timedelta(days=30)).delete()


@shared_task
def warn_of_ending_agreements() -> None:
    agreements.warn()


@shared_task
def expire_tokens() -> None:
    """Tell those who go by the whitelist which Tokens of ours have expired."""
    tokens.expire_due(timezone.now())


@shared_task
def prune_authorizations() -> None:
    """Keep a quarter of decisions: long enough for questions about a bill; they say where drivers were."""
    Authorization.objects.filter(decided_at__lt=timezone.now() - timedelta(days=90)).delete()


@shared_task
def sweep_commands() -> None:
    """End commands that have waited long enough, and send workers to platforms that results are due for."""
    for platform_id in sweeping.sweep():
        deliver_results.apply_async((platform_id,), expires=60)


@shared_task
def deliver_results(platform_id: int) -> None:
    delivering.deliver(platform_id)


@shared_task
def prune_commands() -> None:
    sweeping.prune()


@shared_task
def prune_exchanges() -> None:
    pruning.prune()


@shared_task
def draft_settlements() -> None:
    """Draw up the month that is over, for staff to look at and close."""
    drafting.draft_last_month(timezone.now())


@shared_task
def audit_cdrs() -> None:
    """Audit the CDRs that have come in since; the credit CDRs among them resolve disputes."""
    running.run()
    disputes.resolve_credited()


@shared_task
def work_in_lab() -> None:
    """Replay what staff want to know of the tariff lab."""
    lab.work()
