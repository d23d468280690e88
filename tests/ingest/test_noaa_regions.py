"""Region summaries and event reports as windows: one a region and day, outcomes known or not."""

import gzip
import io
import tarfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flarecast import goes, schema
from flarecast.cycles import iso, seconds
from flarecast.errors import FlarecastError
from flarecast.ingest.noaa_regions import ingest_noaa_regions
from flarecast.windows import gather

DATA = Path(__file__).parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(not (DATA / "noaa_text").is_dir(), reason="../shared/data is not there")

DAY = 86_400
SPOTS = "{number} N17E{east:02d}   299  {area:04d} Dkc  10   28 Beta-Gamma-Delta"


def day_name(day, pattern="%Y%m%d"):
    return (pd.Timestamp("2012-03-01") + pd.Timedelta(days=day - 1)).strftime(pattern)


def summary(day, spots=(), plages=(), returning=()):
    """Text of the summary issued at 00:30 of a day of March 2012."""
    return "\n".join(
        [
            f":Issued: {day_name(day, '%Y %b %d')} 0030 UTC",
            f"SRS Number 68 Issued at 0030Z on {day_name(day, '%d %b %Y')}",
            "I.  Regions with Sunspots.  Locations Valid at 07/2400Z",
            *(spots or ["None"]),
            "IA. H-alpha Plages without Spots.  Locations Valid at 07/2400Z Mar",
            *(f"{number}  N17E{15:02d}   299" for number in plages),
            "II. Regions Due to Return 08 Mar to 10 Mar",
            *(f"{number} N17    299" for number in returning),
        ]
    )


def report(day, *lines):
    """Text of the event report of a day of March 2012."""
    return "\n".join([f":Date: {day_name(day, '%Y %m %d')}", *lines])


def flare(begin, peak, cls, region=""):
    return f"2160 +     {begin}   {peak}      ////  G15  5   XRA  1-8A      {cls}    1.5E-03   {region}"


def spotted(number=1429, area=100, east=15):
    return SPOTS.format(number=number, area=area, east=east)


def fill(folder, days=range(1, 8), events=None, summaries=None):
    """A region on every day, quiet, but for the texts given by day."""
    for day in days:
        text = (summaries or {}).get(day, summary(day, [spotted()]))
        if text is not None:
            (folder / f"{day_name(day)}SRS.txt").write_text(text)
        text = (events or {}).get(day, report(day))
        if text is not None:
            (folder / f"{day_name(day)}events.txt").write_text(text)
    return folder


def ingest(folder, **options):
    return ingest_noaa_regions(folder, np.random.default_rng(0), **options)


def window_of(windows, day, region="NOAA 11429"):
    issued = seconds("2012-03-01") + (day - 1) * DAY
    (found,) = np.flatnonzero((windows["issue_time"].values == issued) & (windows["region"].values == region))
    return windows.isel(window=found)


def features_of(windows, day, region="NOAA 11429"):
    issued = seconds("2012-03-01") + (day - 1) * DAY
    number = np.flatnonzero((windows["issue_time"].values == issued) & (windows["region"].values == region))
    return dict(zip(windows["feature"].values.tolist(), gather(windows, number)[0, -1].tolist(), strict=True))


def test_windows_obey_the_schema_and_are_issued_when_locations_are_valid(tmp_path):
    windows = ingest(fill(tmp_path), history_days=3, lead_hours=24, horizon_hours=48)
    schema.check(windows, schema.WINDOWS)
    assert [iso(when) for when in windows["issue_time"].values[:2]] == [
        "2012-03-01T00:00:00Z",
        "2012-03-02T00:00:00Z",
    ]
    assert (windows["valid_from"].values - windows["issue_time"].values == DAY).all()
    assert (windows["valid_to"].values - windows["valid_from"].values == 2 * DAY).all()
    assert windows["n_rows"].values.tolist() == [1, 2, 3, 3, 3, 3, 3]
    assert set(windows["noaa_regions"].values) == {"11429"}


