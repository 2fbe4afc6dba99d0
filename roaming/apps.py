from django.apps import AppConfig


class RoamingConfig(AppConfig):
    name = "roaming"
    verbose_name = "Roaming partners"

    def ready(self) -> None:
        from roaming import checks, events  # noqa: F401  (registers system checks and signal receivers)
