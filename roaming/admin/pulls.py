"""Pulling from partners: its schedule, which staff decide, and what became of it, which the program alone writes."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from ocpi.admin.reading import ReadOnlyAdmin, chip, shorten
from roaming.admin import work
from roaming.pull_models import DanglingReference, MissingObject, PullCursor, SyncRun
from roaming.sync import schedule

DECIDED = ("enabled", "interval", "nightly_hour", "policy", "grace_days")


def run_chip(run: SyncRun) -> SafeString:
    """How a pull ended."""
    if run.error:
        return chip("danger", "failed")
    if run.finished_at is None:
        return chip("info", "running")
    if run.withheld:
        return chip("warning", f"{run.withheld} not removed")
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
        "disappeared",
        "removed",
        "took",
        "remarks",
    )
    list_filter = ("platform", "module", "full", ("error", admin.EmptyFieldListFilter))
    list_select_related = ("platform",)
    search_fields = ("platform__name", "error", "notes")
    ordering = ("-id",)
    list_fullwidth = True
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("platform", "module"),
                    ("started_at", "finished_at"),
                    ("full", "date_from"),
                    ("resumed", "next_run_at"),
                    "error",
                    "notes",
                )
            },
        ),
        ("Objects", {"fields": (("created", "updated"), ("unchanged", "pages"), ("quarantined", "defects"))}),
        ("Whole list", {"fields": (("disappeared", "removed"), "withheld")}),
        ("Named", {"fields": (("dangling", "fetched"),)}),
    )

    @admin.display(description="Outcome")
    def outcome(self, run: SyncRun) -> SafeString:
        return run_chip(run)

    @admin.display(description="Seconds")
    def took(self, run: SyncRun) -> str:
        return f"{(run.finished_at - run.started_at).total_seconds():.1f}" if run.finished_at else "-"

    @admin.display(description="Error or notes")
    def remarks(self, run: SyncRun) -> str:
        return shorten(run.error or run.notes)


@admin.register(PullCursor)
class PullCursorAdmin(ModelAdmin):
    list_display = (
        "platform",
        "module",
        "condition",
        "interval",
        "nightly_hour",
        "policy",
        "date_from",
        "next_run_at",
        "next_reconcile_at",
    )
    list_display_links = ("platform", "module")
    list_filter = ("platform", "module", "enabled", "policy")
    list_select_related = ("platform",)
    search_fields = ("platform__name", "module")
    ordering = ("platform__name", "module")
    actions = ("run_now", "full_resync", "accept_disappearance")
    fieldsets = (
        (None, {"fields": (("platform", "module"), "enabled", ("interval", "nightly_hour"), ("policy", "grace_days"))}),
        (
            "Where it stands",
            {
                "fields": (
                    ("date_from", "claimed_until"),
                    ("next_run_at", "next_reconcile_at"),
                    ("requested", "accepts_disappearance"),
                    "page_limit",
                )
            },
        ),
        ("Crawl", {"fields": (("began_at", "crawls_from"), ("next_url", "reached_at"))}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: PullCursor | None = None) -> list[str]:
        """All but what staff decide."""
        return [field.name for field in PullCursor._meta.fields if field.name not in DECIDED]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # made with the first pull

    def has_delete_permission(self, request: HttpRequest, obj: PullCursor | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: PullCursor, form: Any, change: bool) -> None:
        """Only what the form changed, for a run may be writing the rest; a new time holds from now on."""
        changed = {name: getattr(obj, name) for name in form.changed_data}
        if "interval" in changed:
            changed["next_run_at"] = None
        if "nightly_hour" in changed:
            changed["next_reconcile_at"] = schedule.next_reconcile(obj, timezone.now())
        if changed:
            PullCursor.objects.filter(pk=obj.pk).update(**changed)

    @admin.display(description="Condition")
    def condition(self, cursor: PullCursor) -> SafeString:
        if cursor.claimed_until and cursor.claimed_until > timezone.now():
            return chip("info", "pulling")
        if cursor.requested:
            return chip("info", "asked for")
        return chip("success", "by schedule") if cursor.enabled else chip("warning", "disabled")

    @admin.action(description="Pull now", permissions=["change"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[PullCursor]) -> None:
        self._begin(request, lambda: work.pull_modules(queryset, full=False))

    @admin.action(description="Full resync", permissions=["change"])
    def full_resync(self, request: HttpRequest, queryset: QuerySet[PullCursor]) -> None:
        self._begin(request, lambda: work.pull_modules(queryset, full=True))

    @admin.action(description="Full resync, accept disappearance", permissions=["change"])
    def accept_disappearance(self, request: HttpRequest, queryset: QuerySet[PullCursor]) -> None:
        self._begin(request, lambda: work.pull_modules(queryset, full=True, accept=True))

    def _begin(self, request: HttpRequest, begin: Callable[[], str]) -> None:
        try:
            self.message_user(request, begin(), messages.SUCCESS)
        except work.NotStarted as error:
            self.message_user(request, str(error), messages.WARNING)


@admin.register(MissingObject)
class MissingObjectAdmin(ReadOnlyAdmin):
    list_display = ("key", "owner", "platform", "module", "since", "removed_at")
    list_filter = ("cursor__platform", "cursor__module", ("removed_at", admin.EmptyFieldListFilter))
    list_select_related = ("cursor__platform",)
    search_fields = ("key", "owner")
    ordering = ("-since", "owner", "key")
    fieldsets = ((None, {"fields": (("platform", "module"), ("owner", "key"), ("since", "removed_at"))}),)
    readonly_fields = ("platform", "module")

    @admin.display(description="Platform", ordering="cursor__platform__name")
    def platform(self, missing: MissingObject) -> str:
        return missing.cursor.platform.name

    @admin.display(description="Module", ordering="cursor__module")
    def module(self, missing: MissingObject) -> str:
        return missing.cursor.module


@admin.register(DanglingReference)
class DanglingReferenceAdmin(ReadOnlyAdmin):
    list_display = ("spelling", "owner", "module", "platform", "named_by", "first_seen_at", "asked_at", "short_answer")
    list_filter = ("platform", "module")
    list_select_related = ("platform",)
    search_fields = ("spelling", "owner", "named_by", "answer")
    ordering = ("-first_seen_at",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("platform", "module"),
                    ("owner", "spelling"),
                    ("named_by", "first_seen_at"),
                    ("asked_at", "answer"),
                )
            },
        ),
    )

    @admin.display(description="Answer")
    def short_answer(self, reference: DanglingReference) -> str:
        return shorten(reference.answer)
