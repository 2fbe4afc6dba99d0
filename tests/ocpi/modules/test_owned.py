"""What the modules of pushed and listed objects do alike: Sessions, CDRs, Tariffs (§transport_and_format)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ocpi.models import ObjectCount
from ocpi.store.catalogue import STORES
from ocpi.store.objects import Arrival
from ocpi.types import codec, validation
from ocpi.v221.versions import ModuleID
from tests.kit.caller import RECEIVER, SENDER, Answer, PartnerClient
from tests.kit.objects import Document, cdr, minutes_after_noon, session, tariff, without
from tests.kit.platforms import Registered, register

LATER = minutes_after_noon(60)


class Kind(NamedTuple):
    """A module as these tests see it."""

    module: ModuleID
    make: Callable[..., Document]

    def theirs(self, **changes: Any) -> Document:
        """An object X of DE*CPO."""
        return self.make(**{"country_code": "DE", "party_id": "CPO", "id": "X", **changes})

    @property
    def sender(self) -> str:
        return f"{SENDER}/{self.module}"

    @property
    def url(self) -> str:
        return f"{RECEIVER}/{self.module}/DE/CPO/X"

    def push(self, client: PartnerClient, document: Document) -> Answer:
        """PUT at its URL, or POST of a CDR."""
        if self.module is ModuleID.CDRS:
            return client.post(f"{RECEIVER}/cdrs", document)
        return client.put(self.url, document)

    def publish(self, *documents: Document) -> None:
        STORES[self.module].put_many([Arrival(document) for document in documents], source=None)

    def stored(self) -> list[Any]:
        model = STORES[self.module].model
        return [list(model._default_manager.order_by("pk").values()), list(ObjectCount.objects.values())]


SESSIONS, CDRS, TARIFFS = Kind(ModuleID.SESSIONS, session), Kind(ModuleID.CDRS, cdr), Kind(ModuleID.TARIFFS, tariff)
ALL = pytest.mark.parametrize("kind", [SESSIONS, CDRS, TARIFFS], ids=lambda kind: kind.module.value)
PUT = pytest.mark.parametrize("kind", [SESSIONS, TARIFFS], ids=lambda kind: kind.module.value)


# --- Receiver -------------------------------------------------------------------------------------------------------


@PUT
def test_a_new_object_is_201_and_an_update_200_and_neither_has_data(kind: Kind, cpo_client: PartnerClient) -> None:
    """R1.9, R1.10, R6.5"""
    answers = [cpo_client.put(kind.url, kind.theirs()), cpo_client.put(kind.url, kind.theirs(last_updated=LATER))]
    assert [answer.codes for answer in answers] == [(201, 1000), (200, 1000)]
    assert not any("data" in answer.envelope for answer in answers)
    assert cpo_client.get(kind.url).data == kind.theirs(last_updated=LATER)


@ALL
def test_everything_a_partner_sent_survives(kind: Kind, cpo_client: PartnerClient) -> None:
    """R1.15, R1.22, R8.4, trap 18: unknown members and enum values, exact numbers, null, empty lists."""
    extension = {"big": 9007199254740993, "exact": Decimal("1234567.8901"), "zeros": Decimal("0.1000"), "none": None}
    document = kind.theirs(vendor=extension, empty=[], currency="XXX", unit="⚡")
    assert kind.push(cpo_client, document).codes == (201, 1000)
    answer = cpo_client.get(kind.url)
    assert answer.data == document
    assert b"1234567.8901" in answer.body and b"0.1000" in answer.body and b"9007199254740993" in answer.body


@PUT
def test_put_replaces_the_whole_object(kind: Kind, cpo_client: PartnerClient) -> None:
    """R6.1, trap 15"""
    cpo_client.put(kind.url, kind.theirs(remark="gone with the next", last_updated=LATER))
    cpo_client.put(kind.url, kind.theirs())
    assert cpo_client.get(kind.url).data == kind.theirs()


@ALL
@pytest.mark.parametrize("moment", ["2026-03-01T12:00:00.123456789", "2020-01-01T00:00:00Z"])
def test_last_updated_is_the_one_pushed(kind: Kind, cpo_client: PartnerClient, moment: str) -> None:
    """R6.11, trap 14: in the owner's spelling, never the time of receipt."""
    kind.push(cpo_client, kind.theirs(last_updated=moment))
    assert cpo_client.get(kind.url).data["last_updated"] == moment


