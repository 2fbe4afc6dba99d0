"""What staff do with settlements: a page asks (GET), then it is done (POST); and the files they take away."""

import tempfile
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from ocpi.accounts.months import Month
from ocpi.admin.reading import ReadOnlyAdmin
from ocpi.ids import PartyId
from roaming.disputing import desk as disputes
from roaming.settlement_models import Settlement
from roaming.settling import building, closing, drafting, files
from roaming.settling.choosing import NotOpen

_IN_MEMORY = 4 << 20  # bytes of a file; a larger one goes by the disk

_CLOSE = (
    "Closing is final. The list and all figures stay as they are then; a CDR that comes later, or that is held back "
    "now, falls into the month after this one."
)


class DraftForm(forms.Form):
    month = forms.CharField(max_length=7, widget=UnfoldAdminTextInputWidget(), help_text="YYYY-MM")
    party = forms.CharField(
        required=False, max_length=6, widget=UnfoldAdminTextInputWidget(), help_text="CC*PID; empty: everyone"
    )

    def clean_month(self) -> Month:
        try:
            return Month.parse(self.cleaned_data["month"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean_party(self) -> PartyId | None:
        if not self.cleaned_data["party"]:
            return None
        try:
            return PartyId.parse(self.cleaned_data["party"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class SettlementSteps(ReadOnlyAdmin):
    """What staff do with settlements, and what they take away."""

    actions_list = ("draw_up",)
    actions_detail = ("csv", "xlsx", "jsonl", "again", "close")

    def has_settle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("roaming.change_settlement"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """A closed one is only read."""
        row = self.get_object(request, str(object_id))
        is_draft = row is not None and row.state == Settlement.State.DRAFT
        offered = super().get_actions_detail(request, object_id)
        return [one for one in offered if is_draft or not one.action_name.endswith(("_again", "_close"))]

    @action(description="Draw up a month", icon="calculate", permissions=["settle"], variant=ActionVariant.PRIMARY)
    def draw_up(self, request: HttpRequest) -> HttpResponse:
        last = Month.of(timezone.now(), "UTC").previous
        form = DraftForm(request.POST or None, initial={"month": str(last)})
        if form.is_valid():
            disputes.resolve_credited()
            count = drafting.draft_all(form.cleaned_data["month"], timezone.now(), form.cleaned_data["party"])
            self.message_user(request, f"Settlements of {form.cleaned_data['month']}: {count}.", messages.SUCCESS)
            return redirect("admin:roaming_settlement_changelist")
        text = "Settlements of a month that is not closed are made anew. This may take a minute for a large month."
        back = reverse("admin:roaming_settlement_changelist")
        return self._question(request, "Draw up a month", text, "Draw up", back, form=form)

    @action(description="Draw up again", icon="refresh", permissions=["settle"])
    def again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(row: Settlement) -> str:
            disputes.resolve_credited()
            building.draft(row.cpo, row.emsp, Month.parse(row.month), timezone.now())
            return "Drawn up again."

        text = "The draft is made anew of what we know now: CDRs, disputes and agreements."
        return self._asked(request, object_id, "Draw up again", text, do)

    @action(description="Close the month", icon="lock", permissions=["settle"], variant=ActionVariant.DANGER)
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(row: Settlement) -> str:
            disputes.resolve_credited()
            by = request.user.get_username()
            closed = closing.close(row.cpo, row.emsp, Month.parse(row.month), timezone.now(), by)
            return f"Closed with {closed.cdr_count} CDRs." if closed else "There is nothing to settle any more."

        return self._asked(request, object_id, "Close the month", _CLOSE, do, danger=True)

    @action(description="CSV", icon="csv", permissions=["view"])
    def csv(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._file(request, object_id, "csv")

    @action(description="XLSX", icon="table", permissions=["view"])
    def xlsx(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._file(request, object_id, "xlsx")

    @action(description="JSON lines", icon="data_object", permissions=["view"])
    def jsonl(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._file(request, object_id, "jsonl")

    def _file(self, request: HttpRequest, object_id: str, ending: str) -> HttpResponseBase:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        made = files.FORMATS[ending]
        file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  (the response closes it)
        made.write(row, file)
        file.seek(0)
        return FileResponse(file, as_attachment=True, filename=files.name(row, ending), content_type=made.content_type)

    def _asked(
        self,
        request: HttpRequest,
        object_id: str,
        title: str,
        text: str,
        do: Callable[[Settlement], str],
        *,
        danger: bool = False,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if request.method != "POST":
            back = reverse("admin:roaming_settlement_change", args=[row.pk])
            return self._question(request, f"{title}: {row}", text, title, back, danger=danger)
        try:
            self.message_user(request, do(row), messages.SUCCESS)
        except NotOpen as refusal:
            self.message_user(request, f"Not done: {refusal}.", messages.ERROR)
        if not Settlement.objects.filter(pk=row.pk).exists():
            return redirect("admin:roaming_settlement_changelist")
        return redirect("admin:roaming_settlement_change", row.pk)

    def _question(
        self, request: HttpRequest, title: str, text: str, button: str, back: str, **more: Any
    ) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "text": text}
        return TemplateResponse(request, "ocpi/admin/step.html", {**context, "button": button, "back": back, **more})