def test_there_is_one_window_for_each_region_and_day_with_spots_and_none_for_plages(tmp_path):
    summaries = {
        1: summary(1, [], plages=[1429]),
        2: summary(2, [spotted(), spotted(1430)]),
        3: summary(3, [], plages=[1429]),
        4: summary(4, [spotted()], returning=[1420]),
        5: summary(5, [], plages=[1429]),
    }
    windows = ingest(fill(tmp_path, range(1, 6), summaries=summaries))
    found = [
        (name, iso(when)[8:10])
        for name, when in zip(windows["region"].values, windows["issue_time"].values, strict=True)
    ]
    assert found == [("NOAA 11429", "02"), ("NOAA 11429", "04"), ("NOAA 11430", "02")]
    assert features_of(windows, 4)["age"] == 3
    steps = gather(windows, np.array([1]), ["longitude", "area", "age"])[0]
    np.testing.assert_equal(steps[0], [-15, np.nan, 0])
    np.testing.assert_equal(steps[2], [-15, np.nan, 2])
    np.testing.assert_equal(steps[3], [-15, 100, 3])


def test_changes_are_since_the_day_before_and_absent_after_a_gap(tmp_path):
    summaries = {2: summary(2, [spotted(area=250)]), 3: None, 5: summary(5, [spotted(area=40)])}
    windows = ingest(fill(tmp_path, range(1, 6), summaries=summaries))
    changes = [features_of(windows, day)["area_change"] for day in (1, 2, 4, 5)]
    np.testing.assert_equal(changes, [np.nan, 150, np.nan, -60])


def test_the_outcome_is_the_largest_flare_of_the_region_that_peaks_in_the_valid_span(tmp_path):
    events = {
        2: report(2, flare("2350", "2359", "X1.0", 1429)),
        3: report(
            3,
            flare("0100", "0110", "C2.0", 1429),
            flare("0200", "0210", "M1.5", 1429),
            flare("0300", "0310", "X9.0", 1430),
        ),
        4: report(4, flare("0000", "0000", "X2.0", 1429)),
    }
    windows = ingest(fill(tmp_path, events=events))
    third = window_of(windows, 3)
    assert float(third["peak_flux"]) == float(third["peak_flux_upper"]) == 1.5e-5
    assert iso(third["flare_peak"]) == "2012-03-03T02:10:00Z"
    assert iso(third["flare_start"]) == "2012-03-03T02:00:00Z"
    assert str(third["flare_id"].values) == "20120303T0210"
    quiet = window_of(windows, 5)
    assert (float(quiet["peak_flux"]), float(quiet["peak_flux_upper"])) == (0, 9.9e-7)
    assert int(quiet["flare_peak"]) == schema.NO_TIME


def test_a_flare_that_peaks_after_midnight_is_of_the_next_window(tmp_path):
    windows = ingest(fill(tmp_path, events={3: report(3, flare("2350", "0004", "M1.0", 1429))}))
    occurred = goes.events(windows, "M1.0")
    assert occurred.tolist() == [0, 0, 0, 1, 0, 0, 0]


def test_without_a_report_the_outcome_is_unknown_but_the_window_is_there(tmp_path):
    events = {3: None, 4: "", 5: report(5, flare("0100", "0110", "M1.0", 1429))}
    windows = ingest(fill(tmp_path, events=events), horizon_hours=48)
    assert goes.events(windows, "M1.0").tolist() == [0, -1, -1, 1, 1, 0, -1]
    assert windows.attrs["n_unknown"] == 4
    upper = window_of(windows, 4)
    assert (float(upper["peak_flux"]), float(upper["peak_flux_upper"])) == (1e-5, np.inf)


def test_flares_without_a_region_are_kept_for_all_windows_of_the_span(tmp_path):
    events = {
        3: report(3, flare("0100", "0110", "M2.0"), flare("0300", "0310", "C1.0")),
        4: report(4, flare("0100", "0110", "M5.0", 1429), flare("0500", "0510", "X1.0")),
    }
    windows = ingest(fill(tmp_path, events=events))
    assert window_of(windows, 3)["unassigned_peak_flux"] == 2e-5
    assert goes.events(windows, "M1.0", "ignore").tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert goes.events(windows, "M1.0", "mask").tolist() == [0, 0, -1, 1, 0, 0, 0]
    assert windows.attrs["unassigned_by_year"] == "2012: 75.0 % of 4 C+, 66.7 % of 3 M+"


