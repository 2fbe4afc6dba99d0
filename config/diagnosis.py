"""What this node is configured to be, and what is wrong with that: for the operator who cannot see why.

Secrets are never shown, only whether they are set. Faults that keep the node from its work are errors; what will make
trouble, or does so unless it is meant, is a warning.
"""

import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import django
import redis
from django.conf import settings
from django.core import checks
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError

from config.celery import app
from config.health import troubles
from ocpi.types import times
from roaming.lease_models import Lease
from roaming.models import Platform

_SHOWN = (
    "NODE_URL",
    "NODE_PARTIES",
    "NODE_ALLOW_PRIVATE_URLS",
    "NODE_PARTNER_TIMEOUT",
    "NODE_AUTHORIZE_TIMEOUT",
    "NODE_AGREEMENTS_REQUIRED",
    "NODE_AUTHORIZE_UNKNOWN",
    "NODE_TOKEN_GRACE",
    "NODE_PAGE_LIMIT",
    "NODE_MAX_BODY",
    "NODE_THREADS",
    "NODE_IN_FLIGHT",
    "NODE_QUIET",
    "NODE_FRESHNESS",
    "NODE_RATES",
    "NODE_LOG_DAYS",
    "NODE_LOG_BODY",
    "NODE_LOG_MASK",
    "NODE_CHARGERS",
    "ALLOWED_HOSTS",
    "DEBUG",
    "LOG_LEVEL",
    "LOG_FORMAT",
)
_SECRET = ("FIELD_KEYS", "METRICS_TOKEN", "OCPP_COMMISSIONING_KEY")
_NEEDED = {"database", "migrations"}  # without these nothing else can be asked
_WORKER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong, by a stable id; `level` is error or warning."""

    level: str
    id: str
    message: str


def configuration() -> dict[str, Any]:
    """Settings by their names in the environment."""
    database = connection.settings_dict
    host = ":".join(str(database[name]) for name in ("HOST", "PORT") if database[name])
    return {
        "DATABASE_URL": f"{connection.vendor}://{host}/{database['NAME']}",
        "REDIS_URL": _without_password(settings.REDIS_URL) or "unset: broker and bus within the process",
        **{name: getattr(settings, name) for name in _SHOWN},
        "SECRET_KEY": "the laboratory's" if settings.SECRET_KEY == settings.INSECURE_KEY else "set",
        **{name: "set" if getattr(settings, name) else "unset" for name in _SECRET},
        "python": platform.python_version(),
        "django": django.get_version(),
    }


def diagnosis() -> dict[str, Any]:
    """Configuration, faults (errors first), and how it goes with each platform."""
    lacking = troubles()
    is_usable = not _NEEDED & lacking.keys()
    found = [Fault("error", f"node.{name}", f"{name}: {reason}") for name, reason in lacking.items()]
    found += [*_checked(), *(_jobs() if is_usable else ())]
    return {
        "ok": all(fault.level != "error" for fault in found),
        "configuration": configuration(),
        "faults": [asdict(fault) for fault in sorted(found, key=lambda fault: fault.level != "error")],
        "platforms": [_platform(row) for row in Platform.objects.order_by("name")] if is_usable else [],
    }


def _platform(row: Platform) -> dict[str, Any]:
    """How it goes with a platform."""
    return {
        "platform": row.name,
        "state": row.state,
        "last_success_at": times.format(row.last_success_at) if row.last_success_at else None,
        "offline_since": times.format(row.offline_since) if row.offline_since else None,
        "failures": row.failures,
        "last_error": row.last_error,
    }


def _checked() -> Iterator[Fault]:
    """What Django and we check at start and before a deployment."""
    is_laboratory = not settings.NODE_URL.startswith("https://")  # for which Django's advice for https sites is noise
    for message in checks.run_checks(include_deployment_checks=True):
        if not (message.is_silenced() or (is_laboratory and str(message.id).startswith("security."))):
            told = f"{message.msg}{f' {message.hint}' if message.hint else ''}"
            yield Fault("error" if message.level >= checks.ERROR else "warning", message.id or "", told)


def _jobs() -> Iterator[Fault]:
    """Whether anybody does what is due; the node may not be meant to run now, so these are no errors."""
    if not Lease.objects.filter(name="beat", until__gt=timezone.now()).exists():
        told = "no beat is at work: nothing is pulled, probed or cleaned up by itself; start the node, or celery beat"
        yield Fault("warning", "node.beat", told)
    if settings.REDIS_URL and not _answers():
        told = "no Celery worker answers: nothing is delivered or pulled; start celery worker"
        yield Fault("warning", "node.worker", told)


def _answers() -> bool:
    try:
        return bool(app.control.ping(timeout=_WORKER_SECONDS))
    except (OperationalError, redis.RedisError):
        return False


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