@ALL
def test_ids_ignore_case_and_keep_their_first_spelling_in_the_store(kind: Kind, cpo_client: PartnerClient) -> None:
    """R1.16, trap 19"""
    kind.push(cpo_client, kind.theirs(country_code="dE"))
    for path in ("de/cpo/x", "DE/CPO/X", "De/Cpo/x"):
        answer = cpo_client.get(f"{RECEIVER}/{kind.module}/{path}")
        assert (answer.data["country_code"], answer.data["id"]) == ("dE", "X")
    assert STORES[kind.module].model._default_manager.count() == 1


@PUT
def test_a_put_whose_ids_differ_from_the_url_is_2001(kind: Kind, cpo_client: PartnerClient) -> None:
    """R6.6, R6.7"""
    for change in ({"id": "OTHER"}, {"country_code": "NL"}, {"party_id": "OCP"}):
        assert cpo_client.put(kind.url, kind.theirs(**change)).codes == (200, 2001)
    assert not STORES[kind.module].model._default_manager.exists()


@ALL
@pytest.mark.parametrize("owner", ["NL/OCP", "NL/OSP", "FR/TKN", "DE/MSP", "XX/YYY"])
def test_objects_of_somebody_else_are_refused(
    kind: Kind, cpo_client: PartnerClient, emsp: Registered, owner: str
) -> None:
    """R6.8, traps 8 and 24: ours, another platform's, nobody's; reading as well as writing."""
    register("CPO:FR*TKN")
    country_code, _, party_id = owner.partition("/")
    document = kind.make(country_code=country_code, party_id=party_id, id="X")
    kind.publish(document)
    before = kind.stored()
    url = f"{RECEIVER}/{kind.module}/{owner}/X"
    pushed = cpo_client.post(f"{RECEIVER}/cdrs", document) if kind is CDRS else cpo_client.put(url, document)
    assert [pushed.codes, cpo_client.get(url).codes] == [(404, 2000)] * 2
    assert kind.stored() == before


@ALL
def test_a_hub_pushes_for_the_parties_behind_it(kind: Kind, db: None) -> None:
    """R6.9, trap 24: but not for ours, nor for those of other platforms."""
    register("CPO:FR*TKN")
    hub = register("HUB:BE*HUB").client()
    assert kind.push(hub, kind.theirs()).codes == (201, 1000)
    for owner in ("NL/OCP", "FR/TKN"):
        document = kind.theirs(country_code=owner[:2], party_id=owner[3:])
        url = f"{RECEIVER}/{kind.module}/{owner}/X"
        answer = hub.post(f"{RECEIVER}/cdrs", document) if kind is CDRS else hub.put(url, document)
        assert answer.codes == (404, 2000)


@ALL
def test_an_object_without_any_of_its_required_members_is_2001_and_leaves_nothing(
    kind: Kind, cpo_client: PartnerClient
) -> None:
    """R1.7, R1.17, R9.3, R9.7, R9.10, R9.6a, R9.9a, R9.10a: the answer names the member."""
    required = {
        name for name in kind.theirs() if validation.check(without(kind.theirs(), name), STORES[kind.module].shape)
    }
    assert {"country_code", "party_id", "id", "currency", "last_updated"} < required
    for name in required:
        answer = kind.push(cpo_client, without(kind.theirs(), name))
        assert answer.codes == (200, 2001) and f"/{name}" in answer.message
    assert not STORES[kind.module].model._default_manager.exists()
    assert not ObjectCount.objects.filter(count__gt=0).exists()


