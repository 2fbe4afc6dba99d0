"""The figures of chargers for Prometheus, as `figures` tells those of partners: a dozen counts that indexes answer.

Messages are counted by the process that holds the sockets; the row in which it says that it lives has the totals.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.utils import timezone
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from config.figures import gauge, total
from cpo_backend.models import (
    Alarm,
    Bill,
    Charger,
    LocalList,
    OcppCommand,
    OcppConnection,
    OcppNode,
    OrphanStop,
    Transaction,
)
from cpo_backend.ocpp import fencing
from cpo_backend.ocpp.frame_log import frame_log

_HOUR = timedelta(hours=1)
_PROCESS = ("process",)


class ChargerFigures(Collector):
    def collect(self) -> Iterator[Metric]:
        yield from _chargers()
        yield from _messages()
        yield from _transactions()
        yield from _commands()


def _by(name: str, text: str, column: str, rows: "QuerySet[Any]") -> Metric:
    """How many rows there are of each value."""
    counted = rows.order_by(column).values_list(column).annotate(Count("pk"))
    return gauge(name, text, (column,), [((str(value),), count) for value, count in counted])


def _chargers() -> Iterator[Metric]:
    held = OcppConnection.objects.filter(node__seen_at__gte=timezone.now() - fencing.TERM)
    yield _by("ocpp_chargers", "Chargers that are registered", "state", Charger.objects.all())
    yield _by("ocpp_connected_chargers", "Chargers that are connected", "version", held)
    yield _by("ocpp_open_alarms", "Alarms that are open", "kind", Alarm.objects.filter(cleared_at=None))
    yield _by("ocpp_local_lists", "Local lists by what is known of them", "standing", LocalList.objects.all())


def _messages() -> Iterator[Metric]:
    rows = list(OcppNode.objects.order_by("host").values_list("host").annotate(Sum("received"), Sum("sent")))
    received, sent = ([((row[0],), float(row[place])) for row in rows] for place in (1, 2))
    yield total("ocpp_messages_received", "Messages of chargers, by the process that holds them", _PROCESS, received)
    yield total("ocpp_messages_sent", "Messages to chargers, by the process that holds them", _PROCESS, sent)
    dropped = [((), frame_log.dropped)]
    yield total("ocpp_message_log_dropped", "Messages that the log of the answering process has lost", (), dropped)


def _transactions() -> Iterator[Metric]:
    counted = (
        ("ocpp_open_transactions", "Transactions that go on", Transaction.objects.filter(closed_by="")),
        ("ocpp_held_bills", "CDRs that wait for a person", Bill.objects.filter(state=Bill.State.HELD)),
        ("ocpp_due_bills", "CDRs that should have been made", Bill.objects.filter(cdr_due_at__lt=timezone.now())),
        ("ocpp_orphan_stops", "Stops of transactions nobody knows", OrphanStop.objects.filter(settled_at=None)),
    )
    for name, text, rows in counted:
        yield gauge(name, text, (), [((), rows.count())])


def _commands() -> Iterator[Metric]:
    latest = OcppCommand.objects.filter(created_at__gt=timezone.now() - _HOUR)
    outcomes = latest.values_list("purpose", "status").annotate(Count("pk")).order_by("purpose", "status")
    yield gauge(
        "ocpp_commands_last_hour",
        "What chargers were asked in the last hour, by what for and by outcome",
        ("purpose", "status"),
        [((purpose, status), count) for purpose, status, count in outcomes],
    )
