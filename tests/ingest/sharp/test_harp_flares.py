"""Which flares are a HARP's, by the NOAA numbers that it lists."""

from pathlib import Path

import numpy as np
import pytest
from sharp_records import QUIET, ingest, put, record, two_days, window_at, write_flares

from flarecast import goes
from flarecast.cycles import iso, seconds
from flarecast.errors import FlarecastError
from flarecast.ingest.sharps.harp_map import parse_map

DATA = Path(__file__).parents[3] / "../shared/data"
needs_data = pytest.mark.skipif(not (DATA / "sharp_blocks").is_dir(), reason="../shared/data is not there")


def test_a_flare_belongs_to_the_harp_that_lists_its_noaa_number(raw):
    records = two_days() + two_days(harp=380, noaa="11159,11160")
    put(raw, records, ("2011-02-15T01:56Z", "X2.2", 1158), ("2011-02-14T20:00Z", "M1.1", 11_160))
    windows = ingest(raw)
    own, other = window_at(windows, "2011-02-14T02:00"), window_at(windows, "2011-02-14T02:00", "HARP 380")
    assert own["peak_flux"] == own["peak_flux_upper"] == pytest.approx(2.2e-4)
    assert iso(own["flare_peak"]) == "2011-02-15T01:56:00Z"
    assert other["peak_flux"] == pytest.approx(1.1e-5)
    early = window_at(windows, "2011-02-14T01:00")
    assert early["peak_flux"] == 0
    assert early["peak_flux_upper"] == pytest.approx(9.9e-7)
    assert set(windows["noaa_regions"].values) == {"11158", "11159,11160"}


def test_of_two_harps_seen_at_once_with_one_number_the_larger_has_the_flare_and_the_other_may(raw):
    records = two_days() + two_days(harp=380, noaa="11158")
    put(raw, records, ("2011-02-15T01:56Z", "X2.2", 11_158))
    windows = ingest(raw)
    larger, smaller = (window_at(windows, "2011-02-14T12:00", f"HARP {harp}") for harp in (380, 377))
    assert larger["peak_flux"] == larger["peak_flux_upper"] == pytest.approx(2.2e-4)
    assert smaller["peak_flux"] == 0
    assert smaller["peak_flux_upper"] == pytest.approx(2.2e-4)
    assert windows.attrs["n_noaa_of_several_harps"] == 1
    assert windows.attrs["n_doubtful"] == 23, "issued from 02:00 of the day before to 00:00"
    events = goes.events(windows, "M1.0")
    assert not (events[windows["region"].values == "HARP 377"] == 1).any()


def test_harps_that_follow_each_other_with_one_number_both_have_its_flares(raw):
    records = [record(number) for number in range(100)]
    records += [record(number, harp=380) for number in range(110, 240)]
    put(raw, records, ("2011-02-14T08:00Z", "M2.0", 11_158))
    windows = ingest(raw, n_steps=30)
    for region in ("HARP 377", "HARP 380"):
        own = windows["region"].values == region
        assert (goes.events(windows, "M1.0")[own] == 1).any()
    assert windows.attrs["n_doubtful"] == 0


def test_a_harp_without_noaa_number_is_quiet_and_counted_and_nameless_flares_are_unassigned(raw):
    put(raw, two_days(noaa="MISSING"), ("2011-02-14T20:00Z", "M3.0", 0))
    windows = ingest(raw)
    assert windows.attrs["n_harps_without_noaa"] == 1
    assert set(windows["noaa_regions"].values) == {""}
    one = window_at(windows, "2011-02-14T12:00")
    assert one["peak_flux_upper"] < 1e-6
    assert one["unassigned_peak_flux"] == pytest.approx(3e-5)
    assert (goes.events(windows, "M1.0", "mask") == -1).any()


def test_jsocs_list_gives_numbers_that_the_records_lack(raw):
    put(raw, two_days(noaa="MISSING"), ("2011-02-14T20:00Z", "M3.0", 11_158))
    (raw / "all_harps_with_noaa_ars.txt").write_text("HARPNUM NOAA_ARS\n377 11158,11159\n")
    windows = ingest(raw)
    assert set(windows["noaa_regions"].values) == {"11158,11159"}
    assert (goes.events(windows, "M1.0") == 1).any()


