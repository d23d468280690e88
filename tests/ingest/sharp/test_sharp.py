"""SHARP records as windows: times, rules, tracks, context."""

from pathlib import Path

import numpy as np
import pytest
from sharp_records import ingest, put, record, two_days, window_at, write_table

from flarecast import goes, schema
from flarecast.cycles import iso, seconds
from flarecast.errors import FlarecastError
from flarecast.windows import gather, open_windows

DATA = Path(__file__).parents[3] / "../shared/data"
needs_data = pytest.mark.skipif(not (DATA / "sharp_blocks").is_dir(), reason="../shared/data is not there")

HOUR, DAY = 3600, 86_400
LATENCY = 12 * 60


def test_a_leap_second_moves_no_row_out_of_its_step(raw):
    begin = np.datetime64("2012-06-30T12:00:00")
    put(raw, [record(number, noaa="11513", start=begin) for number in range(120)])
    windows = ingest(raw, n_steps=30)
    assert set(np.diff(windows["time"].values)) == {720}
    assert not np.isnan(gather(windows)[windows["n_rows"].values == 30]).any()
    assert (windows["n_rows"].values == 30).sum() > 15
    assert iso(windows["time"].values[0] - LATENCY) == "2012-06-30T11:59:26Z"


def test_windows_obey_the_schema_and_begin_at_whole_strides_of_utc(raw, tmp_path):
    put(raw, two_days())
    windows = ingest(raw, n_steps=20, stride_minutes=90.0, lead_hours=6.0, horizon_hours=12.0)
    schema.save(windows, tmp_path / "windows.nc", schema.WINDOWS)
    open_windows(tmp_path / "windows.nc")
    issue = windows["issue_time"].values
    assert not (issue % (90 * 60)).any()
    assert (np.diff(issue) == 90 * 60).all()
    assert (windows["valid_from"].values - issue == 6 * HOUR).all()
    assert (windows["valid_to"].values - windows["valid_from"].values == 12 * HOUR).all()
    assert set(windows["noaa_regions"].values) == {"11158"}
    assert windows["feature_unit"].values.tolist()[0] == "Mx"
    assert windows.attrs["sampling"] == "natural"


def test_a_window_holds_the_records_known_at_issue_and_no_later_one(raw):
    put(raw, two_days())
    windows = ingest(raw, n_steps=10)
    one = window_at(windows, "2011-02-14T06:00")
    (place,) = np.flatnonzero(windows["issue_time"].values == one["issue_time"].values)
    values = gather(windows, np.array([place]), ["TOTUSJH"])[0, :, 0]
    # Known from T_REC + 12 min on: the last is that of 05:48 TAI, number 149 from the day before on.
    assert values.tolist() == list(range(1140, 1150))
    late = ingest(raw, n_steps=10, latency_minutes=120.0)
    (place,) = np.flatnonzero(late["issue_time"].values == one["issue_time"].values)
    assert gather(late, np.array([place]), ["TOTUSJH"])[0, -1, 0] == 1140
    assert late.attrs["latency_minutes"] == 120.0


@pytest.mark.parametrize(("series", "latency"), [("definitive", 12.0), ("nrt", 120.0)])
def test_each_series_has_its_latency_and_its_names(raw, series, latency):
    put(raw, two_days())
    windows = ingest(raw, series=series)
    assert windows.attrs["latency_minutes"] == latency
    assert set(windows["region"].values) == {"HARP 377" if series == "definitive" else "NRT HARP 377"}


def test_a_coarser_cadence_takes_the_last_good_record_of_each_step(raw):
    records = two_days()
    records[150]["QUALITY"] = "0x00010000"  # 06:00 TAI, the last of its hour
    put(raw, records)
    windows = ingest(raw, n_steps=6, cadence_minutes=60.0)
    assert set(np.diff(windows["time"].values)) == {HOUR}
    values = dict(zip(windows["time"].values - LATENCY, windows["values"].values[:, 1], strict=True))
    assert values[seconds("2011-02-14T05:59:26")] == 1149
    assert values[seconds("2011-02-14T06:59:26")] == 1155


