"""NOAA's daily solar data line by line: both layouts, what is missing, what is skipped and why."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from flarecast.errors import FlarecastError
from flarecast.ingest import dsd

DATA = Path(__file__).parents[2] / "../shared/data/noaa_daily/DSD"

OLD = "01 Jan 96   75      25        10     1       *    A1.2   *  *  *"
NEW = "2012 01 01  130     61      810      0    -999   B4.4   2  0  0  2  0  0  0"
HEADER = """:Product: Daily Solar Data         2012_DSD.txt
:Issued: 1900 UTC 02 Jan 2013
#  Date     10.7cm Number  Hemis. Regions Field  Flux   C  M  X  S  1  2  3
#---------------------------------------------------------------------------
"""
OLD_HEADER = """:Product: Daily Solar Data         1996_DSD.txt
#                            1996 Daily Solar Data

           Flux  Sunspot   10E-6    New    Mean   Bkgd    X-ray       Optical
   Date   10.7cm  Number   Hemis. Regions Field   Flux   C  M  X   Not Available
"""


def read(folder, text, name="2012_DSD.txt", max_bad_rows=10):
    """Write a file and read it."""
    (folder / name).write_text(text)
    return dsd.read_dsd([folder / name], max_bad_rows)


def values_of(daily, place=0):
    """Values of one day by column."""
    return {name: float(column[place]) for name, column in daily.columns.items()}


def test_a_line_of_the_layout_since_1997(tmp_path):
    daily = read(tmp_path, HEADER + NEW)

    assert daily.day.tolist() == [15340]
    values = values_of(daily)
    assert np.isnan(values.pop("mean_field"))
    assert values == {
        "f107": 130,
        "sunspot_number": 61,
        "sunspot_area": 810,
        "new_regions": 0,
        "background": pytest.approx(4.4e-7),
        "c_flares": 2,
        "m_flares": 0,
        "x_flares": 0,
        "optical_s": 2,
        "optical_1": 0,
        "optical_2": 0,
        "optical_3": 0,
    }


def test_a_line_of_the_layout_of_1996(tmp_path):
    daily = read(tmp_path, OLD_HEADER + OLD, "1996_DSD.txt")

    values = values_of(daily)
    assert daily.day.tolist() == [9496]
    assert (values["f107"], values["sunspot_number"], values["sunspot_area"]) == (75, 25, 10)
    assert values["background"] == pytest.approx(1.2e-8)
    missing = {name for name, value in values.items() if np.isnan(value)}
    flares = {"c_flares", "m_flares", "x_flares"}
    assert missing == {"mean_field", *flares, "optical_s", "optical_1", "optical_2", "optical_3"}


@pytest.mark.parametrize(
    ("token", "column", "expected"),
    [
        ("-999", "f107", np.nan),
        ("*", "sunspot_number", np.nan),
        ("-1", "sunspot_area", np.nan),
        ("-7940", "new_regions", np.nan),
        ("-1", "mean_field", -1.0),
        ("-44", "mean_field", -44.0),
        ("-999", "mean_field", np.nan),
        ("Unk", "background", np.nan),
        ("*", "background", np.nan),
        ("A0.0", "background", 1e-8),
        ("M1.6", "background", 1.6e-5),
        ("-1", "m_flares", np.nan),
        ("10", "m_flares", 10.0),
    ],
)
def test_what_means_missing_is_missing_and_the_rest_of_the_line_is_read(tmp_path, token, column, expected):
    tokens = NEW.split()
    tokens[3 + list(dsd.RANGES).index(column)] = token

    daily = read(tmp_path, HEADER + " ".join(tokens))

    assert daily.tally.n_rows_read == 1
    np.testing.assert_allclose(daily.columns[column], [expected])
    assert daily.tally.missing[column] == int(np.isnan(expected))


def test_a_tab_between_columns_does_not_matter(tmp_path):
    daily = read(tmp_path, HEADER + NEW.replace("B4.4   2", "B4.4\t2"))

    assert daily.columns["c_flares"].tolist() == [2]


def test_a_missing_day_is_a_row_of_nan(tmp_path):
    daily = read(tmp_path, HEADER + NEW + "\n" + NEW.replace("01 01", "01 04"))

    assert np.diff(daily.day).tolist() == [1, 1, 1]
    assert np.isnan(daily.columns["f107"]).tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2012 01 02  130     61      810      0    -999   B4.4   2  0  0", dsd.WRONG_WIDTH),
        ("2012 01 02  130     61      810", dsd.WRONG_WIDTH),
        (NEW.replace("01 01", "01 02") + "  7", dsd.WRONG_WIDTH),
        ("02 Jan 12   75      25        10     1       *    A1.2   0  0  0  0  0  0  0", dsd.WRONG_WIDTH),
        (NEW.replace("01 01", "02 30"), dsd.NO_DATE),
        ("02 Jab 12   75      25        10     1       *    A1.2   *  *  *", dsd.NO_DATE),
        (NEW.replace("2012", "2013"), dsd.WRONG_YEAR),
        (NEW.replace("01 01", "01 02").replace("130", "13O"), dsd.NO_VALUE),
        (NEW.replace("01 01", "01 02").replace("B4.4", "Z9.9"), dsd.NO_VALUE),
        (NEW, dsd.REPEATED),
        (NEW.replace("130", "131"), dsd.CONFLICT),
    ],
)
def test_every_line_is_read_or_skipped_for_a_reason(tmp_path, line, reason):
    daily = read(tmp_path, HEADER + NEW + "\n" + line + "\n")

    assert daily.tally.skipped == {reason: 1}
    assert daily.tally.n_value_lines == 2
    assert daily.tally.n_rows_read == 1
    assert daily.tally.n_bad == int(reason != dsd.REPEATED)
    assert daily.columns["f107"].tolist() == [130]


@pytest.mark.parametrize(
    ("name", "header", "line"), [("2012_DSD.txt", HEADER, NEW), ("1996_DSD.txt", OLD_HEADER, OLD)]
)
def test_too_many_lines_of_the_wrong_width_are_one_sentence(tmp_path, name, header, line):
    cut = line.rsplit(maxsplit=1)[0]

    with pytest.raises(FlarecastError, match="more than max_bad_rows = 2") as error:
        read(tmp_path, header + line + "\n" + "\n".join([cut] * 3), name, max_bad_rows=2)

    text = str(error.value)
    number = header.count("\n") + 2
    assert f"{name} line {number}: expected {len(line.split())} columns, not {len(line.split()) - 1}" in text
    assert repr(cut) in text
    assert "3 of 4 lines are bad (wrong width 3)" in text
    assert "\n" not in text


def test_as_many_bad_lines_as_allowed_are_counted(tmp_path):
    daily = read(tmp_path, HEADER + NEW + "\n" + "2012 01 02 130\n" * 3, max_bad_rows=3)

    assert daily.tally.skipped[dsd.WRONG_WIDTH] == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected lines of daily values, got none"),
        (HEADER.encode(), "expected lines of daily values, got none"),
        (b"<html><body>404 not found</body></html>", "expected lines of daily values, got none"),
        (np.random.default_rng(5).bytes(4000), "expected text, got byte 0x"),
        ((HEADER + NEW).encode() + b"\0" * 100, "line 5: expected text, got byte 0x00"),
        (b"2012 01 01  130", "expected 16 columns, not 4, got '2012 01 01  130'; no day was read"),
    ],
)
def test_a_file_that_holds_no_days_is_one_sentence(tmp_path, content, message):
    path = tmp_path / "2012_DSD.txt"
    path.write_bytes(content)

    with pytest.raises(FlarecastError) as error:
        dsd.read_dsd([path], 10)

    assert message in str(error.value)
    assert "2012_DSD.txt" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path):
    with pytest.raises(FlarecastError, match=r"2012_DSD.txt: cannot be read \(No such file"):
        dsd.read_dsd([tmp_path / "2012_DSD.txt"], 10)
    with pytest.raises(FlarecastError, match=r"expected a name like 2012_DSD\.txt"):
        dsd.read_dsd([tmp_path / "daily.txt"], 10)


@pytest.mark.parametrize("seed", range(3))
def test_a_garbled_file_is_read_or_refused_in_one_sentence(tmp_path, seed):
    rng = np.random.default_rng(seed)
    lines = (HEADER + "\n".join(NEW.replace("01 01", f"01 {day:02d}") for day in range(1, 32))).encode()
    for _ in range(100):
        garbled = np.frombuffer(lines, dtype=np.uint8).copy()
        place = rng.integers(garbled.size, size=5)
        garbled[place] = rng.integers(32, 127, size=5)
        (tmp_path / "2012_DSD.txt").write_bytes(garbled.tobytes()[: rng.integers(garbled.size)])
        message = ""
        try:
            tally = dsd.read_dsd([tmp_path / "2012_DSD.txt"], 3).tally
        except FlarecastError as error:
            message = str(error)
        assert "\n" not in message
        assert message or tally.n_value_lines == tally.n_rows_read + tally.skipped.total()


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/noaa_daily/DSD is not there")
def test_every_value_line_of_1996_to_2019_is_read():
    paths = sorted(DATA.glob("*_DSD.txt"))
    lines = [line for path in paths for line in path.read_text().splitlines()]

    daily = dsd.read_dsd(paths, 0)

    assert daily.tally.n_value_lines == sum(line[:1].isdigit() for line in lines) == 8735
    assert daily.tally.n_rows_read == daily.day.size == 8735
    assert daily.tally.skipped == Counter()
    flares = ("c_flares", "m_flares", "x_flares")
    assert {name: daily.tally.missing[name] for name in flares} == dict.fromkeys(flares, 92)
    assert daily.tally.missing["background"] == 49
    assert daily.tally.missing["new_regions"] == 1
    assert daily.tally.missing["f107"] == 1
    assert daily.tally.missing["sunspot_area"] == 0
