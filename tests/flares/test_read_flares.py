"""Flare lists of every layout as one table: times, classes, regions, scales, and what is the same flare."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from flarecast import goes
from flarecast.cli import main
from flarecast.cycles import iso, seconds
from flarecast.errors import FlarecastError
from flarecast.flares import COLUMNS, read_flares, write_flares
from flarecast.schema import NO_TIME

DATA = Path(__file__).parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(not (DATA / "catalogues").is_dir(), reason="../shared/data is not there")

CLEAR = ",start_time,peak_time,end_time,label,noaa_ar,obs,cls"
HEK = "event_starttime,event_peaktime,event_endtime,fl_goescls,ar_noaanum"
SOLARFLARENET = "Flare Class,Start Time,Peak Time,End Time,Active Region Number"

LISTS = {
    "clear.csv": f"{CLEAR}\n0,2012-03-07 00:02:00,2012/03/07 00:24,2012-03-07 00:40:00,X5.4,11429,G15,X\n",
    "hek.csv": f"{HEK}\n2012-03-07T00:02:00,2012-03-07T00:24:00,2012-03-07T00:40:00,X5.4,11429.0\n",
    "net.csv": f"{SOLARFLARENET}\nX5.4,2012-03-07T00:02Z,2012-03-07T00:24Z,2012-03-07T00:40Z,1429\n",
    "latest.csv": "EventID,EName,Start,Stop,Peak,GOES_Class,Derived_Position,NOAA_ID,Start_day\n"
    "20120307,gev_1,2012/03/07 00:02:00,00:40:00,00:24:00,X5.4,N18E31,N18E31 ( 1429 ),20120307\n",
    "swpc.csv": "date,event_no,start_time,max_time,end_time,goes_sat,goes_class,noaa_ar\n"
    "20120307,1,2012-03-07 00:02:00,0024,2012-03-07 00:40:00,G15,X5.4,1429\n",
    "mx.txt": "2012 03 07 0002 0024 0040 X5.4 1429\n",
    "20120307events.txt": ":Date: 2012 03 07\n#                Edited Events for 2012 Mar 07\n"
    "10   +    B0002   0024     A0040  G15  5   XRA  1-8A      X5.4    2.8E-01   1429\n",
}


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def hek(folder, *lines, name="hek.csv"):
    return written(folder, name, "\n".join([HEK, *lines, ""]))


def classes(table):
    return [goes.format_class(flux) for flux in table["flux"]]


@pytest.mark.parametrize("name", LISTS)
def test_every_layout_gives_the_same_flare(tmp_path, name):
    table = read_flares([written(tmp_path, name, LISTS[name])])
    assert tuple(table.columns) == COLUMNS
    (flare,) = table.to_dict("records")
    assert [iso(flare[when])[11:16] for when in ("start", "peak", "end")] == ["00:02", "00:24", "00:40"]
    assert flare["flux"] == flare["flux_upper"] == 5.4e-4
    assert (flare["region"], flare["flux_scale"], flare["source"]) == (11429, "operational", name)


def test_all_layouts_together_give_one_flare_with_the_first_files_name(tmp_path):
    table = read_flares([written(tmp_path, name, text) for name, text in LISTS.items()])
    assert table["source"].tolist() == ["clear.csv"]
    assert table.attrs["n_duplicates"] == len(LISTS) - 1


def test_a_flare_level_tells_class_and_multiple_also_beyond_x10(tmp_path):
    text = "NOAA_AR,Flare Start Time,Flare Level,HARPNUM\n"
    text += "".join(
        f"12673,2017-09-0{day} 11:53:00,{level},7115\n"
        for day, level in enumerate((9.6, 14.1, 23.1, 37.2, 49.3, 52.0), 1)
    )
    table = read_flares([written(tmp_path, "records.csv", text)])
    assert classes(table) == ["A9.6", "B4.1", "C3.1", "M7.2", "X9.3", "X12.0"]
    assert (table["peak"] == NO_TIME).all()


def test_a_sharp_record_is_as_many_hours_before_the_peak_as_the_file_name_says(tmp_path):
    text = "NOAA_ar_num,T_REC,log_intensity,category\n11429,1330992000.0,-3.2676062401770314,X\n"
    for hours in (12, 24):
        table = read_flares([written(tmp_path, f"arflares{hours}h.csv", text)])
        assert table["peak"].tolist() == [1330992000 + hours * 3600]
        assert classes(table) == ["X5.4"]


@pytest.mark.parametrize(
    ("text", "flux"), [("X10", 1e-3), ("X28.", 2.8e-3), ("X17.2", 1.72e-3), ("M1", 1e-5), ("C9.99", 9.99e-6)]
)
def test_classes_are_numbers_also_at_x10_and_above(tmp_path, text, flux):
    table = read_flares([hek(tmp_path, f"2003-11-04T19:29,2003-11-04T19:50,2003-11-04T20:06,{text},10486")])
    assert table["flux"].tolist() == [flux]


def test_a_bare_letter_is_known_to_its_bin_only(tmp_path):
    table = read_flares([hek(tmp_path, "1999-12-21T02:36,1999-12-21T02:55,1999-12-21T03:00,C,8807")])
    assert table[["flux", "flux_upper"]].to_numpy().tolist() == [[1e-6, 9.9e-6]]


@pytest.mark.parametrize(
    ("when", "printed", "region"),
    [
        ("2012-03-07", "1429", 11429),
        ("2012-03-07", "11429", 11429),
        ("1997-05-21", "8040", 8040),
        ("1997-05-21", "18040", 8040),
        ("2002-06-14", "9998", 9998),
        ("2002-06-23", "0005", 10005),
        ("2002-06-23", "5", 10005),
        ("2025-10-24", "4250", 14250),
        ("2012-03-07", "0", 0),
        ("2012-03-07", "None", 0),
        ("2012-03-07", "N18E31", 0),
        ("2012-03-07", "N18E31 ( 1429 + 1430 )", 0),
        ("2012-03-07", "7429", 0),
        ("1999-09-14", "7", 0),
    ],
)
def test_regions_get_five_digits_by_date_and_zero_where_unknown(tmp_path, when, printed, region):
    table = read_flares([hek(tmp_path, f"{when}T00:02,{when}T00:24,{when}T00:40,X5.4,{printed}")])
    assert table["region"].tolist() == [region]


def test_a_time_after_midnight_is_of_the_next_day_and_a_misprint_is_unknown(tmp_path):
    table = read_flares(
        [
            hek(
                tmp_path,
                "2012-03-07T23:50,2012-03-07T00:05,2012-03-07T00:20,C5.4,1429",
                "2012-03-05T21:50,2012-03-05T20:50,2012-03-05T22:20,C5.4,1429",
            )
        ]
    )
    assert iso(table["peak"][1]) == "2012-03-08T00:05:00Z"
    assert iso(table["end"][1]) == "2012-03-08T00:20:00Z"
    assert table["peak"][0] == NO_TIME
    assert iso(table["end"][0]) == "2012-03-05T22:20:00Z"


def test_the_scale_is_by_satellite_and_else_by_date(tmp_path):
    lines = [
        "0,2019-08-18 18:00,2019-08-18 18:56,2019-08-18 19:10,C1.0,0,G15,C",
        "1,2019-12-01 18:00,2019-12-01 18:56,2019-12-01 19:10,C1.0,0,G16,C",
        "2,2019-12-08 18:00,2019-12-08 18:56,2019-12-08 19:10,C1.0,0,,C",
        "3,2019-12-09 18:00,2019-12-09 18:56,2019-12-09 19:10,C1.0,0,,C",
        "4,2020-01-09 18:00,2020-01-09 18:56,2020-01-09 19:10,C1.0,0,G15,C",
    ]
    path = written(tmp_path, "clear.csv", "\n".join([CLEAR, *lines]))
    expected = ["operational", "true", "operational", "true", "operational"]
    assert read_flares([path])["flux_scale"].tolist() == expected
    true = read_flares([path], convert_to="true")
    assert set(true["flux_scale"]) == {"true"}
    np.testing.assert_allclose(
        true["flux"], [1e-6 / 0.7 if name == "operational" else 1e-6 for name in expected]
    )
    named = read_flares([path], flux_scale="true", convert_to="operational")
    np.testing.assert_allclose(named["flux"], 0.7e-6)


def test_counts_by_class_can_not_be_rescaled_and_say_so(tmp_path):
    path = written(
        tmp_path, "days.csv", "AR issue_date,noaa_ar,C,M,X,C+,M+,X+\n0,1996-08-01,7981,0,0,0,0,0,0\n"
    )
    with pytest.raises(
        FlarecastError, match=r"counts flares by class, .* nor can they be brought to another scale"
    ):
        read_flares([path], convert_to="true")


def test_two_entries_are_one_flare_by_peak_class_and_start(tmp_path):
    first = hek(tmp_path, "2012-03-07T00:02,2012-03-07T00:24,2012-03-07T00:40,C5.4,0", name="a.csv")
    others = {
        "same, two minutes later, 10 % larger": ("2012-03-07T00:05,2012-03-07T00:26,,C5.9,1429", 1),
        "another peak": ("2012-03-07T00:02,2012-03-07T00:27,,C5.4,1429", 2),
        "another class": ("2012-03-07T00:02,2012-03-07T00:24,,C8.0,1429", 2),
        "another start": ("2012-03-06T23:40,2012-03-07T00:24,,C5.4,1429", 2),
        "no peak, same start": ("2012-03-07T00:02,,,C5.4,1429", 1),
        "no peak, another start": ("2012-03-07T00:06,,,C5.4,1429", 2),
    }
    for line, n_flares in others.values():
        table = read_flares([first, hek(tmp_path, line, name="b.csv")])
        assert len(table) == n_flares, line
        if n_flares == 1:
            assert table[["source", "region"]].to_numpy().tolist() == [["a.csv", 11429]]


def test_the_last_line_of_a_file_counts_and_conflicting_regions_are_counted(tmp_path):
    lines = [f"2022-02-06T01:15,2022-02-06T01:24,2022-02-06T01:32,C1.4,{region}" for region in (12938, 12936)]
    table = read_flares([hek(tmp_path, *lines)])
    assert table["region"].tolist() == [12936]
    assert (table.attrs["n_duplicates"], table.attrs["n_region_conflicts"]) == (1, 1)


def test_of_two_reports_of_a_day_the_one_created_last_counts(tmp_path):
    for name, created, cls in (("old", "2012 Mar 08 0332", "C1.0"), ("new", "2012 Mar 11 0332", "C2.0")):
        (tmp_path / name).mkdir()
        text = LISTS["20120307events.txt"].replace("X5.4", cls)
        written(tmp_path / name, "20120307events.txt", f":Created: {created} UT\n{text}")
    assert classes(read_flares([tmp_path])) == ["C2.0"]


def test_flares_csv_gives_the_same_table_again(tmp_path):
    lines = [
        "2003-11-04T19:29,2003-11-04T19:50,2003-11-04T20:06,X28.0,10486",
        "2003-11-05T19:29,,,X,0",
        "2003-11-06T19:29,2003-11-06T19:50,,C1.1,10486",
    ]
    table = read_flares([hek(tmp_path, *lines)], convert_to="true")
    write_flares(table, tmp_path / "flares.csv")
    again = read_flares([tmp_path / "flares.csv"])
    pd.testing.assert_frame_equal(again, table)
    assert read_flares([tmp_path / "flares.csv"], convert_to="operational")["flux"][0] == pytest.approx(
        2.8e-3
    )


def test_bad_lines_are_counted_and_too_many_are_an_error(tmp_path):
    good = "2012-03-07T00:02,2012-03-07T00:24,2012-03-07T00:40,X5.4,11429"
    path = hek(tmp_path, good, "2012-03-07T00:02,,", "?,?,?,C1.0,0", f"{good[:-10]}Q5.4,0", ",,,,11429")
    table = read_flares([path])
    assert table.attrs["n_skipped"] == 4
    assert table.attrs["skipped"] == "broken line 2, no class 1, no time 1"
    with pytest.raises(FlarecastError, match=r"hek.csv line 3: .* 3 of 5 lines are bad"):
        read_flares([path], max_bad_rows=2)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "got 'an empty file'"),
        ("a.csv", f"{HEK}\n".encode(), "got an empty list"),
        ("a.csv", b"a,b\n1,2\n", "expected the header of a flare list, got 'a,b'"),
        ("a.csv", b"PK\x00\x01", "line 1: expected text"),
        ("map.csv", b"DEF_HARPNUM,NOAA_ARS,NRT_HARPNUM\n1.0,11067,\n", "a map from HARP to NOAA"),
        ("2012_events.tar.gz", b"no gzip", "expected a whole tar.gz archive"),
        ("notes.events.txt", b"nothing", "expected a line like :Date:"),
    ],
)
def test_what_is_no_flare_list_is_told_in_a_sentence(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FlarecastError, match=message):
        read_flares([tmp_path / name])


def test_the_command_writes_flares_and_counts(tmp_path):
    path = written(
        tmp_path, "mx.txt", "2014 01 01 1840 1852 1903 M9.9 1936\n2016 02 15 1041 1100 1106 M1.1 NaN\n"
    )
    done = CliRunner().invoke(main, ["read-flares", str(path), "-o", str(tmp_path / "flares.csv")])
    assert done.exit_code == 0, done.output
    assert "2 flares, 1 without a region" in done.output
    lines = (tmp_path / "flares.csv").read_text().splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1].startswith(
        "2014-01-01T18:40:00Z,2014-01-01T18:52:00Z,2014-01-01T19:03:00Z,9.9e-05,9.9e-05,11936"
    )


@needs_data
@pytest.mark.parametrize(
    ("name", "n_lines", "n_flares", "n_x10"),
    [
        ("catalogues/flare_records.csv", 9512, 9507, 0),
        ("catalogues/ftp_20100101_20251115.csv", 17466, 17460, 0),
        ("catalogues/since_1986_c1_solarcycle_flares.csv", 39037, 37653, 16),
        ("catalogues/solar_events.csv", 43084, 43026, 6),
        ("sharp_flares/arflares12h.csv", 5328, 5327, 0),
        ("sharp_flares/arflares24h.csv", 5149, 5146, 0),
        ("operational/ar_daily/Eventdata.csv", 17254, 10781, 0),
        ("operational/moswoc/MX_list.txt", 356, 356, 0),
    ],
)
def test_real_lists_are_read_whole(name, n_lines, n_flares, n_x10):
    table = read_flares([DATA / name])
    assert table.attrs["n_lines"] == n_lines
    assert table.attrs["n_skipped"] <= 1
    assert len(table) == n_flares
    assert (table["flux"] >= 9.99e-4).sum() == n_x10
    known = table["region"] > 0
    assert table["region"][known].between(4700, 14000).all()


@needs_data
def test_event_reports_and_the_lists_made_of_them_agree():
    reports = read_flares([DATA / "noaa_text/2011_events.tar.gz", DATA / "noaa_text/2012_events.tar.gz"])
    both = read_flares(
        [
            DATA / "noaa_text/2011_events.tar.gz",
            DATA / "noaa_text/2012_events.tar.gz",
            DATA / "catalogues/solar_events.csv",
        ]
    )
    span = seconds("2011-01-02"), seconds("2012-12-30")
    only_listed = both[both["peak"].between(*span) & (both["source"] == "solar_events.csv")]
    in_reports = reports[reports["peak"].between(*span)]
    assert len(in_reports) > 4300
    assert len(only_listed) < 0.005 * len(in_reports)


def test_swpcs_json_is_a_flare_list_whose_running_flare_has_no_class_yet(tmp_path):
    text = """{"_cached_at": "2026-06-26T15:10:00", "data": [
    {"time_tag": "2026-06-26T12:23:00Z", "begin_time": "2026-06-26T12:23:00Z", "begin_class": "C1.6",
     "max_time": "2026-06-26T12:48:00Z", "max_class": "C5.7", "max_xrlong": 5.756725386163453e-06,
     "end_time": "2026-06-26T13:04:00Z", "end_class": "C3.6", "satellite": 18},
    {"begin_time": "2026-06-26T15:00:00Z", "max_time": null, "max_class": null, "end_time": null},
    {"begin_time": "2025-06-26T15:00:00Z", "max_time": "2025-06-26T15:02:00Z", "max_class": "M1.0"}, 7]}"""
    table = read_flares([written(tmp_path, "xray_flares.json", text)])
    (flare,) = table.to_dict("records")
    assert [iso(flare[when])[11:16] for when in ("start", "peak", "end")] == ["12:23", "12:48", "13:04"]
    assert (classes(table), flare["region"], flare["flux_scale"]) == (["C5.7"], 0, "true")
    assert table.attrs["skipped"] == "broken line 2, no class 1"
    assert "record 3: expected a record with named fields" in table.attrs["first_bad"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "expected flares, got an empty list"),
        ("<html>", "got a web page"),
        ('[{"begin_time": "2026-06-26T12:23:00Z", "max', "got half of it"),
        ('[{"observed_date": "2025-10-24", "region": 4252}]', "expected records with begin_time"),
    ],
)
def test_json_that_is_no_flare_list_is_told_in_a_sentence(tmp_path, content, message):
    with pytest.raises(FlarecastError, match=message):
        read_flares([written(tmp_path, "xray_flares.json", content)])
