"""Work that staff want done now: the rows are changed, then a worker is woken."""

from typing import Any

from celery.exceptions import CeleryError
from django.db.models import QuerySet
from kombu.exceptions import OperationalError

from roaming import tasks
from roaming.delivery_models import FeedCursor, Lane
from roaming.models import Platform
from roaming.pull_models import PullCursor
from roaming.sync import cursors, pull


class NotStarted(Exception):
    """The work was not begun; the message is for staff."""


def pull_now(platform: Platform, *, full: bool, accept: bool = False) -> str:
    """Pull what changed, or everything; says what was begun. `accept`: what has disappeared is gone."""
    _usable(platform)
    offered = list(pull.offered(platform))
    if not offered:
        raise NotStarted(f"{platform} offers nothing that this node consumes")
    for _, cursor in offered:
        cursors.request(cursor, full=full, accept=accept)
    _wake(tasks.pull_platform, platform.pk)
    modules = ", ".join(module for module, _ in offered)
    return f"{'Full resync' if full else 'Pull'} of {modules} begun; the run shows up below."


def pull_modules(chosen: QuerySet[PullCursor], *, full: bool, accept: bool = False) -> str:
    """The same of chosen modules; says how many."""
    usable = chosen.filter(platform__state=Platform.State.CONNECTED, platform__offline_since=None)
    ready = list(usable.order_by("pk"))
    if not ready:
        raise NotStarted("no connected platform that is not OFFLINE among them")
    for cursor in ready:
        cursors.request(cursor, full=full, accept=accept)
    for platform_id in sorted({cursor.platform_id for cursor in ready}):
        _wake(tasks.pull_platform, platform_id)
    return f"{len(ready)} pull{'s' * (len(ready) > 1)} begun; the runs are among “Pulls”."


def resume(platforms: QuerySet[Platform]) -> str:
    """End the pauses after failures and send a worker into each lane; says how many."""
    usable = platforms.filter(state=Platform.State.CONNECTED, offline_since=None)
    ready = list(usable.values_list("pk", flat=True))
    if not ready:
        raise NotStarted("no lane to a connected platform that is not OFFLINE")
    Lane.objects.filter(pk__in=ready).update(retry_at=None)
    FeedCursor.objects.filter(platform__in=ready).update(retry_at=None)
    for platform_id in ready:
        _wake(tasks.drain_lane, platform_id)
    return f"Resumed {len(ready)} lane{'s' * (len(ready) > 1)}."


def _usable(platform: Platform) -> None:
    if platform.offline_since:
        raise NotStarted(f"{platform} is OFFLINE; probe it first")


def _wake(task: Any, *arguments: Any, **options: Any) -> None:
    try:
        task.apply_async(arguments, options)
    except (CeleryError, OperationalError, OSError) as error:
        raise NotStarted(f"the broker takes no tasks: {type(error).__name__}") from None
