"""What went over the wire, and who is connected: the first things operators ask for."""

from django.contrib import admin
from django.utils.safestring import SafeString

from cpo_backend.models import OcppCommand, OcppConnection, OcppMessage
from ocpi.admin.reading import ReadOnlyAdmin, chip, document, shorten

_TONES = {"ok": "success", "error": "danger", "timeout": "danger", "offline": "warning"}


@admin.register(OcppConnection)
class OcppConnectionAdmin(ReadOnlyAdmin):
    list_display = ("charger", "version", "security_profile", "address", "connected_at", "node")
    list_select_related = ("charger", "node")
    list_filter = ("version", "security_profile")
    search_fields = ("charger__identity", "address")
    ordering = ("-connected_at",)


@admin.register(OcppCommand)
class OcppCommandAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "charger", "action", "purpose", "outcome", "error_code", "sent_at", "answered_at")
    list_select_related = ("charger",)
    list_filter = ("status", "purpose", "action")
    search_fields = ("charger__identity", "action")
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": (("charger", "action"), ("outcome", "purpose"), ("error_code", "error_description"))}),
        ("When", {"fields": (("created_at", "due_at"), ("sent_at", "answered_at"), ("expires_at", "timeout"))}),
        ("Request", {"fields": ("asked",)}),
        ("Answer", {"fields": ("answer",)}),
    )
    readonly_fields = ("outcome", "asked", "answer")

    @admin.display(description="Outcome")
    def outcome(self, command: OcppCommand) -> SafeString:
        return chip(_TONES.get(command.status, "info"), command.get_status_display())

    @admin.display(description="")
    def asked(self, command: OcppCommand) -> SafeString:
        return document(command.payload)

    @admin.display(description="")
    def answer(self, command: OcppCommand) -> SafeString | str:
        return document(command.result) if command.result else "none"


@admin.register(OcppMessage)
class OcppMessageAdmin(ReadOnlyAdmin):
    list_display = ("at", "identity", "direction", "action", "error_code", "beginning", "size", "milliseconds")
    list_filter = ("direction", "at")
    search_fields = ("identity__exact", "message_id__exact")
    search_help_text = "Identity or message id, in full"
    ordering = ("-pk",)
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": (("identity", "direction"), ("action", "message_id"), ("at", "milliseconds"))}),
        ("Frame", {"fields": ("error_code", "size", "frame")}),
    )
    readonly_fields = ("frame",)

    @admin.display(description="Frame")
    def beginning(self, message: OcppMessage) -> str:
        return shorten(message.text, 80)

    @admin.display(description="")
    def frame(self, message: OcppMessage) -> SafeString:
        return document(message.text)
