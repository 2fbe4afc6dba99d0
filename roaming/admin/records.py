"""What became of pulls: lists to search, written by the program alone."""

from django.contrib import admin
from django.utils.safestring import SafeString

from ocpi.admin.reading import ReadOnlyAdmin, chip, defects, document, shorten, violations
from roaming.pull_models import QuarantinedObject, SyncRun


def run_chip(run: SyncRun) -> SafeString:
    """How a pull ended."""
    if run.error:
        return chip("danger", "failed")
    if run.finished_at is None:
        return chip("info", "running")
    if run.quarantined:
        return chip("warning", f"{run.quarantined} quarantined")
    return chip("success", "complete")


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = (
        "started_at",
        "platform",
        "module",
        "outcome",
        "full",
        "created",
        "updated",
        "unchanged",
        "quarantined",
        "short_error",
    )
    list_filter = ("platform", "module", "full", ("error", admin.EmptyFieldListFilter))
    list_select_related = ("platform",)
    search_fields = ("platform__name", "error")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": (("platform", "module"), ("started_at", "finished_at"), ("full", "date_from"), "error")}),
        ("Objects", {"fields": (("created", "updated"), ("unchanged", "quarantined"), "pages")}),
    )

    @admin.display(description="Outcome")
    def outcome(self, run: SyncRun) -> SafeString:
        return run_chip(run)

    @admin.display(description="Error")
    def short_error(self, run: SyncRun) -> str:
        return shorten(run.error)


@admin.register(QuarantinedObject)
class QuarantinedObjectAdmin(ReadOnlyAdmin):
    list_display = ("identity", "platform", "module", "first_defect", "defect_count", "first_seen_at", "last_seen_at")
    list_filter = ("platform", "module")
    list_select_related = ("platform",)
    search_fields = ("identity", "document", "defects")
    ordering = ("-last_seen_at",)
    fieldsets = (
        (None, {"fields": (("platform", "module"), "identity", ("first_seen_at", "last_seen_at"))}),
        ("Defects", {"fields": ("defect_table",)}),
        ("Document", {"fields": ("pretty",)}),
    )
    readonly_fields = ("defect_table", "pretty")

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
