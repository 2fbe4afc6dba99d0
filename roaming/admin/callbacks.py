"""Results of commands that go through the hub: who asked whom, and whether the result has been passed on."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from ocpi.admin.reading import chip
from roaming.admin.commands import result_chip
from roaming.admin.exchanges import WithStory
from roaming.hub_models import Callback


@admin.register(Callback)
class CallbackAdmin(WithStory):
    list_display = ("created_at", "what", "requester_party", "receiver_party", "condition", "outcome", "passed_on_at")
    list_filter = ("requester", "receiver", "result", ("passed_on_at", admin.EmptyFieldListFilter))
    search_fields = ("what", "subject", "requester_party", "receiver_party", "correlation_id", "response_url")
    ordering = ("-id",)
    # Not `uid`: who knows it, and is the receiver, can answer.
    fieldsets = (
        (None, {"fields": (("what", "subject"), "response_url", ("correlation_id", "whole_story"))}),
        ("Parties", {"fields": (("requester", "requester_party"), ("receiver", "receiver_party"))}),
        ("When", {"fields": (("created_at", "expires_at"),)}),
        ("Result", {"fields": (("condition", "outcome"), ("passed_on_at", "results"))}),
    )
    readonly_fields = ("condition", "outcome", "whole_story")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Callback]:
        rows: QuerySet[Callback] = super().get_queryset(request)
        return rows.defer("uid")

    @admin.display(description="Condition")
    def condition(self, row: Callback) -> SafeString:
        if row.results:
            return chip("success", "passed on")
        return chip("info", "awaited") if row.expires_at > timezone.now() else chip("danger", "never came")

    @admin.display(description="Result", ordering="result")
    def outcome(self, row: Callback) -> SafeString | str:
        return result_chip(row.result)
