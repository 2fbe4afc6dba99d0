from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RoamingConfig(AppConfig):
    name = "roaming"
    verbose_name = "Roaming partners"

    def ready(self) -> None:
        from roaming import checks, events  # noqa: F401  (registers system checks and signal receivers)

        post_migrate.connect(_ensure_own_parties, sender=self)


def _ensure_own_parties(**_: Any) -> None:
    from roaming import presence
    from roaming.parties import ensure_own_parties

    ensure_own_parties()
    presence.refresh()