@pytest.mark.parametrize(
    ("changed", "options", "counted"),
    [
        ({"QUALITY": "0x00010000"}, {}, "n_bad_quality"),
        ({"QUALITY": "65536"}, {}, "n_bad_quality"),
        ({"QUALITY": "-2147483648"}, {}, "n_bad_quality"),
        ({"QUALITY": "0x00000400"}, {"quality_mask": 0x400}, "n_bad_quality"),
        ({"OBS_VR": "-3600"}, {}, "n_too_fast"),
        ({"OBS_VR": "2600"}, {"velocity_limit": 2500.0}, "n_too_fast"),
        ({"LON_FWT": "-71"}, {}, "n_beyond_longitude_limit"),
        ({"LON_FWT": "50"}, {"longitude_limit": 45.0}, "n_beyond_longitude_limit"),
        ({"LON_FWT": "nan", "LON_MIN": "70", "LON_MAX": "80"}, {}, "n_beyond_longitude_limit"),
        (
            {"LON_FWT": "MISSING", "LON_MIN": "", "CRVAL1": "10", "CRLN_OBS": "295"},
            {},
            "n_beyond_longitude_limit",
        ),
    ],
)
def test_a_record_that_breaks_a_rule_is_missing_and_counted(raw, changed, options, counted):
    records = two_days()
    records[100] |= changed
    put(raw, records)
    windows = ingest(raw, **options)
    assert windows.attrs[counted] == 1
    assert np.isnan(windows["values"].values[100]).all()
    assert np.isnan(windows["values"].values).any(axis=1).sum() == 1


@pytest.mark.parametrize(
    "changed", [{"QUALITY": "0x00000400"}, {"QUALITY": "MISSING"}, {"OBS_VR": "nan"}, {"OBS_VR": "-3400"}]
)
def test_a_record_that_breaks_no_rule_or_does_not_tell_counts(raw, changed):
    records = two_days()
    records[100] |= changed
    assert not np.isnan(ingest(put(raw, records))["values"].values).any()


def test_no_window_is_issued_when_the_region_is_last_seen_beyond_the_limit(raw):
    records = two_days()
    for number, one in enumerate(records):
        one["LON_FWT"] = str(60 + 0.1 * number)
    windows = ingest(put(raw, records), n_steps=30)
    assert windows.attrs["n_beyond_longitude_limit"] == 139
    assert windows.attrs["n_windows_beyond_longitude_limit"] > 0
    assert iso(windows["issue_time"].values.max()) == "2011-02-13T20:00:00Z"


def test_a_short_gap_is_nan_and_a_long_one_begins_another_track(raw):
    kept = [number for number in range(240) if not 50 <= number < 60 and not 100 <= number < 150]
    put(raw, [record(number) for number in kept])
    windows = ingest(raw, n_steps=30)
    assert windows["track"].values.max() == 1
    assert np.isnan(windows["values"].values).all(axis=1).sum() == 10
    assert set(np.diff(windows["time"].values[windows["track"].values == 0])) == {720}
    assert set(windows["region"].values) == {"HARP 377"}


def test_windows_of_too_few_steps_are_not_made_and_counted(raw):
    put(raw, two_days())
    half, all_steps = ingest(raw), ingest(raw, least_known=1.0)
    assert half["n_rows"].values.min() >= 30
    assert (all_steps["n_rows"].values == 60).all()
    assert all_steps.attrs["n_windows_too_sparse"] > half.attrs["n_windows_too_sparse"]


def test_records_said_twice_are_stored_once_and_those_that_differ_counted(raw):
    put(raw, two_days())
    write_table(raw / "second.csv", [record(5), record(6, TOTUSJH="9")])
    windows = ingest(raw)
    assert (windows.attrs["n_repeated_rows"], windows.attrs["n_conflicting_rows"]) == (1, 1)
    assert windows["values"].values[6, 1] == 1006


DSD = """:Product: Daily Solar Data
2011 02 11  110  61  400  0  -999  B1.0  1 0 0  2 0 0 0
2011 02 12  111  62  410  0  -999  B1.1  0 0 0  2 0 0 0
2011 02 13  112  63  420  0  -999  B1.2  2 1 0  2 0 0 0
2011 02 14  {f107}  64  430  0  -999  B1.3  3 1 0  2 0 0 0
"""


