"""`/healthz`: the process answers. `/readyz`: what it depends on answers too, or which part does not and why."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from config import embedded

_REDIS_SECONDS = 2
_migrated = False


def healthz(request: HttpRequest) -> JsonResponse:
    """Always 200: restart the process when this fails."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200, or 503 naming each part that is not ready: send no traffic until it is."""
    reasons = troubles()
    body = {"status": "not ready" if reasons else "ok", "checks": {name: reasons.get(name, "ok") for name in _CHECKS}}
    return JsonResponse(body, status=503 if reasons else 200)


def troubles() -> dict[str, str]:
    """What the node depends on and does not have, with the reason."""
    return {name: reason for name, check in _CHECKS.items() if (reason := check())}


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return f"unreachable: {type(error).__name__}"
    return ""


def _migrations() -> str:
    global _migrated
    if not _migrated:
        try:
            executor = MigrationExecutor(connection)
            pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError as error:
            return f"unknown: {type(error).__name__}"
        if pending:
            return f"{len(pending)} not applied; run manage.py migrate"
        _migrated = True
    return ""


def _broker() -> str:
    if not settings.REDIS_URL:
        return ""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=_REDIS_SECONDS) as client:
            client.ping()
    except redis.RedisError as error:
        return f"unreachable: {type(error).__name__}"
    return ""


_CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "redis": _broker,
    "jobs": embedded.trouble,
}
