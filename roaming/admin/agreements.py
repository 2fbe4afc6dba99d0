"""Agreements: who may exchange what with whom, until when. A change holds in every process within a second."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from ocpi.admin.reading import chip, when
from ocpi.ids import PartyId
from roaming import directory
from roaming.admin.tariff_offers import TariffOffersInline
from roaming.agreement_models import Agreement
from roaming.agreements import MODULES, NOTICE
from roaming.models import Endpoint


class AgreementForm(forms.ModelForm):
    modules = forms.MultipleChoiceField(
        required=False,
        choices=lambda: [(name, name) for name in _modules()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="None chosen: all, also custom modules",
    )

    class Meta:
        model = Agreement
        fields = (
            "party_a",
            "party_b",
            "modules",
            "valid_from",
            "valid_to",
            "cdr_tolerance",
            "cdr_rounding",
            "settle_zone",
            "settle_disputed",
            "fee_per_session",
            "fee_currency",
            "fee_percent",
            "fee_vat",
            "note",
        )

    def clean_settle_zone(self) -> str:
        name: str = self.cleaned_data["settle_zone"]
        if name not in available_timezones():
            raise forms.ValidationError("This is no time zone; expected one such as Europe/Amsterdam, or UTC.")
        return name

    def clean_fee_currency(self) -> str:
        name: str = self.cleaned_data["fee_currency"].upper()
        if not (len(name) == 3 and name.isascii() and name.isalpha()):
            raise forms.ValidationError("This is no currency; expected three letters, such as EUR.")
        return name

    def clean_party_a(self) -> PartyId:
        return self._party("party_a")

    def clean_party_b(self) -> PartyId:
        return self._party("party_b")

    def _party(self, name: str) -> PartyId:
        try:
            return PartyId.parse(self.cleaned_data[name])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


def _modules() -> list[str]:
    """What can be chosen: the modules of OCPI that parties exchange, and those that partners brought along."""
    known = set(Endpoint.objects.values_list("module", flat=True)) | set(MODULES)
    return sorted(known - {"credentials", "hubclientinfo"})


class ValidityFilter(admin.SimpleListFilter):
    title = "validity"
    parameter_name = "validity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("valid", "valid now"), ("ending", "ends within 30 days"), ("ended", "ended"), ("future", "to come")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = timezone.now()
        match self.value():
            case "valid":
                return queryset.filter(Q(valid_to=None) | Q(valid_to__gt=now), valid_from__lte=now)
            case "ending":
                return queryset.filter(valid_to__gt=now, valid_to__lte=now + NOTICE)
            case "ended":
                return queryset.filter(valid_to__lte=now)
            case "future":
                return queryset.filter(valid_from__gt=now)
        return queryset


@admin.register(Agreement)
class AgreementAdmin(ModelAdmin):
    form = AgreementForm
    inlines = (TariffOffersInline,)
    list_display = ("parties", "what", "validity", "valid_from", "until", "note")
    list_filter = (ValidityFilter,)
    search_fields = ("party_a", "party_b", "note")
    ordering = ("party_a", "party_b", "-valid_from")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("party_a", "party_b"),
                    "modules",
                    ("valid_from", "valid_to"),
                    ("cdr_tolerance", "cdr_rounding"),
                    "note",
                ),
                "description": "As soon as two parties have an agreement, they exchange what their valid agreements "
                "name and nothing else. When the last one ends, they exchange nothing.",
            },
        ),
        (
            "Settlement",
            {
                "fields": (
                    ("settle_zone", "settle_disputed"),
                    ("fee_per_session", "fee_currency"),
                    ("fee_percent", "fee_vat"),
                )
            },
        ),
    )

    def save_model(self, request: HttpRequest, obj: Agreement, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        directory.changed()

    def delete_model(self, request: HttpRequest, obj: Agreement) -> None:
        super().delete_model(request, obj)
        directory.changed()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Agreement]) -> None:
        super().delete_queryset(request, queryset)
        directory.changed()

    @admin.display(description="Parties", ordering="party_a")
    def parties(self, row: Agreement) -> str:
        return str(row)

    @admin.display(description="Modules")
    def what(self, row: Agreement) -> str:
        return ", ".join(row.modules) or "all"

    @admin.display(description="Until", ordering="valid_to")
    def until(self, row: Agreement) -> str:
        return when(row.valid_to)

    @admin.display(description="Validity")
    def validity(self, row: Agreement) -> SafeString:
        now = timezone.now()
        if row.valid_from > now:
            return chip("info", "to come")
        if row.valid_to is None:
            return chip("success", "valid")
        if row.valid_to <= now:
            return chip("danger", "ended")
        return chip("warning", "ends soon") if row.valid_to <= now + NOTICE else chip("success", "valid")
