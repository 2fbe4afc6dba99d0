"""Settlements as staff see them at the end of a month: totals, VAT, fees, what is held back, and the list of CDRs."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ocpi.admin.reading import ReadOnlyAdmin, chip, link, table
from ocpi.types import codec
from roaming.admin.settlement_steps import SettlementSteps
from roaming.settlement_models import SettledCdr, Settlement
from roaming.settling import files

_HELD_SHOWN = 50


@admin.register(Settlement)
class SettlementAdmin(SettlementSteps):
    list_display = (
        "month", "cpo", "emsp", "condition", "amounts", "cdr_count", "late_count", "held_count", "built_at",
        "closed_at",
    )  # fmt: skip
    list_filter = ("month", "state", "cpo", "emsp")
    search_fields = ("month", "cpo", "emsp", "sha256")
    ordering = ("-month", "cpo", "emsp")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("month", "condition"),
                    ("cpo", "emsp"),
                    ("begins_at", "ends_at", "zone"),
                    ("cdr_count", "late_count", "held_count"),
                    ("built_at", "closed_at", "closed_by"),
                    "rule",
                    "listing",
                    "sha256",
                )
            },
        ),
        ("Totals", {"fields": ("total_table",)}),
        ("VAT by rate", {"fields": ("vat_table",)}),
        ("Fees", {"fields": ("fee_table",)}),
        ("Held back", {"fields": ("held_table",)}),
    )
    readonly_fields = ("condition", "rule", "listing", "total_table", "vat_table", "fee_table", "held_table")

    @admin.display(description="State", ordering="state")
    def condition(self, row: Settlement) -> SafeString:
        return chip("success" if row.state == Settlement.State.CLOSED else "info", row.get_state_display())

    @admin.display(description="Total excl. VAT")
    def amounts(self, row: Settlement) -> str:
        return ", ".join(f"{total['excl_vat']} {total['currency']}" for total in _statement(row)["totals"]) or "-"

    @admin.display(description="Rule")
    def rule(self, row: Settlement) -> str:
        return str(_statement(row)["rule"])

    @admin.display(description="List")
    def listing(self, row: Settlement) -> SafeString:
        url = reverse("admin:roaming_settledcdr_changelist")
        count = row.cdr_count + row.held_count
        return format_html(
            '<a class="text-link" href="{}?settlement__id__exact={}">{} CDRs</a>', url, row.pk, f"{count:,}"
        )

    @admin.display(description="")
    def total_table(self, row: Settlement) -> SafeString:
        headers = (
            "Currency",
            "CDRs",
            "Credits",
            "kWh",
            "Excl. VAT",
            "VAT",
            "Incl. VAT",
            "Invoice excl.",
            "Invoice incl.",
        )
        names = ("currency", "cdrs", "credits", "kwh", "excl_vat", "vat", "incl_vat")
        return table(
            headers,
            [
                (*_cells(total, names), *_cells(total["invoice"], ("excl_vat", "incl_vat")))
                for total in _statement(row)["totals"]
            ],
        )

    @admin.display(description="")
    def vat_table(self, row: Settlement) -> SafeString:
        names = ("currency", "kind", "rate", "cdrs", "excl_vat", "vat", "incl_vat")
        headers = ("Currency", "Kind", "Rate (%)", "CDRs", "Excl. VAT", "VAT", "Incl. VAT")
        return table(headers, [_cells(line, names) for line in _statement(row)["vat"]])

    @admin.display(description="")
    def fee_table(self, row: Settlement) -> SafeString:
        statement = _statement(row)
        names = ("kind", "sessions", "base", "price", "currency", "excl_vat", "vat_rate", "vat", "incl_vat")
        headers = ("Fee", "Sessions", "Of", "Price", "Currency", "Excl. VAT", "VAT rate (%)", "VAT", "Incl. VAT")
        rows = [_cells(line, names) for line in statement["fees"]]
        return format_html("{}<p>Rounded {}.</p>", table(headers, rows), statement["fee_rounding"]) if rows else _none()

    @admin.display(description="")
    def held_table(self, row: Settlement) -> SafeString:
        """What does not count yet; the list has all of it."""
        held = row.cdrs.exclude(held="").select_related("cdr").order_by("number")[:_HELD_SHOWN]
        if not held:
            return _none()
        listed = [(link(entry.cdr, entry.cdr.key), entry.held, _amount(files.row(entry))) for entry in held]
        sums = [("in all", f"{one['cdrs']} CDRs", _amount(one)) for one in _statement(row)["held"]]
        return table(("CDR", "Because", "Excl. VAT"), [*listed, *sums])


@admin.register(SettledCdr)
class SettledCdrAdmin(ReadOnlyAdmin):
    """The list of a settlement, page by page."""

    list_display = ("number", "of", "kind", "ended", "kwh", "amount", "vat", "is_late", "held", "short_hash")
    list_filter = ("is_late", ("held", admin.EmptyFieldListFilter))
    list_select_related = ("cdr", "settlement")
    search_fields = ("=cdr__key", "=cdr__session_key")
    ordering = ("settlement", "number")
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # it is found by way of its settlement

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("roaming.view_settlement"))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return lookup == "settlement__id__exact" or bool(super().lookup_allowed(lookup, value, request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[SettledCdr]:
        rows: QuerySet[SettledCdr] = super().get_queryset(request)
        return rows.defer("settlement__statement", "cdr__defects")

    @admin.display(description="CDR")
    def of(self, entry: SettledCdr) -> SafeString:
        return link(entry.cdr, entry.cdr.key)

    @admin.display(description="Kind")
    def kind(self, entry: SettledCdr) -> str:
        return "credit" if entry.cdr.is_credit else "charge"

    @admin.display(description="End")
    def ended(self, entry: SettledCdr) -> str:
        return str(_face(entry)["end"] or "-")

    @admin.display(description="kWh")
    def kwh(self, entry: SettledCdr) -> str:
        return str(_face(entry)["kwh"])

    @admin.display(description="Excl. VAT")
    def amount(self, entry: SettledCdr) -> str:
        return _amount(_face(entry))

    @admin.display(description="SHA-256")
    def short_hash(self, entry: SettledCdr) -> SafeString:
        return format_html('<code title="{}">{}</code>', entry.sha256, entry.sha256[:12])


def _statement(row: Settlement) -> dict[str, Any]:
    known = vars(row)
    if "decoded" not in known:
        known["decoded"] = codec.decode(row.statement.encode())
    found: dict[str, Any] = known["decoded"]
    return found


def _face(entry: SettledCdr) -> dict[str, Any]:
    """Its row in the list, read once."""
    known = vars(entry)
    if "row" not in known:
        known["row"] = files.row(entry)
    found: dict[str, Any] = known["row"]
    return found


def _cells(line: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    return ["-" if line[name] is None else str(line[name]) for name in names]


def _amount(line: dict[str, Any]) -> str:
    return f"{line['excl_vat']} {line['currency']}"


def _none() -> SafeString:
    return format_html('<div class="node-table">{}</div>', "none")
