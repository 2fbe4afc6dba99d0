"""Tariffs for staff, who write our own, and a check of what Locations name as theirs."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from unfold.decorators import action

from ocpi.admin.filters import DefectsFilter, OwnerFilter
from ocpi.admin.objects import DETAIL, OWN, Face, decoder
from ocpi.admin.reading import chip, shorten
from ocpi.admin.tariff_desk import TariffDesk
from ocpi.models import Tariff
from ocpi.store import documents
from ocpi.store.tariffs import dangling_everywhere

SHOWN = 20  # Tariffs that are named in a message


class _Face(Face):
    currency: Any = ""
    type: Any = None
    elements: Any = None
    start_date_time: Any = None
    end_date_time: Any = None


@admin.register(Tariff)
class TariffAdmin(TariffDesk):
    faces = decoder(_Face)
    list_display = (
        "object_id", "owner", "state", "kind", "prices", "validity", "defect_count", "origin", "last_updated",
    )  # fmt: skip
    list_filter = (OwnerFilter, "deleted", DefectsFilter, OWN)
    search_help_text = "Exact id, alone or behind its owner: NL*TNM 4711"
    actions_list = ("check_references",)
    paginator = Paginator  # deleted ones are shown too, and not in the counters
    fieldsets = (
        (None, {"fields": (("owner", "origin"), "state", ("last_updated", "received_at"), "revision")}),
        ("Prices", {"fields": (("kind", "validity"), "prices")}),
        *DETAIL,
    )
    readonly_fields = ("origin", "defect_table", "pretty", "state", "kind", "prices", "validity")

    @admin.display(description="State")
    def state(self, tariff: Tariff) -> SafeString:
        return chip("danger", "deleted") if tariff.deleted else chip("success", "in use")

    @admin.display(description="Type")
    def kind(self, tariff: Tariff) -> str:
        return str(self.face(tariff).type or "-")

    @admin.display(description="Prices")
    def prices(self, tariff: Tariff) -> str:
        face = self.face(tariff)
        return shorten(f"{face.currency} " + " | ".join(_elements({"elements": face.elements})))

    @admin.display(description="Valid")
    def validity(self, tariff: Tariff) -> str:
        face = self.face(tariff)
        if face.start_date_time is None and face.end_date_time is None:
            return "always"
        return f"{face.start_date_time or ''} to {face.end_date_time or ''}"

    @action(description="Check references", icon="rule", permissions=["view"])
    def check_references(self, request: HttpRequest) -> HttpResponse:
        """Tells which Tariffs Locations name that we do not hold; reads every Location."""
        found = dangling_everywhere()
        for owner, counts in sorted(found.items()):
            named = ", ".join(f"{id} ({count})" for id, count in counts.most_common(SHOWN))
            more = f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else ""
            text = f"{owner}: Locations name Tariffs that we do not hold (by how many): {named}{more}"
            self.message_user(request, text, messages.WARNING)
        if not found:
            self.message_user(request, "Every Tariff that a Location names is held here.", messages.SUCCESS)
        return redirect("admin:ocpi_tariff_changelist")


def _elements(tariff: documents.Document) -> Iterator[str]:
    """Each element in a few words: ENERGY 0.25, FLAT 0.50 (restricted)."""
    for element in documents.objects(tariff, "elements"):
        components = documents.objects(element, "price_components")
        prices = ", ".join(f"{component.get('type')} {component.get('price')}" for component in components)
        yield f"{prices} (restricted)" if element.get("restrictions") else prices
