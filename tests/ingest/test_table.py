"""Any table becomes windows through a declared mapping; what does not fit it is counted and left out."""

import math
import tomllib
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from flarecast import goes
from flarecast.config import check_options, load_config
from flarecast.cycles import iso, seconds
from flarecast.errors import FlarecastError
from flarecast.ingest.table import ingest_table
from flarecast.ingest.tables.clock import snap, tai_to_utc
from flarecast.schema import NO_TIME, WINDOWS, open_file, save
from flarecast.windows import gather

ROWS = """region,time,USFLUX,McIntosh,class
11429,2012-03-05T00:00:00Z,1.5,EKC,N
11429,2012-03-05T01:00:00Z,2.5,EKC,C1.5
11429,2012-03-05T02:00:00Z,,EKC,M
11430,2012-03-05T01:00:00Z,9e22,AXX,X5.4
"""
MAPPING = {
    "window": {"layout": "rows", "n_steps": 2, "cadence_minutes": 60.0, "sampling": "natural"},
    "region": {"column": "region"},
    "time": {"column": "time"},
    "features": {
        "USFLUX": "Mx",
        "zurich": {"column": "McIntosh", "unit": "1", "character": 1, "codes": {"A": 1, "E": 6}},
    },
    "outcome": {"class_column": "class", "quiet": ["N"]},
}


