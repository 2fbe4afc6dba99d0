from django.apps import AppConfig


class NodeConfig(AppConfig):
    name = "config"
    label = "node"
    verbose_name = "Node"

    def ready(self) -> None:
        from config import checks  # noqa: F401  (registers system checks)
