"""The tariff lab: staff ask what a draft would change, and read the answer here."""

from typing import Any

import msgspec
from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from ocpi.admin.charts import bars
from ocpi.admin.reading import chip, document, table
from ocpi.models import Cdr, ObjectCount, Tariff
from ocpi.pricing.describing import describe
from ocpi.pricing.faults import BadInput
from ocpi.types import codec
from roaming import tasks
from roaming.lab import drafts
from roaming.lab_models import LabRun

_TALLY = ("cdrs", "before", "after", "change", "more", "less", "same")
_HEADINGS = ("CDRs", "Before", "After", "Change", "Pay more", "Pay less", "Pay the same")


class LabForm(forms.ModelForm):
    owner = forms.ChoiceField(label="Party", widget=UnfoldAdminSelectWidget, help_text="The CPO of the CDRs")

    class Meta:
        model = LabRun
        fields = ("owner", "month", "replacing", "draft")
        widgets = {
            "month": UnfoldAdminTextInputWidget,
            "replacing": UnfoldAdminTextInputWidget,
            "draft": UnfoldAdminTextareaWidget(attrs={"rows": 20, "class": "font-mono"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "owner" not in self.fields:
            return
        owners = ObjectCount.objects.filter(module=Cdr.module.value, count__gt=0).order_by("owner")
        self.fields["owner"].choices = [  # type: ignore[attr-defined]
            (owner, f"{owner} ({count:,} CDRs)") for owner, count in owners.values_list("owner", "count")
        ]

    def clean_month(self) -> str:
        return self._checked("month", drafts.month_of)

    def clean_draft(self) -> str:
        return self._checked("draft", lambda text: drafts.read(codec.decode(text.encode())))

    def _checked(self, name: str, read: Any) -> str:
        found: str = self.cleaned_data[name]
        try:
            read(found)
        except codec.MalformedJson as error:
            raise forms.ValidationError(f"This is not JSON: {error}") from None
        except BadInput as fault:
            raise forms.ValidationError(f"{fault.pointer} {fault.message}".strip()) from None
        return found


@admin.register(LabRun)
class LabRunAdmin(ModelAdmin):
    form = LabForm
    list_display = ("__str__", "replacing", "state", "change", "created_at", "created_by")
    list_filter = ("owner",)
    ordering = ("-pk",)
    readonly_fields = (
        "state", "created_at", "created_by", "finished_at", "totals", "sizes", "by_hour", "by_partner", "most",
        "unpriced", "findings", "sentences", "pretty",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": (("owner", "month", "replacing"), "state", ("created_at", "created_by", "finished_at"))}),
        ("What changes", {"fields": ("totals", "sizes")}),
        ("By hour of the day", {"fields": ("by_hour",)}),
        ("By partner", {"fields": ("by_partner",)}),
        ("Where it changes most", {"fields": ("most",)}),
        ("CDRs that the draft cannot price", {"fields": ("unpriced",)}),
        ("The draft", {"fields": ("sentences", "findings", "pretty")}),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An answer does not change; ask again."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: LabRun | None = None) -> Any:
        if obj is not None:
            return self.fieldsets
        about = "The draft is priced against CDRs and goes nowhere. Amounts are without VAT."
        return ((None, {"fields": (("owner", "month"), "replacing", "draft"), "description": about}),)

    def get_readonly_fields(self, request: HttpRequest, obj: LabRun | None = None) -> Any:
        return self.readonly_fields if obj is not None else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """From the page of a Tariff, that Tariff is the draft to begin with."""
        initial = super().get_changeform_initial_data(request)
        found = Tariff.objects.filter(pk=request.GET["tariff"]).first() if "tariff" in request.GET else None
        if found is None or not request.user.has_perm("ocpi.view_tariff"):
            return initial  # type: ignore[no-any-return]
        id = codec.decode(found.document.encode())["id"]
        text = msgspec.json.format(found.document, indent=2)
        return {**initial, "owner": found.owner, "replacing": id, "draft": text}

    def save_model(self, request: HttpRequest, obj: LabRun, form: Any, change: bool) -> None:
        obj.created_by = request.user.get_username()
        super().save_model(request, obj, form, change)
        transaction.on_commit(lambda: tasks.work_in_lab.delay() and None, robust=True)

    # --- what is shown ---

    @admin.display(description="State")
    def state(self, run: LabRun) -> SafeString:
        if run.error:
            return format_html("{} {}", chip("danger", "failed"), run.error)
        if run.finished_at:
            return chip("success", "done")
        return chip("info", f"{run.done:,} of {run.total:,} CDRs" if run.attempts else "waiting")

    @admin.display(description="Change")
    def change(self, run: LabRun) -> str:
        found = _report(run)
        return f"{found['total']['change']:+} {found['currency']}" if found else "-"

    @admin.display(description="")
    def totals(self, run: LabRun) -> SafeString | str:
        found = _report(run)
        if not found:
            return "-"
        estimates = f"{found['estimates']:,} are estimates: periods were cut where prices used to change."
        return format_html("{}<p>{}</p>", _tallies(found, "", [found["total"] | {"": found["currency"]}]), estimates)

    @admin.display(description="")
    def sizes(self, run: LabRun) -> SafeString | str:
        found = _report(run)
        if not found:
            return "-"
        rows = found["distribution"]
        return bars("CDRs by the change of their price", [_size(row) for row in rows], [row["cdrs"] for row in rows])

    @admin.display(description="")
    def by_hour(self, run: LabRun) -> SafeString | str:
        found = _report(run)
        if not found:
            return "-"
        hours = found["hours"]
        name = f"Change in {found['currency']} by hour of the local day"
        chart = bars(name, [f"{row['hour']}:00" for row in hours], [row["change"] for row in hours])
        return format_html("{}{}", chart, _tallies(found, "hour", [row for row in hours if row["cdrs"]]))

    @admin.display(description="")
    def by_partner(self, run: LabRun) -> SafeString | str:
        found = _report(run)
        return _tallies(found, "partner", found["partners"]) if found else "-"

    @admin.display(description="")
    def most(self, run: LabRun) -> SafeString | str:
        found = _report(run)
        if not found:
            return "-"
        rows = [(row["id"], row["before"], row["after"]) for name in ("dearer", "cheaper") for row in found[name]]
        return table(("CDR", "Before", "After"), rows)

    @admin.display(description="")
    def unpriced(self, run: LabRun) -> SafeString | str:
        found = _report(run)
        if not found or not found["unpriceable"]["cdrs"]:
            return "-"
        listed = [(row["id"], row["pointer"], row["message"]) for row in found["unpriceable"]["listed"]]
        return format_html(
            "{}{}",
            table(("Because", "CDRs"), found["unpriceable"]["reasons"].items()),
            table(("CDR", "Where", "Why"), listed),
        )

    @admin.display(description="")
    def findings(self, run: LabRun) -> SafeString | str:
        found = _report(run)
        if not found or not found["findings"]:
            return "-"
        rows = [(row["code"], row["pointer"], row["message"]) for row in found["findings"]]
        return table(("Finding", "Where", "What it means"), rows)

    @admin.display(description="In words")
    def sentences(self, run: LabRun) -> str:
        return " ".join(describe(codec.decode(run.draft.encode())))

    @admin.display(description="")
    def pretty(self, run: LabRun) -> SafeString:
        return document(run.draft)


def _report(run: LabRun) -> dict[str, Any]:
    """The report, decoded once for a row; empty while there is none."""
    known = vars(run)
    if "decoded" not in known:
        known["decoded"] = codec.decode(run.report.encode()) if run.report else {}
    found: dict[str, Any] = known["decoded"]
    return found


def _tallies(report: dict[str, Any], name: str, rows: list[dict[str, Any]]) -> SafeString:
    return table((name.title(), *_HEADINGS), [(row[name], *(row[column] for column in _TALLY)) for row in rows])


def _size(row: dict[str, Any]) -> str:
    if row["change"] == "same":
        return "0"
    sign, last = ("+", ">") if row["change"] == "more" else ("-", "<")
    return f"{sign}{row['up_to']}" if row["up_to"] is not None else f"{last} {sign}{row['above']}"
