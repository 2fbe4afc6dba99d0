from django.apps import AppConfig


class CpoBackendConfig(AppConfig):
    name = "cpo_backend"
    verbose_name = "Charging sites"
