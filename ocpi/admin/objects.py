"""What the lists and pages of all stored objects share: how they are found, counted and shown."""

from decimal import Decimal
from typing import Any, ClassVar

import msgspec
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ocpi.admin.filters import DefectsFilter, OwnerFilter
from ocpi.admin.reading import ReadOnlyAdmin, chip, defects, document, link, violations
from ocpi.models import ObjectCount, OwnedObject

OWN = ("source", admin.EmptyFieldListFilter)
DETAIL = (
    ("Defects", {"fields": ("defect_table",)}),
    ("Document", {"fields": ("pretty",)}),
)


class Face(msgspec.Struct):
    """What a list shows of a document; decoding skips the rest of it. Anything may stand in a partner's document."""

    id: Any = ""


def decoder(face: type[Face]) -> "msgspec.json.Decoder[Any]":
    """Reads faces with exact numbers."""
    return msgspec.json.Decoder(face, float_hook=Decimal)


class CountedPaginator(Paginator):
    """Takes the number of all rows from the counters; only a filtered list is counted."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if rows.query.where:
            return int(rows.count())
        counted = ObjectCount.objects.filter(module=rows.model.module.value)
        return int(counted.aggregate(total=Sum("count", default=0))["total"])


class ObjectAdmin(ReadOnlyAdmin):
    """A module's objects, the latest change first."""

    faces: ClassVar[Any] = decoder(Face)

    list_filter: Any = (OwnerFilter, DefectsFilter, OWN)
    sortable_by = ("owner", "last_updated")
    ordering = ("-xid", "-revision")
    paginator: Any = CountedPaginator
    show_full_result_count = False
    readonly_fields: Any = ("origin", "defect_table", "pretty")

    def face(self, row: OwnedObject) -> Any:
        """What the list shows of the document, decoded once for a row."""
        known = vars(row)
        if "face" not in known:
            known["face"] = self.faces.decode(row.document)
        return known["face"]

    @admin.display(description="Id")
    def object_id(self, row: OwnedObject) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', self.face(row).id)

    @admin.display(description="Defects")
    def defect_count(self, row: OwnedObject) -> str:
        found = len(violations(row.defects))
        return chip("warning", f"{found} defect{'s' * (found > 1)}") if found else "-"

    @admin.display(description="From", ordering="source")
    def origin(self, row: OwnedObject) -> str:
        return "own" if row.source is None else f"platform {row.source}"

    @admin.display(description="")
    def defect_table(self, row: OwnedObject) -> SafeString:
        return defects(row.defects)

    @admin.display(description="")
    def pretty(self, row: OwnedObject) -> SafeString:
        return document(row.document)


class FoundByKey(ObjectAdmin):
    """Search by exact values in indexes that begin with the owner: fast in any number of rows."""

    search_fields = ("key",)  # makes the admin show its search box
    keys: ClassVar[tuple[str, ...]] = ("key",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        owners = list(ObjectCount.objects.filter(module=self.model.module.value).values_list("owner", flat=True))
        first, _, rest = search_term.strip().partition(" ")
        if first.upper() in owners:
            owners, search_term = [first.upper()], rest
        if search_term := search_term.strip().lower():
            named = Q()
            for column in self.keys:
                named |= Q(owner__in=owners, **{column: search_term})
            return queryset.filter(named), False
        return queryset.filter(owner__in=owners) if rest or first else queryset, False


def related(row: OwnedObject, model: type[OwnedObject], id: Any) -> SafeString | str:
    """A link to another object of the same owner, or word that we do not hold it."""
    if not isinstance(id, str) or not id:
        return "-"
    found = model._default_manager.filter(owner=row.owner, key=id.lower()).only("pk").first()
    return link(found, id) if found else format_html("{} (not held here)", id)


def amount(price: Any, currency: Any) -> str:
    """A Price without and with VAT, digit for digit; a line breaks between the two only."""
    if not isinstance(price, dict) or price.get("excl_vat") is None:
        return "-"
    parts = [f"{price['excl_vat']} {currency}"]
    if price.get("incl_vat") is not None:
        parts.append(f"({price['incl_vat']} incl. VAT)")
    return " ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)
