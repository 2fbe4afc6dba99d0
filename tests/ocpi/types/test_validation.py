"""Every defect is found and named; few are fatal."""

import copy
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpi.types.scalars import Wire
from ocpi.types.validation import Violation, check, check_patch
from ocpi.v221.cdrs import Cdr
from ocpi.v221.charging_profiles import ActiveChargingProfileResult, ChargingProfilePeriod
from ocpi.v221.commands import CommandResponse, StartSession
from ocpi.v221.common import EnergySource, Image
from ocpi.v221.credentials import Credentials
from ocpi.v221.locations import Evse, Hours, Location, PublishTokenType, RegularHours
from ocpi.v221.sessions import Session
from ocpi.v221.tariffs import Tariff, TariffElement
from ocpi.v221.tokens import Token
from ocpi.v221.versions import Endpoint, Version

TIME = "2026-01-31T12:00:00Z"
Document = dict[str, Any]


def connector(**members: Any) -> Document:
    return {
        "id": "1", "standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE",
        "max_voltage": 230, "max_amperage": 16, "last_updated": TIME,
    } | members  # fmt: skip


def evse(**members: Any) -> Document:
    return {"uid": "E1", "status": "AVAILABLE", "connectors": [connector()], "last_updated": TIME} | members


def location(**members: Any) -> Document:
    return {
        "country_code": "DE", "party_id": "CPO", "id": "L1", "publish": True, "address": "Ring 1", "city": "Ulm",
        "country": "DEU", "coordinates": {"latitude": "48.40100", "longitude": "9.98760"},
        "evses": [evse()], "time_zone": "Europe/Berlin", "last_updated": TIME,
    } | members  # fmt: skip


def token(**members: Any) -> Document:
    return {
        "country_code": "NL", "party_id": "MSP", "uid": "04A1", "type": "RFID", "contract_id": "NL-MSP-C1",
        "issuer": "Example", "valid": True, "whitelist": "ALWAYS", "last_updated": TIME,
    } | members  # fmt: skip


def tariff(**members: Any) -> Document:
    component = {"type": "ENERGY", "price": Decimal("0.3500"), "vat": 19, "step_size": 1}
    return {
        "country_code": "DE", "party_id": "CPO", "id": "T1", "currency": "EUR",
        "elements": [{"price_components": [component]}], "last_updated": TIME,
    } | members  # fmt: skip


def cdr(**members: Any) -> Document:
    period = {"start_date_time": TIME, "dimensions": [{"type": "ENERGY", "volume": Decimal("7.5")}]}
    return {
        "country_code": "DE", "party_id": "CPO", "id": "C1", "start_date_time": TIME, "end_date_time": TIME,
        "cdr_token": {"country_code": "NL", "party_id": "MSP", "uid": "04A1", "type": "RFID", "contract_id": "C1"},
        "auth_method": "WHITELIST",
        "cdr_location": {
            "id": "L1", "address": "Ring 1", "city": "Ulm", "country": "DEU", "evse_uid": "E1", "evse_id": "#NA",
            "coordinates": {"latitude": "48.40100", "longitude": "9.98760"}, "connector_id": "1",
            "connector_standard": "IEC_62196_T2", "connector_format": "CABLE", "connector_power_type": "DC",
        },
        "currency": "EUR", "charging_periods": [period], "total_cost": {"excl_vat": Decimal("2.63")},
        "total_energy": Decimal("7.5"), "total_time": 1, "last_updated": TIME,
    } | members  # fmt: skip


def session(**members: Any) -> Document:
    shared = {name: cdr()[name] for name in ("country_code", "party_id", "id", "start_date_time", "cdr_token")}
    return shared | {
        "kwh": 0, "auth_method": "COMMAND", "location_id": "L1", "evse_uid": "E1", "connector_id": "1",
        "currency": "EUR", "status": "ACTIVE", "last_updated": TIME,
    } | members  # fmt: skip


def without(document: Document, name: str) -> Document:
    return {key: value for key, value in document.items() if key != name}


def seen(violations: list[Violation]) -> list[tuple[str, str, bool]]:
    return [(violation.pointer, violation.code, violation.fatal) for violation in violations]


FULL: list[tuple[type[Wire], Document]] = [
    (Location, location()), (Evse, evse()), (Token, token()), (Tariff, tariff()), (Cdr, cdr()), (Session, session()),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "document"), FULL, ids=lambda value: getattr(value, "__name__", ""))
