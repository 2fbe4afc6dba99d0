"""The federal register as a file: encodings, archives, columns, quotes."""

import gzip

import pytest

from cpo_backend.register import RejectedRow, UnreadableRegister
from cpo_backend.register.table import Row, read_rows

COLUMNS = {
    "Betreiber": "Werke AG",
    "Adresse": "Lindenstraße 7",
    "Postleitzahl Ort": "34117 Kassel",
    "Bundesland": "Hessen",
    "Längengrad [DG]": "9.4971",
    "Breitengrad [DG]": "51.31265",
    "Inbetriebnahmedatum": "2018-05-04",
    "Anzahl Ladepunkte": "1",
    "Steckertypen1": "AC Schuko",
    "P1 [kW]": "3.7",
    "Steckertypen2": "",
    "P2 [kW]": "",
}
HEADER = ";".join(COLUMNS)
LINE = ";".join(COLUMNS.values())
ROW = Row(
    2,
    {
        "operator": "Werke AG",
        "address": "Lindenstraße 7",
        "place": "34117 Kassel",
        "state": "Hessen",
        "longitude": "9.4971",
        "latitude": "51.31265",
        "commissioned": "2018-05-04",
        "points": "1",
    },
    [("AC Schuko", "3.7"), ("", "")],
)


@pytest.fixture
def read(tmp_path):
    def read(*lines, end="\n", encoding="utf-8", pack=bytes):
        path = tmp_path / "register.csv"
        path.write_bytes(pack((end.join(lines) + end).encode(encoding)))
        return list(read_rows(path))

    return read


def addresses(rows):
    return [(row.line, row.code if isinstance(row, RejectedRow) else row.fields["address"]) for row in rows]


@pytest.mark.parametrize(
    "how",
    [{}, {"end": "\r\n"}, {"encoding": "utf-8-sig"}, {"pack": gzip.compress}],
    ids=["plain", "carriage returns", "byte order mark", "gzip"],
)
def test_line_ends_a_byte_order_mark_and_gzip_make_no_difference(read, how):
    assert read(HEADER, LINE, **how) == [ROW]


def test_columns_are_found_by_name_whatever_their_order_spacing_and_company(read):
    header = HEADER.replace("P1 [kW]", "P1[kW]").replace("Breitengrad [DG]", " breitengrad").split(";")
    lines = [";".join([*reversed(cells), extra]) for cells, extra in ((header, "Kreis"), (LINE.split(";"), "Kassel"))]
    assert read(*lines) == [ROW]


def test_missing_columns_are_named(read):
    found = r"missing: Adresse, P2 \[kW\]\. The first line has: Betreiber; Postleitzahl Ort;"
    with pytest.raises(UnreadableRegister, match=found):
        read(HEADER.replace("Adresse;", "").replace(";P2 [kW]", ""), LINE)


def test_a_file_without_a_header_is_refused(read):
    with pytest.raises(UnreadableRegister, match=r"columns missing: Betreiber, .*has: nothing"):
        read("")


def test_a_header_that_is_not_csv_is_refused(read):
    with pytest.raises(UnreadableRegister, match=r"register\.csv is not CSV"):
        read('"' + HEADER, LINE)


def test_another_encoding_is_refused_with_the_line_it_shows_in(read):
    with pytest.raises(UnreadableRegister, match=r"not UTF-8 \(line 1, "):
        read(HEADER, LINE, encoding="cp1252")


def test_a_damaged_archive_and_a_missing_file_are_refused_by_name(read, tmp_path):
    with pytest.raises(UnreadableRegister, match=r"register\.csv cannot be read"):
        read(HEADER, LINE, pack=lambda content: gzip.compress(content)[:-12])
    with pytest.raises(UnreadableRegister, match=r"nowhere\.csv"):
        list(read_rows(tmp_path / "nowhere.csv"))


def test_a_semicolon_in_quotes_is_text_and_without_them_shifts_the_row_which_is_rejected(read):
    quoted, bare = (LINE.replace("Lindenstraße 7", address) for address in ('"Allee 1; P2"', "Allee 1; P2"))
    assert addresses(read(HEADER, quoted, bare, LINE)) == [
        (2, "Allee 1; P2"),
        (3, "row_malformed"),
        (4, "Lindenstraße 7"),
    ]


def test_a_line_cut_short_is_rejected_and_an_empty_one_is_no_row(read):
    rows = read(HEADER, "Werke AG;Lindenstraße 7", "", LINE)
    assert addresses(rows) == [(2, "row_malformed"), (4, "Lindenstraße 7")]


def test_a_quote_gone_astray_rejects_the_lines_it_swallows_and_says_which(read):
    rows = read(HEADER, LINE, LINE.replace("Linden", '"Linden"'), LINE, '"' + LINE, LINE, LINE)
    assert addresses(rows) == [
        (2, "Lindenstraße 7"),
        (3, "row_malformed"),
        (4, "Lindenstraße 7"),
        (5, "row_malformed"),
    ]
    assert rows[-1].reason.startswith("lines 5 to 7 are not CSV")


def test_a_row_after_a_cell_of_two_lines_is_known_by_its_own_first_line(read):
    rows = read(HEADER, LINE.replace("Lindenstraße 7", '"Lindenstraße 7\nHinterhof"'), LINE)
    assert addresses(rows) == [(2, "Lindenstraße 7 Hinterhof"), (4, "Lindenstraße 7")]