@ALL
def test_a_mere_defect_is_kept_with_the_object(kind: Kind, cpo_client: PartnerClient) -> None:
    """DESIGN section 2.1: one odd field never loses an object; the defect is recorded with a JSON Pointer."""
    document = kind.theirs(currency="euro")
    assert kind.push(cpo_client, document).codes == (201, 1000)
    assert cpo_client.get(kind.url).data == document
    defects = STORES[kind.module].model._default_manager.get().defects
    assert [defect["pointer"] for defect in codec.decode(defects.encode())] == ["/currency"]


@ALL
def test_an_unknown_object_is_404(kind: Kind, cpo_client: PartnerClient) -> None:
    """R1.8, errata E5"""
    assert cpo_client.get(kind.url).codes == (404, 2000)


@pytest.mark.parametrize(
    ("kind", "path", "methods"),
    [
        (SESSIONS, "sender/sessions", ["PUT", "PATCH", "POST", "DELETE"]),
        (SESSIONS, "sender/sessions/X/charging_preferences", ["GET", "PATCH", "POST", "DELETE"]),
        (SESSIONS, "receiver/sessions/DE/CPO/X", ["POST", "DELETE"]),
        (CDRS, "sender/cdrs", ["PUT", "PATCH", "POST", "DELETE"]),
        (CDRS, "receiver/cdrs", ["GET", "PUT", "PATCH", "DELETE"]),
        (CDRS, "receiver/cdrs/DE/CPO/X", ["PUT", "PATCH", "POST", "DELETE"]),
        (TARIFFS, "sender/tariffs", ["PUT", "PATCH", "POST", "DELETE"]),
        (TARIFFS, "receiver/tariffs/DE/CPO/X", ["POST", "PATCH"]),
    ],
)
def test_methods_the_specification_has_not_are_405(
    cpo_client: PartnerClient, kind: Kind, path: str, methods: list[str]
) -> None:
    """R9.3, R9.7, R9.10, trap 22"""
    kind.push(cpo_client, kind.theirs())
    before = kind.stored()
    for method in methods:
        answer = cpo_client.request(method, f"/ocpi/2.2.1/{path}", kind.theirs())
        assert answer.codes == (405, 2000), method
    assert kind.stored() == before


@ALL
def test_answers_carry_the_routing_headers_swapped(kind: Kind, cpo: Registered) -> None:
    """R7.1, trap 23"""
    client = cpo.client(to="NL*OSP", from_="DE*CPO")
    for answer in (kind.push(client, kind.theirs()), client.get(kind.url), client.get(f"{kind.url}-unknown")):
        assert (answer.routing.to, answer.routing.from_) == ("DE*CPO", "NL*OSP")


# --- Sender ---------------------------------------------------------------------------------------------------------


@ALL
def test_a_list_is_paged_in_the_order_of_creation(kind: Kind, emsp_client: PartnerClient) -> None:
    """R5.1 to R5.6, traps 9 to 13"""
    assert emsp_client.get(kind.sender).data == []
    documents = [kind.make(id=f"X{number}", last_updated=minutes_after_noon(60 - number)) for number in range(5)]
    kind.publish(*documents)
    found, url = [], f"{kind.sender}?limit=2"
    while url:
        answer = emsp_client.get(url)
        found += answer.data
        assert answer.headers["X-Total-Count"] == "5"
        url = answer.next_url
    assert found == documents


@ALL
def test_dates_filter_by_last_updated_from_inclusive_to_exclusive(kind: Kind, emsp_client: PartnerClient) -> None:
    """R5.1, R5.7, errata E8, trap 12: date_from may be left out, also of Sessions."""
    kind.publish(*(kind.make(id=f"X{number}", last_updated=minutes_after_noon(number)) for number in range(4)))
    dates = {"date_from": minutes_after_noon(1), "date_to": minutes_after_noon(3)}
    answer = emsp_client.get(kind.sender, dates)
    assert [document["id"] for document in answer.data] == ["X1", "X2"]
    assert answer.headers["X-Total-Count"] == "2"