def test_a_clean_object_has_no_violation(shape: type[Wire], document: Document) -> None:
    assert check(document, shape) == []


@pytest.mark.parametrize(("shape", "document"), FULL, ids=lambda value: getattr(value, "__name__", ""))
def test_a_required_field_of_the_root_is_fatal_when_missing_or_null(shape: type[Wire], document: Document) -> None:
    for name in document.keys() - {"evses"}:
        assert seen(check(without(document, name), shape)) == [(f"/{name}", "missing", True)]
        assert seen(check(document | {name: None}, shape)) == [(f"/{name}", "missing", True)]


def test_null_is_the_same_as_absent_for_an_optional_field_and_a_list() -> None:
    assert check(location(name=None, evses=None, opening_times=None), Location) == []


def test_an_empty_optional_list_is_no_defect() -> None:
    assert check(location(evses=[], images=[]), Location) == []


def test_unknown_members_are_no_defect() -> None:
    assert check(location(x_vendor={"a": [1, Decimal("1.5"), None, True, "tab\tis fine"]}), Location) == []


def test_all_violations_are_reported() -> None:
    broken = location(
        name=5, address="x" * 300, evses=[evse(status="MELTING", connectors=[connector(max_voltage=1.5)])]
    )
    assert seen(check(broken, Location)) == [
        ("/address", "length", False),
        ("/evses/0/status", "enum", False),
        ("/evses/0/connectors/0/max_voltage", "type", False),
        ("/name", "type", False),
    ]


@pytest.mark.parametrize("document", [None, [], "text", 5, True, Decimal("1.5")])
def test_what_is_no_object_is_fatal(document: object) -> None:
    assert seen(check(document, Location)) == seen(check_patch(document, Location)) == [("", "type", True)]


@pytest.mark.parametrize(
    ("value", "code"), [("", "length"), ("x" * 37, "length"), (5, "type"), ("Köln", "pattern"), ("a\tb", "pattern")]
)
def test_a_defect_of_the_key_is_fatal(value: object, code: str) -> None:
    assert seen(check(location(id=value), Location)) == [("/id", code, True)]
    assert seen(check(location(evses=[evse(uid=value)]), Location)) == [("/evses/0/uid", code, True)]
    broken = location(evses=[evse(connectors=[connector(id=value)])])
    assert seen(check(broken, Location)) == [("/evses/0/connectors/0/id", code, True)]


@pytest.mark.parametrize("value", ["yesterday", "", 1769860800, "2026-02-30T00:00:00Z"])
def test_an_unreadable_last_updated_is_fatal_only_in_the_root(value: object) -> None:
    assert [found.fatal for found in check(location(last_updated=value), Location)] == [True]
    assert [found.fatal for found in check(location(evses=[evse(last_updated=value)]), Location)] == [False]


def test_a_time_with_a_numeric_offset_of_zero_is_a_defect_but_usable() -> None:
    broken = location(last_updated="2026-01-31T12:00:00+00:00")
    assert seen(check(broken, Location)) == [("/last_updated", "pattern", False)]


@pytest.mark.parametrize("fraction", [".5", ".123", ".123456", ".123456789"])
def test_fractional_seconds_are_accepted(fraction: str) -> None:
    assert check(location(last_updated=f"2026-01-31T12:00:00{fraction}Z"), Location) == []


def test_a_defect_inside_an_optional_member_is_not_fatal() -> None:
    broken = location(opening_times={"regular_hours": []}, images=[{"url": "https://example.com/a.png"}], operator={})
    assert {found.fatal for found in check(broken, Location)} == {False}
    assert ("/opening_times/twentyfourseven", "missing", False) in seen(check(broken, Location))


def test_a_defect_on_a_required_path_is_fatal() -> None:
    broken = location(coordinates={"latitude": "48.40100"})
    assert seen(check(broken, Location)) == [("/coordinates/longitude", "missing", True)]
    assert seen(check(tariff(elements=[{}]), Tariff)) == [("/elements/0/price_components", "missing", True)]


def test_a_connector_needs_nothing_but_its_id_to_be_kept() -> None:
    bare = evse(connectors=[{"id": "1"}])
    assert {found.code for found in check(bare, Evse)} == {"missing"}
    assert not any(found.fatal for found in check(bare, Evse) + check(location(evses=[bare]), Location))


