"""Owners of charge points: who they are, what is theirs, and what they get of it."""

from itertools import combinations
from typing import Any

from django.contrib import admin, messages
from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, StackedInline, TabularInline

from cpo_backend.models import ChargePointOwner, Ownership, RevenueShare
from cpo_backend.reporting import sites

_NOT_SAVED = (
    "Not saved: it would have met what somebody else has just entered, or what comes later in the form; then end that "
    "first, save, and go on."
)


class InTurn(BaseInlineFormSet):
    """Lines of an owner, compared as they will be: what ends and what follows it are entered together."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.instance.together = frozenset(row.pk for row in self.get_queryset())

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [form.instance for form in self.forms if form.has_changed() or form.instance.pk]
        kept = [row for row in kept if row not in [form.instance for form in self.deleted_forms]]
        for one, other in combinations(kept, 2):
            one.stay_clear_of(other)


class OwnershipInline(TabularInline):
    model = Ownership
    formset = InTurn
    fields = ("party", "location_id", "evse_uid", "first_day", "last_day")
    extra = 0


class ShareInline(StackedInline):
    model = RevenueShare
    formset = InTurn
    fields = (
        ("first_day", "last_day"),
        ("percent", "per_kwh", "per_session", "per_month"),
        ("currency", "vat_rate"),
    )  # fmt: skip
    extra = 0


@admin.register(ChargePointOwner)
class ChargePointOwnerAdmin(ModelAdmin):
    list_display = ("name", "contact", "email", "places", "vat_number", "bank_reference")
    search_fields = ("name", "contact", "email", "vat_number", "ownerships__location_id")
    ordering = ("name",)
    inlines = (OwnershipInline, ShareInline)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "contact"),
                    ("email", "phone"),
                    "address",
                    ("vat_number", "bank_reference"),
                    "notes",
                    "statements",
                )
            },
        ),
    )
    readonly_fields = ("statements",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChargePointOwner]:
        rows: QuerySet[ChargePointOwner] = super().get_queryset(request)
        return rows.annotate(place_count=Count("ownerships", distinct=True))

    def changeform_view(self, request: HttpRequest, *arguments: Any, **options: Any) -> HttpResponseBase:
        """The database may refuse what the form found to be right: somebody else was faster."""
        try:
            with transaction.atomic():
                answer: HttpResponseBase = super().changeform_view(request, *arguments, **options)
        except IntegrityError:
            self.message_user(request, _NOT_SAVED, messages.ERROR)
            return redirect(request.get_full_path())
        return answer

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Tells of places that nobody finds: they may be yet to come, or misspelt."""
        super().save_related(request, form, formsets, change)
        sites_known, evses = set(sites.own().values_list("owner", "key")), set(sites.evses())
        for row in form.instance.ownerships.all():
            place = row.party, row.location_key
            if place not in sites_known or (row.evse_key and (*place, row.evse_key) not in evses):
                told = f"We have no {row.location_id}/{row.evse_uid} now." if row.evse_uid else ""
                self.message_user(request, told or f"We have no Location {row.location_id} now.", messages.WARNING)

    @admin.display(description="Places", ordering="place_count")
    def places(self, owner: Any) -> int:
        return int(owner.place_count)

    @admin.display(description="Statements")
    def statements(self, owner: ChargePointOwner) -> SafeString | str:
        if not owner.pk:
            return "-"
        url = reverse("admin:cpo_backend_ownerstatement_changelist")
        count = owner.statements.count()
        return format_html('<a class="text-link" href="{}?owner__id__exact={}">{}</a>', url, owner.pk, count)
