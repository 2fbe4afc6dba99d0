"""Chargers: who they are, how they stand, which EVSE each of their numbers is; accepted and blocked here."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline

from cpo_backend.admin import operations
from cpo_backend.models import Charger, ChargerEvse
from cpo_backend.ocpp import fencing
from cpo_backend.power import waking
from cpo_backend.registry import accepting, passwords
from cpo_backend.registry.adding import Registration, Unregistrable, numbered, register
from cpo_backend.status import publishing
from ocpi.admin.reading import chip, document, table, when

_TOLD = (
    "version",
    "vendor",
    "model",
    "serial_number",
    "firmware_version",
    "meter_type",
    "meter_serial_number",
    "iccid",
    "imsi",
    "last_boot_at",
    "boot_reason",
    "last_seen_at",
    "offline_since",
    "reboot_required",
    "configured_for",
)


class RegisterForm(forms.ModelForm):
    """A new charger; what is wrong with it is told beside the form."""

    password = forms.CharField(min_length=16, max_length=40, help_text="As it is set in the charger; not shown again")
    evse_list = forms.CharField(
        label="EVSEs",
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="A line each: UID, or UID:NUMBER with the connectorId of OCPP 1.6 or the EVSE id of 2.0.1",
    )

    class Meta:
        model = Charger
        fields = ("identity", "party", "location_id")

    def clean(self) -> dict[str, Any]:
        """Registers: all that can be wrong is known only then, and nothing is left behind if something is."""
        found: dict[str, Any] = super().clean() or {}
        if not self.errors:
            wanted = Registration(
                identity=found["identity"],
                location_id=found["location_id"],
                evses=[numbered(line.strip()) for line in found["evse_list"].splitlines() if line.strip()],
                party=found["party"],
                password=found["password"],
            )
            try:
                self.instance = register(wanted).charger
            except Unregistrable as error:
                raise forms.ValidationError(str(error)) from None
        return found


class EvseInline(TabularInline):
    model = ChargerEvse
    fields = ("number", "evse_uid", "override", "shared_power_group", "published_status", "published_at")
    readonly_fields = ("number", "evse_uid", "published_status", "published_at")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Charger)
class ChargerAdmin(ModelAdmin):
    list_display = ("identity", "condition", "location_id", "version", "vendor", "model", "firmware_version", "alarms")
    list_filter = ("state", "version", "reboot_required", "vendor")
    search_fields = ("identity", "location_id", "serial_number")
    ordering = ("identity",)
    inlines = (EvseInline,)
    actions = ("accept", "block", "renew_password", "operate")
    fieldsets = (
        (None, {"fields": (("identity", "condition", "state"), ("party", "location_id"), "security_profile")}),
        ("What it says of itself", {"fields": _TOLD}),
        ("Connectors", {"fields": ("connectors",)}),
        ("Configuration", {"fields": ("settings_read",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Charger]:
        rows: QuerySet[Charger] = super().get_queryset(request)
        is_open = Q(alarms__cleared_at=None)
        is_online = Exists(Charger.objects.filter(fencing.online(), pk=OuterRef("pk")))
        return rows.annotate(open_alarms=Count("alarms", filter=is_open), is_online=is_online)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        return super().get_form(request, obj, change, **options) if change else RegisterForm

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("identity", ("party", "location_id"), "evse_list", "password")})]
        return super().get_fieldsets(request, obj)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = ("identity", "condition", "state", "party", "location_id", "connectors", "settings_read", *_TOLD)
        return shown if obj else ()

    def save_model(self, request: HttpRequest, obj: Charger, form: Any, change: bool) -> None:
        """A new one is registered by its form; of others only what it changed: the charger writes the rest."""
        if change and form.changed_data:
            obj.save(update_fields=form.changed_data)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        publishing.judge_charger(form.instance.pk)
        waking.after_commit([form.instance.pk])

    # --- shown ------------------------------------------------------------------------------------------------------

    @admin.display(description="Condition")
    def condition(self, charger: Any) -> SafeString:
        if charger.state != Charger.State.ACCEPTED:
            return chip("warning", charger.get_state_display())
        if charger.is_online:
            return chip("success", "online")
        return chip("danger", "offline") if charger.offline_since else chip("info", "never connected")

    @admin.display(description="Open alarms", ordering="open_alarms")
    def alarms(self, charger: Any) -> int:
        return int(charger.open_alarms)

    @admin.display(description="")
    def connectors(self, charger: Charger) -> SafeString:
        rows = charger.statuses.order_by("number", "connector")
        return table(
            ("Number", "Connector", "Status", "Error", "Detail", "Since"),
            [(row.number, row.connector, row.word, row.error_code, row.detail, when(row.received_at)) for row in rows],
        )

    @admin.display(description="")
    def settings_read(self, charger: Charger) -> SafeString | str:
        return document(charger.configuration) if charger.configuration else "not read yet"

    # --- done -------------------------------------------------------------------------------------------------------

    @admin.action(description="Accept", permissions=["change"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Charger]) -> None:
        for charger in queryset:
            accepting.accept(charger)
        self.message_user(request, f"{len(queryset)} accepted; those that are connected are asked to boot again.")

    @admin.action(description="Block", permissions=["change"])
    def block(self, request: HttpRequest, queryset: QuerySet[Charger]) -> None:
        for charger in queryset:
            accepting.block(charger)
        self.message_user(request, f"{len(queryset)} blocked and disconnected.")

    @admin.action(description="Have them do something …", permissions=["change"])
    def operate(self, request: HttpRequest, queryset: QuerySet[Charger]) -> HttpResponse:
        return operations.choose(request, queryset)

    @admin.action(description="Give a new password", permissions=["change"])
    def renew_password(self, request: HttpRequest, queryset: QuerySet[Charger]) -> None:
        for charger in queryset:
            try:
                passwords.renew(charger)
            except passwords.NotConnected as error:
                self.message_user(request, f"{error}.", messages.WARNING)
            else:
                self.message_user(request, f"{charger} is told a new password; see its commands.")
