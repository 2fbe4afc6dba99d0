"""The local lists of chargers: how they stand, and whether a charger has one."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from cpo_backend.local_lists import sending
from cpo_backend.models import LocalList
from ocpi.admin.reading import ReadOnlyAdmin, chip

_TONES = {"known": "success", "foreign": "warning", "unknown": "info"}


@admin.register(LocalList)
class LocalListAdmin(ReadOnlyAdmin):
    list_display = ("charger", "location", "is_wanted", "condition", "version", "count", "changed_at", "detail")
    list_select_related = ("charger",)
    list_filter = ("is_wanted", "standing", "state")
    search_fields = ("charger__identity", "charger__location_id__iexact")
    ordering = ("charger__identity",)
    actions = ("use", "leave", "anew")
    fields = (("charger", "is_wanted", "condition"), ("version", "count", "changed_at"), ("detail", "due_at"))
    readonly_fields = ("condition",)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("cpo_backend.change_charger"))

    @admin.display(description="Location", ordering="charger__location_id")
    def location(self, row: LocalList) -> str:
        return str(row.charger.location_id)

    @admin.display(description="State", ordering="standing")
    def condition(self, row: LocalList) -> SafeString:
        if row.state == LocalList.State.REFUSED:
            return chip("danger", row.get_state_display())
        return chip(_TONES[row.standing], row.get_standing_display())

    @admin.action(description="Use", permissions=["decide"])
    def use(self, request: HttpRequest, queryset: QuerySet[LocalList]) -> None:
        count = queryset.update(is_wanted=True, due_at=timezone.now())
        self.message_user(request, f"{count} chargers get the tokens that may charge offline.")

    @admin.action(description="Do not use: empty them", permissions=["decide"])
    def leave(self, request: HttpRequest, queryset: QuerySet[LocalList]) -> None:
        count = queryset.update(is_wanted=False, due_at=timezone.now())
        self.message_user(request, f"{count} lists are emptied as soon as their chargers are connected.")

    @admin.action(description="Send them anew", permissions=["decide"])
    def anew(self, request: HttpRequest, queryset: QuerySet[LocalList]) -> None:
        sending.anew(list(queryset.values_list("pk", flat=True)))
        self.message_user(request, "They are sent as a whole.")
