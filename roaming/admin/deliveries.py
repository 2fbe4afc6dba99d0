"""What partners were sent: what each holds of every object, and what it would not take."""

from typing import Any

import tablib
from django.contrib import admin, messages
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from import_export.admin import ExportMixin
from import_export.fields import Field
from import_export.formats import base_formats
from import_export.resources import Resource
from unfold.contrib.import_export.forms import ExportForm

from ocpi.admin.files import MOST_ROWS, CsvFile, XlsxFile
from ocpi.admin.reading import chip, shorten
from roaming.admin import work
from roaming.admin.exchanges import WithStory
from roaming.delivery import desk
from roaming.delivery_models import Delivery, FeedCursor
from roaming.models import Platform


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


class DeliveryResource(Resource):
    """A row for each object and platform, with what went wrong."""

    columns = (
        *("platform", "module", "owner", "object", "request", "error", "attempts"),
        *("behind_since", "failed_at", "retry_at", "given_up_at", "correlation_id"),
    )

    @classmethod
    def get_display_name(cls) -> str:
        return "Deliveries"

    def get_user_visible_fields(self) -> list[Field]:
        return [Field(column_name=name) for name in self.columns]

    def export(self, queryset: QuerySet[Delivery], **kwargs: Any) -> tablib.Dataset:
        dataset = tablib.Dataset(headers=self.columns)
        rows: Any = queryset.order_by("pk").iterator(chunk_size=500)
        for row in rows:
            if len(dataset) == MOST_ROWS:
                raise ValueError(f"There are more than {MOST_ROWS:,} deliveries: filter the list, export it in parts.")
            moments = (row.behind_since, row.failed_at, row.retry_at, row.given_up_at)
            dataset.append(
                (
                    *(row.platform.name, row.module, row.owner or "", row.key or "", row.request, row.error),
                    *(str(row.attempts), *(moment.isoformat() if moment else "" for moment in moments)),
                    row.correlation_id,
                )
            )
        return dataset


@admin.register(Delivery)
class DeliveryAdmin(ExportMixin, WithStory):
    """Filtered by “waits for a person” it is the list of what operators have to do."""

    list_display = (
        "object_key",
        "object_owner",
        "platform",
        "module",
        "outcome",
        "request_line",
        "short_error",
        "attempts",
        "behind_since",
        "retry_at",
        "whole_story",
        "policy",
    )
    list_filter = (OutcomeFilter, "platform", "module")
    list_select_related = ("platform",)
    list_fullwidth = True
    search_fields = ("platform__name", "error", "request", "=object_id", "=correlation_id")
    ordering = (F("failed_at").desc(nulls_last=True), "-pk")
    show_full_result_count = False
    actions = ("resend", "skip")
    resource_classes = (DeliveryResource,)
    export_form_class = ExportForm
    export_formats = (CsvFile, XlsxFile, base_formats.JSON)
    to_encoding = "utf-8-sig"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("platform", "module"),
                    ("object_owner", "object_key"),
                    ("outcome", "policy"),
                    ("acknowledged_at", "version"),
                    "image",
                )
            },
        ),
        (
            "Last failure",
            {
                "fields": (
                    ("behind_since", "failed_at", "attempts"),
                    "request",
                    "error",
                    ("correlation_id", "whole_story"),
                    ("retry_at", "given_up_at"),
                )
            },
        ),
    )
    readonly_fields = ("object_owner", "object_key", "outcome", "policy", "whole_story")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """With the objects, and the streams whose policy they follow."""
        cursors = FeedCursor.objects.filter(platform=OuterRef("platform"), stream=OuterRef("module"))
        rows: QuerySet[Delivery] = desk.with_subjects(super().get_queryset(request))
        return rows.annotate(cursor_id=Subquery(cursors.values("pk"))).defer("platform__outbound_token")

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))

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
    def object_key(self, delivery: Any) -> str:
        return delivery.key or _gone(delivery)

    @admin.display(description="Owner")
    def object_owner(self, delivery: Any) -> str:
        return delivery.owner or "-"

    @admin.display(description="Outcome")
    def outcome(self, delivery: Delivery) -> SafeString:
        return outcome_chip(delivery)

    @admin.display(description="What was sent")
    def request_line(self, delivery: Delivery) -> str:
        return shorten(delivery.request, 70)

    @admin.display(description="Answer")
    def short_error(self, delivery: Delivery) -> str:
        return shorten(delivery.error)

    @admin.display(description="Policy")
    def policy(self, delivery: Any) -> SafeString | str:
        """How often objects of its stream are tried: where staff may change that."""
        if delivery.cursor_id is None:
            return "-"
        url = reverse("admin:roaming_feedcursor_change", args=[delivery.cursor_id])
        return format_html('<a class="text-link" href="{}">edit</a>', url)


def outcome_chip(delivery: Delivery) -> SafeString:
    """What became of the last attempt."""
    if delivery.given_up_at:
        return chip("danger", "waits for a person")
    if delivery.retry_at:
        return chip("warning", "to be tried again")
    return chip("warning", "skipped or on its way") if delivery.attempts else chip("success", "acknowledged")


def object_name(delivery: Any) -> str:
    """Owner and id of the object of a delivery that comes `desk.with_subjects`."""
    return f"{delivery.owner} {delivery.key}" if delivery.key else _gone(delivery)


def _gone(delivery: Delivery) -> str:
    return f"row {delivery.object_id}, which is gone"
