"""Rows of the German federal register into OCPI Locations."""

import csv

import pytest

from cpo_backend.register.bnetza import read_sites
from ocpi.types.validation import check
from ocpi.v221.locations import Location

OWNER = ("DE", "CPO")
NOW = "2026-02-03T04:05:06Z"

STATION = {
    "Betreiber": "Stadtwerke Musterstadt GmbH",
    "Adresse": "Lindenstraße 7",
    "Postleitzahl Ort": "34117 Kassel",
    "Bundesland": "Hessen",
    "Längengrad [DG]": "9.4971",
    "Breitengrad [DG]": "51.31265",
    "Inbetriebnahmedatum": "2018-05-04",
    "Anschlussleistung [kW]": "22",
    "Art der Ladeeinrichtung": "Normalladeeinrichtung",
    "Anzahl Ladepunkte": "1",
    "Steckertypen1": "AC Steckdose Typ 2",
    "P1 [kW]": "22",
    "Public Key1": "",
    "Steckertypen2": "",
    "P2 [kW]": "",
    "Public Key2": "",
}


def station(**changes):
    """A row of the register; `plug2`, `power2` and the like stand for the column pairs."""
    names = {
        "operator": "Betreiber",
        "address": "Adresse",
        "place": "Postleitzahl Ort",
        "state": "Bundesland",
    }
    names |= {"longitude": "Längengrad [DG]", "latitude": "Breitengrad [DG]", "since": "Inbetriebnahmedatum"}
    names |= {"plug1": "Steckertypen1", "power1": "P1 [kW]", "plug2": "Steckertypen2", "power2": "P2 [kW]"}
    names |= {"points": "Anzahl Ladepunkte", "key1": "Public Key1"}
    return STATION | {names[name]: value for name, value in changes.items()}


def two_points(plug1, power1, plug2, power2, **changes):
    return station(plug1=plug1, power1=power1, plug2=plug2, power2=power2, points="2", **changes)


@pytest.fixture
def read(tmp_path):
    """Reads a register of the given rows."""

    def read(*rows):
        path = tmp_path / "register.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=";").writerows([list(STATION), *(row.values() for row in rows)])
        return read_sites(path, OWNER, last_updated=NOW)

    return read


def documents(result):
    return [site.document for site in result.sites]


def evses(result):
    return [evse for document in documents(result) for evse in document["evses"]]


def rejections(result):
    return [(row.line, row.code, row.point, row.charging_points) for row in result.rejected]


def remarks(result):
    return [(remark.line, remark.code, remark.point) for remark in result.remarks]


def test_a_station_becomes_a_complete_valid_location(read):
    result = read(station())
    (document,) = documents(result)
    (evse,) = document["evses"]
    (connector,) = evse["connectors"]
    assert check(document, Location) == []
    assert {name: document[name] for name in document if name not in ("id", "evses")} == {
        "country_code": "DE",
        "party_id": "CPO",
        "publish": True,
        "address": "Lindenstraße 7",
        "city": "Kassel",
        "postal_code": "34117",
        "state": "Hessen",
        "country": "DEU",
        "coordinates": {"latitude": "51.31265", "longitude": "9.49710"},
        "operator": {"name": "Stadtwerke Musterstadt GmbH"},
        "time_zone": "Europe/Berlin",
        "last_updated": NOW,
    }
    assert document["id"].startswith("kassel-lindenstr-7-")
    assert (evse["status"], evse["last_updated"]) == ("UNKNOWN", NOW)
    assert (connector["id"], connector["max_electric_power"], connector["last_updated"]) == ("1", 22_000, NOW)
    assert (result.sites[0].lines, result.rejected, result.remarks) == ((2,), [], [])


def test_a_column_pair_is_an_evse_and_each_of_its_plugs_a_connector(read):
    result = read(two_points("AC Steckdose Typ 2, AC Schuko", "22", "DC Kupplung Combo, DC CHAdeMO", "50"))
    assert [[(c["id"], c["standard"]) for c in evse["connectors"]] for evse in evses(result)] == [
        [("1", "IEC_62196_T2"), ("2", "DOMESTIC_F")],
        [("1", "IEC_62196_T2_COMBO"), ("2", "CHADEMO")],
    ]


