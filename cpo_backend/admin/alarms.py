"""Alarms: what is open, what it was about, since when."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from cpo_backend.models import Alarm
from ocpi.admin.reading import ReadOnlyAdmin, chip


class OpenFilter(admin.SimpleListFilter):
    title = "condition"
    parameter_name = "condition"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "open"), ("over", "over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alarm]) -> QuerySet[Alarm]:
        match self.value():
            case "open":
                return queryset.filter(cleared_at=None)
            case "over":
                return queryset.filter(cleared_at__isnull=False)
        return queryset


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin):
    list_display = ("charger", "kind", "subject", "condition", "text", "count", "raised_at", "last_at")
    list_filter = (OpenFilter, "kind")
    list_select_related = ("charger",)
    search_fields = ("charger__identity", "text")
    ordering = ("-raised_at",)
    actions = ("clear",)

    def has_clear_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("cpo_backend.change_alarm"))

    @admin.display(description="Condition")
    def condition(self, alarm: Alarm) -> SafeString:
        return chip("success", "over") if alarm.cleared_at else chip("danger", "open")

    @admin.action(description="Seen to: clear", permissions=["clear"])
    def clear(self, request: HttpRequest, queryset: QuerySet[Alarm]) -> None:
        """One whose cause lasts is raised again."""
        count = queryset.filter(cleared_at=None).update(cleared_at=timezone.now())
        self.message_user(request, f"{count} cleared.")
