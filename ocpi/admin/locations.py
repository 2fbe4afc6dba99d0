"""Locations for staff: a list to find one in a hundred thousand, and all that is known of one."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ocpi.admin.reading import ReadOnlyAdmin, chip, defects, document, shorten, table, violations
from ocpi.models import Location, ObjectCount
from ocpi.store.locations import locations
from ocpi.types import codec
from ocpi.v221.locations import Status

TONES = {
    Status.AVAILABLE: "success",
    Status.CHARGING: "info",
    Status.RESERVED: "info",
    Status.BLOCKED: "warning",
    Status.INOPERATIVE: "danger",
    Status.OUTOFORDER: "danger",
}


class OwnerFilter(admin.SimpleListFilter):
    """The owners come from the counters: no search for distinct values in the whole table."""

    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        counted = ObjectCount.objects.filter(module=Location.module.value, count__gt=0).order_by("owner")
        return [(row.owner, f"{row.owner} ({row.count})") for row in counted]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Location]) -> QuerySet[Location]:
        return queryset.filter(owner=self.value()) if self.value() else queryset


class DefectsFilter(admin.SimpleListFilter):
    title = "defects"
    parameter_name = "defects"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("some", "with defects"), ("none", "without defects")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Location]) -> QuerySet[Location]:
        match self.value():
            case "some":
                return queryset.exclude(defects="")
            case "none":
                return queryset.filter(defects="")
        return queryset


class _Face(msgspec.Struct):
    """What the list shows of a document; decoding skips the rest of it."""

    id: Any = ""
    name: Any = ""
    city: Any = ""


_faces = msgspec.json.Decoder(_Face)


@admin.register(Location)
class LocationAdmin(ReadOnlyAdmin):
    list_display = ("object_id", "owner", "name", "city", "evse_summary", "defect_count", "origin", "last_updated")
    list_filter = (OwnerFilter, DefectsFilter, ("source", admin.EmptyFieldListFilter))
    search_fields = ("owner", "key", "document")
    search_help_text = "Owner, id, or any text in the document"
    sortable_by = ("owner", "last_updated")
    ordering = ("-xid", "-revision")
    show_full_result_count = False  # one count of a large table is enough
    fieldsets = (
        (None, {"fields": (("owner", "origin"), ("last_updated", "received_at"), "revision")}),
        ("EVSEs", {"fields": ("evse_table",)}),
        ("Defects", {"fields": ("defect_table",)}),
        ("Document", {"fields": ("pretty",)}),
    )
    readonly_fields = ("origin", "evse_table", "defect_table", "pretty")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Location]:
        return super().get_queryset(request).prefetch_related("evses")  # type: ignore[no-any-return]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Location | None:
        """The row with its document as it is now: the live status of the EVSEs put in."""
        location: Location | None = super().get_object(request, object_id, from_field)
        if location is not None:
            location.document = locations.texts([location.pk])[location.pk]
        return location

    # --- columns of the list ---

    @admin.display(description="Location")
    def object_id(self, location: Location) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', _faces.decode(location.document).id)

    @admin.display(description="Name")
    def name(self, location: Location) -> str:
        return shorten(str(_faces.decode(location.document).name or ""), 36)

    @admin.display(description="City")
    def city(self, location: Location) -> str:
        return str(_faces.decode(location.document).city or "")

    @admin.display(description="EVSEs")
    def evse_summary(self, location: Location) -> SafeString:
        counts = Counter(evse.status or "no status" for evse in location.evses.all())
        return format_html_join(" ", "{}", ((_status(status, count),) for status, count in counts.most_common()))

    @admin.display(description="Defects")
    def defect_count(self, location: Location) -> str:
        found = len(violations(location.defects))
        return chip("warning", f"{found} defect{'s' * (found > 1)}") if found else "-"

    @admin.display(description="From", ordering="source")
    def origin(self, location: Location) -> str:
        return "own" if location.source is None else f"platform {location.source}"

    # --- detail ---

    @admin.display(description="")
    def evse_table(self, location: Location) -> SafeString:
        evses = _objects(codec.decode(location.document.encode()), "evses")
        headers = ("UID", "EVSE id", "Status", "Connectors", "Last updated")
        return table(headers, [_evse_row(evse) for evse in evses])

    @admin.display(description="")
    def defect_table(self, location: Location) -> SafeString:
        return defects(location.defects)

    @admin.display(description="")
    def pretty(self, location: Location) -> SafeString:
        return document(location.document)


def _evse_row(evse: dict[str, Any]) -> tuple[Any, ...]:
    connectors = format_html_join("", "<div>{}</div>", ((_plug(item),) for item in _objects(evse, "connectors")))
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


def _objects(parent: Any, member: str) -> Iterator[dict[str, Any]]:
    """The objects in a list of a partner's document, which may hold anything."""
    items = parent.get(member) if isinstance(parent, dict) else None
    return (item for item in (items if isinstance(items, list) else ()) if isinstance(item, dict))
