"""What the audit of received CDRs has found, and what staff decide about it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ocpi.admin.reading import ReadOnlyAdmin, chip, document, link, shorten, table
from ocpi.types import codec
from roaming.admin.disputes import state_chip
from roaming.audit_models import CdrAudit
from roaming.auditing import gates, running
from roaming.dispute_models import Dispute
from roaming.disputing import desk
from roaming.disputing.desk import NotDisputable

MOST_DISPUTED = 100  # at once: each is audited again

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
    actions = ("again", "release", "dispute")
    fieldsets = (
        (None, {"fields": (("of", "condition"), ("claimed", "computed", "currency"), ("audited_at", "disputes"))}),
        ("Findings", {"fields": ("finding_table",)}),
        ("Session", {"fields": (("started_at", "ended_at"), ("energy", "evse_id"), ("token_owner", "token_uid"))}),
        ("Released", {"fields": (("released_at", "released_by"),)}),
        ("How it was priced", {"fields": ("pretty",)}),
    )
    readonly_fields = ("of", "condition", "finding_table", "disputes", "pretty")

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

    def has_dispute_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("roaming.add_dispute"))

    @admin.action(description="Dispute", permissions=["dispute"])
    def dispute(self, request: HttpRequest, queryset: QuerySet[CdrAudit]) -> HttpResponse | None:
        """Open a dispute about each; of one alone its page follows."""
        opened, refused, by = [], [], request.user.get_username()
        for audit in queryset.select_related("cdr")[:MOST_DISPUTED]:
            try:
                opened.append(desk.open_dispute(audit.cdr, by=by)[0])
            except NotDisputable as error:
                refused.append(str(error))
        if opened:
            self.message_user(request, f"In dispute: {len(opened)}.", messages.SUCCESS)
        for refusal in refused[:5]:
            self.message_user(request, f"{refusal}.", messages.WARNING)
        return redirect("admin:roaming_dispute_change", opened[0].pk) if len(opened) == 1 and not refused else None

    @admin.display(description="Disputes")
    def disputes(self, audit: CdrAudit) -> SafeString:
        found = Dispute.objects.filter(cdr=audit.cdr).order_by("-pk")
        return format_html_join(", ", "{} {}", ((link(one, f"no. {one.pk}"), state_chip(one)) for one in found))

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