def test_context_joins_the_last_whole_day_and_the_flares_known(raw):
    put(raw, two_days(), ("2011-02-13T18:00Z", "M3.0", 11_158), ("2011-02-14T13:30Z", "X3.0", 11_158))
    (raw / "2011_DSD.txt").write_text(DSD.format(f107=113))
    windows = ingest(raw)
    names = windows["feature"].values.tolist()
    context = windows.attrs["context_features"].split("\n")
    assert {"disk_f107", "log10_disk_largest_1d"} <= set(context)
    assert "log10_largest_1d" in names
    assert "log10_largest_1d" not in context
    known = {name: windows["values"].values[:, names.index(name)] for name in names}
    time = windows["time"].values
    assert set(known["disk_f107"][time < seconds("2011-02-14")]) == {111}
    assert set(known["disk_f107"][time >= seconds("2011-02-14")]) == {112}
    before = time <= seconds("2011-02-13T18:00")
    assert known["log10_largest_1d"][before].max() == -7
    one_day = (time > seconds("2011-02-13T18:00")) & (time <= seconds("2011-02-14T13:30"))
    assert known["log10_largest_1d"][one_day] == pytest.approx(np.log10(3e-5))
    assert known["log10_disk_largest_1d"][time >= seconds("2011-02-14T14:00")] == pytest.approx(
        np.log10(3e-4)
    )
    memory = dict(zip(names, windows["feature_memory_hours"].values, strict=True))
    assert (memory["USFLUX"], memory["disk_f107"], memory["log10_disk_largest_1d"]) == (0, 48, 25)
    plain = ingest(raw, noaa_context=False)
    assert plain.attrs["context_features"] == ""
    assert "log10_largest_1d" not in plain["feature"].values


def test_what_happens_after_a_window_is_issued_changes_no_feature_of_it(raw):
    issued = seconds("2011-02-14T10:00")

    def until(*flares, f107=113, cut=240):
        put(raw, two_days()[:cut], ("2011-02-13T18:00Z", "M3.0", 11_158), *flares)
        (raw / "2011_DSD.txt").write_text(DSD.format(f107=f107))
        windows = ingest(raw)
        known = np.flatnonzero(windows["issue_time"].values <= issued)
        return gather(windows, known)

    first = until(("2011-02-14T10:01Z", "C1.5", 11_158), ("2011-02-14T10:02Z", "C1.5", 0))
    changed = until(
        ("2011-02-14T10:01Z", "X9.0", 11_158), ("2011-02-14T12:02Z", "X1.5", 0), f107=200, cut=172
    )
    np.testing.assert_array_equal(first, changed)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("T_REC,HARPNUM\n", "expected recorded keyword tables, found none|expected records"),
        ("T_REC,HARPNUM,USFLUX\nsoon,377,1\n", "T_REC: expected a time since 2010"),
        ("T_REC,HARPNUM,USFLUX\n2001.02.15_00:00:00_TAI,377,1\n", "misdated 1"),
        ("T_REC,HARPNUM,USFLUX\n2011.02.15_00:00:00_TAI,none,1\n", "HARPNUM: expected a number"),
        ("T_REC,HARPNUM,USFLUX\n2011.02.15_00:00:00_TAI,377,\n", "expected a value in one of the features"),
        ("T_REC,HARPNUM,USFLUX\n2011.02.15_00:00:00_TAI,377\n", "expected 3 cells, got 2"),
        ("T_REC,HARPNUM,USFLUX,USFLUX\n2011.02.15_00:00:00_TAI,377,1,2\n", "expected each column once"),
        (
            "T_REC,HARPNUM,USFLUX\n2011.02.15_00:00:00_TAI,377,1e22\n",
            "minutes, got none from 1 records, 1 of them within the rules",
        ),
    ],
)
def test_a_table_without_windows_is_one_sentence(raw, content, told):
    raw.mkdir()
    (raw / "records.csv").write_text(content)
    with pytest.raises(FlarecastError, match=told) as caught:
        ingest(raw)
    assert "\n" not in str(caught.value)


def test_broken_lines_are_counted_and_too_many_refused(raw):
    records = two_days()
    for number in (3, 4, 5):
        records[number]["T_REC"] = "soon"
    records[6]["USFLUX"] = "much"
    put(raw, records)
    windows = ingest(raw)
    assert windows.attrs["skipped"] == "no time 3"
    assert windows.attrs["n_odd_cells"] == 1
    with pytest.raises(
        FlarecastError, match=r"3 of 240 lines are bad \(no time 3\), more than max_bad_rows = 2"
    ):
        ingest(raw, max_bad_rows=2)


