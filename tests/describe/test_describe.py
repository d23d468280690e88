"""A description counts what is in a file; a picture of it is drawn, the same bytes each time."""

import json
from pathlib import Path

import numpy as np
import pytest
from damaging import damage
from made_windows import quiet_windows
from numpy.testing import assert_array_equal

from flarecast import cycles, schema
from flarecast.describe import as_text, describe, kind_of, plot
from flarecast.describe.counts import CLASSES, class_numbers, longest_gaps
from flarecast.describe.of_flares import read_flares
from flarecast.describe.of_windows import in_progress, truncated
from flarecast.describe.sunspots import read_sunspots
from flarecast.errors import FlarecastError
from flarecast.files import sha256
from flarecast.schema import FORECASTS, NO_TIME, SPLIT, WINDOWS, build, save

DSD = Path(__file__).parents[2] / "../shared/data/noaa_daily/DSD"
HOUR, DAY = 3600, 86_400
START = cycles.seconds("2012-03-01")
FLARES = """start,peak,end,flux,region,source,flux_scale
2003-11-04T19:29:00Z,2003-11-04T19:50:00Z,2003-11-04T20:06:00Z,2.8e-3,NOAA 10486,noaa,operational
2003-11-04T19:29:00Z,2003-11-04T19:50:00Z,2003-11-04T20:06:00Z,2.8e-3,NOAA 10486,other,operational
2012-03-07T00:02:00Z,2012-03-07T00:24:00Z,2012-03-07T00:40:00Z,5.4e-4,NOAA 11429,noaa,operational
2012-03-07T02:02:00Z,2012-03-07T02:24:00Z,2012-03-07T02:40:00Z,5.4e-6,,noaa,operational
2022-03-30T17:21:00Z,2022-03-30T17:37:00Z,2022-03-30T17:46:00Z,1.3e-5,0,noaa,true
"""


@pytest.fixture
def windows():
    """Two regions of twelve hourly rows, one with a gap of three; six windows of different outcomes."""
    hours = [*range(6), *range(9, 15), *range(12)]
    time = START + HOUR * np.array(hours)
    track = np.repeat([0, 1], 12)
    values = np.ones((24, 2))
    values[3, 0], values[5] = np.nan, np.nan
    window_track = np.array([0, 0, 0, 1, 1, 1])
    issue = START + HOUR * np.array([3, 5, 14, 3, 5, 11])
    return quiet_windows(
        (values, time, track),
        (issue, window_track),
        n_steps=4,
        cadence_hours=1,
        horizon_hours=6.0,
        feature=["USFLUX", "R_VALUE"],
        feature_unit=["Mx", "lg(re 1 Mx)"],
        feature_memory_hours=[0.0, 2.0],
        region=["HARP 1449"] * 3 + ["HARP 377"] * 3,
        noaa_regions=["11429,11430"] * 3 + ["11158"] * 3,
        peak_flux=[0.0, 5.4e-4, 0.0, 1e-5, 3e-7, 0.0],
        peak_flux_upper=[9.9e-7, 5.4e-4, np.inf, np.inf, 3e-7, 9.9e-7],
        unassigned_peak_flux=[2e-5, 0, 0, 0, 0, 0],
        flare_start=[NO_TIME, issue[1] - 60, NO_TIME, issue[3] + 60, NO_TIME, NO_TIME],
        flare_peak=[NO_TIME, issue[1] + 60, NO_TIME, issue[3] + 90, NO_TIME, NO_TIME],
        flare_id=["", "7", "", "8", "", ""],
        partition=[1, 1, 1, 2, 2, 2],
        source_files=["ab12 one file.csv", "cd34 two.csv"],
    ).assign_attrs(n_skipped=np.int64(3))


@pytest.fixture
def path(windows, tmp_path):
    save(windows, tmp_path / "windows.nc", WINDOWS)
    return tmp_path / "windows.nc"


def rows_of(description, table, key):
    """Rows of a table by their first column, without the zeros."""
    rows = description["tables"][table]
    return {row[key]: {name: n for name, n in row.items() if n and name != key} for row in rows}


