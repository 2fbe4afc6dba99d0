"""Systems that tell the status of EVSEs, and what they told."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from cpo_backend.ingest import sources
from cpo_backend.models import FedStatus, StatusSource
from ocpi.admin.reading import ReadOnlyAdmin


@admin.register(StatusSource)
class StatusSourceAdmin(ModelAdmin):
    list_display = ("name", "party", "is_enabled", "is_away", "last_seen_at", "grace")
    list_filter = ("is_enabled", "is_away")
    ordering = ("name",)
    actions = ("renew_token",)
    fields = (("name", "party"), ("grace", "is_enabled"), ("last_seen_at", "is_away"))
    readonly_fields = ("last_seen_at", "is_away")

    def save_model(self, request: HttpRequest, obj: StatusSource, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=form.changed_data)
        else:
            self._show(request, obj)

    @admin.action(description="Give a new token", permissions=["change"])
    def renew_token(self, request: HttpRequest, queryset: QuerySet[StatusSource]) -> None:
        for source in queryset:
            self._show(request, source)

    def _show(self, request: HttpRequest, source: StatusSource) -> None:
        token = sources.renew(source)
        self.message_user(request, f"Token of {source}, shown this once: {token}", messages.WARNING)


@admin.register(FedStatus)
class FedStatusAdmin(ReadOnlyAdmin):
    list_display = ("place", "word", "source", "since", "told_at", "is_stale")
    list_select_related = ("source",)
    list_filter = ("source", "is_stale", "word")
    search_fields = ("place",)
    ordering = ("place",)
