"""Disputes as staff see them: claimed beside computed, the evidence to hand over, and the next step."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextareaWidget

from ocpi.admin.reading import ReadOnlyAdmin, chip, link, shorten, table, when
from ocpi.types import codec
from roaming.dispute_models import Dispute
from roaming.disputing import desk, page
from roaming.disputing.desk import NotDisputable

State = Dispute.State
TONES = {
    State.OPEN: "danger",
    State.SENT: "warning",
    State.ACCEPTED: "info",
    State.REJECTED: "neutral",
    State.WITHDRAWN: "neutral",
    State.RESOLVED: "success",
}
_TEXTS = {
    "sent": (State.SENT, "The CPO has the evidence. The CDR stays held back from settlement."),
    "accepted": (State.ACCEPTED, "The CPO agrees. The CDR stays held back until its credit CDR comes."),
    "rejected": (State.REJECTED, "The CPO does not agree, and we pay: the CDR is settled."),
    "withdrawn": (State.WITHDRAWN, "We do not dispute it any more: the CDR is settled."),
}


def state_chip(dispute: Dispute) -> SafeString:
    return chip(TONES[State(dispute.state)], dispute.get_state_display())


class NoteForm(forms.Form):
    note = forms.CharField(required=False, max_length=2000, widget=UnfoldAdminTextareaWidget, help_text="For ourselves")


class DisputeSteps(ReadOnlyAdmin):
    """The steps of a dispute, each a page that asks (GET) and then notes it (POST)."""

    actions_detail = ("json", "html", "sent", "accepted", "rejected", "withdrawn")

    def has_move_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("roaming.change_dispute"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the steps that can come next."""
        dispute = self.get_object(request, str(object_id))
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        follow = desk.MOVES.get(State(dispute.state), ()) if dispute else ()
        return [
            offered
            for offered in super().get_actions_detail(request, object_id)
            if (name := offered.action_name.removeprefix(prefix)) not in _TEXTS or _TEXTS[name][0] in follow
        ]

    @action(description="Evidence as HTML", icon="print", permissions=["view"])
    def html(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._file(request, object_id, "html")

    @action(description="Evidence as JSON", icon="download", permissions=["view"])
    def json(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._file(request, object_id, "json")

    @action(description="Sent", icon="send", permissions=["move"], variant=ActionVariant.PRIMARY)
    def sent(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._step(request, object_id, "sent")

    @action(description="Accepted", icon="check", permissions=["move"])
    def accepted(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._step(request, object_id, "accepted")

    @action(description="Rejected", icon="close", permissions=["move"])
    def rejected(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._step(request, object_id, "rejected")

    @action(description="Withdraw", icon="undo", permissions=["move"])
    def withdrawn(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._step(request, object_id, "withdrawn")

    def _file(self, request: HttpRequest, object_id: str, ending: str) -> HttpResponse:
        dispute = self.get_object(request, object_id)
        if dispute is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        content = page.html(dispute) if ending == "html" else codec.encode_text(page.document(dispute))
        kind = "text/html; charset=utf-8" if ending == "html" else "application/json"
        name = page.file_name(dispute, ending)
        return HttpResponse(content, kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    def _step(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        state, text = _TEXTS[name]
        dispute = self.get_object(request, object_id)
        if dispute is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        form = NoteForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                desk.move(dispute.pk, state, request.user.get_username(), form.cleaned_data["note"])
            except NotDisputable as refusal:
                self.message_user(request, f"Dispute {dispute.pk}: {refusal}.", messages.ERROR)
            else:
                self.message_user(request, f"Dispute {dispute.pk} is {state.label}.", messages.SUCCESS)
            return redirect("admin:roaming_dispute_change", dispute.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Dispute {dispute.pk}: {state.label}",
            "text": text,
            "form": form,
            "button": state.label.capitalize(),
            "back": f"../../{dispute.pk}/change/",
        }
        return TemplateResponse(request, "ocpi/admin/step.html", context)


@admin.register(Dispute)
class DisputeAdmin(DisputeSteps):
    list_display = ("number", "of", "owner", "condition", "amount", "currency", "because", "opened_at", "opened_by")
    list_filter = ("state", "cdr__owner", "currency")
    list_select_related = ("cdr",)
    search_fields = ("cdr__key", "cdr__owner", "reason")
    ordering = ("-opened_at", "-pk")
    show_full_result_count = False
    fieldsets = (
        (
            None,
            {"fields": (("of", "condition"), ("amount", "currency"), "reason", ("opened_at", "opened_by"), "credited")},
        ),
        ("Claimed and computed", {"fields": ("figures",)}),
        ("Findings", {"fields": ("findings",)}),
        ("How the CDR came", {"fields": ("came",)}),
        ("Steps", {"fields": ("steps",)}),
    )
    readonly_fields = ("of", "condition", "credited", "figures", "findings", "came", "steps")

    @admin.display(description="Dispute", ordering="pk")
    def number(self, dispute: Dispute) -> int:
        return dispute.pk

    @admin.display(description="CDR", ordering="cdr__key")
    def of(self, dispute: Dispute) -> SafeString:
        return link(dispute.cdr, dispute.cdr.key)

    @admin.display(description="CPO", ordering="cdr__owner")
    def owner(self, dispute: Dispute) -> str:
        return dispute.cdr.owner

    @admin.display(description="State", ordering="state")
    def condition(self, dispute: Dispute) -> SafeString:
        return state_chip(dispute)

    @admin.display(description="Reason")
    def because(self, dispute: Dispute) -> str:
        return shorten(dispute.reason)

    @admin.display(description="Credited by")
    def credited(self, dispute: Dispute) -> SafeString | str:
        return link(dispute.credit, dispute.credit.key) if dispute.credit else "-"

    @admin.display(description="")
    def figures(self, dispute: Dispute) -> SafeString:
        rows = [
            (
                chip("warning", row["field"]) if row["differs"] else row["field"],
                *(_shown(row[name]) for name in ("claimed", "computed", "delta", "unit", "cause")),
            )
            for row in _evidence(dispute)["comparison"]
        ]
        return table(("Figure", "Claimed", "Computed", "Claimed too much", "Unit", "Likely cause"), rows)

    @admin.display(description="")
    def findings(self, dispute: Dispute) -> SafeString:
        found = _evidence(dispute)["findings"]
        rows = [(row["code"], row["severity"], row["message"], row["pointer"]) for row in found]
        return table(("Finding", "Severity", "What it means", "Where in the CDR"), rows)

    @admin.display(description="")
    def came(self, dispute: Dispute) -> SafeString:
        cdr = _evidence(dispute)["cdr"]
        told = {**(cdr["exchange"] or {}), "received": cdr["received_at"], "from": cdr["platform"]}
        told |= {"SHA-256": cdr["sha256"], "of the text": cdr["fidelity"]}
        return table(("What", "Value"), [(name.replace("_", " "), value) for name, value in told.items() if value])

    @admin.display(description="")
    def steps(self, dispute: Dispute) -> SafeString:
        rows = [
            (step.get_state_display(), when(step.at), step.by or "-", step.note or "-")
            for step in dispute.steps.order_by("pk")
        ]
        return table(("State", "When", "By", "Note"), rows)


def _evidence(dispute: Dispute) -> dict[str, Any]:
    known = vars(dispute)
    if "decoded" not in known:
        known["decoded"] = codec.decode(dispute.evidence.encode())
    found: dict[str, Any] = known["decoded"]
    return found


def _shown(value: Any) -> str:
    return "-" if value is None else str(value)
