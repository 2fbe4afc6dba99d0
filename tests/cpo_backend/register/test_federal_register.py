"""The German federal register of 2019-07-19 itself: everything accounted for, stable, valid."""

import csv
import gzip
import random
from collections import Counter
from pathlib import Path

import pytest

from cpo_backend.register.bnetza import read_sites
from ocpi.types import codec
from ocpi.types.validation import check
from ocpi.v221.locations import Location

REGISTER = Path(__file__).parents[3].parent / "shared/data/bnetza_ladesaeulenregister_2019-07-19.csv.gz"
OWNER = ("DE", "CPO")
NOW = "2026-02-03T04:05:06Z"

pytestmark = pytest.mark.skipif(not REGISTER.exists(), reason=f"the federal register is not at {REGISTER}")


def documents(result):
    return [site.document for site in result.sites]


def evses(result):
    return [evse for document in documents(result) for evse in document["evses"]]


@pytest.fixture(scope="module")
def register():
    return read_sites(REGISTER, OWNER, last_updated=NOW)


def test_every_station_and_charging_point_of_the_register_is_accounted_for(register):
    lines = [line for site in register.sites for line in site.lines]
    whole_rows = [row.line for row in register.rejected if row.point is None]
    assert sorted(lines + whole_rows) == list(range(2, 9_692))
    assert len(evses(register)) + sum(row.charging_points for row in register.rejected) == 19_029
    assert Counter(row.code for row in register.rejected) == {
        "coordinates_coarse": 5,
        "coordinates_outside": 1,
        "plug_unknown": 1,
    }


def test_every_location_of_the_register_is_valid_and_every_id_unique(register):
    broken = {d["id"]: violations for d in documents(register) if (violations := check(d, Location))}
    assert broken == {}
    for ids in (
        [document["id"] for document in documents(register)],
        [evse["uid"] for evse in evses(register)],
        [evse["evse_id"] for evse in evses(register)],
    ):
        assert len(set(ids)) == len(ids)


def test_reading_the_register_twice_gives_identical_bytes(register):
    again = read_sites(REGISTER, OWNER, last_updated=NOW)
    assert codec.encode(documents(again)) == codec.encode(documents(register))


def test_shuffling_the_register_changes_no_document(register, tmp_path):
    with gzip.open(REGISTER, "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter=";")
    random.Random(2019).shuffle(rows)
    shuffled = tmp_path / "shuffled.csv"
    with shuffled.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, *rows])
    result = read_sites(shuffled, OWNER, last_updated=NOW)
    assert {d["id"]: d for d in documents(result)} == {d["id"]: d for d in documents(register)}
