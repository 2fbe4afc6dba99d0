"""`/metrics` for Prometheus: the figures of the node, and of the process that answers."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder

from config.charger_figures import ChargerFigures
from config.figures import Figures

registry = CollectorRegistry()
registry.register(Figures())
registry.register(ChargerFigures())
PlatformCollector(registry=registry)
ProcessCollector(registry=registry)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """In the format that the caller asks for; 401 without METRICS_TOKEN, if that is set."""
    if not _may_read(request.headers.get("Authorization", "")):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


def _may_read(authorization: str) -> bool:
    if not settings.METRICS_TOKEN:
        return True
    scheme, _, token = authorization.partition(" ")
    return scheme.lower() == "bearer" and constant_time_compare(token.strip(), settings.METRICS_TOKEN)
