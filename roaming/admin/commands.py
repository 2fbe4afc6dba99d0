"""Commands in both directions: what was asked, what was answered, what came of it; and staff may send one."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from ocpi.admin.reading import ReadOnlyAdmin, chip, document, shorten, table, when
from roaming.admin.command_form import CommandForm
from roaming.admin.exchanges import WithStory
from roaming.command_models import (
    ActiveProfile,
    CommandOutcome,
    Outgoing,
    ProfileFollower,
    ReceivedCommand,
    ReturnedResult,
    SentCommand,
)
from roaming.commands import sending
from roaming.sync import wake

State = SentCommand.State
TONES = {
    State.SENDING: "info",
    State.FAILED: "danger",
    State.REFUSED: "warning",
    State.WAITING: "info",
    State.TIMED_OUT: "danger",
}
GOOD = "ACCEPTED"


def result_chip(result: str) -> SafeString | str:
    return chip("success" if result == GOOD else "warning", result) if result else "-"


def delivery_chip(row: Outgoing | None) -> SafeString | str:
    """Whether what a platform is to be told has arrived."""
    if row is None:
        return "-"
    if row.due_at is not None:
        return chip("warning", "to be tried again") if row.error else chip("info", "on its way")
    if row.delivered_at is not None:
        return chip("success", "delivered")
    return chip("danger", "given up") if row.attempts else chip("info", "nothing to tell yet")


def _standing(result: ReturnedResult) -> str:
    standing = "the result" if result.counts else "one too many"
    return f"{standing}, late" if result.late else standing


@admin.register(SentCommand)
class SentCommandAdmin(WithStory):
    list_display = (
        "sent_at",
        "command",
        "party",
        "subject",
        "condition",
        "outcome",
        "late",
        "short_error",
        "ordered_by",
    )
    list_filter = ("command", "state", "response", "result", "late", "platform")
    list_select_related = ("platform",)
    search_fields = (
        "subject",
        "party",
        "commander",
        "document",
        "correlation_id",
        "error",
        "ordered_by",
        "platform__name",
    )
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": (("command", "condition"), ("platform", "party", "commander"), "subject", "error")}),
        ("When", {"fields": (("sent_at", "deadline", "resolved_at"), ("ordered_by", "correlation_id", "whole_story"))}),
        ("Request", {"fields": ("asked",)}),
        ("Response", {"fields": ("answer",)}),
        ("Results", {"fields": (("outcome", "late"), "results")}),
    )
    readonly_fields = ("condition", "asked", "answer", "outcome", "results", "whole_story")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("roaming.add_sentcommand")

    def get_fieldsets(self, request: HttpRequest, obj: SentCommand | None = None) -> Any:
        return CommandForm.FIELDSETS if obj is None else self.fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: SentCommand | None = None) -> Any:
        return () if obj is None else self.readonly_fields

    def get_form(
        self, request: HttpRequest, obj: SentCommand | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is not None:
            return super().get_form(request, obj, change, **kwargs)
        return type("OrderedCommandForm", (CommandForm,), {"ordered_by": request.user.get_username()})

    def save_model(self, request: HttpRequest, obj: SentCommand, form: Any, change: bool) -> None:
        """Sent when the row can be seen by others: the result may come before the answer."""
        obj.save()
        transaction.on_commit(lambda: sending.dispatch(obj))

    @admin.display(description="State", ordering="state")
    def condition(self, row: SentCommand) -> SafeString:
        state = State(row.state)
        return chip(TONES.get(state, "success"), state.label)

    @admin.display(description="Result", ordering="result")
    def outcome(self, row: SentCommand) -> SafeString | str:
        return result_chip(row.result or row.response)

    @admin.display(description="Error")
    def short_error(self, row: SentCommand) -> str:
        return shorten(row.error)

    @admin.display(description="")
    def asked(self, row: SentCommand) -> SafeString:
        return document(row.document)

    @admin.display(description="")
    def answer(self, row: SentCommand) -> SafeString | str:
        return document(row.response_document) if row.response_document else "-"

    @admin.display(description="")
    def results(self, row: SentCommand) -> SafeString:
        found = ReturnedResult.objects.filter(command=row).order_by("pk")
        return table(
            ("Received", "Result", "Counts", "Late", "Document"),
            [
                (
                    when(r.received_at),
                    r.result,
                    "yes" if r.counts else "no",
                    "yes" if r.late else "no",
                    document(r.document),
                )
                for r in found
            ],
        )


@admin.register(ReceivedCommand)
class ReceivedCommandAdmin(WithStory):
    list_display = ("received_at", "command", "commander", "party", "subject", "answered", "outcome", "delivery")
    list_filter = ("command", "response", "result", "platform", "commander")
    list_select_related = ("platform",)
    search_fields = ("subject", "commander", "party", "document", "correlation_id", "response_url", "platform__name")
    ordering = ("-id",)
    actions = ("deliver_again",)
    fieldsets = (
        (None, {"fields": (("command", "subject"), ("platform", "commander", "party"), "response_url")}),
        ("When", {"fields": (("received_at", "deadline", "resolved_at"), ("correlation_id", "whole_story"))}),
        ("Request", {"fields": ("asked",)}),
        ("Answer", {"fields": (("answered", "timeout"), "response_message")}),
        ("Results", {"fields": ("outcomes",)}),
    )
    readonly_fields = ("asked", "answered", "outcome", "outcomes", "whole_story")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReceivedCommand]:
        rows: QuerySet[ReceivedCommand] = super().get_queryset(request)
        return rows.prefetch_related("outcomes")

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("roaming.change_receivedcommand")

    @admin.action(description="Deliver results again", permissions=["manage"])
    def deliver_again(self, request: HttpRequest, queryset: QuerySet[ReceivedCommand]) -> None:
        """Try at once what was not acknowledged, also what was given up."""
        ours = CommandOutcome.objects.filter(command__in=queryset, delivered_at=None)
        platforms = set(ours.values_list("command__platform_id", flat=True))
        told = ours.update(due_at=timezone.now(), attempts=0)
        for platform_id in platforms:
            wake.resolved(platform_id)
        self.message_user(request, f"Results to be delivered: {told}.", messages.SUCCESS if told else messages.WARNING)

    @admin.display(description="Answer", ordering="response")
    def answered(self, row: ReceivedCommand) -> SafeString | str:
        return result_chip(row.response)

    @admin.display(description="Result", ordering="result")
    def outcome(self, row: ReceivedCommand) -> SafeString | str:
        return result_chip(row.result)

    @admin.display(description="Delivery")
    def delivery(self, row: ReceivedCommand) -> SafeString | str:
        return delivery_chip(max(row.outcomes.all(), key=lambda outcome: outcome.rank, default=None))

    @admin.display(description="")
    def asked(self, row: ReceivedCommand) -> SafeString:
        return document(row.document)

    @admin.display(description="")
    def outcomes(self, row: ReceivedCommand) -> SafeString:
        headers = ("Result", "Since", "Delivery", "Attempts", "Next attempt", "Delivered", "Error", "Document")
        return table(
            headers,
            [
                (
                    o.result,
                    when(o.created_at),
                    delivery_chip(o),
                    o.attempts,
                    when(o.due_at),
                    when(o.delivered_at),
                    shorten(o.error),
                    document(o.document),
                )
                for o in CommandOutcome.objects.filter(command=row).order_by("rank")
            ],
        )


@admin.register(ActiveProfile)
class ActiveProfileAdmin(ReadOnlyAdmin):
    list_display = ("session_key", "owner", "platform", "received_at")
    list_filter = ("owner", "platform")
    list_select_related = ("platform",)
    search_fields = ("session_key", "owner", "platform__name")
    ordering = ("-received_at",)
    fieldsets = (
        (None, {"fields": (("session_key", "owner"), ("platform", "received_at"))}),
        ("Document", {"fields": ("pretty",)}),
    )
    readonly_fields = ("pretty",)

    @admin.display(description="")
    def pretty(self, row: ActiveProfile) -> SafeString:
        return document(row.document)


@admin.register(ProfileFollower)
class ProfileFollowerAdmin(ReadOnlyAdmin):
    list_display = ("session_key", "owner", "party", "platform", "delivery", "delivered_at", "short_error")
    list_filter = ("owner", "party", "platform")
    list_select_related = ("platform",)
    search_fields = ("session_key", "owner", "party", "error", "platform__name")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": (("session_key", "owner"), ("party", "platform"), "created_at")}),
        ("Delivery", {"fields": (("delivery", "attempts"), ("due_at", "delivered_at"), "error")}),
        ("Latest profile", {"fields": ("pretty",)}),
    )
    readonly_fields = ("delivery", "pretty")

    @admin.display(description="Delivery")
    def delivery(self, row: ProfileFollower) -> SafeString | str:
        return delivery_chip(row)

    @admin.display(description="Error")
    def short_error(self, row: ProfileFollower) -> str:
        return shorten(row.error)

    @admin.display(description="")
    def pretty(self, row: ProfileFollower) -> SafeString | str:
        return document(row.document) if row.document else "-"
