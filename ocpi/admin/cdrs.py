"""CDRs for staff: what was charged, what it cost, and what was credited."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ocpi.admin.cdr_correction import Correcting
from ocpi.admin.filters import DefectsFilter, OwnerFilter
from ocpi.admin.objects import DETAIL, OWN, Face, amount, decoder, related
from ocpi.admin.reading import chip, link, table
from ocpi.models import Cdr, CdrCorrection, Location, Session

COSTS = ("fixed", "energy", "time", "parking", "reservation")


class _Face(Face):
    session_id: Any = None
    cdr_location: Any = None
    total_energy: Any = None
    total_time: Any = None
    total_cost: Any = None
    total_fixed_cost: Any = None
    total_energy_cost: Any = None
    total_time_cost: Any = None
    total_parking_cost: Any = None
    total_reservation_cost: Any = None
    currency: Any = ""
    start_date_time: Any = ""
    end_date_time: Any = ""
    credit_reference_id: Any = None


@admin.register(Cdr)
class CdrAdmin(Correcting):
    faces = decoder(_Face)
    keys = ("key", "session_key")
    list_display = (
        "object_id", "owner", "kind", "energy", "cost", "start", "end", "session_id", "token_owner", "defect_count",
        "origin", "last_updated",
    )  # fmt: skip
    list_filter = (OwnerFilter, "is_credit", DefectsFilter, OWN)
    search_help_text = "Exact id of the CDR or of its Session, alone or behind the owner: NL*TNM 4711"
    fieldsets = (
        (None, {"fields": (("owner", "origin"), ("kind", "token_owner"), ("last_updated", "received_at"), "revision")}),
        ("Charging", {"fields": (("energy", "hours"), ("start", "end"), ("session", "location"))}),
        ("Cost", {"fields": ("cost_table", ("original", "credited_by"))}),
        *DETAIL,
    )
    readonly_fields = (
        "origin", "defect_table", "pretty", "kind", "energy", "hours", "start", "end", "session", "location",
        "cost_table", "original", "credited_by",
    )  # fmt: skip

    @admin.display(description="Kind")
    def kind(self, cdr: Cdr) -> SafeString:
        return chip("warning", "credit") if cdr.is_credit else chip("neutral", "CDR")

    @admin.display(description="kWh")
    def energy(self, cdr: Cdr) -> str:
        return str(self.face(cdr).total_energy)

    @admin.display(description="Hours")
    def hours(self, cdr: Cdr) -> str:
        return str(self.face(cdr).total_time)

    @admin.display(description="Cost")
    def cost(self, cdr: Cdr) -> str:
        face = self.face(cdr)
        return amount(face.total_cost, face.currency)

    @admin.display(description="Start")
    def start(self, cdr: Cdr) -> str:
        return str(self.face(cdr).start_date_time)

    @admin.display(description="End")
    def end(self, cdr: Cdr) -> str:
        return str(self.face(cdr).end_date_time)

    @admin.display(description="Session")
    def session_id(self, cdr: Cdr) -> str:
        return str(self.face(cdr).session_id or "-")

    @admin.display(description="Session")
    def session(self, cdr: Cdr) -> SafeString | str:
        return related(cdr, Session, self.face(cdr).session_id)

    @admin.display(description="Location")
    def location(self, cdr: Cdr) -> SafeString | str:
        place = self.face(cdr).cdr_location
        return related(cdr, Location, place.get("id") if isinstance(place, dict) else None)

    @admin.display(description="")
    def cost_table(self, cdr: Cdr) -> SafeString:
        face = self.face(cdr)
        rows = [(name, amount(getattr(face, f"total_{name}_cost"), face.currency)) for name in COSTS]
        return table(("Part", "Amount"), [*rows, ("total", amount(face.total_cost, face.currency))])

    @admin.display(description="Credits")
    def original(self, cdr: Cdr) -> SafeString | str:
        """The CDR that this one takes back."""
        return related(cdr, Cdr, self.face(cdr).credit_reference_id)

    @admin.display(description="Credited by")
    def credited_by(self, cdr: Cdr) -> SafeString | str:
        """Credit CDRs of this one (§mod_cdrs_credit_cdrs), and what replaced it when we corrected it."""
        found = [link(row, row.key) for row in Cdr.objects.filter(owner=cdr.owner, credits=cdr.key).order_by("id")[:50]]
        if correction := CdrCorrection.objects.filter(original=cdr).first():
            found.append(format_html("replaced by {}", related(cdr, Cdr, correction.replacement)))
        return format_html_join(", ", "{}", ((one,) for one in found)) or "-"
