"""Transactions and their bills; stops of nobody's; messages that a person should look at."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from cpo_backend.billing import deciding
from cpo_backend.models import Bill, OrphanStop, Transaction, TransactionMessage
from cpo_backend.transactions import accounts, orphans
from ocpi.admin.reading import ReadOnlyAdmin, chip, document, link, table, when
from ocpi.models import Cdr, Session

_TONES = {"running": "info", "held": "warning", "out": "success"}
_RELEASE = "The CDR goes out as it is, although we doubt it. What cannot be billed at all is held again."
_DISCARD = "There will never be a CDR of this transaction, whatever its charger still tells."


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=400, widget=UnfoldAdminTextInputWidget())


class AssignForm(forms.Form):
    transaction_id = forms.IntegerField(
        min_value=1, widget=UnfoldAdminIntegerFieldWidget(), help_text="Of the transaction that this stop ends"
    )


class Asking(ReadOnlyAdmin):
    """A page asks (GET), then it is done (POST)."""

    def ask(self, request: HttpRequest, row: Any, title: str, text: str, form: Any, **more: Any) -> HttpResponse:
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": f"{title}: {row}"}
        shown = {"text": text, "button": title, "back": back, "form": form, **more}
        return TemplateResponse(request, "ocpi/admin/step.html", context | shown)


class BillFilter(admin.SimpleListFilter):
    title = "CDR"
    parameter_name = "bill"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Bill.State.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Transaction]) -> QuerySet[Transaction]:
        return queryset.filter(bill__state=self.value()) if self.value() else queryset


@admin.register(Transaction)
class TransactionAdmin(Asking):
    list_display = ("ocpp_id", "charger", "number", "id_tag", "began", "ended", "energy", "bill_state", "bill_reason")
    list_filter = (BillFilter, "closed_by")
    list_select_related = ("charger", "bill")
    search_fields = ("charger__identity", "told_id", "id_tag", "bill__session_id")
    search_help_text = "Charger, tag, or id of the transaction or its Session"
    ordering = ("-pk",)
    actions_detail = ("release", "discard")
    fieldsets = (
        (None, {"fields": (("ocpp_id", "charger"), ("number", "connector"), ("id_tag", "allowed", "auth_method"))}),
        ("From the charger", {"fields": ("told",)}),
        ("What it comes to", {"fields": ("account",)}),
        ("Session and CDR", {"fields": (("bill_state", "bill_reason"), "bill_decision", ("session", "cdr"))}),
        ("Messages", {"fields": ("kept",)}),
    )
    readonly_fields = (
        "ocpp_id",
        "told",
        "account",
        "bill_state",
        "bill_reason",
        "bill_decision",
        "session",
        "cdr",
        "kept",
    )

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("cpo_backend.change_bill"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what is held is decided on."""
        row = self.get_object(request, str(object_id))
        is_held = row is not None and row.bill.state == Bill.State.HELD
        return super().get_actions_detail(request, object_id) if is_held else []

    # --- shown ------------------------------------------------------------------------------------------------------

    @admin.display(description="Transaction", ordering="pk")
    def ocpp_id(self, row: Transaction) -> str:
        return row.ocpp_id

    @admin.display(description="Began", ordering="start_received_at")
    def began(self, row: Transaction) -> str:
        return when(row.start_told_at or row.start_received_at)

    @admin.display(description="Ended")
    def ended(self, row: Transaction) -> SafeString | str:
        return chip("info", "goes on") if row.is_open else when(row.stop_told_at or row.closed_at)

    @admin.display(description="Wh")
    def energy(self, row: Transaction) -> str:
        return "-" if row.bill.energy is None else f"{row.bill.energy.normalize():f}"

    @admin.display(description="CDR", ordering="bill__state")
    def bill_state(self, row: Transaction) -> SafeString:
        return chip(_TONES.get(row.bill.state, "neutral"), row.bill.get_state_display())

    @admin.display(description="Why")
    def bill_reason(self, row: Transaction) -> str:
        return row.bill.reason or "-"

    @admin.display(description="Decided")
    def bill_decision(self, row: Transaction) -> str:
        return f"{row.bill.decision} ({row.bill.decided_by})" if row.bill.decided_by else "-"

    @admin.display(description="Session")
    def session(self, row: Transaction) -> SafeString | str:
        return self._object(row, Session, row.bill.session_id)

    @admin.display(description="CDR")
    def cdr(self, row: Transaction) -> SafeString | str:
        return self._object(row, Cdr, row.bill.cdr_id)

    def _object(self, row: Transaction, model: Any, id: str) -> SafeString | str:
        found = model.objects.filter(owner=row.charger.party, key=id.lower()).first() if id else None
        return link(found, id) if found else "-"

    @admin.display(description="")
    def told(self, row: Transaction) -> SafeString:
        return table(
            ("", "By its clock", "Received", "Meter (Wh)", "Reason"),
            [
                ("Start", row.start_told or "-", when(row.start_received_at), row.meter_start, "-"),
                ("Stop", row.stop_told or "-", when(row.stop_received_at), row.meter_stop, row.stop_reason or "-"),
                ("Ended by", row.get_closed_by_display(), when(row.closed_at), "", row.closed_why or "-"),
            ],
        )

    @admin.display(description="")
    def account(self, row: Transaction) -> SafeString:
        found = accounts.of(row, timezone.now())
        rows = [("Start", when(found.start)), ("End", when(found.end)), ("Energy", f"{found.energy.wh} Wh")]
        rows += [("By", found.energy.basis), *(("Odd", oddity) for oddity in found.energy.oddities)]
        return table(("", ""), rows)

    @admin.display(description="")
    def kept(self, row: Transaction) -> SafeString:
        rows = row.messages.order_by("pk")[:200]
        return table(
            ("Received", "Action", "Number", "To look at"),
            [(when(one.received_at), str(one), one.seq_no, one.needs_attention or "-") for one in rows],
        )

    # --- done -------------------------------------------------------------------------------------------------------

    @action(description="Let the CDR out", icon="outbox", permissions=["decide"], variant=ActionVariant.PRIMARY)
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, "Let the CDR out", _RELEASE, deciding.release)

    @action(description="Discard", icon="delete", permissions=["decide"], variant=ActionVariant.DANGER)
    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, "Discard", _DISCARD, deciding.discard, danger=True)

    def _decide(
        self, request: HttpRequest, object_id: str, title: str, text: str, do: Any, *, danger: bool = False
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            return self.ask(request, row, title, text, form, danger=danger)
        try:
            do(row.pk, request.user.get_username(), form.cleaned_data["reason"])
        except deciding.Undecidable as refusal:
            self.message_user(request, f"Not done: {refusal}.", messages.ERROR)
        else:
            self.message_user(request, "Done.", messages.SUCCESS)
        return redirect("admin:cpo_backend_transaction_change", row.pk)


@admin.register(OrphanStop)
class OrphanStopAdmin(Asking):
    list_display = ("charger", "told_id", "stop_told", "meter_stop", "id_tag", "reason", "condition", "received_at")
    list_filter = (("settled_at", admin.EmptyFieldListFilter),)
    list_select_related = ("charger",)
    search_fields = ("charger__identity", "told_id", "id_tag")
    ordering = ("-pk",)
    actions = ("dismiss",)
    actions_detail = ("assign",)
    fieldsets = (
        (None, {"fields": (("charger", "told_id"), ("stop_told", "meter_stop"), ("id_tag", "reason"))}),
        ("Settled", {"fields": (("settled_at", "settled_by"), "transaction", "open_ones")}),
        ("Message", {"fields": ("message",)}),
    )
    readonly_fields = ("message", "open_ones")

    def has_settle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("cpo_backend.change_orphanstop"))

    @admin.display(description="Condition")
    def condition(self, row: OrphanStop) -> SafeString:
        if row.settled_at is None:
            return chip("danger", "of nobody's")
        return chip("success", f"of {row.transaction_id}" if row.transaction_id else "dismissed")

    @admin.display(description="")
    def message(self, row: OrphanStop) -> SafeString:
        return document(row.payload)

    @admin.display(description="Without a stop of their own")
    def open_ones(self, row: OrphanStop) -> SafeString:
        """The transactions it may be of."""
        found = Transaction.objects.filter(charger=row.charger_id, told_id=None).exclude(closed_by="charger")
        rows = found.order_by("-pk")[:20]
        return table(
            ("Transaction", "Connector", "Tag", "Began", "Meter (Wh)"),
            [(one.pk, one.number, one.id_tag, one.start_told, one.meter_start) for one in rows],
        )

    @action(description="Assign", icon="link", permissions=["settle"], variant=ActionVariant.PRIMARY)
    def assign(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        form = AssignForm(request.POST or None)
        if not form.is_valid():
            return self.ask(request, row, "Assign", "The transaction ends as this stop says.", form)
        try:
            orphans.assign(row, form.cleaned_data["transaction_id"], request.user.get_username())
        except orphans.Unassignable as refusal:
            self.message_user(request, f"Not done: {refusal}.", messages.ERROR)
        else:
            self.message_user(request, "Assigned.", messages.SUCCESS)
        return redirect("admin:cpo_backend_orphanstop_change", row.pk)

    @admin.action(description="Dismiss: nobody's", permissions=["settle"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[OrphanStop]) -> None:
        done = 0
        for row in queryset.filter(settled_at=None):
            orphans.dismiss(row, request.user.get_username())
            done += 1
        self.message_user(request, f"{done} dismissed.")


@admin.register(TransactionMessage)
class TransactionMessageAdmin(ReadOnlyAdmin):
    list_display = ("received_at", "charger", "action", "kind", "transaction", "needs_attention")
    list_filter = (("needs_attention", admin.EmptyFieldListFilter), "action")
    list_select_related = ("charger", "transaction")
    search_fields = ("charger__identity",)
    ordering = ("-pk",)
    fieldsets = (
        (
            None,
            {"fields": (("charger", "transaction"), ("action", "kind", "seq_no"), "received_at", "needs_attention")},
        ),
        ("Payload", {"fields": ("shown",)}),
    )
    readonly_fields = ("shown",)

    @admin.display(description="")
    def shown(self, row: TransactionMessage) -> SafeString:
        return document(row.payload)
