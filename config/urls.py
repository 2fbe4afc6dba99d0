"""The URL contract of the node (DESIGN section 7)."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from config.health import healthz, readyz
from config.metrics import metrics
from ocpi.modules import mount

urlpatterns: list[URLPattern | URLResolver] = [
    path("ocpi/", include(mount.urlpatterns)),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("api/v1/", include("cpo_backend.ingest.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("", RedirectView.as_view(url="/admin/")),
]
