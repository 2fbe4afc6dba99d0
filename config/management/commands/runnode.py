"""`runnode`: the embedded node."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, connections

from config import embedded
from roaming.parties import ensure_own_parties


class Command(BaseCommand):
    help = (
        "Run the whole node in one process: OCPI and admin over HTTP, a Celery worker and beat. Applies migrations "
        "first. Needs nothing but Python; uses PostgreSQL and Redis when DATABASE_URL and REDIS_URL say so. SIGTERM "
        "and SIGINT end it after running requests and tasks have finished."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            listener = embedded.listen(options["host"], options["port"])
        except OSError as error:
            raise CommandError(f"cannot listen on {options['host']}:{options['port']}: {error.strerror}") from error
        call_command("migrate", verbosity=0)
        ensure_own_parties()
        connections.close_all()
        embedded.serve(listener, lambda: self._announce(options))

    def _announce(self, options: dict[str, Any]) -> None:
        host = f"[{options['host']}]" if ":" in options["host"] else options["host"]
        broker = "Redis" if settings.REDIS_URL else "in memory"
        self.stderr.write(
            f"OCPI node on http://{host}:{options['port']} (known to partners as {settings.NODE_URL}): "
            f"{settings.NODE_PARTIES}; {connection.vendor}, broker {broker}"
        )