def test_history_counts_flares_of_the_region_before_issue_time(tmp_path):
    events = {
        1: report(1, flare("0600", "0600", "C4.0", 1429)),
        4: report(
            4,
            flare("1200", "1200", "M2.0", 1429),
            flare("1300", "1300", "X1.0", 1430),
            flare("1500", "1500", "C1.0"),
        ),
        5: report(5, flare("0000", "0000", "X3.0", 1429)),
    }
    (tmp_path / "20120229events.txt").write_text(report(0))
    features = features_of(ingest(fill(tmp_path, events=events)), 5)
    assert features["log1p_m_flares_1d"] == pytest.approx(np.log(2))
    assert features["log1p_c_flares_3d"] == features["log1p_x_flares_all"] == 0
    assert features["log1p_c_flares_all"] == pytest.approx(np.log(2))
    assert features["log10_largest_1d"] == pytest.approx(np.log10(2e-5))
    assert features["log1p_decayed_1d"] == pytest.approx(np.log1p(20 / 2))
    assert features["log1p_disk_x_flares_1d"] == pytest.approx(np.log(2))
    assert features["log10_disk_largest_1d"] == pytest.approx(-4)
    assert (features["disk_regions"], features["disk_area"], features["disk_spot_count"]) == (1, 100, 28)


def test_history_with_missing_reports_is_scaled_up_or_absent(tmp_path):
    events = {3: report(3, flare("1200", "1200", "M2.0", 1429)), 4: None}
    features = features_of(ingest(fill(tmp_path, events=events)), 5)
    assert np.isnan(features["log1p_m_flares_1d"])
    assert features["log1p_m_flares_3d"] == pytest.approx(np.log1p(1.5))


def test_what_happens_on_a_day_changes_no_feature_of_windows_issued_before(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    one = ingest(fill(before))
    other = ingest(
        fill(
            after,
            events={4: report(4, flare("0000", "0000", "X3.0", 1429), flare("0500", "0510", "X1.0"))},
            summaries={5: summary(5, [spotted(area=900)])},
        )
    )
    np.testing.assert_array_equal(gather(one, slice(0, 4)), gather(other, slice(0, 4)))
    assert not np.array_equal(gather(one, slice(4, 5)), gather(other, slice(4, 5)), equal_nan=True)


def test_no_feature_reads_farther_back_than_it_says(tmp_path):
    days = range(1, 41)
    summaries = {day: summary(day, [spotted(area=(400 if day < 3 else 100))]) for day in days}
    events = {2: report(2, flare("0000", "0001", "X3.0", 1429))}
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one, other = (
        ingest(fill(tmp_path / "one", days)),
        ingest(fill(tmp_path / "other", days, events, summaries)),
    )
    memory = dict(
        zip(one["feature"].values.tolist(), one["feature_memory_hours"].values.tolist(), strict=True)
    )
    for day in range(4, 41):
        was, now = features_of(one, day), features_of(other, day)
        changed = [name for name in was if was[name] != now[name] and not np.isnan(was[name])]
        assert all(memory[name] > (day - 3) * 24 for name in changed), (day, changed)
    assert changed == []


def test_classes_are_brought_to_the_true_scale_if_asked_for(tmp_path):
    events = {3: report(3, flare("0100", "0110", "C7.0", 1429))}
    windows = ingest(fill(tmp_path, events=events), convert_to="true")
    assert goes.events(windows, "M1.0").tolist() == [0, 0, 1, 0, 0, 0, 0]
    assert goes.events(windows, "C1.0").tolist() == [-1, -1, 1, -1, -1, -1, -1], (
        "the list begins at true C1.4"
    )
    assert set(windows["flux_scale"].values) == {goes.FLUX_SCALES.index("true")}


def test_flare_lists_can_stand_for_event_reports(tmp_path):
    fill(tmp_path)
    lines = ["2012-03-02T01:00,2012-03-02T01:10,,M1.0,11429", "2012-03-05T01:00,2012-03-05T01:10,,C1.0,0"]
    (tmp_path / "hek.csv").write_text(
        "\n".join(["event_starttime,event_peaktime,event_endtime,fl_goescls,ar_noaanum", *lines])
    )
    windows = ingest(tmp_path, flare_lists=("hek.csv",))
    assert goes.events(windows, "M1.0").tolist() == [-1, 1, 0, 0, 0, -1, -1]


def test_archives_give_the_same_as_loose_files(tmp_path):
    (tmp_path / "loose").mkdir()
    (tmp_path / "packed").mkdir()
    fill(tmp_path / "loose", events={3: report(3, flare("0100", "0110", "M1.0", 1429))})
    for kind in ("SRS", "events"):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for path in sorted((tmp_path / "loose").glob(f"*{kind}.txt")):
                tar.add(path, f"../2012_{kind}/{path.name}")
        (tmp_path / "packed" / f"2012_{kind}.tar.gz").write_bytes(gzip.compress(buffer.getvalue()))
    one, other = ingest(tmp_path / "loose"), ingest(tmp_path / "packed")
    for name in one.variables:
        np.testing.assert_array_equal(one[name].values, other[name].values)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"history_days": 0}, "history_days: expected 1 to 366, got 0"),
        (
            {"lead_hours": -1.0, "horizon_hours": 0.0},
            "lead_hours: expected 0 .* got -1; horizon_hours: expected more",
        ),
        ({"horizon_hours": float("inf")}, "horizon_hours"),
        ({"floor": "Q1"}, "GOES class"),
        ({"convert_to": "false"}, "flux scale: expected one of operational, true, got 'false'"),
        ({"flare_lists": ("no.csv",)}, "no.csv: cannot be read"),
    ],
)
def test_options_that_make_no_sense_are_named(tmp_path, options, message):
    with pytest.raises(FlarecastError, match=message):
        ingest(fill(tmp_path), **options)


