"""What became of pulls and deliveries: lists to search, written by the program alone."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from ocpi.admin.reading import ReadOnlyAdmin, chip, defects, document, shorten, violations
from roaming.admin import work
from roaming.models import Lane, QuarantinedObject, RefusedDelivery, SyncRun


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


@admin.register(RefusedDelivery)
class RefusedDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("owner", "key", "platform", "module", "attempts", "short_error", "last_attempt_at")
    list_filter = ("lane__platform", "lane__module", "owner")
    list_select_related = ("lane__platform",)
    search_fields = ("owner", "key", "error", "lane__platform__name")
    ordering = ("-last_attempt_at",)
    fieldsets = (
        (None, {"fields": (("platform", "module"), ("owner", "key"), ("attempts", "last_attempt_at"), "error")}),
    )
    readonly_fields = ("platform", "module")

    @admin.display(description="Platform", ordering="lane__platform__name")
    def platform(self, refusal: RefusedDelivery) -> str:
        return refusal.lane.platform.name

    @admin.display(description="Module")
    def module(self, refusal: RefusedDelivery) -> str:
        return refusal.lane.module

    @admin.display(description="Error")
    def short_error(self, refusal: RefusedDelivery) -> str:
        return shorten(refusal.error)


@admin.register(Lane)
class LaneAdmin(ReadOnlyAdmin):
    list_display = ("platform", "module", "condition", "sent", "last_sent_at", "retry_at", "revision")
    list_filter = ("platform", "module")
    list_select_related = ("platform",)
    search_fields = ("platform__name", "module")
    ordering = ("platform__name", "module")
    actions = ("resume",)
    fieldsets = (
        (None, {"fields": (("platform", "module"), ("sent", "last_sent_at"), ("claimed_until", "retry_at"))}),
        ("Place in the change feed", {"fields": (("xid", "revision"),)}),
    )

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("roaming.change_platform")

    @admin.action(description="Resume now", permissions=["manage"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Lane]) -> None:
        try:
            self.message_user(request, work.resume(queryset), messages.SUCCESS)
        except work.NotStarted as error:
            self.message_user(request, str(error), messages.WARNING)

    @admin.display(description="Condition")
    def condition(self, lane: Lane) -> SafeString:
        return lane_chip(lane)


def lane_chip(lane: Lane) -> SafeString:
    """Whether somebody is in the lane, or waits to try again."""
    now = timezone.now()
    if lane.claimed_until and lane.claimed_until > now:
        return chip("info", "sending")
    if lane.retry_at:
        return chip("danger", "waits to retry") if lane.retry_at > now else chip("warning", "retry due")
    return chip("success", "open")