def test_a_number_that_no_region_has_then_is_left_out_and_counted(raw):
    put(raw, two_days(noaa="11158,98765"))
    windows = ingest(raw)
    assert set(windows["noaa_regions"].values) == {"11158"}
    assert windows.attrs["n_odd_noaa_numbers"] > 0


def test_without_flares_and_beyond_the_record_outcomes_are_unknown(raw):
    put(raw, two_days())
    assert np.isinf(ingest(raw)["peak_flux_upper"].values).all()
    write_flares(raw / "flares.csv", QUIET, ("2011-02-14T20:00Z", "M3.0", 11_158))
    windows = ingest(raw)
    beyond = windows["valid_to"].values > seconds("2011-02-15")
    assert np.isinf(windows["peak_flux_upper"].values[beyond]).all()
    assert np.isfinite(windows["peak_flux_upper"].values[~beyond]).all()
    assert windows.attrs["n_unknown"] == beyond.sum() > 0


def test_event_reports_go_before_lists_and_named_lists_before_both(raw):
    put(raw, two_days(), ("2011-02-14T20:00Z", "M3.0", 11_158))
    line = "2160 +     2000   2005      ////  G15  5   XRA  1-8A      X1.0    1.5E-03   1158"
    for day in range(13, 17):
        (raw / f"201102{day}events.txt").write_text(f":Date: 2011 02 {day}\n" + line * (day == 14))
    by_reports, by_list = ingest(raw), ingest(raw, flare_lists=("flares.csv",))
    assert window_at(by_reports, "2011-02-14T12:00")["peak_flux"] == pytest.approx(1e-4)
    assert window_at(by_list, "2011-02-14T12:00")["peak_flux"] == pytest.approx(3e-5)
    assert (by_reports.attrs["flare_source"], by_list.attrs["flare_source"]) == (
        "event reports",
        "flare lists",
    )
    with pytest.raises(FlarecastError, match="expected a flare list, found none"):
        ingest(raw, flare_lists=("absent.csv",))


def test_the_list_of_harps_is_read_with_several_numbers_and_anything_else_refused():
    assert parse_map("HARPNUM NOAA_ARS\n1 11067\n49 11076,11080\n\n", "x") == {1: [11067], 49: [11076, 11080]}
    with pytest.raises(FlarecastError, match="x line 2: expected a HARP and its NOAA numbers"):
        parse_map("HARPNUM NOAA_ARS\n<html>\n", "x")


@needs_data
def test_lines_of_swan_sf_as_records_get_the_flare_of_their_file_names(raw):
    """HARP 1449 is NOAA 11429; its X5.4 peaked on 2012-03-07 at 00:24 by NOAA's event reports."""
    import csv
    import shutil

    lines = {}
    for path in sorted((DATA / "swan_sf/official_instances/FL").glob("X5.4*ar1449*.csv")):
        with path.open() as file:
            lines |= {line["Timestamp"]: line for line in csv.DictReader(file, delimiter="\t")}
    names = ("TOTUSJH", "USFLUX", "R_VALUE", "QUALITY")
    rows = [",".join(["T_REC", "HARPNUM", *names])]
    rows += [
        ",".join([time, "1449", *(line[name] for name in names)]) for time, line in sorted(lines.items())
    ]
    raw.mkdir()
    (raw / "harp1449.csv").write_text("\n".join(rows) + "\n")
    shutil.copy(DATA / "catalogues/harp_to_noaa.csv", raw)
    shutil.copy(DATA / "noaa_text/2012_events.tar.gz", raw)
    windows = ingest(raw)
    assert set(windows["noaa_regions"].values) == {"11429,11430"}
    issue = windows["issue_time"].values
    before = (issue > seconds("2012-03-06T00:24")) & (issue < seconds("2012-03-07T00:24"))
    assert (windows["peak_flux"].values[before] == windows["peak_flux_upper"].values[before]).all()
    assert windows["peak_flux"].values[before] == pytest.approx(5.4e-4)
    assert {iso(one)[:16] for one in windows["flare_peak"].values[before]} == {"2012-03-07T00:24"}
    assert before.sum() == 23, "hourly, while the last line is at most 12 minutes old"