def read(tmp_path, text=ROWS, name="table.csv", **changes):
    """Ingest a text with the mapping, some keys of its sections changed."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    mapping = deepcopy(MAPPING)
    for section, keys in changes.items():
        replace = not isinstance(keys, dict) or section in ("features", "outcome")
        mapping[section] = keys if replace else mapping.get(section, {}) | keys
    return ingest_table(tmp_path / name, np.random.default_rng(0), **mapping)


def refused(tmp_path, text=ROWS, **changes):
    """Sentence with which a table or mapping is refused."""
    with pytest.raises(FlarecastError) as error:
        read(tmp_path, text, **changes)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_long_rows_become_tracks_of_regions_with_a_window_a_row(tmp_path):
    windows = read(tmp_path)
    assert windows["region"].values.tolist() == ["NOAA 11429"] * 3 + ["NOAA 11430"]
    assert windows["noaa_regions"].values.tolist() == ["11429"] * 3 + ["11430"]
    assert [iso(time) for time in windows["issue_time"].values[[0, 2]]] == [
        "2012-03-05T00:00:00Z",
        "2012-03-05T02:00:00Z",
    ]
    assert_array_equal(windows["valid_to"].values - windows["valid_from"].values, 86_400)
    expected = [[math.nan, 1.5], [1.5, 2.5], [2.5, math.nan], [math.nan, 9e22]]
    assert_allclose(gather(windows, features=["USFLUX"])[:, :, 0], expected, rtol=1e-6)
    assert gather(windows, features=["zurich"])[:, 1, 0].tolist() == [6, 6, 6, 1]
    assert windows["feature_unit"].values.tolist() == ["Mx", "1"]
    assert windows.attrs["n_value_lines"] == windows.attrs["n_rows_read"] == 4
    assert windows.attrs["source_files"].endswith(" table.csv")


def test_classes_become_bounds_of_the_peak_flux(tmp_path):
    windows = read(tmp_path)
    assert windows["peak_flux"].values.tolist() == [0, 1.5e-6, 1e-5, 5.4e-4]
    assert windows["peak_flux_upper"].values.tolist() == [9.9e-7, 1.5e-6, 9.9e-5, 5.4e-4]
    assert goes.events(windows, "M1.0").tolist() == [0, 0, 1, 1]


def test_a_class_of_one_flare_says_nothing_of_larger_ones(tmp_path):
    outcome = {"class_column": "class", "quiet": ["N"], "known_largest": False}
    windows = read(tmp_path, outcome=outcome)
    assert windows["peak_flux_upper"].values.tolist() == [9.9e-7, math.inf, math.inf, math.inf]
    assert goes.events(windows, "M1.0").tolist() == [0, -1, 1, 1]


def test_without_an_outcome_every_outcome_is_unknown(tmp_path):
    windows = read(tmp_path, outcome=None)
    assert goes.events(windows, "C1.0").tolist() == [-1] * 4


def test_an_empty_outcome_is_unknown(tmp_path):
    windows = read(tmp_path, ROWS.replace("X5.4", ""))
    assert goes.events(windows, "C1.0").tolist() == [0, 1, 1, -1]


def test_a_label_is_a_bound_at_its_event(tmp_path):
    text = ROWS.replace(",N\n", ",0\n").replace(",C1.5", ",1").replace(",M\n", ",\n").replace(",X5.4", ",0")
    windows = read(tmp_path, text, outcome={"label_column": "class", "event": "M1.0"})
    assert windows["peak_flux"].values.tolist() == [0, 1e-5, 0, 0]
    assert windows["peak_flux_upper"].values.tolist() == [9.9e-6, math.inf, math.inf, 9.9e-6]
    assert goes.events(windows, "M1.0").tolist() == [0, 1, -1, 0]
    assert goes.events(windows, "C1.0").tolist() == [-1, 1, -1, -1]


def test_a_label_that_contradicts_the_class_is_a_broken_row(tmp_path):
    text = "\n".join(
        f"{line},{label}" for line, label in zip(ROWS.splitlines(), ("label", 0, 1, 1, 0), strict=True)
    )
    outcome = MAPPING["outcome"] | {"label_column": "label", "event": "C1.0"}
    windows = read(tmp_path, text, outcome=outcome)
    assert windows.attrs["skipped"] == "no outcome 1"
    assert (
        "line 5: label: expected one of 1, 0 that agrees with X5.4, got '0'" in windows.attrs["first_skipped"]
    )


def test_counts_of_flares_give_the_largest_letter(tmp_path):
    text = "region,time,USFLUX,c,m,x\n" + "".join(
        f"11429,2012-03-0{day}T00:00:00Z,1,{counts}\n"
        for day, counts in enumerate(
            ("0,0,0", "2.0,0,0", "1,1,0", "0,0,1", ",0,0", "1,,0", "-1,0,0", "0.5,0,0"), 1
        )
    )
    windows = read(
        tmp_path, text, features={"USFLUX": "Mx"}, outcome={"counts": {"X": "x", "C": "c", "M": "m"}}
    )
    assert windows["peak_flux"].values.tolist() == [0, 1e-6, 1e-5, 1e-4, 0, 1e-6]
    assert windows["peak_flux_upper"].values.tolist() == [9.9e-7, 9.9e-6, 9.9e-5, math.inf, 9.9e-6, 9.9e-5]
    assert windows.attrs["skipped"] == "no outcome 2"


@pytest.mark.parametrize(
    ("form", "text", "low", "high"),
    [("linear", "5.4e-4", 5.4e-4, 5.4e-4), ("log10", "-5", 1e-5, 1e-5), ("linear", "0", 0.0, 9.9e-7)],
)
def test_a_flux_is_the_peak(tmp_path, form, text, low, high):
    windows = read(tmp_path, ROWS.replace("X5.4", text), outcome={"flux_column": "class", "flux_form": form})
    assert windows.attrs["n_skipped"] == 3
    assert_allclose([windows["peak_flux"][0], windows["peak_flux_upper"][0]], [low, high])


def test_a_letter_and_its_number_may_be_two_columns(tmp_path):
    text = "region,time,USFLUX,letter,number\n11429,2012-03-05T00:00:00Z,1,X,2.2\n"
    text += "11429,2012-03-06T00:00:00Z,1,N,0.0\n"
    outcome = {"class_column": "letter", "magnitude_column": "number", "quiet": ["N"]}
    windows = read(tmp_path, text, features={"USFLUX": "Mx"}, outcome=outcome)
    assert windows["peak_flux"].values.tolist() == [2.2e-4, 0]


def test_times_may_be_tai_of_any_format_with_text_to_drop(tmp_path):
    text = (
        ROWS.replace("2012-03-05T", "2012.03.05_")
        .replace("01:00:00Z", "01:00:00.000_TAI")
        .replace("Z", "_TAI")
    )
    rule = {"format": "%Y.%m.%d_%H:%M:%S", "scale": "TAI", "drop": [".000", "_TAI"]}
    windows = read(tmp_path, text, time=rule)
    assert windows["issue_time"].values[0] == seconds("2012-03-05") - 34


@pytest.mark.parametrize(
    ("tai", "offset"),
    [("2011-06-30T12:00", 34), ("2012-07-01T00:00:34", 34), ("2012-07-01T00:00:35", 35), ("2020-01-01", 37)],
)
def test_tai_is_ahead_of_utc_by_the_leap_seconds(tai, offset):
    assert tai_to_utc(np.array([seconds(tai)])).tolist() == [seconds(tai) - offset]


def test_fractions_and_leap_seconds_do_not_move_a_row_out_of_its_step():
    jitter = np.array([0.7, 0.8, 0.6, 0.6, 1.2, 0.1])
    assert_array_equal(snap(np.arange(6) * 3600 + jitter, 3600, 2.0), np.arange(6) * 3600)
    tai = seconds("2012-06-30T23:00:35") + 720.0 * np.arange(12)
    assert_array_equal(np.diff(snap(tai_to_utc(tai), 720, 2.0)), 720)


def test_a_row_off_the_grid_keeps_its_time_and_the_others_their_grid():
    time = np.array([0.9, 3600.0, 7900.0, 10_800.9, 14_399.5])
    assert_array_equal(snap(time, 3600, 2.0), [0, 3600, 7900, 10_800, 14_400])


def test_rows_that_repeat_are_stored_once_and_conflicts_get_a_track_of_their_own(tmp_path):
    repeated = "11430,2012-03-05T01:00:00Z,9e22,AXX,X5.4\n"
    conflicting = "11430,2012-03-05T01:00:00Z,8e22,AXX,X5.4\n"
    windows = read(tmp_path, ROWS + repeated + conflicting + repeated + conflicting)
    assert windows.attrs["n_repeated_rows"] == 3
    assert windows.attrs["n_conflicting_rows"] == 1
    assert windows["region"].values.tolist() == ["NOAA 11429"] * 3 + ["NOAA 11430"] * 2
    assert windows["track"].values.tolist() == [0, 0, 0, 1, 2]


def test_the_order_of_the_lines_does_not_matter(tmp_path):
    lines = ROWS.splitlines()
    mixed = "\n".join([lines[0], *lines[:0:-1]])
    one, two = read(tmp_path), read(tmp_path, mixed)
    for name in ("values", "time", "track", "issue_time", "peak_flux"):
        assert_array_equal(one[name], two[name])


def test_numbers_of_four_digits_after_2002_get_their_ten_thousand(tmp_path):
    text = ROWS.replace("11429,", "1429.0,").replace("11430,2012", "8100,1997")
    windows = read(tmp_path, text)
    assert sorted(set(windows["region"].values)) == ["NOAA 11429", "NOAA 8100"]
    assert windows["noaa_regions"].values.tolist() == ["08100", "11429", "11429", "11429"]


def test_harps_are_not_noaa_numbers_and_may_have_some(tmp_path):
    text = ROWS.replace("11429,", "1449,").replace("EKC", "11429;1430").replace("AXX", "")
    windows = read(
        tmp_path,
        text,
        region={"column": "region", "prefix": "HARP", "noaa_column": "McIntosh"},
        features={"USFLUX": "Mx"},
    )
    assert windows["region"].values.tolist() == ["HARP 1449"] * 3 + ["HARP 11430"]
    assert windows["noaa_regions"].values.tolist() == ["11429,11430"] * 3 + [""]


def test_a_shift_a_latency_a_lead_and_a_horizon_move_the_times(tmp_path):
    window = {"lead_hours": 24.0, "horizon_hours": 12.0, "latency_minutes": 90.0}
    windows = read(tmp_path, window=window, time={"shift_minutes": -30.0})
    assert windows["time"].values[0] == windows["issue_time"].values[0] == seconds("2012-03-05T01:00")
    assert windows["valid_from"].values[0] == seconds("2012-03-06T01:00")
    assert windows["valid_to"].values[0] == seconds("2012-03-06T13:00")


BLOCKS = "".join(
    f"{region},2012-03-0{day}T0{hour}:00:00Z,{hour},{letter}\n"
    for region, day, letter in ((11429, 5, "M"), (11430, 5, "N"), (11429, 6, "X"))
    for hour in range(3)
)
BLOCK_MAPPING = {
    "file": {"columns": ["region", "time", "USFLUX", "class"]},
    "window": {"layout": "blocks", "rows_per_block": 3, "n_steps": 3},
    "features": {"USFLUX": "Mx"},
}


def test_a_block_is_a_window_on_a_track_of_its_own(tmp_path):
    windows = read(tmp_path, BLOCKS, **BLOCK_MAPPING)
    assert windows.sizes["window"] == 3
    assert sorted(windows["region"].values.tolist()) == ["NOAA 11429", "NOAA 11429", "NOAA 11430"]
    assert_array_equal(gather(windows)[:, :, 0], [[0, 1, 2]] * 3)
    assert windows["peak_flux"].values.tolist() == [1e-5, 0, 1e-4]
    assert [iso(time)[11:13] for time in windows["issue_time"].values] == ["02"] * 3


def test_a_broken_row_keeps_its_place_in_its_block(tmp_path):
    windows = read(tmp_path, BLOCKS.replace("01:00:00Z,1,M", "01:00:00Z,2.939.1,M", 1), **BLOCK_MAPPING)
    assert windows.attrs["skipped"] == "no number 1"
    assert_array_equal(gather(windows)[0, :, 0], [0, math.nan, 2])
    assert windows["n_rows"].values.tolist() == [2, 3, 3]


def test_a_row_of_another_region_is_left_out_of_its_block(tmp_path):
    windows = read(tmp_path, BLOCKS.replace("11429", "11431", 1), **BLOCK_MAPPING)
    assert windows.attrs["skipped"] == "other region in a block 1"
    assert sorted(windows["n_rows"].values.tolist()) == [2, 3, 3]
    assert "NOAA 11431" not in windows["region"].values


def test_a_block_of_several_outcomes_or_cut_short_is_left_out(tmp_path):
    windows = read(tmp_path, BLOCKS.replace("0,M", "0,C", 1), **BLOCK_MAPPING)
    assert windows.attrs["skipped"] == "several outcomes in a block 3"
    assert windows.sizes["window"] == 2
    windows = read(tmp_path, "\n".join(BLOCKS.splitlines()[:-1]), **BLOCK_MAPPING)
    assert windows.attrs["skipped"] == "block cut short 2"
    assert windows.sizes["window"] == 2


def test_a_header_line_among_the_rows_takes_no_place(tmp_path):
    windows = read(tmp_path, "region,time,USFLUX,class\n" + BLOCKS, **BLOCK_MAPPING)
    assert windows.sizes["window"] == 3
    assert windows.attrs["n_value_lines"] == 9


def test_a_block_said_twice_is_stored_once_and_a_repeated_time_holds_the_last_row(tmp_path):
    windows = read(tmp_path, BLOCKS + BLOCKS, **BLOCK_MAPPING)
    assert windows.sizes["window"] == 3
    assert windows.attrs["n_repeated_rows"] == 9
    windows = read(tmp_path, BLOCKS.replace("T01:00:00Z,1,M", "T02:00:00Z,1,M"), **BLOCK_MAPPING)
    assert_array_equal(gather(windows)[0, :, 0], [0, math.nan, 2])
    assert windows.attrs["n_conflicting_rows"] == 1


def test_blocks_of_unknown_region_may_be_kept_as_one_region(tmp_path):
    text = BLOCKS.replace("11430", "0")
    assert read(tmp_path, text, **BLOCK_MAPPING).attrs["skipped"] == "no region 3"
    windows = read(tmp_path, text, **BLOCK_MAPPING, region={"unknown": ["0"]})
    assert "NOAA unknown" in windows["region"].values
    assert windows["noaa_regions"].values.tolist().count("") == 1
    assert "whose tracks are regions" in refused(tmp_path, region={"unknown": ["0"]})


def test_files_of_a_folder_join_by_the_hours_in_their_names(tmp_path):
    folder = tmp_path / "points"
    folder.mkdir()
    for hours in (1, 2, 12):
        text = (
            f",start,peak,region,USFLUX,class\n7,2012-03-05 00:00:00,2012-03-05 00:10:00,11429,{hours},M1.2\n"
        )
        text += f"8,2012-03-06 00:00:00,not applicable,11429,{hours},N\n"
        (folder / f"data_{hours}h_point.csv").write_text(text, encoding="utf-8")
    (folder / "readme.txt").write_text("no table", encoding="utf-8")
    rng = np.random.default_rng(0)
    mapping = MAPPING | {
        "file": {"pattern": "*.csv", "missing": ["not applicable"]},
        "window": {"layout": "blocks", "block_column": "", "n_steps": 2, "cadence_minutes": 60.0}
        | {"sampling": "case-control"},
        "time": {"column": "start", "hours_before": r"_(\d+)h_"},
        "features": {"USFLUX": "Mx"},
        "event": {"start_column": "start", "peak_column": "peak"},
    }
    windows = ingest_table(folder, rng, **mapping)
    assert_array_equal(gather(windows)[:, :, 0], [[2, 1], [2, 1]])
    assert windows["issue_time"].values[0] == seconds("2012-03-04T23:00")
    assert windows["flare_peak"].values.tolist() == [seconds("2012-03-05T00:10"), NO_TIME]
    assert windows.attrs["source_files"].count("\n") == 2
    (folder / "data_point.csv").write_text("x", encoding="utf-8")
    with pytest.raises(FlarecastError, match="expected a name with hours"):
        ingest_table(folder, rng, **mapping)
    with pytest.raises(FlarecastError, match=r"expected files named like \*\.dat"):
        ingest_table(folder, rng, **mapping | {"file": {"pattern": "*.dat"}})


def test_a_row_a_window_has_one_step_whatever_is_near(tmp_path):
    window = {"layout": "windows", "n_steps": 1, "cadence_minutes": 60.0}
    windows = read(tmp_path, window=window, event={"id_column": "McIntosh"})
    assert windows["n_rows"].values.tolist() == [1] * 4
    assert windows["flare_id"].values.tolist() == ["EKC"] * 3 + ["AXX"]
    assert gather(windows).shape == (4, 1, 2)


def test_a_factor_and_a_longitude(tmp_path):
    text = ROWS.replace("9e22", "9e44")
    message = read(tmp_path, text).attrs["first_skipped"]
    assert "USFLUX: expected a number below 3.4e38, got 9e+44; give the feature a factor" in message
    feature = {"USFLUX": {"unit": "1e40 Mx", "factor": 1e-40}}
    assert read(tmp_path, text, features=feature)["values"].values[-1, 0] == pytest.approx(9e4)
    windows = read(tmp_path, text, features=feature, region={"longitude_column": "USFLUX"})
    assert_array_equal(windows["longitude"].values, [1.5, 2.5, math.nan])
    assert "expected a longitude of -180 to 180 degrees, got 9e+44" in windows.attrs["first_skipped"]


@pytest.mark.parametrize(
    ("old", "new", "reason", "sentence"),
    [
        ("9e22", "9e2x", "no number", "line 5: USFLUX: expected a number, got '9e2x'"),
        ("9e22", "inf", "no number", "expected a number, got 'inf'"),
        ("9e22", "1_0", "no number", "expected a number, got '1_0'"),
        ("9e22,AXX", "9e22", "wrong width", "line 5: expected 5 cells, got 4 in '11430,2012-03"),
        ("9e22", '"9e22', "wrong width", "line 5: expected 5 cells, got 0"),
        (
            "11430,2012-03-05",
            "11430,2012-03-35",
            "no time",
            "time: expected a time like iso, got '2012-03-35",
        ),
        ("11430,2012-03-05", "11430,1812-03-05", "no time", "got '1812-03-05"),
        ("11430", "", "no region", "region: expected a region's number, got ''"),
        ("11430", "HARP 7", "no region", "got 'HARP 7'"),
        ("AXX", "ZXX", "no code", "McIntosh: expected one of A, E, got 'ZXX'"),
        ("X5.4", "Z5.4", "no outcome", "class: expected a GOES class or N, got 'Z5.4'"),
        ("X5.4", "X0.0", "no outcome", "class: expected a GOES class or N, got 'X0.0'"),
    ],
)
def test_a_broken_row_is_left_out_counted_and_shown(tmp_path, old, new, reason, sentence):
    assert ROWS.count(old) == 1
    windows = read(tmp_path, ROWS.replace(old, new))
    assert windows.attrs["skipped"] == f"{reason} 1"
    assert sentence in windows.attrs["first_skipped"]
    assert "table.csv line 5" in windows.attrs["first_skipped"]
    assert windows.sizes["window"] == 3
    assert windows.attrs["n_value_lines"] == 4


def test_the_first_twenty_broken_rows_are_shown_and_too_many_are_an_error(tmp_path):
    text = ROWS + "x,y\n" * 30
    windows = read(tmp_path, text, max_bad_rows=30)
    assert windows.attrs["n_skipped"] == 30
    assert len(windows.attrs["first_skipped"].splitlines()) == 20
    message = refused(tmp_path, text, max_bad_rows=29)
    assert "line 6: expected 5 cells, got 2 in 'x,y'" in message
    assert "30 of 34 rows are broken (wrong width 30), more than max_bad_rows = 29" in message
    assert "more than max_bad_rows = 20" in refused(tmp_path, text)


def test_a_table_without_a_good_row_is_refused(tmp_path):
    header = ROWS.splitlines()[0]
    assert "expected rows, got none" in refused(tmp_path, header + "\n")
    assert "expected 5 cells" in refused(tmp_path, header + "\n1,2\n")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"region": {"column": "harp"}},
            "table.csv line 1: expected the columns 'harp' that the mapping names",
        ),
        ({"features": {"TOTPOT": "erg cm-1", "USFLUX": "Mx"}}, "expected the columns 'TOTPOT'"),
        ({"features": {"USFLUX": ""}}, "features.USFLUX.unit"),
        ({"features": {"USFLUX": {"column": "USFLUX"}}}, "features.USFLUX.unit: is missing"),
        ({"features": {}}, "features"),
        ({"features": {"USFLUX": 3}}, "features.USFLUX"),
        ({"window": {"sampling": "random"}}, "window.sampling: input should be 'natural', 'filtered' or"),
        ({"window": {"layout": "blocks"}}, "expected one of rows_per_block and block_column, got 0"),
        ({"window": {"rows_per_block": 3}}, "expected none of rows_per_block and block_column, got 1"),
        ({"window": {"layout": "windows"}}, "expected n_steps = 1, got 2"),
        ({"window": {"cadence_minutes": 0.05}}, "expected less than half of cadence_minutes"),
        ({"window": {"cadence_minutes": 1.001}}, "expected whole seconds"),
        ({"window": {"steps": 3}}, "window.steps: unknown key"),
        ({"time": {"hours_before": "h"}}, "expected a pattern with one group"),
        ({"time": {"hours_before": "("}}, "expected a regular expression"),
        ({"time": {"format": "%Y %Y"}}, "expected iso, unix or a format like %Y-%m-%d %H:%M, got '%Y %Y'"),
        ({"time": {"format": "%Q"}}, "expected iso, unix or a format"),
        ({"event": {"format": "%H:%M"}}, "expected a format with a year"),
        ({"file": {"pattern": "/etc/*"}}, "expected a pattern of file names"),
        ({"time": {"scale": "UT"}}, "time.scale"),
        ({"outcome": {}}, "expected one of class_column, flux_column, counts and label_column, got none"),
        ({"outcome": {"class_column": "class", "flux_column": "class"}}, "got class_column and flux_column"),
        ({"outcome": {"flux_column": "class", "magnitude_column": "x"}}, "expected a class_column beside it"),
        ({"outcome": {"class_column": "class", "floor": "Z"}}, "'Z'"),
        ({"file": {"separator": '"'}}, "expected a character that parts cells"),
        ({"features": {"USFLUX": {"unit": "Mx", "factor": 0.0}}}, "expected a number other than 0"),
        ({"features": {"n": {"unit": "1", "optional": True}}}, "expected a column of at least one feature"),
        ({"max_bad_rows": -1}, "max_bad_rows"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_one_sentence(tmp_path, changes, message):
    assert message in refused(tmp_path, **changes)


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    assert "expected each column once" in refused(
        tmp_path, ROWS.replace("McIntosh", "class", 1), features={"USFLUX": "Mx"}
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: expected the columns"),
        (b"\x1f\x8b\x08" + bytes(40), "expected text, got gzip data; unpack it first"),
        (b"PK\x03\x04" + bytes(40), "got zip data"),
        (b"<html>404</html>", "expected the columns"),
        (np.random.default_rng(5).bytes(5000), "expected"),
        (ROWS.encode() + b"9" * 1_000_001, "line 6: expected less than 1,000,000 characters"),
    ],
)
def test_a_file_that_is_no_table_is_one_sentence(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(FlarecastError, match=message) as error:
        ingest_table(tmp_path / "t.csv", np.random.default_rng(0), **MAPPING)
    assert "t.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_no_file_is_one_sentence(tmp_path):
    rng = np.random.default_rng(0)
    with pytest.raises(FlarecastError, match="expected a CSV or Parquet file, got none; name it as RAW"):
        ingest_table(None, rng, **MAPPING)
    with pytest.raises(FlarecastError, match="found none"):
        ingest_table(tmp_path / "t.csv", rng, **MAPPING)
    with pytest.raises(FlarecastError, match="cannot be read"):
        ingest_table(None, rng, mapping=str(tmp_path / "m.toml"))
    (tmp_path / "m.toml").write_text("[ingest]\nsource = 'table'\n", encoding="utf-8")
    with pytest.raises(FlarecastError, match="expected sections like"):
        ingest_table(None, rng, mapping=str(tmp_path / "m.toml"))
    (tmp_path / "m.toml").write_text("[ingest", encoding="utf-8")
    with pytest.raises(FlarecastError, match="expected TOML"):
        ingest_table(None, rng, mapping=str(tmp_path / "m.toml"))


OWN = """
[ingest]
source = "table"
options.max_bad_rows = 1

