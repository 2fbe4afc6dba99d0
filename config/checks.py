"""System checks of the node as a whole, with stable ids."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register(deploy=True)
def metrics_token(**_: Any) -> list[CheckMessage]:
    if settings.METRICS_TOKEN:
        return []
    told = "without METRICS_TOKEN everybody who can reach the node may read /metrics, the names of partners included"
    return [Warning(told, id="node.W001")]