def test_an_empty_list_that_needs_an_item_is_not_fatal() -> None:
    assert seen(check(tariff(elements=[]), Tariff)) == [("/elements", "length", False)]


def test_an_evse_that_is_no_object_is_fatal_because_it_has_no_uid() -> None:
    assert seen(check(location(evses=[evse(), "E2", None]), Location)) == [
        ("/evses/1", "type", True),
        ("/evses/2", "type", True),
    ]


@pytest.mark.parametrize("twin", ["E1", "e1"])
def test_an_evse_uid_that_occurs_twice_is_fatal(twin: str) -> None:
    assert seen(check(location(evses=[evse(), evse(uid=twin)]), Location)) == [("/evses/1/uid", "rule", True)]


def test_a_connector_id_that_occurs_twice_is_fatal_within_one_evse_only() -> None:
    twins = evse(uid="E2", connectors=[connector(id="A"), connector(id="a")])
    assert seen(check(location(evses=[evse(), twins]), Location)) == [("/evses/1/connectors/1/id", "rule", True)]


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\ud800"])
@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"name": "{}"}, "/name"),
        ({"time_zone": "{}"}, "/time_zone"),
        ({"last_updated": "{}"}, "/last_updated"),
        ({"parking_type": "{}"}, "/parking_type"),
        ({"facilities": ["{}"]}, "/facilities/0"),
        ({"images": "{}"}, "/images"),
        ({"publish": ["{}"]}, "/publish/0"),
        ({"x/y~z": [{"a": "{}"}]}, "/x~1y~0z/0/a"),
        ({"x": {"a{}": 1}}, "/x"),
    ],
)
def test_an_unstorable_character_is_fatal_anywhere(character: str, members: Document, pointer: str) -> None:
    broken = location(**replaced(members, character))
    fatal = [(found.pointer, found.code) for found in check(broken, Location) if found.fatal and found.code != "type"]
    assert (pointer, "pattern") in fatal


def replaced(value: Any, character: str) -> Any:
    if isinstance(value, dict):
        return {key.replace("{}", character): replaced(item, character) for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, character) for item in value]
    return f"a{character}b" if value == "{}" else value


@pytest.mark.parametrize("character", ["\t", "\n", "\r", "\x7f", "\x85"])
def test_a_line_break_in_free_text_is_not_fatal(character: str) -> None:
    assert seen(check(location(name=f"a{character}b"), Location)) == [("/name", "pattern", False)]


@pytest.mark.parametrize("name", ["Zürich", "東京", "a\u00a0b", "emoji 🔌", "e\u0301"])
def test_a_string_may_hold_any_printable_text(name: str) -> None:
    assert check(location(name=name), Location) == []


@pytest.mark.parametrize("number", [Decimal("1E+31"), Decimal("1E-31"), 10**31, Decimal("NaN"), Decimal("Infinity")])
def test_an_absurd_number_is_fatal_anywhere(number: object) -> None:
    assert ("/total_cost/excl_vat", "range", True) in seen(check(cdr(total_cost={"excl_vat": number}), Cdr))
    assert seen(check(location(x=[number]), Location)) == [("/x/0", "range", True)]
    assert ("/name", "range", True) in seen(check(location(name=number), Location))


@pytest.mark.parametrize("value", [True, "7.5", None, 7.5, []])
def test_a_number_is_a_json_number(value: object) -> None:
    assert [found.fatal for found in check(cdr(total_energy=value), Cdr)] == [True]


@pytest.mark.parametrize("value", [True, "230", Decimal("230.0")])
def test_an_integer_is_a_json_integer(value: object) -> None:
    broken = location(evses=[evse(connectors=[connector(max_voltage=value)])])
    assert seen(check(broken, Location)) == [("/evses/0/connectors/0/max_voltage", "type", False)]


def test_an_integer_written_with_a_fraction_does_not_lose_a_tariff() -> None:
    document = tariff()
    document["elements"][0]["price_components"][0]["step_size"] = Decimal("300.0")
    assert seen(check(document, Tariff)) == [("/elements/0/price_components/0/step_size", "type", False)]


def test_enum_values_are_told_apart_by_case() -> None:
    """R1.18"""
    assert seen(check(token(type="rfid"), Token)) == [("/type", "enum", False)]


