"""Tables of blocks, one a window, and tables of several files."""

import math

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from small_table import BLOCK_MAPPING, BLOCKS, MAPPING, read, refused

from flarecast.cycles import iso, seconds
from flarecast.errors import FlarecastError
from flarecast.ingest.table import ingest_table
from flarecast.schema import NO_TIME
from flarecast.windows import gather


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
