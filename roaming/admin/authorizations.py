"""Who was allowed to charge, who was not, and why: the first place to look when a driver stands at a charge point."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ocpi.admin.filters import values_of
from ocpi.admin.reading import chip, shorten
from ocpi.models import Token
from ocpi.v221.tokens import AllowedType
from roaming.admin.exchanges import WithStory
from roaming.authorization_models import Authorization


@admin.register(Authorization)
class AuthorizationAdmin(WithStory):
    list_display = (
        "decided_at",
        "side",
        "token",
        "cpo",
        "emsp",
        "verdict",
        "source",
        "short_reason",
        "milliseconds",
    )
    list_filter = ("side", values_of("allowed", AllowedType), "source", "decided_at")
    search_fields = ("uid",)  # makes the admin show its search box
    search_help_text = "Token uid, authorization reference or correlation id, in full"
    sortable_by = ("decided_at", "milliseconds")
    ordering = ("-id",)
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": (("verdict", "source"), "reason", ("token", "type"), ("cpo", "emsp"))}),
        ("Where", {"fields": (("location_id", "evse_uids"),)}),
        ("When", {"fields": (("decided_at", "milliseconds"), ("side", "platform"))}),
        ("Found again by", {"fields": (("reference", "correlation_id", "whole_story"),)}),
    )
    readonly_fields = ("verdict", "token", "whole_story")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Authorization]:
        """With the Token, where we hold it."""
        rows: QuerySet[Authorization] = super().get_queryset(request)
        held = Token.objects.filter(owner=OuterRef("emsp"), uid=OuterRef("uid"), type=OuterRef("type"))
        return rows.select_related("platform").annotate(held=Subquery(held.values("pk")[:1]))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By whole values, which there are indexes for: there may be millions of decisions."""
        if not (term := search_term.strip()):
            return queryset, False
        return queryset.filter(Q(uid=term.lower()) | Q(reference=term) | Q(correlation_id=term)), False

    @admin.display(description="Token")
    def token(self, row: Authorization) -> SafeString | str:
        held = getattr(row, "held", None)
        if held is None:
            return row.uid
        url = reverse("admin:ocpi_token_change", args=[held])
        return format_html('<a class="text-link" href="{}">{}</a>', url, row.uid)

    @admin.display(description="Allowed", ordering="allowed")
    def verdict(self, row: Authorization) -> SafeString:
        return chip("success" if row.allowed == AllowedType.ALLOWED else "danger", row.allowed)

    @admin.display(description="Reason")
    def short_reason(self, row: Authorization) -> str:
        return shorten(row.reason)