[ingest.options.window]
layout = "rows"
cadence_minutes = 60.0
sampling = "natural"

[ingest.options.region]
column = "region"

[ingest.options.time]
column = "time"

[ingest.options.features]
USFLUX = "Mx"

[ingest.options.outcome]
class_column = "class"
quiet = ["N"]
"""


def test_ones_own_table_takes_a_toml_file_and_no_python(tmp_path):
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    (tmp_path / "own.csv").write_text(ROWS, encoding="utf-8")
    config = load_config(tmp_path / "own.toml", ["ingest.options.window.lead_hours=6.0"])
    options = check_options(ingest_table, config.ingest.options, "ingest.options")
    windows = ingest_table(tmp_path / "own.csv", config.generator("ingest"), **options)
    save(windows, tmp_path / "w.nc", WINDOWS)
    again = open_file(tmp_path / "w.nc", WINDOWS)
    assert again.attrs["lead_hours"] == 6
    assert again.sizes["window"] == 4
    by_file = ingest_table(
        tmp_path / "own.csv",
        np.random.default_rng(1),
        mapping=str(tmp_path / "own.toml"),
        window={"lead_hours": 6.0},
    )
    assert by_file.identical(windows)
    (tmp_path / "own.csv").write_text(ROWS + "x\ny\n", encoding="utf-8")
    with pytest.raises(FlarecastError, match="more than max_bad_rows = 1"):
        ingest_table(tmp_path / "own.csv", np.random.default_rng(1), mapping=str(tmp_path / "own.toml"))


@pytest.mark.slow
def test_parquet_gives_the_same_windows_as_csv(tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    import pandas as pd

    windows = read(tmp_path)
    frame = pd.read_csv(tmp_path / "table.csv")
    frame["time"] = pd.to_datetime(frame["time"])
    frame.to_parquet(tmp_path / "table.parquet")
    parquet = ingest_table(tmp_path / "table.parquet", np.random.default_rng(0), **MAPPING)
    for name in windows.variables:
        assert_array_equal(windows[name].values, parquet[name].values)
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(FlarecastError, match="expected Parquet"):
        ingest_table(tmp_path / "bad.parquet", np.random.default_rng(0), **MAPPING)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    import pandas as pd

    def missing(path):
        raise ImportError("no pyarrow")

    monkeypatch.setattr(pd, "read_parquet", missing)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(FlarecastError, match="expected pyarrow to read Parquet, got none; pip install"):
        ingest_table(tmp_path / "t.parquet", np.random.default_rng(0), **MAPPING)


def mutants(text, n, rng):
    """Copies of a text with bytes changed, lines cut, doubled or swapped, fields widened, the end missing."""
    for _ in range(n):
        lines = text.encode().split(b"\n")
        place = int(rng.integers(len(lines)))
        way = rng.integers(7)
        if way == 0:
            lines[place] = lines[place][: rng.integers(len(lines[place]) + 1)]
        elif way == 1:
            lines.insert(place, lines[int(rng.integers(len(lines)))])
        elif way == 2:
            cells = lines[place].split(b",")
            cells[int(rng.integers(len(cells)))] += rng.bytes(3)
            lines[place] = b",".join(cells)
        elif way == 3:
            lines[place] += b"9" * int(rng.integers(400))
        elif way == 4:
            lines[place] = lines[place].replace(b",", b',"', 1)
        garbled = np.frombuffer(b"\n".join(lines), dtype=np.uint8).copy()
        if way > 4:
            garbled[rng.integers(garbled.size, size=4)] = rng.integers(0, 256, size=4)
        yield garbled.tobytes()[: garbled.size if way < 6 else rng.integers(1, garbled.size + 1)]


MUTANTS = [pytest.param(1000, id="some"), pytest.param(10_000, id="many", marks=pytest.mark.slow)]


@pytest.mark.parametrize("n", MUTANTS)
@pytest.mark.parametrize("layout", ["rows", "blocks"])
def test_a_garbled_table_is_rows_and_a_count_or_one_sentence(tmp_path, layout, n):
    rng = np.random.default_rng(13)
    changes = BLOCK_MAPPING if layout == "blocks" else {}
    mapping = {name: MAPPING.get(name, {}) | changes.get(name, {}) for name in {*MAPPING, *changes}}
    mapping["features"] = changes.get("features", MAPPING["features"])
    outcomes = set()
    for garbled in mutants(BLOCKS if layout == "blocks" else ROWS, n, rng):
        (tmp_path / "t.csv").write_bytes(garbled)
        message = ""
        try:
            windows = ingest_table(tmp_path / "t.csv", rng, **mapping, max_bad_rows=4)
        except FlarecastError as error:
            message = str(error)
            assert "\n" not in message
        else:
            assert windows.attrs["n_value_lines"] == windows.attrs["n_rows_read"] + windows.attrs["n_skipped"]
            assert windows.sizes["row"] == windows.attrs["n_rows_read"] - windows.attrs["n_repeated_rows"]
            assert windows.attrs["n_skipped"] <= 4
        outcomes.add(bool(message))
    assert outcomes == {True, False}


@pytest.mark.parametrize(
    "n", [pytest.param(300, id="some"), pytest.param(3000, id="many", marks=pytest.mark.slow)]
)
def test_a_garbled_mapping_is_read_or_refused_in_one_sentence(tmp_path, n):
    (tmp_path / "t.csv").write_text(ROWS, encoding="utf-8")
    for garbled in mutants(OWN, n, np.random.default_rng(17)):
        (tmp_path / "m.toml").write_bytes(garbled)
        message = ""
        try:
            ingest_table(tmp_path / "t.csv", np.random.default_rng(0), mapping=str(tmp_path / "m.toml"))
        except FlarecastError as error:
            message = str(error)
        assert "\n" not in message


PRESETS = sorted((Path(__file__).parents[2] / "configs/sources").glob("*.toml"))


@pytest.mark.parametrize("path", PRESETS, ids=[path.stem for path in PRESETS])
def test_every_preset_is_a_configuration_of_a_run(path):
    config = load_config(path)
    assert config.ingest.source == "table"
    assert check_options(ingest_table, config.ingest.options, "ingest.options")
    assert "flarecast ingest table" in path.read_text(encoding="utf-8")
    assert tomllib.loads(path.read_text(encoding="utf-8"))
