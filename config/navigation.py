"""The sidebar of the admin: what each staff user may see, and nothing else."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse, reverse_lazy

from roaming.delivery_models import Delivery

_WAITING = "roaming_delivery_changelist?outcome=given_up"

# Groups of (title, icon, permission to look, URL name with a query if need be).
_ENTRIES: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "Roaming": (
        ("Platforms", "hub", "roaming.view_platform", "roaming_platform_changelist"),
        ("Parties", "groups", "roaming.view_party", "roaming_party_changelist"),
        ("Agreements", "handshake", "roaming.view_agreement", "roaming_agreement_changelist"),
    ),
    "Chargers": (
        ("Chargers", "ev_station", "cpo_backend.view_charger", "cpo_backend_charger_changelist"),
        ("Transactions", "electric_car", "cpo_backend.view_transaction", "cpo_backend_transaction_changelist"),
        ("Orphan stops", "link_off", "cpo_backend.view_orphanstop", "cpo_backend_orphanstop_changelist"),
        ("Alarms", "notification_important", "cpo_backend.view_alarm", "cpo_backend_alarm_changelist"),
        ("Operations", "build", "cpo_backend.view_operationjob", "cpo_backend_operationjob_changelist"),
        ("Files", "folder", "cpo_backend.view_chargerfile", "cpo_backend_chargerfile_changelist"),
        ("Reservations", "event_available", "cpo_backend.view_reservation", "cpo_backend_reservation_changelist"),
        ("Remote starts", "play_circle", "cpo_backend.view_remotestart", "cpo_backend_remotestart_changelist"),
        ("Charging profiles", "tune", "cpo_backend.view_sessionprofile", "cpo_backend_sessionprofile_changelist"),
        ("Local lists", "playlist_add_check", "cpo_backend.view_locallist", "cpo_backend_locallist_changelist"),
        ("Power sharing", "offline_bolt", "cpo_backend.view_powersite", "cpo_backend_powersite_changelist"),
        ("Status sources", "sensors", "cpo_backend.view_statussource", "cpo_backend_statussource_changelist"),
        ("Commands", "terminal", "cpo_backend.view_ocppcommand", "cpo_backend_ocppcommand_changelist"),
        ("Messages", "forum", "cpo_backend.view_ocppmessage", "cpo_backend_ocppmessage_changelist"),
        ("Connections", "cable", "cpo_backend.view_ocppconnection", "cpo_backend_ocppconnection_changelist"),
    ),
    "Owners and reports": (
        ("Reports", "bar_chart", "cpo_backend.view_cdrfigures", "cpo_backend_cdrfigures_changelist"),
        ("Owners", "real_estate_agent", "cpo_backend.view_chargepointowner", "cpo_backend_chargepointowner_changelist"),
        ("Statements", "request_quote", "cpo_backend.view_ownerstatement", "cpo_backend_ownerstatement_changelist"),
    ),
    "Objects": (
        ("Locations", "ev_station", "ocpi.view_location", "ocpi_location_changelist"),
        ("Tariffs", "sell", "ocpi.view_tariff", "ocpi_tariff_changelist"),
        ("Tariff lab", "science", "roaming.view_labrun", "roaming_labrun_changelist"),
        ("Sessions", "bolt", "ocpi.view_session", "ocpi_session_changelist"),
        ("CDRs", "receipt_long", "ocpi.view_cdr", "ocpi_cdr_changelist"),
        ("Tokens", "badge", "ocpi.view_token", "ocpi_token_changelist"),
        ("Authorizations", "verified_user", "roaming.view_authorization", "roaming_authorization_changelist"),
        ("CDR audits", "fact_check", "roaming.view_cdraudit", "roaming_cdraudit_changelist"),
        ("Disputes", "gavel", "roaming.view_dispute", "roaming_dispute_changelist"),
        ("Settlements", "account_balance", "roaming.view_settlement", "roaming_settlement_changelist"),
        ("Parties behind hubs", "device_hub", "ocpi.view_clientinfo", "ocpi_clientinfo_changelist"),
    ),
    "Exchange": (
        ("Requests", "swap_horiz", "roaming.view_exchange", "roaming_exchange_changelist"),
        ("Waiting for a person", "assignment_late", "roaming.view_delivery", _WAITING),
        ("Lanes", "alt_route", "roaming.view_feedcursor", "roaming_feedcursor_changelist"),
        ("Deliveries", "local_shipping", "roaming.view_delivery", "roaming_delivery_changelist"),
        ("Pulls", "download", "roaming.view_syncrun", "roaming_syncrun_changelist"),
        ("Pull schedules", "calendar_clock", "roaming.view_pullcursor", "roaming_pullcursor_changelist"),
        ("Missing objects", "visibility_off", "roaming.view_missingobject", "roaming_missingobject_changelist"),
        ("Dangling references", "link_off", "roaming.view_danglingreference", "roaming_danglingreference_changelist"),
        ("Quarantine", "report", "roaming.view_quarantinedobject", "roaming_quarantinedobject_changelist"),
    ),
    "Commands": (
        ("Sent", "send", "roaming.view_sentcommand", "roaming_sentcommand_changelist"),
        ("Received", "call_received", "roaming.view_receivedcommand", "roaming_receivedcommand_changelist"),
        ("Passed through", "sync_alt", "roaming.view_callback", "roaming_callback_changelist"),
        ("Active profiles", "monitoring", "roaming.view_activeprofile", "roaming_activeprofile_changelist"),
        ("Profile followers", "campaign", "roaming.view_profilefollower", "roaming_profilefollower_changelist"),
    ),
    "Jobs": (
        (
            "Scheduled jobs",
            "schedule",
            "django_celery_beat.view_periodictask",
            "django_celery_beat_periodictask_changelist",
        ),
        (
            "Intervals",
            "timer",
            "django_celery_beat.view_intervalschedule",
            "django_celery_beat_intervalschedule_changelist",
        ),
        (
            "Crontabs",
            "event_repeat",
            "django_celery_beat.view_crontabschedule",
            "django_celery_beat_crontabschedule_changelist",
        ),
    ),
    "Staff": (
        ("Users", "person", "auth.view_user", "auth_user_changelist"),
        ("Groups", "group", "auth.view_group", "auth_group_changelist"),
    ),
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups and entries for this user."""
    groups: list[dict[str, Any]] = [
        {"items": [{"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")}]}
    ]
    for title, entries in _ENTRIES.items():
        items = [_item(name, icon, url) for name, icon, permission, url in entries if request.user.has_perm(permission)]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def _item(title: str, icon: str, url: str) -> dict[str, Any]:
    name, question, query = url.partition("?")
    link = f"{reverse(f'admin:{name}')}{question}{query}"
    item: dict[str, Any] = {"title": title, "icon": icon, "link": link}
    if query:  # otherwise the list without it would be taken for this one
        item["active"] = lambda request: request.get_full_path() == link
    if url == _WAITING and (waiting := Delivery.objects.filter(given_up_at__isnull=False).count()):
        item["badge"] = str(waiting)
    return item
