"""Any table becomes windows through a declared mapping; what does not fit it is counted and left out."""

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_table import MAPPING, OWN, ROWS, read

from flarecast import goes
from flarecast.config import check_options, load_config
from flarecast.cycles import iso, seconds
from flarecast.errors import FlarecastError
from flarecast.ingest.table import ingest_table
from flarecast.ingest.tables.clock import snap, tai_to_utc
from flarecast.schema import WINDOWS, open_file, save
from flarecast.windows import gather


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


PRESETS = sorted((Path(__file__).parents[2] / "configs/sources").glob("*.toml"))


@pytest.mark.parametrize("path", PRESETS, ids=[path.stem for path in PRESETS])
def test_every_preset_is_a_configuration_of_a_run(path):
    config = load_config(path)
    assert config.ingest.source == "table"
    assert check_options(ingest_table, config.ingest.options, "ingest.options")
    assert "flarecast ingest table" in path.read_text(encoding="utf-8")
    assert tomllib.loads(path.read_text(encoding="utf-8"))
