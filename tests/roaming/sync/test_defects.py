"""What is wrong with a partner's objects, told to the partner."""

import json

import pytest
from django.core.management import CommandError, call_command

from ocpi.store.catalogue import STORES
from ocpi.v221.anchors import anchor
from ocpi.v221.versions import ModuleID
from roaming.models import Platform
from roaming.pull_models import QuarantinedObject
from roaming.sync import defects, pull
from tests.kit.objects import connector, evse, location, tariff, without
from tests.kit.peer import FakePeer

pytestmark = pytest.mark.django_db(transaction=True)
OWNER = {"country_code": "DE", "party_id": "CPO"}
FLAWED = [evse(uid=str(number), connectors=[connector(standard="A PLUG")]) for number in range(2)]


@pytest.fixture
def platform(cpo_peer: FakePeer, cpo_platform: Platform) -> Platform:
    """A CPO with one object in quarantine, and three that were stored with defects."""
    cpo_peer.objects["locations"] = [
        location(**OWNER, id="A", evses=FLAWED),
        location(**OWNER, id="B", evses=FLAWED, postal_code="much too long | really"),
        location(**OWNER, id="C", evses=FLAWED),
        location(**OWNER, id="GOOD"),
        without(location(**OWNER, id="D"), "country"),
    ]
    cpo_peer.objects["tariffs"] = [tariff(**OWNER)]
    pull.pull(cpo_platform, ModuleID.LOCATIONS)
    pull.pull(cpo_platform, ModuleID.TARIFFS)
    return cpo_platform


@pytest.mark.parametrize(
    ("module", "pointer", "expected"),
    [
        ("locations", "", "mod_locations_location_object"),
        ("locations", "/evses/*/connectors/*/standard", "mod_locations_connectortype_enum"),
        ("locations", "/evses/0/uid", "mod_locations_evse_object"),
        ("locations", "/vendor/evses", "mod_locations_location_object"),
        ("tariffs", "/elements/0/price_components/1/step_size", "mod_tariffs_pricecomponent_class"),
        ("cdrs", "/cdr_token/uid", "mod_cdrs_cdr_token_object"),
    ],
)
def test_a_pointer_leads_to_its_anchor_in_the_specification(module: str, pointer: str, expected: str) -> None:
    assert anchor(STORES[ModuleID(module)].shape, pointer) == expected


def test_a_defect_is_one_finding_however_many_objects_have_it(platform: Platform) -> None:
    """Demand 18: by what is wrong and where, with examples; what costs objects comes first."""
    found = defects.report(platform)
    summary = [(finding.place, finding.code, finding.objects, finding.fatal) for finding in found.findings]
    assert summary == [
        ("/country", "missing", 1, True),
        ("/evses/*/connectors/*/standard", "enum", 3, False),
        ("/postal_code", "length", 1, False),
    ]
    assert found.findings[1].examples[0] == {"object": "DE*CPO*a", "pointer": "/evses/0/connectors/0/standard"}
    assert found.quarantined == 1


def test_a_run_counts_the_defects_it_found(platform: Platform) -> None:
    assert platform.runs.get(module="locations").defects == 8


def test_the_report_is_json_and_markdown(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("defect_report", platform.name, "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["findings"][0] | {"examples": []} == {
        "module": "locations",
        "code": "missing",
        "place": "/country",
        "message": document["findings"][0]["message"],
        "fatal": True,
        "objects": 1,
        "examples": [],
        "anchor": "mod_locations_location_object",
    }
    call_command("defect_report", platform.name)
    shown = capsys.readouterr().out
    assert "unusable: missing" in shown and "§mod_locations_connectortype_enum" in shown
    assert len([line for line in shown.splitlines() if line.startswith("| ")]) == 4


def test_what_a_partner_wrote_cannot_break_out_of_the_table(platform: Platform) -> None:
    """DESIGN section 2.9"""
    QuarantinedObject.objects.update(identity="| <b>\n[x](y)")
    line = next(row for row in defects.report(platform).markdown().splitlines() if "country" in row)
    assert "\\| \\<b\\>�\\[x\\](y)" in line


def test_a_platform_without_defects_has_none(cpo_platform: Platform) -> None:
    assert "No defects" in defects.report(cpo_platform).markdown()


def test_a_platform_that_does_not_exist_is_bad_input() -> None:
    with pytest.raises(CommandError) as raised:
        call_command("defect_report", "nobody")
    assert raised.value.returncode == 2
