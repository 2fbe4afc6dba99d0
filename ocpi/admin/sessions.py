"""Sessions for staff: what is going on, and what came of it."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from ocpi.admin.filters import DefectsFilter, OwnerFilter, values_of
from ocpi.admin.objects import DETAIL, OWN, Face, FoundByKey, amount, decoder, related
from ocpi.admin.reading import chip, link
from ocpi.models import Cdr, Location, Session
from ocpi.v221.sessions import SessionStatus

TONES = {
    SessionStatus.ACTIVE: "info",
    SessionStatus.COMPLETED: "success",
    SessionStatus.INVALID: "danger",
    SessionStatus.PENDING: "warning",
    SessionStatus.RESERVATION: "warning",
}


class _Face(Face):
    kwh: Any = None
    total_cost: Any = None
    currency: Any = ""
    start_date_time: Any = ""
    end_date_time: Any = None
    location_id: Any = ""
    evse_uid: Any = ""


@admin.register(Session)
class SessionAdmin(FoundByKey):
    faces = decoder(_Face)
    list_display = (
        "object_id", "owner", "state", "kwh", "cost", "start", "end", "place", "token_owner", "defect_count", "origin",
        "last_updated",
    )  # fmt: skip
    list_filter = (OwnerFilter, values_of("status", SessionStatus), DefectsFilter, OWN)
    search_help_text = "Exact id, alone or behind its owner: NL*TNM 4711"
    fieldsets = (
        (
            None,
            {"fields": (("owner", "origin"), ("state", "token_owner"), ("last_updated", "received_at"), "revision")},
        ),
        ("Charging", {"fields": (("kwh", "cost"), ("start", "end"), ("location", "cdrs"))}),
        *DETAIL,
    )
    readonly_fields = (
        "origin", "defect_table", "pretty", "state", "kwh", "cost", "start", "end", "location", "cdrs",
    )  # fmt: skip

    @admin.display(description="Status")
    def state(self, session: Session) -> SafeString:
        return chip(TONES.get(SessionStatus(session.status), "neutral"), session.status or "odd")

    @admin.display(description="kWh")
    def kwh(self, session: Session) -> str:
        return str(self.face(session).kwh)

    @admin.display(description="Cost")
    def cost(self, session: Session) -> str:
        face = self.face(session)
        return amount(face.total_cost, face.currency)

    @admin.display(description="Start")
    def start(self, session: Session) -> str:
        return str(self.face(session).start_date_time)

    @admin.display(description="End")
    def end(self, session: Session) -> str:
        return str(self.face(session).end_date_time or "-")

    @admin.display(description="Location and EVSE")
    def place(self, session: Session) -> str:
        face = self.face(session)
        return f"{face.location_id} {face.evse_uid}"

    @admin.display(description="Location")
    def location(self, session: Session) -> SafeString | str:
        return related(session, Location, self.face(session).location_id)

    @admin.display(description="CDRs")
    def cdrs(self, session: Session) -> SafeString | str:
        found = Cdr.objects.filter(owner=session.owner, session_key=session.key).order_by("id")[:20]
        return format_html_join(", ", "{}", ((link(cdr, cdr.key),) for cdr in found)) or "none yet"