def test_an_unknown_enum_value_is_a_defect_even_in_a_key_but_never_fatal() -> None:
    assert seen(check(token(type="NFC"), Token)) == [("/type", "enum", False)]
    assert seen(check(token(type=""), Token)) == [("/type", "length", True)]


def test_messages_do_not_repeat_what_was_sent_at_length() -> None:
    broken = location(name="x" * 5000, parking_type="y" * 5000, id="z" * 5000, last_updated="t" * 5000)
    assert all(len(found.message) < 100 for found in check(broken, Location))


@pytest.mark.parametrize(
    ("members", "pointer", "code"),
    [
        ({"country": "DE"}, "/country", "pattern"),
        ({"time_zone": "Berlin"}, "/time_zone", "pattern"),
        ({"coordinates": {"latitude": "48.4", "longitude": "9.98760"}}, "/coordinates/latitude", "pattern"),
        ({"publish_allowed_to": [{"group_id": "G"}]}, "/publish_allowed_to", "rule"),
        ({"publish": False, "publish_allowed_to": [{}]}, "/publish_allowed_to/0", "rule"),
        ({"operator": {"name": "A", "website": "example"}}, "/operator/website", "pattern"),
        ({"facilities": ["WIFI", "POOL"]}, "/facilities/1", "enum"),
    ],
)
def test_a_defect_of_a_location_is_found(members: Document, pointer: str, code: str) -> None:
    """R9.2g, R9.2h"""
    assert seen(check(location(**members), Location)) == [(pointer, code, False)]


HOURS = {"weekday": 1, "period_begin": "08:00", "period_end": "20:00"}
START_SESSION = {"response_url": "https://example.com/1", "token": token(), "location_id": "L1"}
RESERVATION = {
    "price_components": tariff()["elements"][0]["price_components"],
    "restrictions": {"reservation": "RESERVATION"},
}


@pytest.mark.parametrize(
    ("shape", "document", "expected"),
    [
        (Hours, {"twentyfourseven": False}, [("/regular_hours", "rule", False)]),
        (Hours, {"twentyfourseven": True, "regular_hours": [HOURS]}, [("/regular_hours", "rule", False)]),
        (RegularHours, HOURS | {"period_end": "08:00"}, [("/period_end", "rule", False)]),
        (RegularHours, HOURS | {"period_end": "24:00"}, [("/period_end", "pattern", False)]),
        (RegularHours, HOURS | {"weekday": 8}, [("/weekday", "range", False)]),
        (PublishTokenType, {"uid": "1"}, [("/type", "rule", False)]),
        (PublishTokenType, {"visual_number": "1"}, [("/issuer", "rule", False)]),
        (PublishTokenType, {"group_id": "1"}, []),
        (EnergySource, {"source": "WIND", "percentage": 101}, [("/percentage", "range", False)]),
        (Image, {"url": "https://x.io", "category": "OTHER", "type": "png", "width": -1}, [("/width", "range", False)]),
        (Cdr, cdr(credit=True), [("/credit_reference_id", "rule", False), ("/total_cost/excl_vat", "rule", False)]),
        (Cdr, cdr(credit_reference_id="C0"), [("/credit_reference_id", "rule", False)]),
        (Cdr, cdr(id="C" * 37), [("/id", "rule", False)]),
        (
            Cdr,
            cdr(charging_periods=[{"start_date_time": TIME, "dimensions": [{"type": "POWER", "volume": 1}]}]),
            [("/charging_periods/0/dimensions/0/type", "rule", False)],
        ),
        (TariffElement, RESERVATION, [("/price_components/0/type", "rule", False)]),
        (StartSession, START_SESSION | {"connector_id": "1"}, [("/evse_uid", "rule", True)]),
        (ActiveChargingProfileResult, {"result": "ACCEPTED"}, [("/profile", "rule", False)]),
        (ChargingProfilePeriod, {"start_period": 0, "limit": Decimal("8.10")}, []),
        (ChargingProfilePeriod, {"start_period": 0, "limit": Decimal("8.15")}, [("/limit", "range", False)]),
        (Endpoint, {"identifier": "nltnm-tokens", "role": "SENDER", "url": "https://x.io"}, []),
        (
            Endpoint,
            {"identifier": "invoices", "role": "SENDER", "url": "https://x.io"},
            [("/identifier", "enum", False)],
        ),
        (Version, {"version": "3.0", "url": "https://x.io"}, []),
    ],
)
def test_a_rule_of_the_specification_holds(shape: type[Wire], document: Document, expected: list[Any]) -> None:
    """R9.2h, R9.9c, R9.9e, R9.15a, R9.17b"""
    assert seen(check(document, shape)) == expected


