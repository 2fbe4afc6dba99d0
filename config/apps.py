from django.apps import AppConfig


class NodeConfig(AppConfig):
    name = "config"
    label = "node"
    verbose_name = "Node"
