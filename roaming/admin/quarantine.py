"""What partners sent that cannot be used: looked at, judged again, exported, and summed up for the partner."""

from typing import Any

import tablib
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify
from import_export.admin import ExportMixin
from import_export.fields import Field
from import_export.formats import base_formats
from import_export.resources import Resource
from unfold.contrib.import_export.forms import ExportForm
from unfold.decorators import action

from ocpi.admin.files import MOST_ROWS, CsvFile, XlsxFile
from ocpi.admin.reading import ReadOnlyAdmin, chip, defects, document, shorten, table, violations
from ocpi.store.catalogue import STORES
from ocpi.v221.anchors import anchor
from ocpi.v221.versions import ModuleID
from roaming.models import Platform
from roaming.pull_models import QuarantinedObject
from roaming.sync import intake
from roaming.sync.defects import Report, report

COLUMNS = (
    "platform",
    "module",
    "object",
    "pointer",
    "code",
    "message",
    "unusable",
    "anchor",
    "first_seen_at",
    "last_seen_at",
)


class DefectResource(Resource):
    """A row for each defect of each quarantined object."""

    @classmethod
    def get_display_name(cls) -> str:
        return "Defects"

    def get_user_visible_fields(self) -> list[Field]:
        return [Field(column_name=name) for name in COLUMNS]

    def export(self, queryset: QuerySet[QuarantinedObject], **kwargs: Any) -> tablib.Dataset:
        dataset = tablib.Dataset(headers=COLUMNS)
        for kept in queryset.select_related("platform").order_by("pk").iterator(chunk_size=500):
            shape = STORES[ModuleID(kept.module)].shape
            for found in violations(kept.defects):
                if len(dataset) == MOST_ROWS:
                    raise ValueError(f"There are more than {MOST_ROWS:,} defects: filter the list, export it in parts.")
                what = (found.pointer, found.code, found.message, "yes" if found.fatal else "no")
                where = anchor(shape, found.pointer)
                seen = (kept.first_seen_at.isoformat(), kept.last_seen_at.isoformat())
                dataset.append((kept.platform.name, kept.module, kept.identity, *what, where, *seen))
        return dataset


@admin.register(QuarantinedObject)
class QuarantinedObjectAdmin(ExportMixin, ReadOnlyAdmin):
    list_display = ("identity", "platform", "module", "first_defect", "defect_count", "first_seen_at", "last_seen_at")
    list_filter = ("platform", "module")
    list_select_related = ("platform",)
    search_fields = ("identity", "document", "defects")
    ordering = ("-last_seen_at",)
    actions = ("judge_again",)
    actions_list = ("defect_reports",)
    resource_classes = (DefectResource,)
    export_form_class = ExportForm
    export_formats = (CsvFile, XlsxFile, base_formats.JSON)
    to_encoding = "utf-8-sig"
    fieldsets = (
        (None, {"fields": (("platform", "module"), "identity", ("first_seen_at", "last_seen_at"))}),
        ("Defects", {"fields": ("defect_table",)}),
        ("Document", {"fields": ("pretty",)}),
    )
    readonly_fields = ("defect_table", "pretty")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.defect_report)
        return [path("report/<int:platform_id>/", view, name="roaming_defect_report"), *super().get_urls()]

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))

    def has_judge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("roaming.change_platform")

    @admin.action(description="Judge again", permissions=["judge"])
    def judge_again(self, request: HttpRequest, queryset: QuerySet[QuarantinedObject]) -> None:
        done = intake.retry(queryset)
        told = f"{done['stored']} stored, {done['overtaken']} overtaken by newer ones, {done['kept']} still unusable."
        self.message_user(request, told, messages.SUCCESS)

    @action(description="Defect reports", icon="summarize", permissions=["view"])
    def defect_reports(self, request: HttpRequest) -> HttpResponse:
        """Partners to choose from."""
        platforms = Platform.objects.annotate(number=Count("quarantine")).order_by("-number", "name")
        rows = [(_link(platform), platform.number) for platform in platforms.defer("outbound_token")]
        return self._page(request, "Defect reports", table(("Platform", "In quarantine"), rows))

    def defect_report(self, request: HttpRequest, platform_id: int) -> HttpResponse:
        """What is wrong with one partner's objects: as a page, or with `?format=` as Markdown or JSON."""
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        found = report(get_object_or_404(Platform.objects.defer("outbound_token"), pk=platform_id))
        name = f"defects-{slugify(found.platform)}"
        match request.GET.get("format"):
            case "json":
                response: HttpResponse = JsonResponse(found.document())
                response["Content-Disposition"] = f'attachment; filename="{name}.json"'
                return response
            case "md":
                response = HttpResponse(found.markdown(), content_type="text/markdown; charset=utf-8")
                response["Content-Disposition"] = f'attachment; filename="{name}.md"'
                return response
        return self._page(request, f"Defects in the objects of {found.platform}", _findings(found), downloads=True)

    def _page(self, request: HttpRequest, title: str, body: SafeString, **context: Any) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "body": body}
        return TemplateResponse(request, "roaming/admin/defects.html", shared | context)

    @admin.display(description="First defect")
    def first_defect(self, quarantined: QuarantinedObject) -> str:
        found = violations(quarantined.defects)
        return shorten(f"{found[0].pointer}: {found[0].message}") if found else "-"

    @admin.display(description="Defects")
    def defect_count(self, quarantined: QuarantinedObject) -> int:
        return len(violations(quarantined.defects))

    @admin.display(description="")
    def defect_table(self, quarantined: QuarantinedObject) -> SafeString:
        return defects(quarantined.defects)

    @admin.display(description="")
    def pretty(self, quarantined: QuarantinedObject) -> SafeString:
        return document(quarantined.document)


def _link(platform: Platform) -> SafeString:
    url = reverse("admin:roaming_defect_report", args=[platform.pk])
    return format_html('<a class="text-link" href="{}">{}</a>', url, platform.name)


def _findings(found: Report) -> SafeString:
    headers = ("Module", "Where", "What is wrong", "Object usable", "Objects", "For example", "Specification")
    return table(
        headers,
        [
            (
                finding.module,
                format_html("<code>{}</code>", finding.place or "(the document)"),
                f"{finding.code}: {finding.message}",
                chip("danger", "no") if finding.fatal else chip("success", "yes"),
                finding.objects,
                shorten(", ".join(example["object"] for example in finding.examples)),
                f"§{finding.anchor}",
            )
            for finding in found.findings
        ],
    )
