"""What Prometheus reads."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cpo_backend.models import PowerDecision, PowerSite
from ocpi.models import Location
from ocpi.store.locations import locations
from ocpi.store.objects import Arrival
from roaming import breaker, directory
from roaming.authorization_models import Authorization
from roaming.command_models import SentCommand
from roaming.delivery_models import FeedCursor
from roaming.models import DirectoryVersion, Party, Platform
from roaming.pull_models import PullCursor, QuarantinedObject, SyncRun
from tests.kit.objects import location
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)

STREAM = {"platform": "eMSP", "stream": "locations"}
MODULE = {"platform": "eMSP", "module": "locations"}


@pytest.fixture
def platform() -> Platform:
    """A connected eMSP that has acknowledged seven objects and lacks one for two hours."""
    platform = register(
        "EMSP:DE*MSP", name="eMSP", endpoints={("locations", "RECEIVER"): "https://e.example/"}
    ).platform
    FeedCursor.objects.create(platform=platform, stream="locations", sent=7, requests=9, refused=1, failures=1)
    locations.put_many([Arrival(location())], None)
    Location.objects.update(received_at=timezone.now() - timedelta(hours=2))
    return platform


def test_what_a_platform_lacks_is_told(platform: Platform, read: Callable[..., float]) -> None:
    assert read("ocpi_delivery_unacknowledged_objects", **STREAM) == 1
    assert 7100 < read("ocpi_delivery_oldest_unacknowledged_seconds", **STREAM) < 7300
    assert read("ocpi_delivery_late", **STREAM) == 1
    assert read("ocpi_delivery_given_up_objects", **STREAM) == 0
    FeedCursor.objects.update(is_paused=True)
    assert read("ocpi_delivery_late", **STREAM) == 0
    assert read("ocpi_delivery_paused", **STREAM) == 1


def test_totals_of_deliveries_are_told(platform: Platform, read: Callable[..., float]) -> None:
    for name, total in (("acknowledged_objects", 7), ("requests", 9), ("refused_objects", 1), ("failures", 1)):
        assert read(f"ocpi_delivery_{name}_total", **STREAM) == total


def test_shared_power_is_told(read: Callable[..., float]) -> None:
    site = PowerSite.objects.create(party="NL*OCP", location_id="LOC-1", limit=11_000)
    rows = '[{"committed":4140},{"committed":1380.5}]'
    PowerDecision.objects.create(site=site, decided_at=timezone.now(), limit=site.limit, rows=rows)
    assert read("ocpi_site_power_limit_watts", site="NL*OCP/LOC-1") == 11_000
    assert read("ocpi_site_power_committed_watts", site="NL*OCP/LOC-1") == 5520.5


def test_state_and_breaker_of_a_platform_are_told(platform: Platform, read: Callable[..., float]) -> None:
    assert read("ocpi_platform_state", platform="eMSP", state="connected") == 1
    assert read("ocpi_platform_state", platform="eMSP", state="planned") == 0
    assert read("ocpi_platform_breaker_open", platform="eMSP") == 0
    breaker.trip(platform.pk, "nobody there")
    assert read("ocpi_platform_breaker_open", platform="eMSP") == 1


def test_pulls_and_quarantine_are_told(platform: Platform, read: Callable[..., float]) -> None:
    PullCursor.objects.create(platform=platform, module="locations")
    for minutes, error in ((10, ""), (5, "no answer")):
        moment = timezone.now() - timedelta(minutes=minutes)
        SyncRun.objects.create(
            platform=platform, module="locations", started_at=moment, finished_at=moment, error=error
        )
    SyncRun.objects.create(platform=platform, module="locations")  # under way
    QuarantinedObject.objects.create(platform=platform, module="locations", identity="A", document="{}", defects="[]")
    assert read("ocpi_pull_success", **MODULE) == 0
    assert 299 < read("ocpi_pull_age_seconds", **MODULE) < 360
    assert read("ocpi_quarantined_objects", **MODULE) == 1


def test_commands_and_authorizations_are_told(platform: Platform, read: Callable[..., float]) -> None:
    SentCommand.objects.create(platform=platform, command="START_SESSION", state=SentCommand.State.WAITING)
    for allowed in ("ALLOWED", "ALLOWED", "A-WORD-OF-ITS-OWN"):
        Authorization.objects.create(side="CPO", uid="a", allowed=allowed, source="OWN", milliseconds=1)
    decision = {"side": "CPO", "source": "OWN"}
    assert read("ocpi_commands_waiting", kind="sent") == 1
    assert read("ocpi_commands_waiting", kind="received") == 0
    assert read("ocpi_authorizations_last_hour", allowed="ALLOWED", **decision) == 2
    assert read("ocpi_authorizations_last_hour", allowed="other", **decision) == 1


def test_the_process_and_its_exchange_log_are_told(read: Callable[..., float]) -> None:
    assert read("process_resident_memory_bytes") > 0
    assert read("ocpi_exchange_log_dropped_entries_total") >= 0


def told(client: Client) -> tuple[str, int]:
    """The metrics, and the number of queries they cost; once a second somebody looks whether the directory changed."""
    with CaptureQueriesContext(connection) as asked:
        text = client.get("/metrics").content.decode()
    return text, sum(DirectoryVersion._meta.db_table not in query["sql"] for query in asked.captured_queries)


def test_a_thousand_platforms_cost_as_many_queries_as_one(client: Client, platform: Platform) -> None:
    client.get("/metrics")
    _, of_one = told(client)
    platforms = Platform.objects.bulk_create(
        Platform(name=f"P {number}", state=Platform.State.CONNECTED) for number in range(1000)
    )
    Party.objects.bulk_create(
        Party(platform=each, party=f"A{number // 1000}*{number % 1000:03}", role="EMSP", name="eMSP")
        for number, each in enumerate(platforms)
    )
    for model, values in ((FeedCursor, {"stream": "locations"}), (PullCursor, {"module": "locations"})):
        model.objects.bulk_create(model(platform=each, **values) for each in platforms)
    platform.endpoints.model.objects.bulk_create(
        platform.endpoints.model(platform=each, module="locations", role="RECEIVER", url="https://e.example/")
        for each in platforms
    )
    SyncRun.objects.bulk_create(
        SyncRun(platform=each, module="locations", finished_at=timezone.now()) for each in platforms
    )
    directory.changed()
    client.get("/metrics")  # the directory is read anew
    text, of_many = told(client)
    assert of_many == of_one
    assert text.count("ocpi_delivery_unacknowledged_objects{") == 1001
    assert text.count("ocpi_pull_success{") == 1000


def test_a_token_is_required_where_one_is_set(client: Client, settings: Any) -> None:
    assert client.get("/metrics").status_code == 200
    settings.METRICS_TOKEN = "for-prometheus"
    for refused in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Token for-prometheus"}):
        answer = client.get("/metrics", headers=refused)
        assert (answer.status_code, answer["WWW-Authenticate"], answer.content) == (401, "Bearer", b"")
    assert client.get("/metrics", headers={"Authorization": "Bearer for-prometheus"}).status_code == 200
    assert client.post("/metrics").status_code == 405


def test_a_node_without_a_token_is_warned_of_before_it_is_deployed(settings: Any) -> None:
    def warned() -> set[str | None]:
        return {found.id for found in run_checks(include_deployment_checks=True)}

    assert "node.W001" in warned()
    settings.METRICS_TOKEN = "for-prometheus"
    assert "node.W001" not in warned()


def test_limits_that_cannot_be_read_are_a_fault_of_the_settings(settings: Any) -> None:
    settings.NODE_FRESHNESS = "evses=5"
    assert "roaming.E003" in {found.id for found in run_checks()}
