"""Plug names and powers of the federal register into OCPI connectors."""

import pytest

from cpo_backend.register.plugs import PLUGS, plug_named


def connector(name, watts):
    plug = plug_named(name)
    assert plug is not None
    fields = plug.connector(watts)
    return tuple(
        fields[k] for k in ("standard", "format", "power_type", "max_voltage", "max_amperage", "max_electric_power")
    )


@pytest.mark.parametrize(
    ("watts", "power_type", "amperes", "limit"),
    [
        (2_000, "AC_1_PHASE", 16, 2_000),
        (3_700, "AC_1_PHASE", 16, 3_680),
        (4_600, "AC_1_PHASE", 20, 4_600),
        (7_400, "AC_1_PHASE", 32, 7_360),
        (7_500, "AC_3_PHASE", 16, 7_500),
        (11_000, "AC_3_PHASE", 16, 11_000),
        (12_000, "AC_3_PHASE", 20, 12_000),
        (22_000, "AC_3_PHASE", 32, 22_000),
        (22_144, "AC_3_PHASE", 32, 22_080),
    ],
)
def test_a_type_2_socket_gets_its_phases_and_amperage_from_the_power(watts, power_type, amperes, limit):
    expected = ("IEC_62196_T2", "SOCKET", power_type, 230, amperes, limit)
    assert connector("AC Steckdose Typ 2", watts) == expected


def test_a_type_2_socket_ends_at_32_amperes_and_a_cable_at_63():
    assert connector("AC Steckdose Typ 2", 50_000)[3:] == (230, 32, 22_080)
    assert connector("AC Kupplung Typ 2", 50_000) == ("IEC_62196_T2", "CABLE", "AC_3_PHASE", 230, 63, 43_470)
    assert connector("AC Kupplung Typ 2", 43_000)[3:] == (230, 63, 43_000)


def test_schuko_stays_at_16_amperes_however_strong_the_point_is():
    assert connector("AC Schuko", 22_000) == ("DOMESTIC_F", "SOCKET", "AC_1_PHASE", 230, 16, 3_680)


def test_blue_cee_is_single_phase_and_red_cee_three_phase_of_16_or_32_amperes():
    assert connector("AC CEE 3 polig", 22_000)[:5] == (
        "IEC_60309_2_single_16",
        "SOCKET",
        "AC_1_PHASE",
        230,
        16,
    )
    assert connector("AC CEE 5 polig", 11_000)[:5] == (
        "IEC_60309_2_three_16",
        "SOCKET",
        "AC_3_PHASE",
        230,
        16,
    )
    assert connector("AC CEE 5 polig", 43_000)[:5] == (
        "IEC_60309_2_three_32",
        "SOCKET",
        "AC_3_PHASE",
        230,
        32,
    )


@pytest.mark.parametrize(
    ("watts", "volts", "amperes"),
    [(20_000, 500, 65), (50_000, 500, 125), (75_000, 500, 200), (150_000, 920, 200), (350_000, 920, 500)],
)
def test_combo_gets_the_smallest_usual_outlet_that_carries_the_power(watts, volts, amperes):
    assert connector("DC Kupplung Combo", watts) == (
        "IEC_62196_T2_COMBO",
        "CABLE",
        "DC",
        volts,
        amperes,
        watts,
    )


def test_chademo_beside_a_strong_combo_is_limited_to_its_own_100_kilowatts():
    assert connector("DC CHAdeMO", 175_000) == ("CHADEMO", "CABLE", "DC", 500, 200, 100_000)


@pytest.mark.parametrize("plug", PLUGS.values(), ids=PLUGS)
def test_no_plug_promises_more_than_the_point_has_and_all_sizes_ascend(plug):
    capacities = [size.watts for size in plug.sizes]
    assert capacities == sorted(set(capacities))
    for watts in (1, 3_700, 22_000, 500_000):
        assert 0 < plug.connector(watts)["max_electric_power"] <= min(watts, capacities[-1])


def test_names_are_read_without_regard_to_case_and_spacing():
    assert plug_named(" ac  steckdose TYP 2") is plug_named("AC Steckdose Typ 2")


@pytest.mark.parametrize("name", ["2", "0", "", "Typ 2", "Steckdose Typ 1"])
def test_a_name_that_is_not_in_the_table_is_no_plug(name):
    assert plug_named(name) is None