@ALL
def test_a_list_holds_what_our_own_parties_own(
    kind: Kind, emsp_client: PartnerClient, cpo_client: PartnerClient
) -> None:
    """R9.3, R9.7, R9.10: partners' objects are theirs to show."""
    kind.push(cpo_client, kind.theirs())
    kind.publish(kind.make())
    assert emsp_client.get(kind.sender).data == [kind.make()]


# --- properties -----------------------------------------------------------------------------------------------------

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6)
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0xFFFF, exclude_categories=["Cs", "Cc"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**6, places=4)
PERIODS = st.builds(
    lambda volume, tariff_id, vendor: {
        "start_date_time": minutes_after_noon(0),
        "dimensions": [{"type": "ENERGY", "volume": volume}],
        **tariff_id,
        "x_vendor": vendor,
    },
    AMOUNTS,
    st.sampled_from([{}, {"tariff_id": None}, {"tariff_id": "T"}]),
    VALUES,
)


@st.composite
def documents(draw: st.DrawFn, kind: Kind) -> Document:
    """A valid object with any numbers, any unknown members, optional ones absent, null or empty."""
    document = kind.theirs(**{f"x_{name}": value for name, value in draw(st.dictionaries(TEXT, VALUES)).items()})
    if kind is TARIFFS:
        component = {"type": "TIME", "price": draw(AMOUNTS), "step_size": draw(st.integers(0, 10**6))}
        document["elements"] = [{"price_components": [component], "restrictions": {"min_kwh": draw(NUMBERS)}}]
        return document
    document["total_cost"] = {"excl_vat": draw(AMOUNTS), "incl_vat": draw(st.none() | AMOUNTS)}
    document["charging_periods"] = draw(st.lists(PERIODS, min_size=1, max_size=3))
    document["kwh" if kind is SESSIONS else "total_energy"] = draw(AMOUNTS)
    for name in draw(st.lists(st.sampled_from(["authorization_reference", "meter_id", "remark", "signed_data"]))):
        document[name] = None
    return document


def bounded(examples: int) -> Any:
    """The same examples on every run, and no database of failures."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return hypothesis_settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=checks
    )


@ALL
@given(data=st.data())
@bounded(60)
def test_any_valid_object_is_read_as_it_was_written(kind: Kind, cpo_client: PartnerClient, data: st.DataObject) -> None:
    """R8.4, trap 18: every member, every digit."""
    document = data.draw(documents(kind))
    STORES[kind.module].model._default_manager.all().delete()
    assert kind.push(cpo_client, document).status == 1000
    answer = cpo_client.get(kind.url)
    assert codec.encode(document) in answer.body


CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "kwh": AMOUNTS,
    "total_cost": st.none() | st.builds(lambda amount: {"excl_vat": amount}, AMOUNTS),
    "meter_id": st.none() | TEXT,
    "authorization_reference": st.none() | st.from_regex("[A-Z0-9]{1,36}", fullmatch=True),
    "status": st.sampled_from(["ACTIVE", "PENDING", "INVALID", "RESERVATION", "COMPLETED", "NAPPING"]),
    "charging_periods": st.sampled_from([None, []]),
    "end_date_time": st.sampled_from([None, LATER]),
    "x_vendor": VALUES,
}


@given(data=st.data())
@bounded(100)
def test_a_patch_without_charging_periods_can_be_repeated(cpo_client: PartnerClient, data: st.DataObject) -> None:
    """R6.2, R9.5: it names what it changes, changes nothing else, and twice is once."""
    cpo_client.put(SESSIONS.url, SESSIONS.theirs(status="ACTIVE"))
    names = data.draw(st.sets(st.sampled_from(sorted(CHANGES))))
    changes = {name: data.draw(CHANGES[name]) for name in names} | {"last_updated": LATER}
    expected = {**cpo_client.get(SESSIONS.url).data, **without(changes, "charging_periods")}
    for _ in range(2):
        assert cpo_client.patch(SESSIONS.url, changes).codes == (200, 1000)
        assert cpo_client.get(SESSIONS.url).data == expected
    STORES[ModuleID.SESSIONS].model._default_manager.all().delete()