def test_a_folder_without_what_is_needed_is_told_in_a_sentence(tmp_path):
    with pytest.raises(FlarecastError, match="name it as RAW"):
        ingest(None)
    with pytest.raises(FlarecastError, match="expected a folder"):
        ingest(tmp_path / "no")
    with pytest.raises(FlarecastError, match="expected region summaries named like"):
        ingest(tmp_path)
    fill(tmp_path, range(1, 3), events={1: None, 2: None})
    with pytest.raises(FlarecastError, match="expected event reports named like"):
        ingest(tmp_path)
    (tmp_path / "2012_SRS.tar.gz").write_bytes(gzip.compress(b"x" * 9999)[:-9])
    with pytest.raises(FlarecastError, match=r"2012_SRS.tar.gz: expected a whole tar.gz archive"):
        ingest(tmp_path)


@needs_data
def test_2008_to_2012_agree_with_the_region_days_of_others():
    began = time.process_time()
    windows = ingest(DATA / "noaa_text")
    assert time.process_time() - began < 20
    occurred = goes.occurred_table(windows, ("C1.0", "M1.0", "X1.0"))
    ours = pd.DataFrame(occurred, columns=["C", "M", "X"]).assign(
        time=pd.to_datetime(windows["issue_time"].values, unit="s"),
        region=[int(r) for r in windows["noaa_regions"].values],
    )
    ours = ours[ours["time"].dt.year.between(2008, 2012)]
    theirs = pd.read_csv(DATA / "ar_days/AR_flare_ml_23_24_evol.csv")
    theirs["time"] = pd.to_datetime(theirs["AR issue_date"]).dt.floor("D").astype(ours["time"].dtype)
    theirs = theirs[theirs["time"].dt.year >= 2008].rename(columns={"noaa_ar": "region"})
    both = ours.merge(theirs, on=["time", "region"], how="outer", indicator=True, suffixes=("", "_count"))
    assert both["_merge"].value_counts().to_dict() == {"both": 4497, "right_only": 5, "left_only": 3}
    only_theirs = both[both["_merge"] == "right_only"]
    assert set(only_theirs["time"].astype(str).str[:10]) == {"2012-01-01"}, (
        "no summary of that day in the archive"
    )
    only_ours = both[both["_merge"] == "left_only"]
    assert only_ours["region"].tolist() == [11260, 11430, 11460], "lines that lack a value"
    shared = both[both["_merge"] == "both"]
    for letter in "MX":
        assert ((shared[letter] == 1) == (shared[f"{letter}+"] > 0)).all()
    assert ((shared["C"] == 1) != (shared["C+"] > 0)).sum() == 13, "flares that peak after midnight"


@needs_data
def test_real_windows_have_one_row_a_region_and_day_in_section_1():
    windows = ingest(DATA / "noaa_text")
    pairs = list(zip(windows["region"].values, windows["issue_time"].values, strict=True))
    assert len(pairs) == len(set(pairs)) == 6644
    assert windows.attrs["n_unknown"] < 25
    assert np.isnan(gather(windows, slice(None), ["area"])[:, -1]).sum() == 0
    assert "1998: 52.7 % of 1,302 C+, 45.9 % of 109 M+" in windows.attrs["unassigned_by_year"]
