"""Reports: staff choose a period, a site, a partner and what the lines are by, and take the answer away."""

import tempfile
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from cpo_backend.models import CdrFigures
from cpo_backend.reporting import adding, files
from cpo_backend.reporting.adding import Report, Row
from cpo_backend.reporting.asking import By, Kind, Question, Unaskable
from ocpi.accounts.sheets import CONTENT_TYPES
from ocpi.admin.charts import bars
from ocpi.admin.reading import ReadOnlyAdmin, table

_IN_MEMORY = 4 << 20  # bytes of a file; a larger one goes by the disk
_MOST_DAYS_DRAWN, _MOST_BARS = 92, 20


class ReportForm(forms.Form):
    kind = forms.ChoiceField(choices=[(one.value, one.value) for one in Kind], widget=UnfoldAdminSelectWidget)
    by = forms.ChoiceField(choices=[(one.value, one.value) for one in By], widget=UnfoldAdminSelectWidget)
    first = forms.DateField(label="From", widget=UnfoldAdminSingleDateWidget)
    last = forms.DateField(label="To", widget=UnfoldAdminSingleDateWidget)
    site = forms.CharField(
        required=False, max_length=43, widget=UnfoldAdminTextInputWidget, help_text="Location id; empty: all"
    )
    partner = forms.CharField(
        required=False, max_length=6, widget=UnfoldAdminTextInputWidget, help_text="CC*PID of the eMSP; empty: all"
    )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                found["question"] = Question.asked(
                    found["first"], found["last"], By(found["by"]), site=found["site"], partner=found["partner"]
                )
            except Unaskable as error:
                raise forms.ValidationError(f"{error}.") from None
        return found


@admin.register(CdrFigures)
class ReportAdmin(ReadOnlyAdmin):
    """The list of figures is a report of them."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        today = timezone.now().date()
        usual = {"kind": "revenue", "by": "site", "first": today.replace(day=1), "last": today}
        form = ReportForm({name: request.GET.get(name, usual.get(name, "")) for name in ReportForm.base_fields})
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Reports", "form": form}
        if form.is_valid():
            found = adding.report(Kind(form.cleaned_data["kind"]), form.cleaned_data["question"], timezone.now())
            if (ending := request.GET.get("format", "")) in files.FORMATS:
                return _file(found, ending)
            context |= _shown(found, request)
        return TemplateResponse(request, "cpo_backend/admin/report.html", context)


def _file(found: Report, ending: str) -> FileResponse:
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  (the response closes it)
    files.FORMATS[ending](found, file)
    file.seek(0)
    name = files.name(found, ending)
    return FileResponse(file, as_attachment=True, filename=name, content_type=CONTENT_TYPES[ending])


def _shown(found: Report, request: HttpRequest) -> dict[str, Any]:
    asked = found.question
    names = [name.replace("_", " ") for name in found.columns]
    lines = [*found.rows, *({**line, found.columns[0]: "sum"} for line in found.sums)]
    links = request.GET.copy()
    downloads = []
    for ending in files.FORMATS:
        links["format"] = ending
        downloads.append((ending, f"?{links.urlencode()}"))
    return {
        "report": found,
        "title": f"{found.kind.capitalize()} by {asked.by}, {asked.first} to {asked.last}",
        "lines": table(names, [[_cell(line[name]) for name in found.columns] for line in lines]),
        "faulty": table(("CDR", "CPO", "Day", "Site", "Why"), [list(line.values()) for line in found.faulty]),
        "downloads": downloads,
        "charts": list(_charts(asked)),
    }


def _charts(asked: Question) -> Iterator[SafeString]:
    """What a period looks like, whatever its lines are by."""
    now = timezone.now()

    def lines(kind: Kind, by: By) -> list[Row]:
        question = Question(asked.first, asked.last, by, asked.owner, asked.site, asked.partner)
        return adding.report(kind, question, now).rows

    span = By.DAY if (asked.last - asked.first).days <= _MOST_DAYS_DRAWN else By.MONTH
    energy = lines(Kind.ENERGY, span)
    yield bars(f"kWh per {span}", [row[span] for row in energy], [row["kwh"] for row in energy])
    hours = adding.by_hour(asked)
    yield bars("Sessions by the hour they began in", [f"{hour}:00" for hour in range(24)], hours)
    used = [row for row in lines(Kind.UTILISATION, By.SITE) if row["occupied_percent"] is not None]
    used = sorted(used, key=lambda row: -row["occupied_percent"])[:_MOST_BARS]
    yield bars("Occupied time by site (%)", [row["site"] for row in used], [row["occupied_percent"] for row in used])
    revenue = lines(Kind.REVENUE, By.PARTNER)
    for currency in sorted({row["currency"] for row in revenue}):
        best = sorted((row for row in revenue if row["currency"] == currency), key=lambda row: -row["excl_vat"])
        best = best[:_MOST_BARS]
        name = f"Revenue excl. VAT by partner ({currency})"
        yield bars(name, [row["partner"] for row in best], [row["excl_vat"] for row in best])


def _cell(value: Any) -> Any:
    return "-" if value is None else value
