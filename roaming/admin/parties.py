"""Parties: our own are managed here, those of partners follow from their credentials."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from ocpi.admin.reading import document
from ocpi.models import Location
from ocpi.types import codec
from roaming import directory
from roaming.admin.forms import PartyForm
from roaming.models import Party


@admin.register(Party)
class PartyAdmin(ModelAdmin):
    form = PartyForm
    list_display = ("party", "role", "name", "held_by")
    list_filter = ("role", ("platform", admin.EmptyFieldListFilter), "platform")
    list_select_related = ("platform",)
    search_fields = ("party", "name", "platform__name")
    ordering = ("party", "role")

    def get_fieldsets(self, request: HttpRequest, obj: Party | None = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return ((None, {"fields": (("party", "role"), "name", "held_by", "details")}),)
        note = (
            "One of our own parties. Partners learn of a change when you renew the tokens of their platform. "
            "Parties named in NODE_PARTIES come back, with the name given there, when the node starts."
        )
        return ((None, {"fields": (("party", "role"), "name", "website"), "description": note}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Party | None = None) -> tuple[str, ...]:
        return ("held_by", "details") if obj is None else ("party", "role", "held_by", "details")

    def has_change_permission(self, request: HttpRequest, obj: Party | None = None) -> bool:
        return _is_own(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Party | None = None) -> bool:
        """Each by itself, and none that Locations belong to."""
        if obj is None or not _is_own(obj) or Location.objects.filter(owner=obj.party).exists():
            return False
        return super().has_delete_permission(request, obj)  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: Party, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        directory.changed()

    def delete_model(self, request: HttpRequest, obj: Party) -> None:
        super().delete_model(request, obj)
        directory.changed()

    @admin.display(description="Held by", ordering="platform__name")
    def held_by(self, party: Party) -> str:
        return party.platform.name if party.platform else "this node"

    @admin.display(description="Business details")
    def details(self, party: Party) -> SafeString:
        return document(codec.encode_text(party.business_details))


def _is_own(party: Party | None) -> bool:
    return party is None or party.platform_id is None