def test_evse_ids_are_emi3_ids_of_the_owner(read):
    first, second = evses(read(two_points("AC Schuko", "3.7", "AC Schuko", "3.7")))
    assert first["evse_id"] == f"DE*CPO*E{first['uid'][:16].upper()}011"
    assert second["evse_id"] == f"DE*CPO*E{first['uid'][:16].upper()}012"


@pytest.mark.parametrize("power", ["3.7", "3,7", "3.70", " 3,7 "])
def test_powers_are_read_with_point_or_comma(read, power):
    (evse,) = evses(read(station(plug1="AC Kupplung Typ 2", power1=power)))
    assert evse["connectors"][0]["max_electric_power"] == 3_680


# --- grouping and ids


def test_stations_of_one_operator_at_one_address_share_a_location(read):
    result = read(station(), station(latitude="51.31300"), station(address="LINDENSTR. 7", since="2019-01-01"))
    (document,) = documents(result)
    assert result.sites[0].lines == (2, 3, 4)
    assert [evse.get("coordinates") for evse in document["evses"]] == [
        None,
        {"latitude": "51.31300", "longitude": "9.49710"},
        None,
    ]


def test_operators_never_share_a_location(read):
    ids = [document["id"] for document in documents(read(station(), station(operator="Andere Werke AG")))]
    assert len(set(ids)) == 2


def test_a_station_far_from_the_others_at_its_address_is_a_location_of_its_own(read):
    near, far = station(), station(latitude="51.33", since="2019-01-01")
    assert [site.lines for site in read(near, station(latitude="51.3160"), far).sites] == [(2, 3), (4,)]
    assert documents(read(near))[0]["id"] == documents(read(far, near))[1]["id"]


def test_ids_do_not_change_when_rows_are_inserted_or_reordered(read):
    rows = [
        station(),
        station(since="2019-01-01"),
        station(address="Am Markt 1"),
        station(),
        station(power1="11"),
    ]
    inserted = [
        station(address="Neue Straße 1"),
        station(since="2019-06-06"),
        station(operator="Andere Werke AG"),
    ]
    before = {evse["uid"]: evse for evse in evses(read(*rows))}
    after = {evse["uid"]: evse for evse in evses(read(*inserted, *reversed(rows)))}
    assert len(before) == len(rows)
    assert before.items() <= after.items()


def test_ids_survive_a_public_key_and_another_spelling_of_the_address(read):
    before, after = (
        [(document["id"], evse["uid"]) for document in documents(result) for evse in document["evses"]]
        for result in (read(station()), read(station(key1="9F 01", address="Lindenstr. 7", state="")))
    )
    assert before == after


def test_identical_rows_are_stations_side_by_side_not_duplicates(read):
    uids = [evse["uid"] for evse in evses(read(station(), station(), station()))]
    assert len(set(uids)) == 3
    assert len({uid[:16] for uid in uids}) == 1


# --- coordinates and texts


def test_coordinates_are_padded_and_rounded_to_the_decimals_of_the_specification(read):
    (document,) = documents(read(station(latitude="51,3126", longitude="9.497100099999999")))
    assert document["coordinates"] == {"latitude": "51.31260", "longitude": "9.4971001"}


def test_swapped_coordinates_are_put_right_with_a_remark(read):
    result = read(station(latitude="9.4971", longitude="51.31265"))
    assert documents(result)[0]["coordinates"] == {"latitude": "51.31265", "longitude": "9.49710"}
    assert remarks(result) == [(2, "coordinates_swapped", None)]


@pytest.mark.parametrize(
    ("latitude", "longitude", "code"),
    [
        ("51", "6.1", "coordinates_coarse"),
        ("51.31265", "15.59209", "coordinates_outside"),
        ("51.31265", "", "coordinates_unreadable"),
        ("51.31265°", "9.4971", "coordinates_unreadable"),
        ("nan", "9.4971", "coordinates_unreadable"),
    ],
)
def test_coordinates_nobody_could_drive_to_reject_the_row(read, latitude, longitude, code):
    result = read(station(latitude=latitude, longitude=longitude), station())
    assert rejections(result) == [(2, code, None, 1)]
    assert result.rejected[0].where == "Stadtwerke Musterstadt GmbH, Lindenstraße 7, 34117 Kassel"
    assert [site.lines for site in result.sites] == [(3,)]


