"""ClientInfos for staff: who is behind which hub, and whether it can be reached."""

from django.contrib import admin
from django.utils.safestring import SafeString

from ocpi.admin.filters import DefectsFilter, OwnerFilter, values_of
from ocpi.admin.objects import DETAIL, OWN, FoundByKey
from ocpi.admin.reading import chip
from ocpi.models import ClientInfo
from ocpi.v221.common import Role
from ocpi.v221.hub_client_info import ConnectionStatus

TONES = {
    ConnectionStatus.CONNECTED: "success",
    ConnectionStatus.OFFLINE: "warning",
    ConnectionStatus.PLANNED: "info",
    ConnectionStatus.SUSPENDED: "danger",
}


@admin.register(ClientInfo)
class ClientInfoAdmin(FoundByKey):
    list_display = ("owner", "role", "state", "defect_count", "told_by", "last_updated")
    list_filter = (values_of("status", ConnectionStatus), values_of("role", Role), OwnerFilter, DefectsFilter, OWN)
    search_help_text = "A party: NL*TNM"
    fieldsets = (
        (None, {"fields": (("owner", "role"), ("state", "told_by"), ("last_updated", "received_at"), "revision")}),
        *DETAIL,
    )
    readonly_fields = ("defect_table", "pretty", "state", "told_by")

    @admin.display(description="Status")
    def state(self, info: ClientInfo) -> SafeString:
        return chip(TONES.get(ConnectionStatus(info.status), "neutral"), info.status or "odd")

    @admin.display(description="Told by", ordering="source")
    def told_by(self, info: ClientInfo) -> str:
        return "this hub" if info.source is None else f"platform {info.source}"
