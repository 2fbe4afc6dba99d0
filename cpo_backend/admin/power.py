"""Sites that share their power: the limit, and who gets what and why."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from cpo_backend.models import PowerDecision, PowerSite
from cpo_backend.power import sites
from cpo_backend.profiles.schedules import NOMINAL_VOLTAGE
from ocpi.admin.reading import ReadOnlyAdmin, chip, link, table, when
from ocpi.types import codec

_LATEST = 20
_HEADERS = ("EVSE", "Charger", "Session", "Wanted, W", "Share, W", "May draw, W", "Why")
_CELLS = ("evse", "charger", "session", "wanted", "share", "committed", "why")


class SiteForm(forms.ModelForm):
    """What could not be kept to is refused."""

    class Meta:
        model = PowerSite
        fields = ("party", "location_id", "limit", "way", "minimum", "reserve")

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if self.errors:
            return found
        known = {"party": self.instance.party, "location_id": self.instance.location_id}
        try:
            sites.check(PowerSite(**known | found))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        return found


@admin.register(PowerSite)
class PowerSiteAdmin(ModelAdmin):
    form = SiteForm
    list_display = ("location_id", "party", "in_kilowatts", "in_amperes", "way", "drawn")
    list_filter = ("way",)
    search_fields = ("location_id", "party")
    ordering = ("key",)
    readonly_fields = ("in_kilowatts", "in_amperes", "shares", "decisions")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        told = (("party", "location_id"), ("limit", "way"), ("minimum", "reserve"))
        if obj is None:
            return [(None, {"fields": told})]
        return [
            (None, {"fields": (*told, ("in_kilowatts", "in_amperes"))}),
            ("Now", {"fields": ("shares",)}),
            ("Decisions", {"fields": ("decisions",)}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "party", "location_id") if obj else ()

    def save_model(self, request: HttpRequest, obj: PowerSite, form: Any, change: bool) -> None:
        sites.save(obj)

    def delete_model(self, request: HttpRequest, obj: PowerSite) -> None:
        sites.release(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PowerSite]) -> None:
        for site in queryset:
            sites.release(site)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its decisions, which nobody may delete by themselves, go with it."""
        found, counts, _, protected = super().get_deleted_objects(objs, request)
        return found, counts, set(), protected

    # --- shown ------------------------------------------------------------------------------------------------------

    @admin.display(description="Limit, kW", ordering="limit")
    def in_kilowatts(self, site: PowerSite) -> str:
        return f"{(site.limit / 1000).normalize():f}"

    @admin.display(description="Limit, A at three phases")
    def in_amperes(self, site: PowerSite) -> str:
        return f"{site.limit / 3 / NOMINAL_VOLTAGE:.1f}"

    @admin.display(description="May draw now")
    def drawn(self, site: PowerSite) -> SafeString | str:
        watts = sites.committed(site)
        if watts is None:
            return "-"
        return chip("success" if watts <= site.limit else "danger", f"{watts:f} W")

    @admin.display(description="")
    def shares(self, site: PowerSite) -> SafeString | str:
        last = _latest(site).first()
        return _table(last) if last else "nothing decided yet"

    @admin.display(description="")
    def decisions(self, site: PowerSite) -> SafeString:
        rows = [(when(row.decided_at), f"{row.limit:f}", link(row, "who got what")) for row in _latest(site)[:_LATEST]]
        return table(("When", "Limit, W", ""), rows)


@admin.register(PowerDecision)
class PowerDecisionAdmin(ReadOnlyAdmin):
    list_display = ("decided_at", "site", "limit")
    list_filter = ("site",)
    list_select_related = ("site",)
    ordering = ("-pk",)
    fields = (("site", "decided_at", "limit"), "shares")
    readonly_fields = ("shares",)

    @admin.display(description="")
    def shares(self, row: PowerDecision) -> SafeString:
        return _table(row)


def _latest(site: PowerSite) -> QuerySet[PowerDecision]:
    return PowerDecision.objects.filter(site=site).order_by("-pk")


def _table(decision: PowerDecision) -> SafeString:
    rows: list[dict[str, Any]] = codec.decode(decision.rows.encode())
    return table(_HEADERS, [["-" if row[name] is None else row[name] for name in _CELLS] for row in rows])
