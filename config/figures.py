"""The figures of the node for Prometheus: read from the rows when they are asked for, in a handful of queries.

The database is the same for every process, so any of them tells the same; what is of the answering process alone says
so in its text. Totals only ever grow. A platform that is not connected has its state and nothing else.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cpo_backend.models import PowerSite
from cpo_backend.power import sites
from ocpi.v221.tokens import AllowedType
from roaming.authorization_models import Authorization
from roaming.command_models import CommandOutcome, ReceivedCommand, SentCommand
from roaming.delivery.freshness import Standing, standings
from roaming.exchanges.log import exchange_log
from roaming.models import Platform
from roaming.pull_models import PullCursor, QuarantinedObject, SyncRun

_HOUR = timedelta(hours=1)
_STREAM = ("platform", "stream")
_MODULE = ("platform", "module")

# The values of the labels, and the number.
Sample = tuple[tuple[str, ...], float]


def gauge(name: str, text: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
    return _filled(GaugeMetricFamily(name, text, labels=labels), samples)


def total(name: str, text: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
    return _filled(CounterMetricFamily(name, text, labels=labels), samples)


def _filled(family: Any, samples: Iterable[Sample]) -> Metric:
    for labels, value in samples:
        family.add_metric(labels, value)
    metric: Metric = family
    return metric


class Figures(Collector):
    def collect(self) -> Iterator[Metric]:
        yield from _platforms()
        yield from _deliveries()
        yield from _pulls(timezone.now())
        yield from _commands()
        yield from _authorizations(timezone.now())
        yield from _exchanges()
        yield from _power()


def _platforms() -> Iterator[Metric]:
    rows = list(Platform.objects.order_by("name").values_list("name", "state", "offline_since"))
    states = [((name, state.label), float(held == state)) for name, held, _ in rows for state in Platform.State]
    yield gauge("ocpi_platform_state", "1 for the state that the platform is in", ("platform", "state"), states)
    yield gauge(
        "ocpi_platform_breaker_open",
        "Whether the platform is OFFLINE: only probes call it",
        ("platform",),
        [((name,), float(since is not None)) for name, _, since in rows],
    )


# Name, text, and how it is read from a stream's standing; None: there is no such figure now.
_OF_STREAMS: tuple[tuple[str, str, Callable[[Standing], float | None]], ...] = (
    (
        "oldest_unacknowledged_seconds",
        "Age of the oldest change that the platform has not acknowledged; 0: it has all",
        lambda of: _age(of.at, of.oldest_at),
    ),
    (
        "unacknowledged_objects",
        "Objects (EVSEs in the stream of statuses) with changes that the platform has not acknowledged",
        lambda of: of.unacknowledged,
    ),
    ("given_up_objects", "Those among them that wait for a person", lambda of: of.given_up),
    ("late", "Whether NODE_FRESHNESS is exceeded", lambda of: of.is_late),
    ("paused", "Whether staff have paused it", lambda of: of.is_paused),
    (
        "latency_p95_seconds",
        "From change to acknowledgement in the last two hours: the bound that 95 % kept",
        lambda of: of.p95,
    ),
)
# Name, text, and the field of FeedCursor.
_TOTALS_OF_STREAMS = (
    ("acknowledged_objects", "Objects acknowledged", "sent"),
    ("refused_objects", "Objects refused", "refused"),
    ("requests", "Requests sent", "requests"),
    ("failures", "Visits to the platform that ended in trouble", "failures"),
)


def _deliveries() -> Iterator[Metric]:
    found = [((standing.peer.name, standing.stream.value), standing) for standing in standings()]
    for name, text, read in _OF_STREAMS:
        figures = [(labels, float(value)) for labels, of in found if (value := read(of)) is not None]
        yield gauge(f"ocpi_delivery_{name}", text, _STREAM, figures)
    for name, text, field in _TOTALS_OF_STREAMS:
        counted = [(labels, float(getattr(of.cursor, field))) for labels, of in found if of.cursor]
        yield total(f"ocpi_delivery_{name}", text, _STREAM, counted)


def _pulls(now: datetime) -> Iterator[Metric]:
    finished = SyncRun.objects.filter(platform=OuterRef("platform"), module=OuterRef("module"))
    latest = finished.exclude(finished_at=None).order_by("-started_at").values("pk")[:1]
    ids = PullCursor.objects.annotate(latest=Subquery(latest)).values("latest")
    runs = SyncRun.objects.filter(pk__in=ids).order_by("platform__name", "module")
    found = runs.values_list("platform__name", "module", "finished_at", "error")
    rows = [((name, module), ended_at, error) for name, module, ended_at, error in found]
    yield gauge(
        "ocpi_pull_age_seconds",
        "Since the last pull ended",
        _MODULE,
        [(labels, _age(now, ended_at)) for labels, ended_at, _ in rows],
    )
    yield gauge(
        "ocpi_pull_success",
        "Whether the last pull succeeded",
        _MODULE,
        [(labels, float(not error)) for labels, _, error in rows],
    )
    kept = QuarantinedObject.objects.values_list("platform__name", "module").annotate(Count("pk")).order_by()
    yield gauge(
        "ocpi_quarantined_objects",
        "Objects of the platform that cannot be used",
        _MODULE,
        [((name, module), count) for name, module, count in kept],
    )


def _commands() -> Iterator[Metric]:
    waiting = {
        "sent": SentCommand.objects.filter(state__in=(SentCommand.State.SENDING, SentCommand.State.WAITING)),
        "received": ReceivedCommand.objects.filter(deadline__isnull=False),
        "result": CommandOutcome.objects.filter(due_at__isnull=False),
    }
    yield gauge(
        "ocpi_commands_waiting",
        "Commands, ours and theirs, without a result yet; results of theirs that are not delivered",
        ("kind",),
        [((kind,), rows.count()) for kind, rows in waiting.items()],
    )


def _authorizations(now: datetime) -> Iterator[Metric]:
    """Partners may answer with words of their own: those are one."""
    decided = Authorization.objects.filter(decided_at__gt=now - _HOUR)
    counted = decided.values_list("side", "allowed", "source").annotate(Count("pk")).order_by()
    numbers: Counter[tuple[str, ...]] = Counter()
    for side, allowed, source, count in counted:
        numbers[side, allowed if AllowedType(allowed).is_known else "other", source] += count
    yield gauge(
        "ocpi_authorizations_last_hour",
        "Decisions whether a Token may charge, of the last hour",
        ("side", "allowed", "source"),
        numbers.items(),
    )


def _exchanges() -> Iterator[Metric]:
    for name, text, count in (
        ("dropped_entries", "Entries of the exchange log lost by the answering process", exchange_log.dropped),
        ("dropped_bodies", "Bodies left out of entries by the answering process", exchange_log.dropped_bodies),
    ):
        yield total(f"ocpi_exchange_log_{name}", text, (), [((), count)])
    yield gauge(
        "ocpi_exchange_log_waiting_entries",
        "Entries that the answering process has not written yet",
        (),
        [((), exchange_log.waiting)],
    )


def _power() -> Iterator[Metric]:
    found = list(PowerSite.objects.order_by("key"))
    yield gauge(
        "ocpi_site_power_limit_watts",
        "What a site may draw where power is shared",
        ("site",),
        [((str(site),), float(site.limit)) for site in found],
    )
    drawn = [((str(site),), sites.committed(site)) for site in found]
    yield gauge(
        "ocpi_site_power_committed_watts",
        "The most that its EVSEs may draw together by now, also those that are away",
        ("site",),
        [(labels, float(watts)) for labels, watts in drawn if watts is not None],
    )


def _age(now: datetime, since: datetime | None) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