def test_coarse_but_usable_coordinates_are_remarked(read):
    result = read(station(latitude="51.31", longitude="9.497"))
    assert documents(result)[0]["coordinates"] == {"latitude": "51.31000", "longitude": "9.49700"}
    assert remarks(result) == [(2, "coordinates_coarse", None)]


def test_spaces_of_every_kind_are_tidied(read):
    (document,) = documents(read(station(place="34117 \u00a0Kassel ", address="Linden\tAllee  7")))
    assert (document["postal_code"], document["city"], document["address"]) == (
        "34117",
        "Kassel",
        "Linden Allee 7",
    )


@pytest.mark.parametrize(("place", "shown"), [("4474 Vilshofen", "4474"), ("Vilshofen an der Donau", None)])
def test_a_postal_code_that_cannot_be_right_is_remarked_and_not_guessed(read, place, shown):
    result = read(station(place=place))
    assert documents(result)[0].get("postal_code") == shown
    assert remarks(result) == [(2, "postal_code_odd", None)]


@pytest.mark.parametrize("empty", [{"operator": ""}, {"address": " "}, {"place": ""}, {"place": "34117"}])
def test_a_row_without_operator_address_or_city_is_rejected(read, empty):
    assert rejections(read(station(**empty))) == [(2, "field_missing", None, 1)]


def test_a_text_too_long_for_ocpi_is_cut_with_a_remark(read):
    result = read(station(operator="Werke " * 30))
    assert len(documents(result)[0]["operator"]["name"]) <= 100
    assert remarks(result) == [(2, "text_shortened", None)]


# --- charging points


def test_a_point_that_cannot_be_mapped_is_rejected_and_its_neighbour_stays(read):
    result = read(two_points("Steckdose Typ 1", "11", "AC Schuko", "3.7"))
    assert rejections(result) == [(2, "plug_unknown", 1, 1)]
    assert [evse["uid"][-2:] for evse in evses(result)] == ["-2"]


def test_a_station_without_any_mappable_point_is_no_location(read):
    result = read(two_points("2", "22", "Wallbox", "11"))
    assert rejections(result) == [(2, "plug_unknown", 1, 1), (2, "plug_unknown", 2, 1)]
    assert result.sites == []


def test_an_unknown_plug_beside_a_known_one_costs_a_remark_not_the_point(read):
    result = read(station(plug1="DC Kupplung Combo, 0", power1="30"))
    assert [connector["standard"] for connector in evses(result)[0]["connectors"]] == ["IEC_62196_T2_COMBO"]
    assert (rejections(result), remarks(result)) == ([], [(2, "plug_unknown", 1)])


@pytest.mark.parametrize("power", ["", "0", "-22", "22 kW", "22000", "NaN", "1e3"])
def test_a_point_without_a_usable_power_is_rejected(read, power):
    assert rejections(read(station(power1=power))) == [(2, "power_unusable", 1, 1)]


def test_a_power_without_a_plug_is_remarked_and_zero_means_nothing(read):
    assert remarks(read(station(power2="22"), station(power2="0"))) == [(2, "power_without_plug", 2)]


def test_a_row_without_plugs_is_rejected(read):
    assert rejections(read(station(plug1="", power1=""))) == [(2, "no_charging_point", None, 0)]


def test_another_number_of_points_than_announced_is_remarked(read):
    assert remarks(read(station(points="3"))) == [(2, "points_differ", None)]


# --- the file as a whole


def test_a_line_that_is_no_row_is_rejected_among_the_others(read):
    result = read(station(), station() | {"nowhere": "one cell too many"}, station(place=""))
    assert rejections(result) == [(3, "row_malformed", None, 0), (4, "field_missing", None, 1)]