def test_a_credit_cdr_with_a_negative_total_is_clean() -> None:
    credit = cdr(id="C" * 36 + "-C", credit=True, credit_reference_id="C1", total_cost={"excl_vat": Decimal("-2.63")})
    assert check(credit, Cdr) == []


def test_a_single_command_message_is_tolerated_where_a_list_belongs() -> None:
    message = {"language": "en", "text": "On its way"}
    response = {"result": "ACCEPTED", "timeout": 30, "message": message}
    assert seen(check(response, CommandResponse)) == [("/message", "type", False)]
    assert check(response | {"message": [message]}, CommandResponse) == []


def test_a_party_twice_in_the_same_role_is_fatal() -> None:
    role = {"role": "CPO", "country_code": "DE", "party_id": "CPO", "business_details": {"name": "Example"}}
    credentials = {"token": "t0ken", "url": "https://example.com/versions", "roles": [role, role | {"role": "EMSP"}]}
    assert check(credentials, Credentials) == []
    twice = credentials | {"roles": [role, role | {"party_id": "cpo"}]}
    assert seen(check(twice, Credentials)) == [("/roles/1/country_code", "rule", True)]


def test_a_patch_needs_last_updated_and_nothing_else() -> None:
    assert check_patch({"last_updated": TIME}, Location) == []
    assert seen(check_patch({"name": "A"}, Location)) == [("/last_updated", "missing", True)]
    assert seen(check_patch({"last_updated": None}, Location)) == [("/last_updated", "missing", True)]


def test_a_patch_may_remove_an_optional_field_but_no_required_one() -> None:
    assert check_patch({"name": None, "last_updated": TIME}, Location) == []
    assert seen(check_patch({"city": None, "last_updated": TIME}, Location)) == [("/city", "missing", True)]


def test_an_object_within_a_patch_is_a_full_one() -> None:
    patch = {"coordinates": {"latitude": "48.40100"}, "last_updated": TIME}
    assert seen(check_patch(patch, Location)) == [("/coordinates/longitude", "missing", True)]


def test_check_leaves_the_document_as_it_is() -> None:
    document = location(name=5, x=[1])
    before = copy.deepcopy(document)
    check(document, Location)
    assert document == before


hostile_text = st.text(max_size=8) | st.sampled_from(["\x00", "\ud800", TIME, "x" * 300])
hostile_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | hostile_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(hostile_text, inner, max_size=4),
    max_leaves=10,
)


@settings(deadline=None)  # the first one compiles the plans
@given(hostile_values)
def test_check_takes_any_value(value: object) -> None:
    for shape, _ in FULL:
        check(value, shape)
        check_patch(value, shape)


@settings(deadline=None)
@given(st.data())
def test_check_takes_any_value_in_any_place(data: st.DataObject) -> None:
    shape, template = data.draw(st.sampled_from(FULL))
    document = copy.deepcopy(template)
    target: Any = document
    while True:
        places = list(target) if isinstance(target, dict) else list(range(len(target)))
        place = data.draw(st.sampled_from(places))
        if not isinstance(target[place], (dict, list)) or not target[place] or data.draw(st.booleans()):
            target[place] = data.draw(hostile_values)
            break
        target = target[place]
    check(document, shape)
    check_patch(document, shape)


def test_a_pointer_ends_above_a_name_that_is_overlong() -> None:
    assert seen(check(location(x={"y" * 300: {"z": "\x00"}}), Location)) == [("/x", "pattern", True)]


def test_the_json_schema_names_the_limits() -> None:
    schema = msgspec.json.schema_components([Location])[1]
    assert schema["Location"]["properties"]["country"]["maxLength"] == 3
    assert schema["Evse"]["properties"]["connectors"]["minItems"] == 1


def test_nesting_of_any_depth_is_taken() -> None:
    value: Any = "\x00"
    for _ in range(10_000):
        value = [value]
    assert [found.fatal for found in check(location(x=value), Location)] == [True]