def test_records_before_a_region_can_be_measured_are_counted_and_not_held_against_the_table(raw):
    records = two_days()
    for one in records[:150]:
        one |= dict.fromkeys(("USFLUX", "TOTUSJH", "TOTPOT", "R_VALUE", "AREA_ACR"), "nan")
    windows = ingest(put(raw, records))
    assert windows.attrs["skipped"] == "no value 150"
    assert windows.sizes["row"] == 90


def test_a_file_of_another_kind_is_refused_and_one_table_may_be_named(raw):
    put(raw, two_days(), ("2011-02-14T20:00Z", "M3.0", 11_158))
    with pytest.raises(FlarecastError, match="expected a table with the columns HARPNUM and T_REC"):
        ingest(raw / "flares.csv")
    alone = ingest(raw / "records.csv")
    assert np.isinf(alone["peak_flux_upper"].values).all()
    labelled = ingest(raw / "records.csv", flare_lists=("flares.csv",))
    assert (goes.events(labelled, "M1.0") == 1).any()


@needs_data
def test_a_recorded_table_of_2025_is_read_as_it_is():
    windows = ingest(DATA / "sharp_blocks/sharp_data_ten_feature.csv", series="nrt")
    assert windows.attrs["n_rows_read"] == 720
    assert windows.attrs["n_skipped"] == 0
    assert windows.sizes["row"] == 780
    assert np.isnan(windows["values"].values).all(axis=1).sum() == 60, "each HARP lacks two hours"
    assert windows["feature"].values.tolist() == [
        *("USFLUX", "TOTUSJZ", "TOTUSJH", "ABSNJZH", "SAVNCPP", "MEANPOT", "TOTPOT", "SHRGT45", "R_VALUE"),
        "AREA_ACR",
    ]
    assert set(windows["region"].values) == {
        f"NRT HARP {harp}" for harp in (12407, 12414, 12439, 12448, 12452, 12454)
    }
    assert "14161,14164,14170,14173" in set(windows["noaa_regions"].values)
    assert iso(windows["time"].values.min() - 120 * 60) == "2025-08-09T21:59:23Z"
    assert windows.attrs["n_quality_not_told"] == 720


@needs_data
def test_recorded_headers_are_records():
    windows = ingest(DATA / "sharp_fits", n_steps=2, stride_minutes=12.0)
    assert windows.sizes["row"] == 1
    assert windows.attrs["n_repeated_rows"] == 1
    values = dict(zip(windows["feature"].values.tolist(), windows["values"].values[0].tolist(), strict=True))
    assert values["USFLUX"] == pytest.approx(1.99282158e21)
    assert values["R_VALUE"] == 0.0, "no strong-gradient polarity line, which is a value"
    assert values["MEANGAM"] == pytest.approx(23.5846176)
    assert windows["longitude"].values[0] == pytest.approx(-56.1843529)
    assert windows["noaa_regions"].values.tolist() == ["13733"]
    assert iso(windows["time"].values[0] - LATENCY) == "2024-06-27T23:59:23Z"
    with pytest.raises(FlarecastError, match="expected a record of"):
        ingest(DATA / "sharp_fits", series="nrt")


def test_the_run_that_is_shipped_has_parts_and_options_that_there_are():
    from flarecast.chain import check_parts
    from flarecast.config import load_config

    config = load_config(Path(__file__).parents[3] / "configs/sharp.toml")
    check_parts(config)
    assert config.ingest.source == "sharp"


def test_kept_answers_do_not_make_data_look_old(tmp_path):
    import subprocess
    import sys

    script = Path(__file__).parents[3] / "scripts/raw_stamp.py"
    raw, stamp = tmp_path / "raw", tmp_path / "stamp"
    (raw / "sharp_cache").mkdir(parents=True)

    def stamped():
        subprocess.run([sys.executable, script, stamp, raw], check=True)
        return stamp.read_text()

    before = stamped()
    (raw / "sharp_cache/20110215.csv").write_text("T_REC,HARPNUM\n")
    assert stamped() == before
    (raw / "records.csv").write_text("T_REC,HARPNUM\n")
    assert stamped() != before
