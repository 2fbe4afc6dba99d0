"""What partners have asked of chargers: starts, reservations, charging profiles."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from cpo_backend.models import RemoteStart, Reservation, SessionProfile
from cpo_backend.reserving import holding
from ocpi.admin.reading import ReadOnlyAdmin, chip, document

_TONES = {"active": "success", "taken": "success", "used": "success", "refused": "danger", "expired": "warning"}


@admin.register(RemoteStart)
class RemoteStartAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "charger", "number", "condition", "authorization_reference", "session_id")
    list_select_related = ("charger",)
    list_filter = ("state",)
    search_fields = ("charger__identity", "session_id__exact", "authorization_reference__exact")
    ordering = ("-pk",)
    fields = (
        ("charger", "number", "condition"),
        ("session_id", "authorization_reference"),
        ("created_at", "expires_at"),
    )
    readonly_fields = ("condition",)

    @admin.display(description="State", ordering="state")
    def condition(self, row: RemoteStart) -> SafeString:
        return chip(_TONES.get(row.state, "info"), row.get_state_display())


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "commander", "reservation_id", "charger", "number", "condition", "expires_at")
    list_select_related = ("charger",)
    list_filter = ("state",)
    search_fields = ("charger__identity", "reservation_id__iexact", "session_id__exact")
    ordering = ("-pk",)
    actions = ("take_back",)
    fields = (
        ("commander", "reservation_id", "told_id"),
        ("charger", "number", "condition"),
        ("session_id", "authorization_reference"),
        ("created_at", "active_since", "expires_at", "ended_at"),
    )
    readonly_fields = ("condition",)

    def has_take_back_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("cpo_backend.change_reservation"))

    @admin.display(description="State", ordering="state")
    def condition(self, row: Reservation) -> SafeString:
        return chip(_TONES.get(row.state, "info"), row.get_state_display())

    @admin.action(description="Take back from the driver", permissions=["take_back"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[Reservation]) -> None:
        count = sum(holding.cancel_ourselves(pk) for pk in list(queryset.values_list("pk", flat=True)))
        self.message_user(request, f"{count} taken back; their eMSPs are told.")


@admin.register(SessionProfile)
class SessionProfileAdmin(ReadOnlyAdmin):
    list_display = ("transaction", "is_applied")
    list_select_related = ("transaction",)
    ordering = ("-pk",)
    fields = ("transaction", "accepted", "applies")
    readonly_fields = ("accepted", "applies")

    @admin.display(description="Applied", boolean=True)
    def is_applied(self, row: SessionProfile) -> bool:
        return bool(row.applied)

    @admin.display(description="Accepted by the charger")
    def accepted(self, row: SessionProfile) -> SafeString | str:
        return document(row.applied) if row.applied else "none"

    @admin.display(description="What it says that applies")
    def applies(self, row: SessionProfile) -> SafeString | str:
        return document(row.active) if row.active else "not known"
