"""The smallest difference: what is sent when this and nothing else has changed."""

from typing import Any

import pytest

from ocpi.client.sending import Request
from ocpi.ids import PartyId
from ocpi.transport.headers import RoutingHeaders
from ocpi.types import codec
from ocpi.v221.versions import ModuleID
from roaming.delivery import differences, images
from roaming.delivery.differences import Step, Way
from tests.kit.objects import (
    Document,
    cdr,
    charging_period,
    evse,
    location,
    minutes_after_noon,
    session,
    tariff,
    token,
    without,
)

BASE = "https://partner.example/ocpi/receiver"
NOON, LATER = minutes_after_noon(0), minutes_after_noon(5)


def difference(module: ModuleID, before: Document | None, after: Document) -> list[Step]:
    way = Way(module, BASE, RoutingHeaders(from_=PartyId("NL*OCP")))
    held = images.of(module, before) if before is not None else None
    return differences.steps(way, held, images.of(module, after), codec.encode_text(after))


def sent(module: ModuleID, before: Document | None, after: Document) -> list[tuple[str, str, Any]]:
    """Method, path below the endpoint, and body of each request; the last step leaves the platform up to date."""
    found = difference(module, before, after)
    if found:
        assert found[-1].held == images.of(module, after)
    return [(step.request.method, step.request.url.removeprefix(BASE), body(step.request)) for step in found]


def body(request: Request) -> Any:
    return codec.decode(request.body) if request.body else None


def site(*evses: Document, **changes: Any) -> Document:
    return location(evses=list(evses), **changes)


ONE, TWO, THREE = (evse(uid=uid) for uid in ("E-1", "E-2", "E 3"))
BUSY = {"status": "CHARGING", "last_updated": LATER}


def test_of_an_object_it_never_had_the_whole_is_put() -> None:
    """R6.5"""
    assert sent(ModuleID.LOCATIONS, None, site(ONE)) == [("PUT", "/NL/OCP/LOC-1", site(ONE))]
    assert sent(ModuleID.TOKENS, None, token()) == [("PUT", "/NL/OSP/04A1B2C3D4?type=RFID", token())]


def test_a_cdr_it_never_had_is_posted_and_one_that_it_has_is_left_alone() -> None:
    """R9.7, R9.8"""
    assert sent(ModuleID.CDRS, None, cdr()) == [("POST", "", cdr())]
    assert sent(ModuleID.CDRS, cdr(), cdr()) == []


@pytest.mark.parametrize(
    ("module", "document"),
    [(ModuleID.LOCATIONS, site(ONE)), (ModuleID.TARIFFS, tariff()), (ModuleID.SESSIONS, session())],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_what_was_stamped_anew_and_says_the_same_is_no_change(module: ModuleID, document: Document) -> None:
    assert sent(module, document, {**document, "last_updated": LATER}) == []


def test_the_status_of_an_evse_is_patched() -> None:
    """R6.2, R6.3: status and last_updated and nothing else."""
    assert sent(ModuleID.LOCATIONS, site(ONE, TWO), site({**ONE, **BUSY}, TWO, last_updated=LATER)) == [
        ("PATCH", "/NL/OCP/LOC-1/E-1", BUSY)
    ]


def test_an_evse_that_changed_otherwise_or_is_new_is_put() -> None:
    changed = {**ONE, **BUSY, "physical_reference": "left"}
    assert sent(ModuleID.LOCATIONS, site(ONE, TWO), site(changed, TWO, THREE)) == [
        ("PUT", "/NL/OCP/LOC-1/E-1", changed),
        ("PUT", "/NL/OCP/LOC-1/E%203", THREE),
    ]


def test_when_most_evses_changed_the_location_is_put() -> None:
    before = [evse(uid=f"E-{number}") for number in range(6)]
    three = [{**one, **BUSY} for one in before[:3]] + before[3:]
    four = [{**one, **BUSY} for one in before[:4]] + before[4:]
    assert [step[0] for step in sent(ModuleID.LOCATIONS, site(*before), site(*three))] == ["PATCH"] * 3
    assert [step[:2] for step in sent(ModuleID.LOCATIONS, site(*before), site(*four))] == [("PUT", "/NL/OCP/LOC-1")]


@pytest.mark.parametrize(
    "after", [site(ONE, TWO, name="new"), site(ONE), site(ONE, TWO, x_own_field=1), without(site(ONE, TWO), "name")]
)
def test_a_location_that_changed_itself_or_lost_an_evse_is_put(after: Document) -> None:
    assert sent(ModuleID.LOCATIONS, site(ONE, TWO), after) == [("PUT", "/NL/OCP/LOC-1", after)]


def test_fields_of_a_session_are_patched() -> None:
    """R6.2, R6.3"""
    before = session(kwh=1)
    after = session(kwh=2, status="COMPLETED", last_updated=LATER)
    assert sent(ModuleID.SESSIONS, before, after) == [
        ("PATCH", "/NL/OCP/SESSION-1", {"kwh": 2, "status": "COMPLETED", "last_updated": LATER})
    ]


def test_charging_periods_are_put_because_a_repeated_patch_would_append_them_twice() -> None:
    """R9.5"""
    before, after = session(charging_periods=[charging_period()]), session(charging_periods=[charging_period()] * 2)
    assert sent(ModuleID.SESSIONS, before, after) == [("PUT", "/NL/OCP/SESSION-1", after)]


def test_a_session_that_lost_a_field_is_put() -> None:
    """A PATCH cannot take a field away."""
    before, after = session(authorization_reference="A"), session()
    assert [step[0] for step in sent(ModuleID.SESSIONS, before, after)] == ["PUT"]


@pytest.mark.parametrize("held", [None, images.Image("NL/OCP/T", "digest")])
def test_an_object_that_was_withdrawn_and_is_back_is_put(held: images.Image | None) -> None:
    way = Way(ModuleID.TARIFFS, BASE, RoutingHeaders())
    gone = differences.withdrawal(way, "NL/OCP/T").held
    wanted = images.of(ModuleID.TARIFFS, tariff())
    (step,) = differences.steps(way, gone, wanted, codec.encode_text(tariff()))
    assert step.request.method == "PUT"


def test_statuses_are_patched_in_turn_and_only_where_they_differ() -> None:
    way = Way(ModuleID.LOCATIONS, BASE, RoutingHeaders())
    held = images.of(ModuleID.LOCATIONS, site(ONE, TWO))
    live = [("e-1", "CHARGING", LATER), ("e-2", TWO["status"], LATER), ("unknown", "CHARGING", LATER), ("e-1", "", "")]
    (step,) = differences.status_steps(way, held, live)
    assert (step.request.method, step.request.url) == ("PATCH", f"{BASE}/NL/OCP/LOC-1/E-1")
    assert step.held == images.of(ModuleID.LOCATIONS, site({**ONE, **BUSY}, TWO))


def test_an_image_survives_its_row() -> None:
    image = images.of(ModuleID.LOCATIONS, site(ONE, TWO))
    assert images.read(image.text) == image
    assert images.read("") is None


@pytest.mark.parametrize(
    "answer", [None, [], "x", {}, {"id": 1}, {**location(), "evses": [{}]}, {"country_code": None}]
)
def test_what_cannot_be_the_object_has_no_image(answer: object) -> None:
    assert images.seen(ModuleID.LOCATIONS, answer) is None
