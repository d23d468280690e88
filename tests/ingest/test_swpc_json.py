"""SWPC's JSON as windows of regions and of the disk: what it tells, what not, and what is wrong with it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from damaging import damage

from flarecast import goes, schema, served
from flarecast.cycles import iso, seconds
from flarecast.errors import FlarecastError
from flarecast.flares import archives, read_flares
from flarecast.flares.region_records import read_region_records
from flarecast.ingest import dsd, srs
from flarecast.ingest.daily_json import read_served_days, spot_days
from flarecast.ingest.noaa_disk import ingest_noaa_disk
from flarecast.ingest.noaa_regions import ingest_noaa_regions
from flarecast.ingest.region_json import read_served_regions
from flarecast.windows import gather

DATA = Path(__file__).parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(not (DATA / "swpc_json").is_dir(), reason="../shared/data is not there")
DAY = 86_400


def region(day=20, number=4252, c=0, m=0, x=0, **fields):
    """A row of solar_regions.json of October 2025."""
    record = {
        "observed_date": f"2025-10-{day:02d}",
        "region": number,
        "latitude": -13,
        "longitude": 20,
        "location": "S13E20",
        "carrington_longitude": None,
        "area": 110,
        "spot_class": "Dkc",
        "extent": 10,
        "number_spots": 28,
        "mag_class": "BGD",
        "status": "f",
        "c_xray_events": c,
        "m_xray_events": m,
        "x_xray_events": x,
        "first_date": "2025-10-12T07:06:03",
    }
    return record | fields


def fill(folder, rows, name="solar_regions.json"):
    (folder / name).write_text(json.dumps(rows))
    return folder


def regions_of(folder, **options):
    return ingest_noaa_regions(folder, np.random.default_rng(0), **options)


def disk_of(folder, **options):
    return ingest_noaa_disk(folder, np.random.default_rng(0), **{"history_days": 3, **options})


def window(windows, day, name="NOAA 14252"):
    issued = seconds(f"2025-10-{day:02d}")
    (found,) = np.flatnonzero((windows["issue_time"].values == issued) & (windows["region"].values == name))
    return windows.isel(window=found)


def last_row(windows, day, name="NOAA 14252"):
    issued = seconds(f"2025-10-{day:02d}")
    chosen = np.flatnonzero((windows["issue_time"].values == issued) & (windows["region"].values == name))
    return dict(zip(windows["feature"].values.tolist(), gather(windows, chosen)[0, -1].tolist(), strict=True))


# --- regions


def test_a_region_is_a_window_at_the_end_of_its_day_with_its_spots(tmp_path):
    windows = regions_of(fill(tmp_path, [region(20), region(21)]))
    schema.check(windows, schema.WINDOWS)
    assert [iso(time)[:10] for time in windows["issue_time"].values] == ["2025-10-21", "2025-10-22"]
    row = last_row(windows, 21)
    expected = {"latitude": -13, "longitude": -20, "area": 110, "extent": 10, "spot_count": 28}
    expected |= {"mcintosh_z": 4, "mcintosh_p": 5, "mcintosh_c": 3, "mount_wilson": 5}
    assert {name: row[name] for name in expected} == expected
    assert windows.attrs["flare_source"] == "counts of regions, classes as listed"


def test_regions_without_spots_and_behind_the_limb_are_named_and_have_no_window(tmp_path):
    bare = {"area": None, "spot_class": None, "extent": None, "number_spots": None, "mag_class": None}
    rows = [
        region(20),
        region(20, 4253, **bare),
        region(20, 4254, status="d", longitude=-105, location="S13W0*"),
        region(21),
    ]
    windows = regions_of(fill(tmp_path, rows))
    assert set(windows["region"].values) == {"NOAA 14252"}
    assert windows.attrs["n_rows_read"] == 4


def test_counts_of_the_next_day_are_the_outcome_known_to_a_class(tmp_path):
    rows = [region(20), region(21, c=2, m=1), region(22, c=1), region(23)]
    windows = regions_of(fill(tmp_path, rows))
    bounds = {
        day: (window(windows, day)["peak_flux"].item(), window(windows, day)["peak_flux_upper"].item())
        for day in range(21, 25)
    }
    assert bounds == {21: (1e-5, 9.9e-5), 22: (1e-6, 9.9e-6), 23: (0, 9.9e-7), 24: (0, np.inf)}
    assert (windows["flare_peak"].values == schema.NO_TIME).all()
    assert (windows["flare_id"].values == "").all()
    assert goes.events(windows, "M1.0").tolist() == [1, 0, 0, -1]


def test_flares_without_a_region_are_unknown_where_counts_are_the_only_source(tmp_path):
    windows = regions_of(fill(tmp_path, [region(20), region(21, m=1), region(22)]))
    assert np.isnan(windows["unassigned_peak_flux"].values[:2]).all()
    assert goes.events(windows, "M1.0", "mask").tolist() == [1, -1, -1]


def test_counts_make_the_history_of_later_rows(tmp_path):
    rows = [region(20), region(21, m=2), region(22)]
    windows = regions_of(fill(tmp_path, rows))
    assert last_row(windows, 22)["log1p_m_flares_1d"] == pytest.approx(np.log1p(2))
    assert last_row(windows, 21)["log1p_m_flares_1d"] == 0
    assert last_row(windows, 23)["log1p_m_flares_1d"] == 0
    assert last_row(windows, 22)["log10_largest_1d"] == pytest.approx(-5)


def test_changing_the_rows_of_a_day_changes_no_feature_of_an_earlier_issue(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    before = [region(day, c=1) for day in (20, 21, 22)]
    one = regions_of(fill(tmp_path / "a", [*before, region(23)]))
    other = regions_of(fill(tmp_path / "b", [*before, region(23, c=9, m=5, area=900, number_spots=80)]))
    early = np.flatnonzero(one["issue_time"].values <= seconds("2025-10-23"))
    np.testing.assert_array_equal(gather(one, early), gather(other, early))
    late = np.flatnonzero(one["issue_time"].values == seconds("2025-10-24"))
    assert (gather(one, late) != gather(other, late)).any()


def test_a_day_with_a_missing_count_is_not_quiet(tmp_path):
    rows = [region(20), region(21), region(21, 4253, c_xray_events=None), region(22)]
    windows = regions_of(fill(tmp_path, rows))
    assert window(windows, 21)["peak_flux_upper"].item() == np.inf
    assert window(windows, 22)["peak_flux_upper"].item() == 9.9e-7
    assert windows.attrs["n_days_of_counts"] == 2


def test_texts_count_before_the_json_of_the_same_day(tmp_path):
    summary = "\n".join(
        [
            ":Issued: 2025 Oct 21 0030 UTC",
            "I.  Regions with Sunspots.  Locations Valid at 20/2400Z",
            "4252 S13E20   209  0999 Dkc  10   28 Beta-Gamma-Delta",
            "IA. H-alpha Plages without Spots.",
            "II. Regions Due to Return 21 Oct to 23 Oct",
        ]
    )
    (tmp_path / "20251021SRS.txt").write_text(summary)
    report = "2160 +     0249   0253      0256  G18  5   XRA  1-8A      C7.2    1.5E-03   4252"
    (tmp_path / "20251021events.txt").write_text(f":Date: 2025 10 21\n{report}\n")
    windows = regions_of(fill(tmp_path, [region(20), region(21, m=3), region(22, m=1), region(23)]))
    assert last_row(windows, 21)["area"] == 999
    assert last_row(windows, 22)["area"] == 110
    assert window(windows, 21)["peak_flux"].item() == 7.2e-6
    assert iso(window(windows, 21)["flare_peak"].item()) == "2025-10-21T02:53:00Z"
    assert window(windows, 21)["unassigned_peak_flux"].item() == 0
    assert window(windows, 22)["peak_flux"].item() == 1e-5
    assert windows.attrs["flare_source"] == "event reports and counts of regions, classes as listed"
    assert len(windows.attrs["source_files"].split("\n")) == 3


def test_counts_by_day_can_not_make_spans_of_half_a_day(tmp_path):
    folder = fill(tmp_path, [region(20), region(21)])
    with pytest.raises(FlarecastError, match=r"expected whole days like 0 and 24, .* got 0 and 12"):
        regions_of(folder, horizon_hours=12)


def test_two_days_ahead_and_two_days_long_are_whole_days(tmp_path):
    windows = regions_of(
        fill(tmp_path, [region(20), region(21), region(22, c=1), region(23, m=1)]),
        lead_hours=24,
        horizon_hours=48,
    )
    assert window(windows, 21)["peak_flux"].item() == 1e-5
    assert window(windows, 22)["peak_flux_upper"].item() == np.inf


def test_regions_of_two_files_are_one_series(tmp_path):
    fill(tmp_path, [region(20), region(21)], "solar_regions_1.json")
    fill(tmp_path, {"_cached_at": "x", "data": [region(21, area=500), region(22)]}, "solar_regions_2.json")
    windows = regions_of(tmp_path)
    assert windows.sizes["window"] == 3
    assert last_row(windows, 22)["area"] == 500


def test_a_flare_list_without_any_region_makes_no_quiet_regions(tmp_path):
    fill(tmp_path, [region(20), region(21)])
    flare = {"begin_time": "2025-10-21T01:00:00Z", "max_time": "2025-10-21T01:10:00Z", "max_class": "M1.0"}
    fill(tmp_path, [flare], "xray_flares.json")
    with pytest.raises(FlarecastError, match="expected flares with regions, got 1 without any"):
        regions_of(tmp_path, flare_lists=("xray_flares.json",))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("<html>", "got a web page"),
        ('[{"observed_date": "2025-10-2', "got half of it"),
        ("[]", "expected regions with spots in the summaries, got none"),
        ("[null, 7]", "expected records with observed_date, region"),
        ('{"error": 1}', "expected a list of records"),
    ],
)
def test_bad_region_files_are_one_sentence(tmp_path, content, sentence):
    (tmp_path / "solar_regions.json").write_text(content)
    with pytest.raises(FlarecastError, match=sentence):
        regions_of(tmp_path)


def test_nulls_and_wrong_types_are_missing_values(tmp_path):
    odd = {
        "latitude": None,
        "longitude": "east",
        "area": "110",
        "extent": [],
        "mag_class": 7,
        "spot_class": {},
    }
    windows = regions_of(fill(tmp_path, [region(20, **odd), region(21)]))
    row = last_row(windows, 21)
    assert row["area"] == 110
    assert np.isnan(
        [row[name] for name in ("latitude", "longitude", "extent", "mount_wilson", "mcintosh_z")]
    ).all()


@needs_data
def test_region_counts_of_2020_are_those_of_the_flare_list():
    """All 132 region days: numbers of C flares, 31 in all, of the reports' flare list by peak."""
    tally = served.Served()
    records = read_region_records([DATA / "swpc_json/solar_regions_202012.json"], tally)
    flares = read_flares([DATA / "catalogues/ftp_20100101_20251115.csv"], max_bad_rows=1000)
    flares = flares[(flares["flux"] >= 0.9999e-6) & (flares["flux"] < 0.9999e-5)]
    listed = flares.groupby([flares["peak"] // DAY, "region"]).size()
    keys = pd.MultiIndex.from_tuples([(record.time // DAY - 1, record.region) for record in records])
    counts = [record.fields["c_xray_events"] for record in records]
    assert listed.reindex(keys).fillna(0).tolist() == counts
    assert (len(records), sum(counts)) == (132 - 7, 31)
    assert tally.reasons() == "no number of a region of that time 7"


@needs_data
def test_real_region_files_are_read_whole():
    windows = regions_of(DATA / "swpc_json")
    schema.check(windows, schema.WINDOWS)
    assert windows.attrs["n_served_records"] == 132 + 373
    assert windows.attrs["n_served_days"] == 59
    assert windows.attrs["served_skipped"] == "no number of a region of that time 9"
    assert windows.attrs["n_flares"] == 31 + 226 + 46
    assert windows.attrs["n_unknown"] == 9
    last = windows["issue_time"].values == seconds("2025-10-25")
    assert (windows["peak_flux_upper"].values[last] == np.inf).all()


# --- the disk


def line(day, counts="2 0 0"):
    return f"2025 10 {day:02d}  130  61  810  0  -999  B4.4  {counts}  2 0 0 0"


def daily(folder, *days):
    (folder / "2025_DSD.txt").write_text("\n".join(map(line, days)) + "\n")
    return folder


def flare(day, peak, cls):
    when = f"2025-10-{day:02d}T{peak}:00Z"
    return {"begin_time": when, "max_time": when, "max_class": cls, "end_time": None, "satellite": 18}


def on_disk(windows, day):
    return last_row(windows, day, "disk")


def test_days_after_the_daily_data_come_from_the_regions(tmp_path):
    daily(tmp_path, 17, 18, 19)
    bare = {"area": None, "spot_class": None, "number_spots": None}
    rows = [region(day, number) for day in (19, 20) for number in (4252, 4253)]
    rows += [region(20, 4254, c=3, m=1, area=40, number_spots=2), region(20, 4255, **bare)]
    windows = disk_of(fill(tmp_path, rows))
    schema.check(windows, schema.WINDOWS)
    assert on_disk(windows, 20)["sunspot_area"] == 810
    row = on_disk(windows, 21)
    assert (row["sunspot_number"], row["sunspot_area"], row["new_regions"]) == (30 + 58, 260, 1)
    assert row["log1p_c_flares"] == pytest.approx(np.log1p(3))
    assert np.isnan(row["f107"])
    assert windows.attrs["n_served_days"] == 1
    assert windows.attrs["n_days_of_counts"] == 1


def test_counts_of_regions_alone_leave_the_disks_outcome_unknown_either_way(tmp_path):
    rows = [region(17), region(18), region(19), region(20, m=1), region(21), region(22)]
    windows = disk_of(fill(tmp_path, rows))
    for event in ("C1.0", "M1.0", "X1.0"):
        assert goes.events(windows, event).tolist() == [-1] * 4
    assert on_disk(windows, 21)["log1p_m_flares"] == pytest.approx(np.log1p(1))


def test_a_list_of_flares_makes_whole_days_known(tmp_path):
    fill(tmp_path, [region(day, c=1) for day in range(17, 24)])
    flares = [
        flare(18, "10:00", "C2.0"),
        flare(19, "23:59", "M1.2"),
        flare(20, "12:00", "C5.0"),
        flare(22, "01:00", "C1.0"),
    ]
    windows = disk_of(fill(tmp_path, {"_cached_at": "x", "data": flares}, "xray_flares.json"))
    events = dict(
        zip(
            [iso(time)[8:10] for time in windows["valid_from"].values],
            goes.events(windows, "M1.0").tolist(),
            strict=True,
        )
    )
    # Of the list's days the first and the last may be half there.
    assert events == {"20": 0, "21": 0, "22": -1, "23": -1, "24": -1}
    assert on_disk(windows, 20)["log1p_m_flares"] == pytest.approx(np.log1p(1))


def test_the_radio_flux_is_that_of_noon_at_penticton(tmp_path):
    fill(tmp_path, [region(day) for day in (19, 20, 21)])
    radio = [
        {"time_tag": "2025-10-21T17:00:00", "flux": 131},
        {"time_tag": "2025-10-21T20:00:00", "flux": 135},
        {"time_tag": "2025-10-21T23:00:00", "flux": 139},
        {"time_tag": "2025-10-20T20:00:00", "flux": None},
        {"time_tag": "2024-10-19T20:00:00", "flux": 100},
    ]
    windows = disk_of(fill(tmp_path, radio, "f107_cm_flux.json"))
    assert on_disk(windows, 22)["f107"] == 135
    assert windows.attrs["served_skipped"] == "a time far from the others of its file 1, no radio flux 1"


def test_changing_a_served_day_changes_no_earlier_issue_of_the_disk(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    before = [region(day) for day in range(17, 22)]
    one = disk_of(fill(tmp_path / "a", [*before, region(22)]))
    other = disk_of(fill(tmp_path / "b", [*before, region(22, c=9, area=900)]))
    early = np.flatnonzero(one["issue_time"].values <= seconds("2025-10-22"))
    np.testing.assert_array_equal(gather(one, early), gather(other, early))
    assert early.size == 3


def test_without_json_nothing_changes(tmp_path):
    windows = disk_of(daily(tmp_path, 17, 18, 19, 20))
    assert "n_served_days" not in windows.attrs
    assert goes.events(windows, "M1.0").tolist() == [0, -1]


@pytest.mark.parametrize("name", ["solar_regions.json", "xray_flares.json", "f107_cm_flux.json"])
def test_a_broken_file_beside_good_daily_data_is_one_sentence(tmp_path, name):
    daily(tmp_path, 17, 18, 19, 20)
    (tmp_path / name).write_text('[{"observed_date": "2025')
    with pytest.raises(FlarecastError, match=rf"{name} line 1: expected JSON, got half of it"):
        disk_of(tmp_path)


def test_an_empty_list_of_flares_tells_nothing(tmp_path):
    fill(tmp_path, [region(day) for day in range(17, 22)])
    windows = disk_of(fill(tmp_path, [], "xray_flares.json"))
    assert (goes.events(windows, "C1.0") == -1).all()


@needs_data
def test_the_regions_of_2012_give_the_daily_datas_spots():
    folder = DATA / "noaa_text/2012_SRS.tar.gz"
    found = [srs.parse_srs(text, srs.SrsTally()) for text in archives.texts(folder, srs.SUFFIX)]
    made = spot_days(srs.latest_summaries([summary for summary in found if summary is not None]))
    days = dsd.read_dsd([DATA / "noaa_daily/DSD/2012_DSD.txt"], 100)
    same = {
        name: sum(
            made[day][name] == value
            for day, value in zip(days.day.tolist(), days.columns[name].tolist(), strict=True)
            if name in made.get(day, {})
        )
        for name in ("sunspot_number", "sunspot_area", "new_regions")
    }
    assert same["sunspot_number"] == 343
    assert same["sunspot_area"] == 341
    assert same["new_regions"] > 355


@needs_data
def test_real_json_makes_days_of_the_disk():
    windows = disk_of(DATA / "swpc_json", history_days=27)
    assert windows.attrs["n_served_days"] == 59
    events = goes.events(windows, "M1.0")
    assert (events == -1).all()
    features = gather(windows, np.array([windows.sizes["window"] - 1]))[0]
    assert (~np.isnan(features[:, windows["feature"].values.tolist().index("log1p_m_flares")])).all()


# --- damaged

ROWS = json.dumps([region(20, c=1), region(21, 4253, m=2), region(22, longitude=-105, status="d")])
FLARES = json.dumps([flare(18, "10:00", "C2.0"), flare(19, "23:59", "M1.2"), flare(21, "12:00", "C5.0")])
RADIO = json.dumps(
    [{"time_tag": "2025-10-21T20:00:00", "frequency": 2800, "flux": 135, "avg_begin_date": None}]
)
CHARACTERS = b"0123456789,:{}[]\"'.-+eE \t\n\rnulltrue\x00\xff\xc3\\"


@pytest.mark.parametrize("n_mutants", [700, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_files_give_windows_or_one_sentence(tmp_path, n_mutants):
    rng = np.random.default_rng(20251024)
    files = {"solar_regions.json": ROWS, "xray_flares.json": FLARES, "f107_cm_flux.json": RADIO}
    n_read = 0
    for number in range(n_mutants):
        damaged = list(files)[0 if number % 2 == 0 else number % 3]
        for name, text in files.items():
            (tmp_path / name).write_bytes(damage(text, CHARACTERS, rng) if name == damaged else text.encode())
        try:
            days = read_served_days(tmp_path).days if number % 2 else read_served_regions(tmp_path).summaries
            if number % 10 < 2:  # the rest of the way, less often
                windows = disk_of(tmp_path) if number % 2 else regions_of(tmp_path)
                assert windows.sizes["row"] < 100_000
        except FlarecastError:
            continue
        assert len(days) < 100
        n_read += 1
    assert n_mutants / 20 < n_read < n_mutants