@pytest.mark.parametrize(
    ("low", "high", "name"),
    [
        (0.0, 9.9e-7, "quiet"),
        (0.0, 0.0, "quiet"),
        (2e-9, 2e-9, "quiet"),
        (3e-8, 3e-8, "A"),
        (1e-7, 9.9e-7, "B"),
        (1e-6, 9.9e-6, "C"),
        (float(np.float32(1e-5)), float(np.float32(1e-5)), "M"),
        (1e-4, np.inf, "X"),
        (1e-5, np.inf, "uncertain"),
        (0.0, 9.9e-6, "uncertain"),
        (0.0, np.inf, "unknown"),
        (0.0, np.nan, "unknown"),
    ],
)
def test_bounds_inside_one_class_are_that_class(low, high, name):
    assert CLASSES[class_numbers(np.array([low]), np.array([high]))[0]] == name


def test_the_smallest_value_of_a_feature_is_never_minus_zero(windows, tmp_path):
    windows["values"].values[:] = -0.0
    save(windows, tmp_path / "w.nc", WINDOWS)
    assert "-0.0" not in json.dumps(describe(tmp_path / "w.nc"))


def test_windows_are_counted_by_year_cycle_phase_and_partition(path):
    found = describe(path)
    everything = {"windows": 6, "quiet": 2, "B": 1, "X": 1, "uncertain": 1, "unknown": 1}
    assert rows_of(found, "classes by year", "year") == {2012: everything}
    assert rows_of(found, "classes by cycle", "cycle") == {24: everything}
    assert rows_of(found, "classes by phase", "phase") == {"rise": everything} or rows_of(
        found, "classes by phase", "phase"
    ) == {cycles.PHASES[cycles.phase_of(START)]: everything}
    assert rows_of(found, "classes by partition", "partition")[2] == {
        "windows": 3,
        "quiet": 1,
        "B": 1,
        "uncertain": 1,
    }


def test_events_are_counted_with_unassigned_flares_ignored_and_masked(path):
    events = rows_of(describe(path), "events", "event")
    assert events["M1.0"] == {
        "yes": 2,
        "no": 3,
        "unknown": 1,
        "in_progress": 1,
        "with_unassigned_flare": 1,
        "unknown_when_masked": 2,
    }
    assert events["X1.0"] == {"yes": 1, "no": 3, "unknown": 2, "in_progress": 1, "unknown_when_masked": 2}


def test_truncated_and_in_progress_windows_are_found(windows):
    assert_array_equal(in_progress(windows), [False, True, False, False, False, False])
    assert_array_equal(truncated(windows), [False, False, True, False, False, True])


def test_gaps_spans_missing_cells_and_regions_are_told(path):
    found = describe(path)
    summary = found["summary"]
    assert summary["gaps_in_tracks"] == 1
    assert summary["steps_absent_in_tracks"] == 3
    assert summary["longest_gap_in_a_track_hours"] == 4.0
    assert summary["rows_without_any_value"] == 1
    assert summary["noaa_regions"] == 3
    assert summary["first_issue_time"] == "2012-03-01T03:00:00Z"
    assert summary["unknown_windows"] == summary["uncertain_windows"] == 1
    assert summary["n_skipped"] == 3
    assert [row["missing"] for row in found["tables"]["missing cells"]] == [2, 1]
    assert found["tables"]["missing cells"][1]["unit"] == "lg(re 1 Mx)"
    assert [(row["region"], row["largest"]) for row in found["tables"]["regions"]] == [
        ("HARP 1449", "X5.4"),
        ("HARP 377", "M1.0"),
    ]
    assert found["files"] == [
        {"sha256": "ab12", "name": "one file.csv"},
        {"sha256": "cd34", "name": "two.csv"},
    ]
    assert found["sha256"] == sha256(path)


def test_the_longest_gaps_come_first():
    time = np.array([0, 1, 2, 12, 13, 33]) * DAY
    assert [row["days"] for row in longest_gaps(time, DAY)] == [20.0, 10.0]
    assert longest_gaps(time[:0], DAY) == []


