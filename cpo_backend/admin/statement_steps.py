"""What staff do with statements: a page asks (GET), then it is done (POST); and the files they take away."""

import tempfile
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

from cpo_backend.models import OwnerStatement
from cpo_backend.owning import building, closing, drafting, files
from cpo_backend.owning.choosing import NotOpen
from ocpi.accounts.months import Month
from ocpi.accounts.sheets import CONTENT_TYPES
from ocpi.admin.reading import ReadOnlyAdmin

_IN_MEMORY = 4 << 20  # bytes of a file; a larger one goes by the disk
_LIST = "admin:cpo_backend_ownerstatement_changelist"
_PAGE = "admin:cpo_backend_ownerstatement_change"

_CLOSE = (
    "Closing is final. The list and all figures stay as they are then; a CDR that comes later falls into the month "
    "after this one."
)


class MonthForm(forms.Form):
    month = forms.CharField(max_length=7, widget=UnfoldAdminTextInputWidget(), help_text="YYYY-MM")

    def clean_month(self) -> Month:
        try:
            return Month.parse(self.cleaned_data["month"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class StatementSteps(ReadOnlyAdmin):
    """What staff do with statements, and what they take away."""

    actions_list = ("draw_up",)
    actions_detail = ("csv", "xlsx", "jsonl", "page", "again", "close")

    def has_state_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("cpo_backend.change_ownerstatement"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """A closed one is only read."""
        row = self.get_object(request, str(object_id))
        is_draft = row is not None and row.state == OwnerStatement.State.DRAFT
        offered = super().get_actions_detail(request, object_id)
        return [one for one in offered if is_draft or not one.action_name.endswith(("_again", "_close"))]

    @action(description="Draw up a month", icon="calculate", permissions=["state"], variant=ActionVariant.PRIMARY)
    def draw_up(self, request: HttpRequest) -> HttpResponse:
        last = Month.of(timezone.now(), "UTC").previous
        form = MonthForm(request.POST or None, initial={"month": str(last)})
        if form.is_valid():
            count = drafting.draft_all(form.cleaned_data["month"], timezone.now())
            self.message_user(request, f"Statements of {form.cleaned_data['month']}: {count}.", messages.SUCCESS)
            return redirect(_LIST)
        text = "The statements of all owners whose month is not closed are made anew."
        return self._question(request, "Draw up a month", text, "Draw up", reverse(_LIST), form=form)

    @action(description="Draw up again", icon="refresh", permissions=["state"])
    def again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        text = "The draft is made anew of what we know now: CDRs, owners and shares."
        return self._asked(request, object_id, "Draw up again", text)

    @action(description="Close the month", icon="lock", permissions=["state"], variant=ActionVariant.DANGER)
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._asked(request, object_id, "Close the month", _CLOSE, danger=True)

    @action(description="CSV", icon="csv", permissions=["view"])
    def csv(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._file(request, object_id, "csv")

    @action(description="XLSX", icon="table", permissions=["view"])
    def xlsx(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._file(request, object_id, "xlsx")

    @action(description="JSON lines", icon="data_object", permissions=["view"])
    def jsonl(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._file(request, object_id, "jsonl")

    @action(description="Page to print", icon="print", permissions=["view"])
    def page(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._file(request, object_id, "html")

    def _file(self, request: HttpRequest, object_id: str, ending: str) -> HttpResponseBase:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  (the response closes it)
        files.FORMATS[ending](row, file)
        file.seek(0)
        name = files.name(row, ending)
        return FileResponse(file, as_attachment=True, filename=name, content_type=CONTENT_TYPES[ending])

    def _asked(
        self, request: HttpRequest, object_id: str, title: str, text: str, *, danger: bool = False
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        back = reverse(_PAGE, args=[row.pk])
        if request.method != "POST":
            return self._question(request, f"{title}: {row}", text, title, back, danger=danger)
        month, now = Month.parse(row.month), timezone.now()
        try:
            if danger:
                found = closing.close(row.owner, month, now, request.user.get_username())
            else:
                found = building.draft(row.owner, month, now)
        except NotOpen as refusal:
            self.message_user(request, f"Not done: {refusal}.", messages.ERROR)
            return redirect(back)
        told = f"{found.get_state_display().capitalize()} with {found.cdr_count} CDRs." if found else "Nothing is left."
        self.message_user(request, told, messages.SUCCESS)
        return redirect(back if found else _LIST)

    def _question(
        self, request: HttpRequest, title: str, text: str, button: str, back: str, **more: Any
    ) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "text": text}
        return TemplateResponse(request, "ocpi/admin/step.html", {**context, "button": button, "back": back, **more})
