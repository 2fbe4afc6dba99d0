"""Locations out of OCPI JSON files in their accepted forms."""

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

import cpo_backend.register
from cpo_backend.register import UnreadableRegister
from cpo_backend.register.ocpi_json import read_sites
from ocpi.types import codec
from ocpi.types.validation import check
from ocpi.v221.locations import Location

SAMPLE = Path(cpo_backend.register.__file__).with_name("sample.json")


@pytest.fixture
def read(tmp_path):
    def read(content: bytes):
        path = tmp_path / "locations.json"
        path.write_bytes(content)
        return read_sites(path)

    return read


def found(result):
    return [(site.lines, site.document) for site in result.sites]


@pytest.mark.parametrize(
    "content",
    [
        b'[{"id": "A"}, {"id": "B"}]',
        b'{"data": [{"id": "A"}, {"id": "B"}], "status_code": 1000, "timestamp": "2026-01-01T00:00:00Z"}',
        b'{"id": "A"}\n{"id": "B"}\n',
        b'\xef\xbb\xbf[{"id": "A"}, {"id": "B"}]',
        gzip.compress(b'[{"id": "A"}, {"id": "B"}]'),
    ],
    ids=["list", "response", "lines", "byte order mark", "gzip"],
)
def test_a_list_a_response_and_json_lines_give_the_same_documents(read, content):
    assert found(read(content)) == [((1,), {"id": "A"}), ((2,), {"id": "B"})]


def test_a_single_location_is_a_list_of_one(read):
    assert found(read(b'{\n  "id": "A"\n}')) == [((1,), {"id": "A"})]


def test_an_empty_list_holds_no_sites(read):
    assert found(read(b"[]")) == []


def test_unknown_fields_and_exact_numbers_are_kept(read):
    (site,) = read(b'[{"id": "A", "x_share": 62.50}]').sites
    assert site.document == {"id": "A", "x_share": Decimal("62.50")}
    assert str(site.document["x_share"]) == "62.50"


def test_an_item_that_is_no_object_is_rejected_by_its_place_and_the_rest_stays(read):
    result = read(b'[{"id": "A"}, "LOC-7", null, {"id": "B"}]')
    assert [site.lines for site in result.sites] == [(1,), (4,)]
    assert [(row.line, row.code, row.where) for row in result.rejected] == [
        (2, "not_an_object", "'LOC-7'"),
        (3, "not_an_object", "None"),
    ]


def test_a_broken_line_of_json_lines_is_rejected_by_its_number_and_the_rest_stays(read):
    result = read(b'{"id": "A"}\n\n{"id": \n{"id": "B"}\n')
    assert found(result) == [((1,), {"id": "A"}), ((4,), {"id": "B"})]
    assert [(row.line, row.code) for row in result.rejected] == [(3, "malformed_json")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Betreiber;Adresse\n",
        b'[{"id": "A"}',
        b'{"status_code": 3000}',
        b'{"data": {"id": "A"}}',
        b"42",
        b"\x1f\x8b junk",
    ],
)
def test_what_is_no_list_of_locations_is_refused_as_a_whole(read, content):
    with pytest.raises(UnreadableRegister, match=r"locations\.json"):
        read(content)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(UnreadableRegister, match=r"nowhere\.json"):
        read_sites(tmp_path / "nowhere.json")


def test_the_bundled_sample_is_twelve_valid_locations_of_varied_kinds():
    result = read_sites(SAMPLE)
    documents = [site.document for site in result.sites]
    evses = [evse for document in documents for evse in document["evses"]]
    assert (len(documents), result.rejected) == (12, [])
    assert {document["id"]: found for document in documents if (found := check(document, Location))} == {}
    assert {(document["country_code"], document["party_id"]) for document in documents} == {("DE", "CPO")}
    assert len({document["id"] for document in documents}) == 12
    for identity in ("uid", "evse_id"):
        assert len({evse[identity] for evse in evses}) == len(evses)
    assert sum("opening_times" in document for document in documents) == 2
    assert [d["id"] for d in documents if not d["publish"] and d["publish_allowed_to"]] == ["LINDE-WEIMAR-DEPOT"]


def test_the_energy_mix_of_the_sample_adds_up_exactly():
    (mix,) = (d["energy_mix"] for d in codec.decode(SAMPLE.read_bytes()) if "energy_mix" in d)
    assert sum(source["percentage"] for source in mix["energy_sources"]) == Decimal(100)
