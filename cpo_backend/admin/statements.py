"""Statements as staff see them at the end of a month: the share, the revenue it is of, and the list of CDRs."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cpo_backend.admin.statement_steps import StatementSteps
from cpo_backend.models import OwnerStatement, StatedCdr
from cpo_backend.owning import files
from ocpi.admin.reading import ReadOnlyAdmin, chip, link, table

_TABLES: dict[str, dict[str, str]] = {
    "shares": {
        "share": "Share", "agreed_from": "Agreed from", "quantity": "Of", "unit": "Unit", "rate": "Rate",
        "currency": "Currency", "excl_vat": "Excl. VAT", "vat_rate": "VAT rate (%)", "vat": "VAT",
        "incl_vat": "Incl. VAT",
    },
    "share_totals": {"currency": "Currency", "excl_vat": "Excl. VAT", "vat": "VAT", "incl_vat": "Incl. VAT"},
    "revenue": {
        "currency": "Currency", "cdrs": "CDRs", "credits": "Credits", "kwh": "kWh", "excl_vat": "Excl. VAT",
        "vat": "VAT", "incl_vat": "Incl. VAT",
    },
    "vat": {
        "currency": "Currency", "kind": "Kind", "rate": "Rate (%)", "cdrs": "CDRs", "excl_vat": "Excl. VAT",
        "vat": "VAT", "incl_vat": "Incl. VAT",
    },
    "sites": {
        "site": "Site", "name": "Name", "currency": "Currency", "cdrs": "CDRs", "credits": "Credits", "kwh": "kWh",
        "excl_vat": "Excl. VAT",
    },
}  # fmt: skip


@admin.register(OwnerStatement)
class OwnerStatementAdmin(StatementSteps):
    list_display = (
        "month", "owner", "condition", "amounts", "cdr_count", "late_count", "fault_count", "built_at", "closed_at",
    )  # fmt: skip
    list_filter = ("month", "state", "owner")
    list_select_related = ("owner",)
    search_fields = ("month", "owner__name", "sha256")
    ordering = ("-month", "owner__name")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("month", "condition", "owner"),
                    ("cdr_count", "late_count", "fault_count"),
                    ("built_at", "closed_at", "closed_by"),
                    "rule",
                    "listing",
                    "sha256",
                )
            },
        ),
        ("Share", {"fields": ("share_table", "share_total_table")}),
        ("Revenue", {"fields": ("revenue_table",)}),
        ("VAT by rate", {"fields": ("vat_table",)}),
        ("Sites", {"fields": ("site_table",)}),
    )
    readonly_fields = (
        "condition", "rule", "listing", "share_table", "share_total_table", "revenue_table", "vat_table", "site_table",
    )  # fmt: skip

    @admin.display(description="State", ordering="state")
    def condition(self, row: OwnerStatement) -> SafeString:
        return chip("success" if row.state == OwnerStatement.State.CLOSED else "info", row.get_state_display())

    @admin.display(description="Share excl. VAT")
    def amounts(self, row: OwnerStatement) -> str:
        totals = _statement(row)["share_totals"]
        return ", ".join(f"{total['excl_vat']} {total['currency']}" for total in totals) or "-"

    @admin.display(description="Rule")
    def rule(self, row: OwnerStatement) -> str:
        return str(_statement(row)["rule"])

    @admin.display(description="List")
    def listing(self, row: OwnerStatement) -> SafeString:
        url = f"{reverse('admin:cpo_backend_statedcdr_changelist')}?statement__id__exact={row.pk}"
        return format_html('<a class="text-link" href="{}">{} CDRs</a>', url, row.cdr_count + row.fault_count)

    @admin.display(description="")
    def share_table(self, row: OwnerStatement) -> SafeString:
        found = _statement(row)
        left = f" No share was agreed for the days of {found['without_share']} CDRs." if found["without_share"] else ""
        return format_html("{}<p>Rounded {}.{}</p>", _table(row, "shares"), found["rounding"], left)

    @admin.display(description="")
    def share_total_table(self, row: OwnerStatement) -> SafeString:
        return _table(row, "share_totals")

    @admin.display(description="")
    def revenue_table(self, row: OwnerStatement) -> SafeString:
        return _table(row, "revenue")

    @admin.display(description="")
    def vat_table(self, row: OwnerStatement) -> SafeString:
        return _table(row, "vat")

    @admin.display(description="")
    def site_table(self, row: OwnerStatement) -> SafeString:
        return _table(row, "sites")


@admin.register(StatedCdr)
class StatedCdrAdmin(ReadOnlyAdmin):
    """The list of a statement, page by page."""

    list_display = ("number", "of", "kind", "day", "site", "evse", "kwh", "amount", "vat", "is_late", "fault")
    list_filter = ("is_late", ("fault", admin.EmptyFieldListFilter))
    list_select_related = ("cdr", "statement")
    search_fields = ("=cdr__key", "=cdr__session_key")
    ordering = ("statement", "number")
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # it is found by way of its statement

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("cpo_backend.view_ownerstatement"))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return lookup == "statement__id__exact" or bool(super().lookup_allowed(lookup, value, request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[StatedCdr]:
        rows: QuerySet[StatedCdr] = super().get_queryset(request)
        return rows.defer("statement__statement", "cdr__defects")

    @admin.display(description="CDR")
    def of(self, entry: StatedCdr) -> SafeString:
        return link(entry.cdr, entry.cdr.key)

    @admin.display(description="Kind")
    def kind(self, entry: StatedCdr) -> str:
        return str(_face(entry)["kind"])

    @admin.display(description="Site")
    def site(self, entry: StatedCdr) -> str:
        return str(_face(entry)["site"])

    @admin.display(description="EVSE")
    def evse(self, entry: StatedCdr) -> str:
        return str(_face(entry)["evse"])

    @admin.display(description="kWh")
    def kwh(self, entry: StatedCdr) -> str:
        return str(_face(entry)["kwh"])

    @admin.display(description="Excl. VAT")
    def amount(self, entry: StatedCdr) -> str:
        return f"{_face(entry)['excl_vat']} {_face(entry)['currency']}"


def _statement(row: OwnerStatement) -> dict[str, Any]:
    """Its figures, read once."""
    known = vars(row)
    if "decoded" not in known:
        known["decoded"] = files.statement(row)
    found: dict[str, Any] = known["decoded"]
    return found


def _face(entry: StatedCdr) -> dict[str, Any]:
    """Its row in the list, read once."""
    known = vars(entry)
    if "row" not in known:
        known["row"] = files.row(entry)
    found: dict[str, Any] = known["row"]
    return found


def _table(row: OwnerStatement, name: str) -> SafeString:
    columns, lines = _TABLES[name], _statement(row)[name]
    if not lines:
        return format_html('<div class="node-table">{}</div>', "none")
    return table(
        list(columns.values()),
        [["-" if line[column] is None else str(line[column]) for column in columns] for line in lines],
    )
