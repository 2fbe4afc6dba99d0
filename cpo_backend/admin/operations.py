"""What staff have chargers do: chosen in the list of chargers or by name, with the outcome of each."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from cpo_backend.models import Charger, ChargerFile, OperationJob, OperationStep
from cpo_backend.operations import ordering, requests
from cpo_backend.operations.requests import Unfit
from ocpi.admin.reading import ReadOnlyAdmin, chip, document, table, when
from ocpi.types import codec

_CHOSEN = "operation_chargers"
_TONES = {"done": "success", "failed": "danger", "running": "info", "asked": "info"}
_PARAMETERS = ("number", "operative", "hard", "name", "value", "message", "file", "location")


def choose(request: HttpRequest, chargers: QuerySet[Charger]) -> HttpResponse:
    """Ask what these chargers shall do."""
    request.session[_CHOSEN] = list(chargers.order_by("identity").values_list("identity", flat=True))
    return redirect("admin:cpo_backend_operationjob_add")


class OperationForm(forms.ModelForm):
    """What is to be done, and by which chargers."""

    chargers = forms.CharField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}), help_text="Identities, a line each")
    number = forms.IntegerField(
        required=False,
        min_value=0,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Availability, message, unlock: connectorId of OCPP 1.6, EVSE id of 2.0.1; empty: the whole charger",
    )
    operative = forms.BooleanField(required=False, widget=UnfoldBooleanWidget(), help_text="Availability: in service")
    hard = forms.BooleanField(required=False, widget=UnfoldBooleanWidget(), help_text="Reset: at once")
    name = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Setting: key of 1.6, Component.Variable of 2.0.1",
    )
    value = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget(), help_text="Setting: its new value")
    message = forms.CharField(
        required=False, widget=UnfoldAdminTextInputWidget(), help_text="Which message, such as StatusNotification"
    )
    file = forms.ModelChoiceField(
        ChargerFile.objects.filter(kind=ChargerFile.Kind.FIRMWARE).exclude(received_at=None),
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="Firmware: one that was uploaded here",
    )
    location = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="URL of firmware that is elsewhere, or where else than here diagnostics go",
    )

    class Meta:
        model = OperationJob
        fields = ("kind",)

    def clean_chargers(self) -> list[Charger]:
        names = {line.strip() for line in self.cleaned_data["chargers"].splitlines() if line.strip()}
        found = list(Charger.objects.filter(identity__in=names).order_by("identity"))
        if unknown := names - {charger.identity for charger in found}:
            raise forms.ValidationError(f"no such charger: {', '.join(sorted(unknown))}")
        return found

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        try:
            requests.check(str(found.get("kind")), self.parameters())
        except Unfit as error:
            raise forms.ValidationError(str(error)) from None
        return found

    def parameters(self) -> dict[str, Any]:
        told = ((name, self.cleaned_data.get(name)) for name in _PARAMETERS)
        found = {name: value for name, value in told if value not in (None, "", False)}
        return {name: value.pk if isinstance(value, ChargerFile) else value for name, value in found.items()}


@admin.register(OperationJob)
class OperationJobAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "created_by", "outcomes")
    list_filter = ("kind",)
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": (("kind", "created_by", "created_at"), "asked")}),
        ("Chargers", {"fields": ("steps",)}),
    )
    readonly_fields = ("asked", "steps")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("cpo_backend.change_charger"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        return super().get_form(request, obj, change, **options) if obj else OperationForm

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("kind", "chargers", *_PARAMETERS)})]
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_readonly_fields(request, obj) if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"chargers": "\n".join(request.session.pop(_CHOSEN, []))}

    def save_model(self, request: HttpRequest, obj: OperationJob, form: Any, change: bool) -> None:
        by = request.user.get_username()
        made = ordering.order(obj.kind, form.parameters(), form.cleaned_data["chargers"], by)
        obj.pk, obj.created_at, obj.created_by = made.pk, made.created_at, made.created_by

    def get_queryset(self, request: HttpRequest) -> QuerySet[OperationJob]:
        rows: QuerySet[OperationJob] = super().get_queryset(request)
        counted = {state: Count("steps", filter=Q(steps__state=state)) for state in OperationStep.State.values}
        return rows.annotate(**counted)

    @admin.display(description="Outcome")
    def outcomes(self, job: Any) -> str:
        counted = [(getattr(job, state), state) for state in OperationStep.State.values]
        return ", ".join(f"{count} {state}" for count, state in counted if count)

    @admin.display(description="Asked")
    def asked(self, job: OperationJob) -> SafeString | str:
        return document(job.parameters) if codec.decode(job.parameters.encode()) else "nothing else"

    @admin.display(description="")
    def steps(self, job: OperationJob) -> SafeString:
        rows = OperationStep.objects.filter(job=job).select_related("charger").order_by("charger__identity")
        return table(
            ("Charger", "Outcome", "What it said last", "When"),
            [
                (row.charger, chip(_TONES[row.state], row.get_state_display()), row.detail, when(row.changed_at))
                for row in rows
            ],
        )