def test_a_split_adds_the_classes_by_role_and_has_a_description_of_its_own(path, tmp_path):
    attributes = {
        "windows_sha256": sha256(path),
        "strategy": "by_region",
        "embargo_hours": 0.0,
        "history": "",
    }
    split = build(SPLIT, {"role": [[1, 1, 1, 4, 4, 0]]}, attributes)
    save(split, tmp_path / "split.nc", SPLIT)

    found = describe(path, tmp_path / "split.nc")

    roles = rows_of(found, "classes by role", "role")
    assert roles["train"] == {"windows": 3, "quiet": 1, "X": 1, "unknown": 1}
    assert roles["test"] == {"windows": 2, "B": 1, "uncertain": 1}
    own = describe(tmp_path / "split.nc")
    assert own["kind"] == "split"
    assert own["tables"]["roles"] == [
        {"fold": 0, "unused": 1, "train": 3, "validation": 0, "calibration": 0, "test": 2}
    ]
    with pytest.raises(FlarecastError, match="expected windows to go with"):
        describe(tmp_path / "split.nc", tmp_path / "split.nc")
    save(build(SPLIT, {"role": [[1]]}, attributes | {"windows_sha256": "0"}), tmp_path / "other.nc", SPLIT)
    with pytest.raises(FlarecastError, match="expected the split of windows with sha256"):
        describe(path, tmp_path / "other.nc")


def test_forecasts_are_described_with_and_without_a_known_peak(tmp_path):
    start = START + DAY * np.arange(4)
    arrays = {
        "event": ["M1.0"],
        "probability": [[0.1], [0.5], [np.nan], [0.2]],
        "occurred": [[0], [1], [0], [-1]],
        "issue_time": start,
        "valid_from": start,
        "valid_to": start + DAY,
        "region": ["disk"] * 4,
        "cluster": ["a", "a", "b", "b"],
        "role": [4, 4, 4, 1],
        "fold": np.zeros(4),
    }
    attributes = {"forecast_name": "model", "history": "made for a test"}
    save(build(FORECASTS, arrays, attributes), tmp_path / "f.nc", FORECASTS)

    found = describe(tmp_path / "f.nc")

    test = found["tables"]["events by role"][1]
    assert test["role"] == "test"
    assert (test["yes"], test["no"], test["not_forecast"]) == (1, 2, 1)
    assert test["mean_probability"] == pytest.approx(0.3)
    assert test["base_rate"] == pytest.approx(0.5)
    assert "classes by year" not in found["tables"]
    assert found["summary"]["clusters"] == 2
    flux = {"peak_flux": [0, 2e-5, 0, 0], "peak_flux_upper": [9.9e-7, 2e-5, 9.9e-7, np.inf]}
    save(build(FORECASTS, arrays | flux, attributes), tmp_path / "g.nc", FORECASTS)
    assert rows_of(describe(tmp_path / "g.nc"), "classes by role", "role")["train"] == {
        "windows": 1,
        "unknown": 1,
    }
    with pytest.raises(FlarecastError, match="know their peak fluxes"):
        plot(tmp_path / "f.nc", tmp_path / "f.png")


def test_a_csv_of_forecasts_is_described(tmp_path):
    line = "2012-03-01T00:00:00Z,2012-03-01T00:00:00Z,2012-03-02T00:00:00Z,disk,M1.0,0.3,1\n"
    text = "issue_time,valid_from,valid_to,region,event,probability,occurred\n" + line
    (tmp_path / "f.csv").write_text(text, encoding="utf-8")
    assert describe(tmp_path / "f.csv")["tables"]["events by role"][0]["yes"] == 1


def test_a_list_of_flares_is_described(tmp_path):
    path = tmp_path / "flares.csv"
    path.write_text(FLARES, encoding="utf-8")

    found = describe(path)

    assert found["kind"] == "flares"
    assert found["summary"]["flares"] == 5
    assert found["summary"]["flares_without_region"] == 2
    assert found["summary"]["flares_of_x10_or_more"] == 2
    assert found["summary"]["same_peak_and_region"] == 1
    assert found["summary"]["largest"] == "X28.0"
    assert rows_of(found, "classes by cycle", "cycle")[24] == {"flares": 2, "C": 1, "X": 1}
    assert rows_of(found, "classes by flux_scale", "flux_scale")["true"] == {"flares": 1, "M": 1}
    assert rows_of(found, "classes by source", "source")["other"] == {"flares": 1, "X": 1}
    assert found["tables"]["regions unknown"][1]["C_without_region"] == 1
    assert "X28.0" in as_text(found)


