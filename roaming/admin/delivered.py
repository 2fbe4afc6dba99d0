"""How far behind a platform is, and how its last hours went: for its page."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Sum
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from ocpi.admin.reading import chip, link, table, when
from roaming.delivery.freshness import MOST, Standing, percentile, standings
from roaming.delivery.records import BOUNDS
from roaming.delivery.streams import Stream
from roaming.models import Platform

HOURS = 48
_BEYOND = 600.0  # where the chart shows what took longer than is measured
_LACKING = {
    Stream.STATUSES: ("blind to {} EVSE", "blind to {} EVSEs"),
    Stream.SESSIONS: ("without {} Session", "without {} Sessions"),
    Stream.CDRS: ("without {} CDR", "without {} CDRs"),
    Stream.TOKENS: ("without {} Token", "without {} Tokens"),
    Stream.HUB_CLIENT_INFO: ("without the state of {} party", "without the state of {} parties"),
    Stream.TARIFFS: ("without {} Tariff", "without {} Tariffs"),
    Stream.LOCATIONS: ("without {} Location", "without {} Locations"),
}


def lacking(standing: Standing) -> str:
    """What it means to the platform that the stream is behind."""
    one, many = _LACKING[standing.stream]
    since = standing.oldest_at or standing.at
    number = f"{standing.unacknowledged}{' or more' if standing.unacknowledged >= MOST else ''}"
    what = (one if standing.unacknowledged == 1 else many).format(number)
    return f"{standing.peer.name} has been {what} for {timesince(since, standing.at)}"


def lateness(platform: Platform) -> SafeString | str:
    """A line for each stream that is late."""
    late = [standing for standing in standings(platform.pk) if standing.is_late]
    lines = ((chip("danger", "late"), lacking(standing)) for standing in late)
    return format_html_join("", "<div>{} {}</div>", lines) or "on time"


def stream_table(platform: Platform, conditions: dict[int, SafeString]) -> SafeString:
    """Each stream with how it stands; `conditions` by cursor."""
    headers = ("Stream", "Condition", "Freshness", "Not acknowledged", "Oldest", "95 % within", "Acknowledged")
    return table(
        (*headers, "Last success", "Retry at"),
        [
            (
                link(of.cursor, of.stream.value) if of.cursor else of.stream.value,
                conditions.get(of.cursor.pk, "-") if of.cursor else "not begun",
                freshness_chip(of),
                of.unacknowledged,
                f"{timesince(of.oldest_at, of.at)} ago" if of.oldest_at else "-",
                within(of.p95),
                of.cursor.sent if of.cursor else 0,
                when(of.last_success_at),
                when(of.cursor.retry_at) if of.cursor else "-",
            )
            for of in standings(platform.pk)
        ],
    )


def freshness_chip(standing: Standing) -> SafeString:
    if standing.is_paused:
        return chip("warning", "paused")
    return chip("danger", "late") if standing.is_late else chip("success", "on time")


def within(seconds: float | None) -> str:
    """A bound of latencies for people."""
    if seconds is None:
        return "-"
    return f"{seconds:g} s" if math.isfinite(seconds) else "more than 5 min"


# --- the last hours -------------------------------------------------------------------------------------------------

_COLUMNS = [name for _, name in BOUNDS]
_OPTIONS = {
    "responsive": True,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "plugins": {"legend": {"display": True, "align": "end"}},
    "scales": {
        "x": {"grid": {"display": False}},
        "y": {"beginAtZero": True, "title": {"display": True, "text": "objects"}},
        "p95": {
            "position": "right",
            "beginAtZero": True,
            "grid": {"drawOnChartArea": False},
            "title": {"display": True, "text": "seconds"},
        },
    },
}


def hour_chart(platform: Platform) -> SafeString | str:
    """Acknowledged and refused objects of each of the last hours, and the seconds that 95 % of the changes kept."""
    last = timezone.now().replace(minute=0, second=0, microsecond=0)
    hours = [last - timedelta(hours=back) for back in reversed(range(HOURS))]
    rows = platform.delivery_hours.filter(hour__gte=hours[0]).values_list("hour")
    sums = rows.annotate(*(Sum(name) for name in ("acknowledged", "refused", *_COLUMNS)))
    found = {hour: figures for hour, *figures in sums}
    if not found:
        return f"Nothing was sent in the last {HOURS} hours."
    context = {"data": json.dumps(_datasets(hours, found)), "options": json.dumps(_OPTIONS)}
    chart = render_to_string("unfold/components/chart/bar.html", context)
    return format_html('<div class="node-chart">{}</div>', chart)


def _datasets(hours: Iterable[datetime], found: Mapping[datetime, Sequence[int]]) -> dict[str, Any]:
    nothing = [0] * (2 + len(_COLUMNS))
    each = [found.get(hour, nothing) for hour in hours]
    bounds = [percentile(figures[2:]) for figures in each]
    seconds = [bound and min(bound, _BEYOND) for bound in bounds]
    return {
        "labels": [f"{timezone.localtime(hour):%d %b %H:00}" for hour in hours],
        "datasets": [
            {"label": "acknowledged", "data": [figures[0] for figures in each], "backgroundColor": "#16a34a"},
            {"label": "refused", "data": [figures[1] for figures in each], "backgroundColor": "#dc2626"},
            {
                "type": "line",
                "label": f"95 % within seconds ({_BEYOND:.0f}: longer than 300)",
                "data": seconds,
                "yAxisID": "p95",
                "borderColor": "#2563eb",
                "backgroundColor": "#2563eb",
                "spanGaps": True,
            },
        ],
    }
