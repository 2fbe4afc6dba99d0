"""How far each platform has been brought in each stream, and how fast it may be: that is for staff to decide."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from ocpi.admin.reading import chip
from roaming.admin import work
from roaming.delivery_models import FeedCursor
from roaming.models import Platform


class CursorForm(ModelForm):
    """What staff decide about a stream: how fast, and how long to try."""

    def clean_ladder(self) -> str:
        minutes = str(self.cleaned_data["ladder"]).split()
        if not all(part.isdecimal() and int(part) for part in minutes):
            raise ValidationError("Minutes between attempts, separated by spaces: 1 5 30 120")
        return " ".join(minutes)


@admin.register(FeedCursor)
class FeedCursorAdmin(ModelAdmin):
    form = CursorForm
    list_display = ("platform", "stream", "condition", "late_since", "sent", "last_sent_at", "retry_at", "rate")
    list_filter = ("platform", "stream", "is_paused", ("late_since", admin.EmptyFieldListFilter))
    list_select_related = ("platform__lane",)
    search_fields = ("platform__name", "stream")
    ordering = ("platform__name", "stream")
    actions = ("resume",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("platform", "stream"),
                    "condition",
                    ("late_since", "behind_since"),
                    ("sent", "last_sent_at"),
                    ("requests", "refused", "failures"),
                    ("retry_at", "slow_downs"),
                )
            },
        ),
        ("Policy", {"fields": (("is_paused", "rate"), ("ladder", "nights"))}),
        ("Place in the change feed", {"fields": (("xid", "revision"),)}),
    )
    readonly_fields = (
        "platform",
        "stream",
        "condition",
        "late_since",
        "behind_since",
        "sent",
        "last_sent_at",
        "requests",
        "refused",
        "failures",
        "retry_at",
        "slow_downs",
        "xid",
        "revision",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: FeedCursor | None = None) -> bool:
        return False

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("roaming.change_platform"))

    def save_model(self, request: HttpRequest, obj: FeedCursor, form: Any, change: bool) -> None:
        """Only what the form changed: a worker may be moving the cursor."""
        if form.changed_data:
            obj.save(update_fields=form.changed_data)

    @admin.action(description="Resume now", permissions=["manage"])
    def resume(self, request: HttpRequest, queryset: QuerySet[FeedCursor]) -> None:
        try:
            platforms = Platform.objects.filter(feed_cursors__in=queryset).distinct()
            self.message_user(request, work.resume(platforms), messages.SUCCESS)
        except work.NotStarted as error:
            self.message_user(request, str(error), messages.WARNING)

    @admin.display(description="Condition")
    def condition(self, cursor: FeedCursor) -> SafeString:
        return cursor_chip(cursor)


def cursor_chip(cursor: FeedCursor) -> SafeString:
    """Whether somebody is in the lane, or waits to try again."""
    now, lane = timezone.now(), getattr(cursor.platform, "lane", None)
    if cursor.is_paused:
        return chip("warning", "paused by staff")
    if lane and lane.claimed_until and lane.claimed_until > now:
        return chip("info", "sending")
    if cursor.retry_at and cursor.retry_at > now:
        return chip("warning", "asked to pause")
    if lane and lane.retry_at:
        return chip("danger", "waits to retry") if lane.retry_at > now else chip("warning", "retry due")
    return chip("success", "open")
