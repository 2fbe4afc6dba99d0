"""`doctor`: the node's configuration, and a partner's conduct."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from ocpi.types import codec
from roaming.lease_models import Lease
from tests.kit import cli
from tests.kit.objects import location
from tests.kit.peer import FakePeer, fails
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)


def faults(document: dict[str, Any]) -> dict[str, str]:
    return {fault["id"]: fault["level"] for fault in document["faults"]}


def printed(*arguments: str) -> str:
    output = StringIO()
    call_command("doctor", *arguments, stdout=output, stderr=StringIO())
    return output.getvalue()


def test_a_node_without_faults_is_told_with_its_configuration(settings: Any) -> None:
    settings.NODE_URL = "http://127.0.0.1:8123"
    document, code = cli.run("doctor")
    assert (code, document["ok"]) == (0, True)
    assert document["configuration"]["NODE_URL"] == "http://127.0.0.1:8123"
    assert "error" not in faults(document).values()
    assert "http://127.0.0.1:8123" in printed()


def test_secrets_are_not_shown(settings: Any) -> None:
    settings.SECRET_KEY = settings.METRICS_TOKEN = settings.OCPP_COMMISSIONING_KEY = "hush-hush"
    settings.REDIS_URL = "redis://:hush-hush@127.0.0.1:1/0"
    document, _ = cli.run("doctor")
    assert "hush" not in codec.encode_text(document)
    assert document["configuration"]["REDIS_URL"] == "redis://127.0.0.1:1/0"
    assert document["configuration"]["METRICS_TOKEN"] == "set"


def test_a_mistake_in_the_parties_and_a_broker_that_is_away_are_errors(settings: Any) -> None:
    settings.NODE_PARTIES, settings.REDIS_URL = "CPO:nonsense", "redis://127.0.0.1:1/0"
    document, code = cli.run("doctor")
    assert (code, document["ok"]) == (1, False)
    assert faults(document).items() >= {("roaming.E001", "error"), ("node.redis", "error")}
    assert document["faults"][0]["level"] == "error"


def test_that_nothing_is_done_by_itself_is_a_warning_while_no_beat_is_at_work() -> None:
    lease = Lease.objects.create(name="beat", holder="somebody", until=timezone.now() - timedelta(seconds=1))
    assert faults(cli.run("doctor")[0])["node.beat"] == "warning"
    lease.until = timezone.now() + timedelta(hours=1)
    lease.save()
    assert "node.beat" not in faults(cli.run("doctor")[0])


def test_advice_for_https_sites_is_given_to_https_sites(settings: Any) -> None:
    assert not [id for id in faults(cli.run("doctor")[0]) if id.startswith("security.")]
    settings.NODE_URL = "https://node.example"
    assert "security.W012" in faults(cli.run("doctor")[0])


def test_platforms_are_told_with_what_went_wrong_last() -> None:
    platform = register("CPO:DE*CPO", name="Example CPO").platform
    platform.record_error("no route to [host]")
    (row,) = cli.run("doctor")[0]["platforms"]
    assert (row["platform"], row["state"], row["failures"], row["last_error"]) == (
        "Example CPO", "CONNECTED", 1, "no route to [host]",
    )  # fmt: skip
    assert "no route to [host]" in printed()


def test_a_platform_that_nobody_knows_is_bad_usage() -> None:
    with pytest.raises(CommandError, match="no connected platform 'Nobody'") as error:
        call_command("doctor", "Nobody")
    assert error.value.returncode == 2


def test_a_partner_is_examined_and_may_be_sent_a_ticket(fake_peer: Callable[..., FakePeer]) -> None:
    peer = fake_peer(party="DE*CPO", role="CPO")
    peer.objects = {"locations": [location(country_code="DE", party_id="CPO")]}
    register(
        "CPO:DE*CPO", name="CPO", versions_url=peer.versions_url, endpoints=peer.endpoints(), outbound_token=peer.token
    )
    document, code = cli.run("doctor", "CPO")
    assert (code, document["conforms"], document["platform"]) == (0, True, "CPO")
    assert "It conforms" in printed("CPO")
    peer.misbehave(fails(500), path="/sender/locations")
    document, code = cli.run("doctor", "CPO")
    assert (code, document["conforms"]) == (1, False)
    assert {rule["rule"] for rule in document["rules"] if rule["broken"]} == {"envelope"}
    output = StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", "CPO", "--markdown", stdout=output, stderr=StringIO())
    assert output.getvalue().startswith("# OCPI 2.2.1 at CPO")
