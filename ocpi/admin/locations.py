"""Locations for staff: a list to find one in a hundred thousand, and all that is known of one."""

from collections import Counter
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ocpi import ports
from ocpi.admin.objects import DETAIL, Face, ObjectAdmin, decoder
from ocpi.admin.reading import chip, shorten, table
from ocpi.ids import PartyId
from ocpi.models import Location
from ocpi.store.documents import objects
from ocpi.store.locations import locations
from ocpi.store.tariffs import dangling
from ocpi.types import codec
from ocpi.v221.common import Role
from ocpi.v221.locations import Status

TONES = {
    Status.AVAILABLE: "success",
    Status.CHARGING: "info",
    Status.RESERVED: "info",
    Status.BLOCKED: "warning",
    Status.INOPERATIVE: "danger",
    Status.OUTOFORDER: "danger",
}


class _Face(Face):
    name: Any = ""
    city: Any = ""


@admin.register(Location)
class LocationAdmin(ObjectAdmin):
    faces = decoder(_Face)
    list_display = ("object_id", "owner", "name", "city", "evse_summary", "defect_count", "origin", "last_updated")
    search_fields = ("owner", "key", "document")
    search_help_text = "Owner, id, or any text in the document"
    fieldsets = (
        (None, {"fields": (("owner", "origin"), "operator", ("last_updated", "received_at"), "revision")}),
        ("EVSEs", {"fields": ("evse_table", "missing_tariffs")}),
        *DETAIL,
    )
    readonly_fields = ("origin", "operator", "evse_table", "missing_tariffs", "defect_table", "pretty")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Location]:
        return super().get_queryset(request).prefetch_related("evses")  # type: ignore[no-any-return]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Location | None:
        """The row with its document as it is now: the live status of the EVSEs put in."""
        location: Location | None = super().get_object(request, object_id, from_field)
        if location is not None:
            location.document = locations.texts([location.pk])[location.pk]
        return location

    # --- columns of the list ---

    @admin.display(description="Name")
    def name(self, location: Location) -> str:
        return shorten(str(self.face(location).name or ""), 36)

    @admin.display(description="City")
    def city(self, location: Location) -> str:
        return str(self.face(location).city or "")

    @admin.display(description="EVSEs")
    def evse_summary(self, location: Location) -> SafeString:
        counts = Counter(evse.status or "no status" for evse in location.evses.all())
        return format_html_join(" ", "{}", ((_status(status, count),) for status, count in counts.most_common()))

    # --- detail ---

    @admin.display(description="Operator")
    def operator(self, location: Location) -> str:
        """The Location's own word, or else that of its owner's credentials (§mod_locations_location_object)."""
        named = codec.decode(location.document.encode()).get("operator")
        if isinstance(named, dict) and named.get("name"):
            return str(named["name"])
        details = ports.directory().business_details(PartyId(location.owner), Role.CPO)
        return f"{details['name']} (from its credentials)" if details.get("name") else "-"

    @admin.display(description="")
    def evse_table(self, location: Location) -> SafeString:
        evses = objects(codec.decode(location.document.encode()), "evses")
        headers = ("UID", "EVSE id", "Status", "Connectors", "Last updated")
        return table(headers, [_evse_row(evse) for evse in evses])

    @admin.display(description="Tariffs named and not held here")
    def missing_tariffs(self, location: Location) -> str:
        return ", ".join(dangling(PartyId(location.owner), codec.decode(location.document.encode()))) or "none"


def _evse_row(evse: dict[str, Any]) -> tuple[Any, ...]:
    connectors = format_html_join("", "<div>{}</div>", ((_plug(item),) for item in objects(evse, "connectors")))
    status = _status(str(evse.get("status") or "no status"))
    changed = format_html('<span class="whitespace-nowrap">{}</span>', evse.get("last_updated"))
    return str(evse.get("uid")), str(evse.get("evse_id") or "-"), status, connectors, changed


def _plug(connector: dict[str, Any]) -> str:
    """A Connector in a line: id, plug and power, or current when the power is not given."""
    power = connector.get("max_electric_power")
    parts = [connector.get("id"), connector.get("standard"), connector.get("format"), connector.get("power_type")]
    parts.append(f"{power / 1000:g} kW" if isinstance(power, int) else f"{connector.get('max_amperage')} A")
    return " · ".join(str(part) for part in parts if part)


def _status(status: str, count: int | None = None) -> SafeString:
    return chip(TONES.get(Status(status), "neutral"), status if count is None else f"{count} {status}")