def test_a_flare_known_to_its_letter_is_of_that_class(tmp_path):
    header, *lines = FLARES.splitlines()
    wide = [line.replace("5.4e-6", "1e-6,9.9e-6").replace("2.8e-3", "1e-4,inf") for line in lines]
    wide = [line if line.count(",") == 7 else line.replace("4,NOAA", "4,5.4e-4,NOAA") for line in wide]
    wide = [line if line.count(",") == 7 else line.replace("1.3e-5", "1.3e-5,1.3e-5") for line in wide]
    text = "\n".join([header.replace("flux,", "flux,flux_upper,", 1), *wide])
    (tmp_path / "flares.csv").write_text(text, encoding="utf-8")
    found = describe(tmp_path / "flares.csv")
    assert rows_of(found, "classes by cycle", "cycle")[24] == {"flares": 2, "C": 1, "X": 1}
    assert rows_of(found, "classes by cycle", "cycle")[23] == {"flares": 2, "X": 2}
    (tmp_path / "flares.csv").write_text(text.replace("1e-4,inf", "1e-4,1e-5"), encoding="utf-8")
    with pytest.raises(FlarecastError, match="got '1e-4 to 1e-5'"):
        describe(tmp_path / "flares.csv")


def test_a_flare_without_a_peak_time_counts_by_its_start(tmp_path):
    (tmp_path / "flares.csv").write_text(FLARES.replace("2022-03-30T17:37:00Z", ""), encoding="utf-8")
    assert describe(tmp_path / "flares.csv")["summary"]["last_peak"] == "2022-03-30T17:21:00Z"


def test_an_empty_list_of_flares_is_no_error(tmp_path):
    (tmp_path / "flares.csv").write_text(FLARES.splitlines()[0] + "\n", encoding="utf-8")
    found = describe(tmp_path / "flares.csv")
    assert found["summary"]["flares"] == 0
    assert as_text(found)
    with pytest.raises(FlarecastError, match="expected flares to draw, got none"):
        plot(tmp_path / "flares.csv", tmp_path / "flares.png")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("5.4e-4", "X5.4", r"line 4: flux: expected a number of W m-2, got 'X5.4'"),
        ("5.4e-4", "5.4", "line 4: flux"),
        ("5.4e-4", "-1e-5", "line 4: flux"),
        ("2012-03-07T00:24:00Z", "soon", "line 4: date: expected an ISO date"),
        (",5.4e-4", "", "line 4: expected as many values"),
        ("flux,", "size,", "line 1: expected a header with probability"),
        ("region,", "", "line 1: expected the columns"),
    ],
)
def test_a_bad_line_of_flares_is_one_sentence_with_its_number(tmp_path, old, new, message):
    path = tmp_path / "flares.csv"
    path.write_text(FLARES.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FlarecastError, match=message) as error:
        describe(path)
    assert "flares.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_and_damaged_files_are_refused(tmp_path):
    with pytest.raises(FlarecastError, match="found none"):
        describe(tmp_path / "nothing.nc")
    (tmp_path / "w.nc").write_bytes(b"no netCDF")
    with pytest.raises(FlarecastError, match="expected a windows file"):
        describe(tmp_path / "w.nc")


def test_json_and_text_hold_the_same_description(path):
    found = describe(path)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    text = as_text(found)
    assert "classes by partition" in text
    assert "HARP 1449" in text
    assert "two.csv" in text
    assert " A " not in text.split("classes by year")[1].split("events")[0]


