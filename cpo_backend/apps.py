from django.apps import AppConfig


class CpoBackendConfig(AppConfig):
    name = "cpo_backend"
    verbose_name = "Charging sites"

    def ready(self) -> None:
        from cpo_backend import checks  # noqa: F401  (registers system checks)
        from cpo_backend.local_lists import following  # noqa: F401  (listens to changes of Tokens)
