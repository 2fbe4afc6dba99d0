"""The first page of the admin: who is connected, what we hold, and what needs a person."""

from typing import Any, NamedTuple

from django.db.models import Case, Count, Sum, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from ocpi.admin.reading import link, shorten, table, when
from ocpi.models import Location, ObjectCount
from roaming import agreements
from roaming.admin.platforms import state_chip
from roaming.admin.pulls import run_chip
from roaming.delivery_models import Delivery, FeedCursor
from roaming.models import Party, Platform
from roaming.pull_models import QuarantinedObject, SyncRun

PLATFORMS = 25
RUNS = 10


class Tile(NamedTuple):
    """A number that leads to what it counts."""

    title: str
    number: int
    url: str
    alarming: bool = False


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds to the first page what this user may see."""
    context["title"] = "Overview"
    if request.user.has_perm("roaming.view_platform"):
        context["tiles"] = _tiles()
        context["platforms"] = _platforms()
        context["runs"] = _runs()
    if request.user.has_perm("roaming.view_agreement"):
        context["ending"] = _ending()
    return context


def _tiles() -> list[Tile]:
    platforms = reverse("admin:roaming_platform_changelist")
    counts = dict(Platform.objects.values_list("state").annotate(Count("pk")))
    by_state = [
        Tile(f"{state.label.capitalize()} platforms", counts.get(state, 0), f"{platforms}?state__exact={state.value}")
        for state in (Platform.State.CONNECTED, Platform.State.PLANNED, Platform.State.SUSPENDED)
    ]
    locations = ObjectCount.objects.filter(module=Location.module.value)
    own = Party.objects.filter(platform=None).values("party")
    ours = locations.filter(owner__in=own).aggregate(total=Sum("count", default=0))["total"]
    all_of_them = locations.aggregate(total=Sum("count", default=0))["total"]
    listed = reverse("admin:ocpi_location_changelist")
    quarantined, given_up = (
        QuarantinedObject.objects.count(),
        Delivery.objects.filter(given_up_at__isnull=False).count(),
    )
    late = FeedCursor.objects.filter(late_since__isnull=False).count()
    return [
        *by_state,
        Tile("Own Locations", ours, f"{listed}?source__isempty=1"),
        Tile("Partners' Locations", all_of_them - ours, f"{listed}?source__isempty=0"),
        Tile(
            "Quarantined objects", quarantined, reverse("admin:roaming_quarantinedobject_changelist"), quarantined > 0
        ),
        Tile(
            "Waiting for a person",
            given_up,
            f"{reverse('admin:roaming_delivery_changelist')}?outcome=given_up",
            given_up > 0,
        ),
        Tile("Late", late, f"{reverse('admin:roaming_feedcursor_changelist')}?late_since__isempty=0", late > 0),
    ]


def _platforms() -> SafeString:
    """Those that fail first, then the others by name."""
    failing = Case(When(failures__gt=0, then=Value(0)), default=Value(1))
    rows = Platform.objects.defer("outbound_token").order_by(failing, "name")[:PLATFORMS]
    return table(
        ("Platform", "State", "Last success", "Failures", "Last error"),
        [
            (
                link(row, row.name),
                state_chip(row),
                when(row.last_success_at),
                row.failures,
                f"{when(row.last_error_at)}: {shorten(row.last_error)}" if row.last_error else "-",
            )
            for row in rows
        ],
    )


def _ending() -> SafeString | None:
    """Agreements that somebody should renew."""
    rows = agreements.ending(timezone.now())
    if not rows:
        return None
    return table(
        ("Ends", "Parties", "Modules", "Note"),
        [(when(row.valid_to), link(row, str(row)), ", ".join(row.modules) or "all", row.note) for row in rows],
    )


def _runs() -> SafeString:
    return table(
        ("Started", "Platform", "Module", "Outcome", "Created", "Updated", "Unchanged"),
        [
            (
                link(run, when(run.started_at)),
                run.platform.name,
                run.module,
                run_chip(run),
                run.created,
                run.updated,
                run.unchanged,
            )
            for run in SyncRun.objects.select_related("platform").order_by("-pk")[:RUNS]
        ],
    )
