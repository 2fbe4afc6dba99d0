"""Files of chargers: firmware that staff upload, diagnostics that chargers have sent."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from cpo_backend.files import keeping, links
from cpo_backend.files.links import Mode
from cpo_backend.models import ChargerFile

_HOUR = timedelta(hours=1)


@admin.register(ChargerFile)
class ChargerFileAdmin(ModelAdmin):
    list_display = ("created_at", "kind", "name", "charger", "bytes", "received_at", "note", "created_by")
    list_select_related = ("charger",)
    list_filter = ("kind",)
    search_fields = ("name", "note", "charger__identity")
    ordering = ("-pk",)

    class Media:
        js = ("cpo_backend/upload.js",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("name", "note")
        return (("kind", "name", "charger"), "note", "content", ("bytes", "digest"), ("created_at", "created_by"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = ("kind", "name", "charger", "content", "bytes", "digest", "created_at", "created_by")
        return shown if obj else ()

    def save_model(self, request: HttpRequest, obj: ChargerFile, form: Any, change: bool) -> None:
        if not change:
            obj.created_at, obj.created_by = timezone.now(), request.user.get_username()
        obj.save()

    def response_add(
        self, request: HttpRequest, obj: ChargerFile, post_url_continue: str | None = None
    ) -> HttpResponse:
        """To its page, where its content is uploaded."""
        self.message_user(request, "Now choose the file.")
        return redirect("admin:cpo_backend_chargerfile_change", obj.pk)

    def delete_model(self, request: HttpRequest, obj: ChargerFile) -> None:
        keeping.remove([obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ChargerFile]) -> None:
        keeping.remove(list(queryset))

    @admin.display(description="Size", ordering="size")
    def bytes(self, row: ChargerFile) -> str:
        return filesizeformat(row.size) if row.received_at else ""

    @admin.display(description="Content")
    def content(self, row: ChargerFile) -> SafeString:
        """A link that is good for an hour, to fetch it or to send it."""
        if row.received_at is not None:
            path = links.path(row.pk, Mode.GET, _HOUR, row.name or f"{row.kind}-{row.pk}")
            return format_html('<a class="underline" href="{}">Download</a>', path)
        if row.kind == ChargerFile.Kind.DIAGNOSTICS:
            return format_html("<span>The charger has not sent it.</span>")
        path, url = (make(row.pk, Mode.PUT, _HOUR) for make in (links.path, links.url))
        return format_html('<input type="file" data-upload-url="{}"><p>or: curl -T FILE {}</p>', path, url)
