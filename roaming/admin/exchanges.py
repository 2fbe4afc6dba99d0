"""What went over the wire: the page to open when a partner says "you never sent it" or "we did answer"."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Max, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from ocpi.admin.filters import values_of
from ocpi.admin.reading import ReadOnlyAdmin, chip, document, shorten
from ocpi.v221.versions import ModuleID
from roaming.exchange_models import FAILURE, SUCCESS, Exchange
from roaming.exchanges.masking import hidden
from roaming.hub.routing import Kind
from roaming.models import Platform

MOST_COUNTED = 10_000
SEARCHED_BY_URL = 200_000  # of the newest entries: no index helps to find a part of a URL


class WithStory(ReadOnlyAdmin):
    """Rows with a correlation id, and so with requests that belong to them: a read-only field `whole_story`."""

    @admin.display(description="Everything that belongs to it")
    def whole_story(self, row: Any) -> SafeString | str:
        if not row.correlation_id:
            return "-"
        url = f"{reverse('admin:roaming_exchange_changelist')}?{urlencode({'q': row.correlation_id})}"
        return format_html('<a class="text-link" href="{}">the whole story</a>', url)


class BoundedPaginator(Paginator):
    """Counts no further than anybody turns pages."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_COUNTED].count())


class PlatformFilter(admin.SimpleListFilter):
    title = "platform"
    parameter_name = "platform"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Platform.objects.order_by("name").values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Exchange]) -> QuerySet[Exchange]:
        value = self.value() or ""
        return queryset.filter(platform_id=int(value)) if value.isdecimal() else queryset


class HttpStatusFilter(admin.SimpleListFilter):
    title = "HTTP status"
    parameter_name = "http"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(f"{digit}", f"{digit}xx") for digit in range(1, 6)] + [("none", "no answer")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Exchange]) -> QuerySet[Exchange]:
        value = self.value() or ""
        if value == "none":
            return queryset.filter(http_status=None)
        if value.isdecimal():
            return queryset.filter(http_status__gte=int(value) * 100, http_status__lt=int(value) * 100 + 100)
        return queryset


class OutcomeFilter(admin.SimpleListFilter):
    title = "OCPI status"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("ok", "success"), ("failed", "anything else")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Exchange]) -> QuerySet[Exchange]:
        match self.value():
            case "ok":
                return queryset.filter(SUCCESS)
            case "failed":
                return queryset.filter(FAILURE)
        return queryset


@admin.register(Exchange)
class ExchangeAdmin(WithStory):
    list_display = (
        "at",
        "direction",
        "platform_name",
        "parties",
        "module",
        "request_line",
        "outcome",
        "milliseconds",
        "route",
    )
    list_filter = (
        "direction",
        PlatformFilter,
        values_of("module", [*ModuleID, "versions", "callbacks"]),
        HttpStatusFilter,
        OutcomeFilter,
        values_of("route", [kind.name for kind in Kind]),
        "at",
    )
    search_fields = ("correlation_id",)  # makes the admin show its search box
    search_help_text = "Correlation id, request id or party (NL*TNM) in full, or a part of a URL with its slash"
    sortable_by = ("at",)
    ordering = ("-at",)
    paginator: Any = BoundedPaginator
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": (("outcome", "http_status", "status_code"), "error", ("method", "address"))}),
        ("Between", {"fields": (("direction", "platform_name"), ("from_party", "to_party"))}),
        ("Where it belongs", {"fields": (("module", "interface"), ("route", "reason"))}),
        ("When", {"fields": (("at", "milliseconds"),)}),
        ("Found again by", {"fields": (("request_id", "correlation_id", "whole_story"),)}),
        ("Request", {"fields": ("asked",)}),
        ("Answer", {"fields": ("answer",)}),
    )
    readonly_fields = ("outcome", "address", "whole_story", "asked", "answer")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Exchange]:
        """The list needs no bodies."""
        rows: QuerySet[Exchange] = super().get_queryset(request)
        match = request.resolver_match
        is_page = match is not None and "object_id" in match.kwargs
        return rows if is_page else rows.defer("request_body", "response_body")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if "*" in term:
            return queryset.filter(Q(from_party=term.upper()) | Q(to_party=term.upper())), False
        if "/" not in term:
            return queryset.filter(Q(correlation_id=term) | Q(request_id=term)), False
        start, _, last = term.rpartition("/")
        newest = Exchange.objects.aggregate(newest=Max("pk", default=0))["newest"]
        named = Q(url__contains=term) | Q(url__contains=f"{start}/{hidden(last)}")
        return queryset.filter(named, pk__gt=newest - SEARCHED_BY_URL), False

    @admin.display(description="From, to")
    def parties(self, row: Exchange) -> str:
        return f"{row.from_party or '-'} → {row.to_party or '-'}"

    @admin.display(description="Request")
    def request_line(self, row: Exchange) -> str:
        return shorten(f"{row.method} {row.url}", 70)

    @admin.display(description="URL")
    def address(self, row: Exchange) -> SafeString:
        return format_html('<code class="break-all">{}</code>', row.url)

    @admin.display(description="Status")
    def outcome(self, row: Exchange) -> SafeString:
        code = row.status_code
        if code is None:
            return chip("danger", f"HTTP {row.http_status}" if row.http_status else "no answer")
        return chip("success" if 1000 <= code < 2000 else "danger" if code >= 3000 else "warning", str(code))

    @admin.display(description="")
    def asked(self, row: Exchange) -> SafeString | str:
        return _body(row, row.request_body, row.request_size)

    @admin.display(description="")
    def answer(self, row: Exchange) -> SafeString | str:
        return _body(row, row.response_body, row.response_size)


def _body(row: Exchange, text: str, size: int) -> SafeString | str:
    if not size:
        return "no body"
    if not text:
        passed_on = row.direction == Exchange.Direction.OUT and row.route
        return f"{size} bytes, {'passed on as they came: see the whole story' if passed_on else 'not kept'}"
    kept = len(text.encode())
    note = f"The beginning of {size} bytes" if kept < size else f"{size} bytes"
    return format_html("<div>{}</div>{}", note, document(text))
