"""Platforms: who is connected, how it goes, and what can be done about it. No token is ever shown here."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Max, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from ocpi.admin.reading import chip, link, shorten, table, when
from roaming import directory, freshness
from roaming.admin import delivered
from roaming.admin.actions import PlatformActions
from roaming.admin.deliveries import object_name, outcome_chip
from roaming.admin.lanes import cursor_chip
from roaming.admin.pulls import run_chip
from roaming.delivery import desk
from roaming.models import Platform
from roaming.pull_models import QuarantinedObject, SyncRun

TONES = {
    Platform.State.PLANNED.value: "info",
    Platform.State.CONNECTED.value: "success",
    Platform.State.SUSPENDED.value: "warning",
}
SHOWN = 4  # parties in the list
LATEST = 10  # rows of a table on the page of a platform
RUN_FIELDS = ("error", "finished_at", "quarantined", "withheld")


def state_chip(platform: Platform) -> SafeString:
    """Its state, or that it cannot be used now although it is connected."""
    if platform.offline_since and platform.state == Platform.State.CONNECTED:
        return chip("danger", "OFFLINE")
    return chip(TONES[platform.state], platform.get_state_display())


@admin.register(Platform)
class PlatformAdmin(PlatformActions):
    list_display = (
        "name",
        "condition",
        "since",
        "seen",
        "held_parties",
        "succeeded",
        "trouble",
        "failing",
        "sent",
        "last_sent_at",
        "latest_pull",
    )
    list_filter = ("state", ("offline_since", admin.EmptyFieldListFilter))
    search_fields = ("name", "versions_url", "parties__party", "parties__name")
    ordering = ("name",)
    list_fullwidth = True
    fieldsets = (
        (
            None,
            {"fields": (("name", "condition"), ("versions_url", "sends_plain_token"), ("created_at", "connected_at"))},
        ),
        (
            "Health",
            {
                "fields": (
                    "lateness",
                    ("breaker", "last_seen_at"),
                    ("last_success_at", "last_error_at"),
                    "last_error",
                    ("failures", "put_aside", "undelivered"),
                )
            },
        ),
        ("Parties", {"fields": ("party_table",), "classes": ("tab",)}),
        ("Endpoints", {"fields": ("endpoint_table",), "classes": ("tab",)}),
        ("Lanes", {"fields": ("lane_table",), "classes": ("tab",)}),
        ("Last hours", {"fields": ("hour_chart",), "classes": ("tab",)}),
        ("Latest pulls", {"fields": ("run_table",), "classes": ("tab",)}),
        ("Freshness", {"fields": ("freshness_table",), "classes": ("tab",)}),
        ("Not delivered", {"fields": ("undelivered_table",), "classes": ("tab",)}),
        ("Tokens it presents", {"fields": ("token_table",), "classes": ("tab",)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Platform | None = None) -> list[str]:
        """All but what staff decide: the name, and how the partner wants our token written."""
        shown = [name for _, options in self.fieldsets for row in options["fields"] for name in _names(row)]
        return [name for name in shown if name not in {"name", "sends_plain_token"}]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # platforms are invited, or connected to

    def has_delete_permission(self, request: HttpRequest, obj: Platform | None = None) -> bool:
        """An invitation nobody has followed can be withdrawn; whoever was connected once stays on record."""
        unused = obj is not None and obj.state == Platform.State.PLANNED and obj.connected_at is None
        return unused and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Platform, form: Any, change: bool) -> None:
        """Only what the form changed: a handshake may be writing the rest of the row."""
        if form.changed_data:
            obj.save(update_fields=form.changed_data)
            directory.changed()

    def delete_model(self, request: HttpRequest, obj: Platform) -> None:
        super().delete_model(request, obj)
        directory.changed()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Platform]:
        latest = SyncRun.objects.filter(platform=OuterRef("pk")).order_by("-pk")
        platforms: QuerySet[Platform] = super().get_queryset(request)
        return (
            platforms.defer("outbound_token")
            .annotate(sent=Sum("feed_cursors__sent"), last_sent_at=Max("feed_cursors__last_sent_at"))
            .annotate(latest_run=Subquery(latest.values(run=JSONObject(**{name: name for name in RUN_FIELDS}))[:1]))
            .prefetch_related("parties")
        )

    # --- columns of the list ---

    @admin.display(description="State", ordering="state")
    def condition(self, platform: Platform) -> SafeString:
        return state_chip(platform)

    @admin.display(description="Since")
    def since(self, platform: Platform) -> str:
        return when(platform.offline_since or platform.connected_at)

    @admin.display(description="Last seen", ordering="last_seen_at")
    def seen(self, platform: Platform) -> str:
        return when(platform.last_seen_at)

    @admin.display(description="Parties")
    def held_parties(self, platform: Platform) -> str:
        held = sorted(str(party) for party in platform.parties.all())
        lines = held[:SHOWN] + ([f"and {len(held) - SHOWN} more"] if len(held) > SHOWN else [])
        return format_html_join("", '<div class="whitespace-nowrap">{}</div>', ((line,) for line in lines)) or "-"

    @admin.display(description="Last success", ordering="last_success_at")
    def succeeded(self, platform: Platform) -> str:
        return when(platform.last_success_at)

    @admin.display(description="Failures", ordering="failures")
    def failing(self, platform: Platform) -> int:
        return platform.failures

    @admin.display(description="Last error", ordering="last_error_at")
    def trouble(self, platform: Platform) -> str:
        return shorten(platform.last_error)

    @admin.display(description="Objects sent", ordering="sent")
    def sent(self, platform: Any) -> int:
        return platform.sent or 0

    @admin.display(description="Last sent", ordering="last_sent_at")
    def last_sent_at(self, platform: Any) -> str:
        return when(platform.last_sent_at)

    @admin.display(description="Latest pull")
    def latest_pull(self, platform: Any) -> str:
        return run_chip(SyncRun(**platform.latest_run)) if platform.latest_run else "-"

    # --- detail ---

    @admin.display(description="Circuit breaker")
    def breaker(self, platform: Platform) -> str:
        if platform.offline_since is None:
            return "closed: the platform is called"
        return f"open since {when(platform.offline_since)}: only probes call it, the next at {when(platform.probe_at)}"

    @admin.display(description="Quarantined objects")
    def put_aside(self, platform: Platform) -> SafeString:
        return _count(QuarantinedObject.objects.filter(platform=platform), f"platform__id__exact={platform.pk}")

    @admin.display(description="Not delivered")
    def undelivered(self, platform: Platform) -> SafeString:
        found = platform.deliveries.filter(attempts__gt=0)
        return _count(found, f"platform__id__exact={platform.pk}&outcome=failed")

    @admin.display(description="")
    def party_table(self, platform: Platform) -> SafeString:
        rows = platform.parties.order_by("party", "role")
        return table(("Party", "Role", "Name"), [(link(row, row.party), row.role, row.name) for row in rows])

    @admin.display(description="")
    def endpoint_table(self, platform: Platform) -> SafeString:
        rows = platform.endpoints.order_by("module", "role")
        return table(("Module", "Interface", "URL"), [(row.module, row.role, row.url) for row in rows])

    @admin.display(description="")
    def lane_table(self, platform: Platform) -> SafeString:
        rows = platform.feed_cursors.select_related("platform__lane")
        return delivered.stream_table(platform, {row.pk: cursor_chip(row) for row in rows})

    @admin.display(description="Delivery")
    def lateness(self, platform: Platform) -> SafeString | str:
        return delivered.lateness(platform)

    @admin.display(description="")
    def hour_chart(self, platform: Platform) -> SafeString | str:
        return delivered.hour_chart(platform)

    @admin.display(description="")
    def run_table(self, platform: Platform) -> SafeString:
        headers = ("Started", "Module", "Outcome", "Created", "Updated", "Unchanged", "Error")
        return table(
            headers,
            [
                (
                    link(run, when(run.started_at)),
                    run.module,
                    run_chip(run),
                    run.created,
                    run.updated,
                    run.unchanged,
                    shorten(run.error),
                )
                for run in platform.runs.order_by("-pk")[:LATEST]
            ],
        )

    @admin.display(description="")
    def freshness_table(self, platform: Platform) -> SafeString:
        """What we hold from it, and when that was last confirmed."""
        return table(
            ("Module", "Objects", "Last received", "Last pulled", "Confirmed"),
            [
                (found.module, found.objects, when(found.received_at), when(found.pulled_at), _age(found.confirmed_at))
                for found in freshness.of([platform])
            ],
        )

    @admin.display(description="")
    def undelivered_table(self, platform: Platform) -> SafeString:
        rows = desk.with_subjects(platform.deliveries.filter(attempts__gt=0)).order_by("-failed_at")[:LATEST]
        headers = ("Module", "Object", "Outcome", "Attempts", "Last attempt", "Error")
        return table(
            headers,
            [
                (r.module, link(r, object_name(r)), outcome_chip(r), r.attempts, when(r.failed_at), shorten(r.error))
                for r in rows
            ],
        )

    @admin.display(description="")
    def token_table(self, platform: Platform) -> SafeString:
        """What is known of a token besides its value, which nobody knows."""
        rows = platform.tokens.order_by("-created_at").values_list("kind", "created_at", "used_at", "expires_at")
        return table(("Kind", "Created", "First used", "Expires"), [(kind, *map(when, times)) for kind, *times in rows])


def _age(moment: datetime | None) -> SafeString:
    """How long ago: under an hour is what pulls keep to, more than a day needs a look."""
    if moment is None:
        return chip("danger", "never")
    age = timezone.now() - moment
    tone = "success" if age < timedelta(hours=1) else "warning" if age < timedelta(days=1) else "danger"
    return chip(tone, f"{timesince(moment)} ago")


def _names(row: str | Iterable[str]) -> Iterable[str]:
    return (row,) if isinstance(row, str) else row


def _count(rows: QuerySet[Any], condition: str) -> SafeString:
    """How many, with a link to their list."""
    url = reverse(f"admin:roaming_{rows.model._meta.model_name}_changelist")
    return format_html('<a class="text-link" href="{}?{}">{}</a>', url, condition, rows.count())
