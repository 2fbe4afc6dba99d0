from django.urls import URLPattern, path

from cpo_backend.ingest.views import EvseStatusView

urlpatterns: list[URLPattern] = [path("evse-status", EvseStatusView.as_view(), name="evse-status")]
