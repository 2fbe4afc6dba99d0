"""What the audit of received CDRs has found, and what staff decide about it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ocpi.admin.reading import ReadOnlyAdmin, chip, document, link, shorten, table
from ocpi.types import codec
from roaming.audit_models import CdrAudit
from roaming.auditing import gates, running

TONES = {
    CdrAudit.Verdict.OK: "success",
    CdrAudit.Verdict.TOLERATED: "info",
    CdrAudit.Verdict.DISPUTE: "warning",
    CdrAudit.Verdict.HOLD: "danger",
}
_SEVERITIES = {"NOTE": "info", "TOLERATED": "info", "DISPUTE": "warning", "HOLD": "danger"}
_CODES = (
    "overcharged",
    "undercharged",
    "tariff_not_as_published",
    "cannot_be_priced",
    "no_energy",
    "in_the_future",
    "too_old",
    "above_connector_power",
    "repeated",
    "overlaps",
    "more_than_the_session",
    *gates.ORPHANS,
)


class CodeFilter(admin.SimpleListFilter):
    """What was found."""

    title, parameter_name = "finding", "finding"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, code.replace("_", " ")) for code in _CODES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CdrAudit]) -> QuerySet[CdrAudit]:
        code = self.value()
        return queryset.filter(codes__contains=code) if code else queryset


@admin.register(CdrAudit)
class CdrAuditAdmin(ReadOnlyAdmin):
    list_display = ("of", "condition", "claimed", "computed", "currency", "because", "started_at", "released_by")
    list_filter = ("verdict", CodeFilter, "owner", ("released_at", admin.EmptyFieldListFilter))
    list_select_related = ("cdr",)
    search_fields = ("cdr__key", "owner", "token_uid", "evse_id", "codes")
    ordering = ("-audited_at", "-pk")
    show_full_result_count = False
    actions = ("again", "release")
    fieldsets = (
        (None, {"fields": (("of", "condition"), ("claimed", "computed", "currency"), "audited_at")}),
        ("Findings", {"fields": ("finding_table",)}),
        ("Session", {"fields": (("started_at", "ended_at"), ("energy", "evse_id"), ("token_owner", "token_uid"))}),
        ("Released", {"fields": (("released_at", "released_by"),)}),
        ("How it was priced", {"fields": ("pretty",)}),
    )
    readonly_fields = ("of", "condition", "finding_table", "pretty")

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("roaming.change_cdraudit"))

    @admin.action(description="Audit again", permissions=["manage"])
    def again(self, request: HttpRequest, queryset: QuerySet[CdrAudit]) -> None:
        count = running.again(queryset.values_list("pk", flat=True))
        self.message_user(request, f"Audited {count} again.", messages.SUCCESS)

    @admin.action(description="Release for payment", permissions=["manage"])
    def release(self, request: HttpRequest, queryset: QuerySet[CdrAudit]) -> None:
        wrong = queryset.filter(verdict__in=(CdrAudit.Verdict.DISPUTE, CdrAudit.Verdict.HOLD), released_at=None)
        count = wrong.update(released_at=timezone.now(), released_by=request.user.get_username())
        self.message_user(request, f"Released {count}.", messages.SUCCESS)

    @admin.display(description="CDR", ordering="cdr__key")
    def of(self, audit: CdrAudit) -> SafeString:
        return link(audit.cdr, str(audit.cdr))

    @admin.display(description="Verdict", ordering="verdict")
    def condition(self, audit: CdrAudit) -> SafeString:
        label = CdrAudit.Verdict(audit.verdict).label
        if audit.released_at:
            return chip("success", f"{label}, released")
        return chip(TONES[CdrAudit.Verdict(audit.verdict)], label)

    @admin.display(description="Because")
    def because(self, audit: CdrAudit) -> str:
        return shorten("; ".join(finding["message"] for finding in _findings(audit))) or "-"

    @admin.display(description="")
    def finding_table(self, audit: CdrAudit) -> SafeString:
        rows = [
            (chip(_SEVERITIES[row["severity"]], row["code"]), row["message"], row["pointer"])
            for row in _findings(audit)
        ]
        return table(("Finding", "What it means", "Where in the CDR"), rows)

    @admin.display(description="")
    def pretty(self, audit: CdrAudit) -> SafeString:
        return document(audit.breakdown) if audit.breakdown else format_html("As claimed.")


def _findings(audit: CdrAudit) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = codec.decode(audit.findings.encode())
    return found