def test_a_windows_file_without_windows_or_rows_is_described(windows, tmp_path):
    text = ("region", "noaa_regions", "flare_id")
    none = windows.isel(window=slice(0, 0))
    none = none.assign({name: none[name].astype(str) for name in text})
    save(none, tmp_path / "none.nc", WINDOWS)
    found = describe(tmp_path / "none.nc")
    assert found["summary"]["windows"] == 0
    assert found["tables"]["classes by year"] == []
    assert as_text(found)
    bare = windows.isel(row=slice(0, 0)).assign(
        n_rows=windows["n_rows"] * 0, first_row=windows["first_row"] * 0
    )
    save(bare, tmp_path / "bare.nc", WINDOWS)
    assert describe(tmp_path / "bare.nc")["summary"]["truncated_windows"] == 6


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_picture_is_the_same_bytes_each_time(path, tmp_path, kind):
    begins = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    plot(path, tmp_path / f"one.{kind}")
    plot(path, tmp_path / f"two.{kind}")
    one = (tmp_path / f"one.{kind}").read_bytes()
    assert one.startswith(begins[kind])
    assert one == (tmp_path / f"two.{kind}").read_bytes()


def test_a_picture_names_classes_counts_cycles_and_the_source_of_sunspots(path, tmp_path):
    (tmp_path / "m.csv").write_text("2012;02;2012.1;  47.8; 3.0;   99;1\n2012;03;2012.2;  86.6; 3.0;  99;1\n")
    plot(path, tmp_path / "p.svg", tmp_path / "m.csv")
    text = (tmp_path / "p.svg").read_text(encoding="utf-8")
    for word in ("uncertain", "quiet", "windows by class per 7 days", "cycle 24", "SILSO"):
        assert f">{word}" in text or f"{word}" in text
    with pytest.raises(FlarecastError, match=r"ends in .png, .svg or .pdf, got '.gif'"):
        plot(path, tmp_path / "p.gif")


def test_flares_are_drawn_too(tmp_path):
    (tmp_path / "flares.csv").write_text(FLARES, encoding="utf-8")
    plot(tmp_path / "flares.csv", tmp_path / "flares.svg")
    assert "flares by class per 27 days" in (tmp_path / "flares.svg").read_text(encoding="utf-8")


@pytest.mark.skipif(not DSD.is_dir(), reason="../shared/data/noaa_daily/DSD is not there")
def test_the_days_of_cycles_23_and_24_are_counted(tmp_path):
    from flarecast.ingest import SOURCES

    windows = SOURCES["noaa-disk"](DSD, np.random.default_rng(0))
    save(windows, tmp_path / "disk.nc", WINDOWS)
    found = describe(tmp_path / "disk.nc")
    assert found["summary"]["unknown_windows"] == 86
    assert rows_of(found, "classes by cycle", "cycle")[24] == {
        "windows": 4017,
        "quiet": 2270,
        "C": 1309,
        "M": 394,
        "X": 44,
    }
    assert sum(row["windows"] for row in found["tables"]["classes by year"]) == 8709
    assert len(found["files"]) == 24


MUTANTS = [pytest.param(1000, id="some"), pytest.param(10_000, id="many", marks=pytest.mark.slow)]


@pytest.mark.parametrize("n", MUTANTS)
def test_garbled_flares_and_sunspots_are_read_or_refused_in_one_sentence(tmp_path, n):
    rng = np.random.default_rng(11)
    spots = "\n".join(f"2012;{month:02d};2012.1;  {month}.5; 1.0;  9;1" for month in range(1, 13))
    for text, read in ((FLARES, read_flares), (spots, read_sunspots)):
        outcomes = set()
        for _ in range(n):
            (tmp_path / "flares.csv").write_bytes(damage(text, b",;.", rng))
            message = ""
            try:
                read(tmp_path / "flares.csv")
            except FlarecastError as error:
                message = str(error)
            assert "\n" not in message
            outcomes.add(bool(message))
        assert outcomes == {True, False}


def test_the_kinds_of_files_are_told_apart(path, tmp_path):
    assert kind_of(path) == "windows"
    assert schema.WINDOWS.name == "windows"
    (tmp_path / "a.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(FlarecastError, match="expected a header with probability"):
        kind_of(tmp_path / "a.csv")
