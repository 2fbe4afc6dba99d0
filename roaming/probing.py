"""Still-alive probes: a platform that has been quiet, or is OFFLINE, is asked for its versions.

§mod_hub_client_info_still_alive_check. A round of probes is made side by side by one worker, so platforms that hang
hold up neither each other nor other work.
"""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from ocpi.client.http import OcpiClient
from ocpi.client.messages import PartnerError
from roaming import breaker
from roaming.models import Platform

AT_ONCE = 64
SECONDS = 5.0  # a sign of life need not take longer


def probe_due() -> int:
    """Probe the platforms whose time has come; returns how many."""
    now = timezone.now()
    due = list(_due(now).order_by("probe_at", "pk")[:AT_ONCE])
    mine = [platform for platform in due if _claim(platform, now)]
    if mine:
        with ThreadPoolExecutor(len(mine), thread_name_prefix="probe") as pool:
            found = list(pool.map(_ask, mine))
        for platform, trouble in zip(mine, found, strict=True):
            _record(platform, trouble)
    return len(mine)


def probe(platform: Platform) -> str:
    """Probe a platform now, whenever it was last heard of; returns what is wrong, empty when it is there."""
    trouble = _ask(platform)
    _record(platform, trouble)
    return trouble


def _due(now: datetime) -> QuerySet[Platform]:
    quiet = Q(last_seen_at=None) | Q(last_seen_at__lt=now - timedelta(seconds=settings.NODE_QUIET))
    settled = Q(connected_at__lt=now - timedelta(seconds=settings.NODE_QUIET))
    waited = Q(probe_at=None) | Q(probe_at__lte=now)
    offline = Q(offline_since__isnull=False)
    connected = Platform.objects.filter(state=Platform.State.CONNECTED).exclude(versions_url="")
    return connected.filter(waited, offline | (quiet & settled))


def _claim(platform: Platform, now: datetime) -> bool:
    """Of several workers one probes; the next probe comes a minute later, and not everybody's at once."""
    later = now + breaker.PROBE_INTERVAL * random.uniform(0.9, 1.1)
    return bool(_due(now).filter(pk=platform.pk).update(probe_at=later))


def _ask(platform: Platform) -> str:
    """What is wrong with the platform; empty when somebody answers. Touches no database."""
    try:
        with OcpiClient(platform.presented, seconds=min(SECONDS, settings.NODE_PARTNER_TIMEOUT)) as client:
            client.get(platform.versions_url)
    except PartnerError as error:
        return str(error) if breaker.is_transport_failure(error) else ""
    return ""


def _record(platform: Platform, trouble: str) -> None:
    now = timezone.now()
    row = Platform.objects.filter(pk=platform.pk)
    if trouble:
        row.update(last_error_at=now, last_error=trouble[:2000])
        breaker.trip(platform.pk, trouble)
    else:
        row.update(last_seen_at=now)
        breaker.close(platform.pk)
