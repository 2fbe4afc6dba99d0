"""A partner is examined: each rule can be broken, and who breaks none conforms."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ocpi.types import codec, times
from roaming import directory
from roaming.conformance.examining import examine
from roaming.conformance.report import Report
from roaming.conformance.rules import Grade, Rule
from roaming.models import Party, Platform
from tests.kit.objects import cdr, location, session, tariff, token, without
from tests.kit.peer import (
    Behaviour,
    FakePeer,
    Recorded,
    Reply,
    answers,
    enveloped,
    fails,
    garbage,
    hangs_up,
    redirects,
    slow,
)
from tests.kit.platforms import register

pytestmark = pytest.mark.django_db(transaction=True)

LOCATIONS = "/sender/locations"
MOST = 25


@pytest.fixture
def cpo(fake_peer: Callable[..., FakePeer]) -> FakePeer:
    """A CPO of 25 Locations, so that one page is not enough."""
    places = [location(id=f"LOC{number}", country_code="DE", party_id="CPO") for number in range(MOST)]
    of_theirs = {"country_code": "DE", "party_id": "CPO"}
    peer = fake_peer(party="DE*CPO", role="CPO")
    peer.objects = {"locations": places, "tariffs": [tariff(**of_theirs)], "cdrs": [cdr(**of_theirs)], "sessions": []}
    return peer


@pytest.fixture
def platform(cpo: FakePeer) -> Platform:
    return register(
        "CPO:DE*CPO", versions_url=cpo.versions_url, endpoints=cpo.endpoints(), outbound_token=cpo.token
    ).platform


def broken(report: Report) -> set[Rule]:
    return {rule for rule, judged in report.judged.items() if judged.broken}


def changed(change: Callable[[dict[str, Any]], None]) -> Behaviour:
    """The right answer, but for this change to its envelope."""

    def reply(peer: FakePeer, request: Recorded) -> Reply:
        right = peer.answer(request)
        document = codec.decode(right.body)
        change(document)
        return replace(right, body=codec.encode(document))

    return reply


def headed(**headers: str | None) -> Behaviour:
    """The right answer with other headers; None takes one away."""

    def reply(peer: FakePeer, request: Recorded) -> Reply:
        right = peer.answer(request)
        kept = {name: value for name, value in right.headers.items() if name.replace("-", "_") not in headers}
        return replace(right, headers=kept | {n.replace("_", "-"): v for n, v in headers.items() if v is not None})

    return reply


def first(**members: Any) -> Behaviour:
    """The right answer; its first object has other members, and `...` takes one away."""

    def change(document: dict[str, Any]) -> None:
        gone = [name for name, value in members.items() if value is ...]
        document["data"][0] = without(document["data"][0], *gone) | {
            name: value for name, value in members.items() if value is not ...
        }

    return changed(change)


def test_who_breaks_no_rule_conforms(platform: Platform) -> None:
    report = examine(platform)
    assert (broken(report), report.conforms, report.markdown()) == (set(), True, "")
    assert [rule for rule, judged in report.judged.items() if not judged.looked_at] == []


def test_an_examination_only_reads(platform: Platform, cpo: FakePeer) -> None:
    cpo.requests.clear()
    report = examine(platform)
    assert {request.method for request in cpo.requests} == {"GET"}
    assert report.requests == len(cpo.requests)


def offset(**by: float) -> Behaviour:
    return changed(lambda document: document.update(timestamp=times.format(datetime.now(UTC) + timedelta(**by))))


@pytest.mark.parametrize(
    ("rule", "behaviour", "path"),
    [
        (Rule.ENVELOPE, garbage(), LOCATIONS),
        (Rule.ENVELOPE, redirects(), LOCATIONS),
        (Rule.ENVELOPE, fails(502), "/credentials"),
        (Rule.ENVELOPE, changed(lambda document: document.pop("timestamp")), LOCATIONS),
        (Rule.ENVELOPE, changed(lambda document: document.update(status_code="1000")), LOCATIONS),
        (Rule.SUCCESS, answers(enveloped(code=3000)), LOCATIONS),
        (Rule.SUCCESS, answers(enveloped([], http=500)), LOCATIONS),
        (Rule.CONTENT_TYPE, lambda peer, request: replace(peer.answer(request), content_type="text/html"), "/versions"),
        (Rule.CLOCK, offset(minutes=5), "/versions"),
        (Rule.MESSAGE_IDS, headed(X_Request_ID="another"), LOCATIONS),
        (Rule.ROUTING, headed(OCPI_to_party_id="XXX"), LOCATIONS),
        (Rule.STRANGER, answers(enveloped([])), "/versions"),
        (Rule.VERSIONS, answers(enveloped([{"version": "2.1.1", "url": "https://x.example"}])), "/versions"),
        (Rule.DETAILS, answers(enveloped({"version": "2.2.1", "endpoints": []})), "/2.2.1"),
        (Rule.CREDENTIALS, answers(enveloped({"token": "x"})), "/credentials"),
        (Rule.LIST, answers(enveloped({"locations": []})), LOCATIONS),
        (Rule.LIST, answers(enveloped([location()] * 21, X_Total_Count="21", X_Limit="100")), LOCATIONS),
        (Rule.TOTAL_COUNT, headed(X_Total_Count=None), LOCATIONS),
        (Rule.TOTAL_COUNT, headed(X_Total_Count="2"), LOCATIONS),
        (Rule.LIMIT, headed(X_Limit="many"), LOCATIONS),
        (Rule.LINK, headed(Link=None), LOCATIONS),
        (Rule.LINK, headed(Link='<http://127.0.0.1:1/elsewhere>; rel="next"'), LOCATIONS),
        (Rule.USABLE, first(last_updated=...), LOCATIONS),
        (Rule.SOUND, first(country="Germany"), LOCATIONS),
        (Rule.OWNED, first(party_id="XXX"), LOCATIONS),
        (Rule.ONE_OBJECT, answers(enveloped(location(id="LOC-9"))), f"{LOCATIONS}/LOC0"),
        (Rule.UNKNOWN_OBJECT, answers(enveloped({})), "/receiver/tokens"),
    ],
)
def test_a_broken_rule_is_found(platform: Platform, cpo: FakePeer, rule: Rule, behaviour: Behaviour, path: str) -> None:
    cpo.misbehave(behaviour, path=path)
    report = examine(platform)
    assert rule in broken(report)
    assert report.conforms is (not any(found.grade is Grade.ERROR for found in broken(report)))
    assert path in report.judged[rule].examples[0]["where"]
    assert rule.says in report.markdown()


def test_a_page_that_is_given_again_is_found(platform: Platform, cpo: FakePeer) -> None:
    def again(peer: FakePeer, request: Recorded) -> Reply:
        return peer.answer(replace(request, query={**request.query, "offset": "0"}))

    cpo.misbehave(again, path=LOCATIONS)
    assert Rule.NEXT_PAGE in broken(examine(platform))


def test_a_date_that_is_not_heeded_is_found(platform: Platform, cpo: FakePeer) -> None:
    def everything(peer: FakePeer, request: Recorded) -> Reply:
        return peer.answer(replace(request, query={"limit": request.query.get("limit", "20")}))

    cpo.misbehave(everything, path="/sender/tariffs")
    report = examine(platform)
    assert report.judged[Rule.DATE_FROM].examples == [
        {"where": cpo.endpoint_url("tariffs", "SENDER"), "seen": "1 objects updated after 2099-01-01T00:00:00Z"}
    ]


def test_endpoints_and_roles_that_changed_since_the_registration_are_found(platform: Platform, cpo: FakePeer) -> None:
    platform.endpoints.filter(module="cdrs").update(url="https://old.example/cdrs")
    Party.objects.create(platform=platform, party="DE*OLD", role="CPO", name="Old")
    directory.changed()
    assert broken(examine(platform)) >= {Rule.ENDPOINTS_AS_REGISTERED, Rule.ROLES_AS_REGISTERED}


def test_one_list_that_fails_leaves_the_others_to_be_judged(platform: Platform, cpo: FakePeer) -> None:
    cpo.misbehave(fails(500), path=LOCATIONS)
    report = examine(platform)
    assert (report.judged[Rule.USABLE].looked_at, report.judged[Rule.USABLE].broken) == (2, 0)


def test_who_does_not_answer_at_all_is_asked_nothing_more(platform: Platform, cpo: FakePeer) -> None:
    cpo.misbehave(hangs_up())
    report = examine(platform)
    assert (report.requests, report.conforms) == (2, False)


def test_a_partner_that_hangs_is_given_up_by_the_timeout(platform: Platform, cpo: FakePeer, settings: Any) -> None:
    settings.NODE_PARTNER_TIMEOUT = 2
    cpo.misbehave(slow(20), path="/credentials")
    seen = {example["where"]: example["seen"] for example in examine(platform).judged[Rule.ENVELOPE].examples}
    assert "Timeout" in seen[f"{cpo.url}/2.2.1/credentials"]


def test_what_a_partner_says_is_made_printable_and_bounded(platform: Platform, cpo: FakePeer) -> None:
    cpo.misbehave(garbage(b"\x1b[31m<b>" + b"x" * 5000), path="/credentials")
    report = examine(platform)
    (example,) = report.judged[Rule.ENVELOPE].examples
    assert example["seen"].startswith("HTTP 200, �[31m<b>x") and len(example["seen"]) <= 300
    assert "\\<b\\>" in report.markdown()


def test_at_a_hub_objects_may_be_anybodys_but_not_ours(fake_peer: Callable[..., FakePeer]) -> None:
    hub = fake_peer(party="NL*HUB", role="HUB")
    hub.objects = {"tokens": [token(country_code="FR", party_id="ANY")], "sessions": [session(party_id="ANY")]}
    hub.objects["locations"] = [location(country_code="NL", party_id="OCP")]
    registered = register(
        "HUB:NL*HUB", versions_url=hub.versions_url, endpoints=hub.endpoints(), outbound_token=hub.token
    )
    report = examine(registered.platform)
    assert [example["seen"] for example in report.judged[Rule.OWNED].examples] == ["NL*OCP"]
