"""What partners were sent: how far each has been brought, what it holds of each object, and what it would not take."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from ocpi.admin.reading import ReadOnlyAdmin, chip, shorten
from roaming.admin import work
from roaming.delivery import desk
from roaming.delivery_models import Delivery, FeedCursor
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
    list_display = ("platform", "stream", "condition", "sent", "last_sent_at", "retry_at", "rate")
    list_filter = ("platform", "stream", "is_paused")
    list_select_related = ("platform__lane",)
    search_fields = ("platform__name", "stream")
    ordering = ("platform__name", "stream")
    actions = ("resume",)
    fieldsets = (
        (None, {"fields": (("platform", "stream"), "condition", ("sent", "last_sent_at"), ("retry_at", "slow_downs"))}),
        ("Policy", {"fields": (("is_paused", "rate"), ("ladder", "nights"))}),
        ("Place in the change feed", {"fields": (("xid", "revision"),)}),
    )
    readonly_fields = (
        "platform",
        "stream",
        "condition",
        "sent",
        "last_sent_at",
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


class OutcomeFilter(admin.SimpleListFilter):
    """What became of the last attempt."""

    title, parameter_name = "outcome", "outcome"
    _which = {
        "given_up": ("waits for a person", Q(given_up_at__isnull=False)),
        "retry": ("to be tried again", Q(retry_at__isnull=False)),
        "failed": ("not acknowledged", Q(attempts__gt=0)),
        "held": ("acknowledged", Q(attempts=0)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, text) for name, (text, _) in self._which.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        chosen = self._which.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("subject", "platform", "module", "outcome", "attempts", "short_error", "failed_at", "retry_at")
    list_filter = (OutcomeFilter, "platform", "module")
    list_select_related = ("platform",)
    search_fields = ("platform__name", "error", "=object_id")
    ordering = ("-failed_at", "-pk")
    show_full_result_count = False
    actions = ("resend", "skip")
    fieldsets = (
        (None, {"fields": (("platform", "module"), ("subject", "outcome"), ("acknowledged_at", "version"), "image")}),
        (
            "Last failure",
            {"fields": (("failed_at", "attempts"), "request", "error", "correlation_id", ("retry_at", "given_up_at"))},
        ),
    )
    readonly_fields = ("subject", "outcome")

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("roaming.change_platform"))

    @admin.action(description="Send again now", permissions=["manage"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        platforms = Platform.objects.filter(pk__in=desk.resend(queryset))
        try:
            self.message_user(request, work.resume(platforms), messages.SUCCESS)
        except work.NotStarted as error:
            self.message_user(request, str(error), messages.WARNING)

    @admin.action(description="Skip until it changes", permissions=["manage"])
    def skip(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self.message_user(request, f"Skipped {desk.skip(queryset)} until they change.", messages.SUCCESS)

    @admin.display(description="Object")
    def subject(self, delivery: Delivery) -> str:
        return desk.subject(delivery)

    @admin.display(description="Outcome")
    def outcome(self, delivery: Delivery) -> SafeString:
        return outcome_chip(delivery)

    @admin.display(description="Error")
    def short_error(self, delivery: Delivery) -> str:
        return shorten(delivery.error)


def outcome_chip(delivery: Delivery) -> SafeString:
    """What became of the last attempt."""
    if delivery.given_up_at:
        return chip("danger", "waits for a person")
    if delivery.retry_at:
        return chip("warning", "to be tried again")
    return chip("warning", "skipped or on its way") if delivery.attempts else chip("success", "acknowledged")
