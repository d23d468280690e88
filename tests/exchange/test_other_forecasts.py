"""Other people's forecasts: SWPC's JSON, the Met Office's verification files, the CCMC Scoreboard's CSV."""

import json
from pathlib import Path

import numpy as np
import pytest

from flarecast import schema
from flarecast.chain import run_read_forecasts
from flarecast.cycles import seconds
from flarecast.errors import FlarecastError
from flarecast.exchange import READERS, open_forecasts
from flarecast.exchange.forecast_csv import day_ahead
from flarecast.exchange.moswoc import read_moswoc
from flarecast.exchange.scoreboard import read_scoreboard
from flarecast.exchange.swpc_json import read_swpc_json
from flarecast.exchange.swpc_rsga import read_swpc_rsga
from flarecast.flares import read_flares

DATA = Path(__file__).parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(not (DATA / "operational").is_dir(), reason="../shared/data is not there")
DAY = 86_400


def region(number=4252, date="2025-10-24", **fields):
    """A row of solar_regions.json, on the day that its Carrington longitude says."""
    record = {
        "observed_date": date,
        "region": number,
        "longitude": 20,
        "carrington_longitude": None,
        "location": "S13E20",
        "status": "f",
        "c_flare_probability": 35,
        "m_flare_probability": 10,
        "x_flare_probability": 1,
        "first_date": "2025-10-12T07:06:03",
    }
    return record | fields


def disk(date="2025-10-24T00:00:00", **fields):
    names = [f"{letter}_class_{ahead}_day" for letter in "cmx" for ahead in (1, 2, 3)]
    return {"date": date, **dict(zip(names, (99, 95, 90, 30, 20, 10, 5, 4, 3), strict=True)), **fields}


def served(folder, regions=None, probabilities=None):
    for name, rows in (("solar_regions.json", regions), ("solar_probabilities.json", probabilities)):
        if rows is not None:
            (folder / name).write_text(json.dumps(rows))
    return folder


def values(forecasts, region, start):
    """Probabilities by day ahead of a region and span."""
    chosen = (forecasts["region"].values == region) & (forecasts["valid_from"].values == seconds(start))
    ahead = day_ahead(forecasts["issue_time"].values[chosen], forecasts["valid_from"].values[chosen])
    return dict(zip(ahead.tolist(), forecasts["probability"].values[chosen].tolist(), strict=True))


# --- SWPC JSON


def test_swpc_json_gives_the_disk_three_days_and_regions_the_next_one(tmp_path):
    forecasts = read_swpc_json(served(tmp_path, [region()], [disk()]))
    schema.check(forecasts, schema.FORECASTS)
    assert forecasts["event"].values.tolist() == ["C1.0", "M1.0", "X1.0"]
    assert values(forecasts, "NOAA 14252", "2025-10-25") == {1: [0.35, 0.1, 0.01]}
    assert values(forecasts, "disk", "2025-10-25") == {1: [0.99, 0.3, 0.05]}
    assert values(forecasts, "disk", "2025-10-26") == {2: [0.95, 0.2, 0.04]}
    assert values(forecasts, "disk", "2025-10-27") == {3: [0.9, 0.1, 0.03]}
    assert set(forecasts["issue_time"].values) == {seconds("2025-10-24T22:00")}


def test_a_null_is_no_forecast_and_what_is_no_percentage_is_counted(tmp_path):
    rows = [
        region(x_flare_probability=None, m_flare_probability="many"),
        region(4253, c_flare_probability=101),
    ]
    forecasts = read_swpc_json(served(tmp_path, rows))
    np.testing.assert_equal(values(forecasts, "NOAA 14252", "2025-10-25")[1], [0.35, np.nan, np.nan])
    np.testing.assert_equal(values(forecasts, "NOAA 14253", "2025-10-25")[1], [np.nan, 0.1, 0.01])
    assert forecasts.attrs["skipped"] == "no percentage 2"


def test_regions_behind_the_limb_two_of_one_number_and_impossible_numbers_are_left_out_and_counted(tmp_path):
    rows = [
        region(),
        region(location="N05W11", longitude=-11),
        region(4250, status="d"),
        region(2417, first_date="2015-09-12T06:25:30"),
        region(9999),
        region(None),
        region(4251.5),
        region(4253, date="2025-13-01"),
        region(4254, date=None),
    ]
    forecasts = read_swpc_json(served(tmp_path, rows))
    assert forecasts["region"].values.tolist() == ["NOAA 14252"]
    assert forecasts.attrs["n_departed"] == 1
    assert forecasts.attrs["skipped"] == (
        "no day 2, no number of a region of that time 4, region named twice in a day 1"
    )


def test_a_date_wrong_by_a_year_is_caught_by_the_carrington_longitude(tmp_path):
    right = region(2792, "2020-12-16", longitude=12, carrington_longitude=106, first_date=None)
    late = right | {"region": 2793, "observed_date": "2021-12-16"}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert read_swpc_json(served(tmp_path / "a", [right])).sizes["window"] == 1
    with pytest.raises(FlarecastError, match=r"record 0: expected a Carrington longitude of that day"):
        read_swpc_json(served(tmp_path / "b", [late]))


def test_of_two_files_with_one_day_that_which_goes_on_longest_counts(tmp_path):
    (tmp_path / "z_old").mkdir()
    served(tmp_path / "z_old", [region(m_flare_probability=50)])
    served(tmp_path, [region(m_flare_probability=20), region(date="2025-10-25")])
    forecasts = read_swpc_json(tmp_path)
    assert values(forecasts, "NOAA 14252", "2025-10-25")[1][1] == 0.2


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("solar_regions.json", "[]", "expected probabilities, got empty lists"),
        ("solar_regions.json", "<html>", "got a web page"),
        ("solar_probabilities.json", '[{"date": "2025-10-2', "got half of it"),
        ("solar_probabilities.json", '[{"date": null, "m_class_1_day": 1}]', "expected a date like"),
        ("solar_probabilities.json", '{"date": 1}', "expected a list of records"),
        ("other.json", "[]", "expected files named like solar_probabilities.json"),
    ],
)
def test_bad_swpc_json_is_one_sentence(tmp_path, name, content, sentence):
    (tmp_path / name).write_text(content)
    with pytest.raises(FlarecastError, match=sentence):
        read_swpc_json(tmp_path)


def test_a_folder_that_is_not_there_is_refused_by_every_reader(tmp_path):
    for name in READERS:
        with pytest.raises(FlarecastError, match="found none"):
            run_read_forecasts(name, tmp_path / "none", tmp_path / "out.nc")


@needs_data
def test_swpc_json_of_2020_and_2025_is_read_whole():
    forecasts = read_swpc_json(DATA / "swpc_json")
    schema.check(forecasts, schema.FORECASTS)
    disk = forecasts["region"].values == "disk"
    assert disk.sum() == 29 * 3
    assert forecasts.attrs["n_records"] == 29 + 132 + 373
    # 2720 of 2018 in seven rows of 2020, 2417 of 2015 in two of 2025: numbers that others had
    assert forecasts.attrs["skipped"] == "no number of a region of that time 9"
    assert forecasts.attrs["n_departed"] == 45 - 2
    assert values(forecasts, "disk", "2025-10-18")[1] == [0.99, 0.65, 0.15]


@needs_data
def test_disk_probabilities_stand_nearest_to_those_of_the_regions_of_the_same_date():
    forecasts = read_swpc_json(DATA / "swpc_json")
    ahead = day_ahead(forecasts["issue_time"].values, forecasts["valid_from"].values)
    start, m = forecasts["valid_from"].values, forecasts["probability"].values[:, 1]
    on_disk = (forecasts["region"].values == "disk") & (ahead == 1)
    differences = {}
    for lag in (-1, 0, 1):
        joint = {
            time: 1 - np.prod(1 - m[(start == time) & (forecasts["region"].values != "disk")])
            for time in start[on_disk].tolist()
        }
        pairs = [
            (p, joint[time + lag * DAY])
            for time, p in zip(start[on_disk].tolist(), m[on_disk].tolist(), strict=True)
            if time + lag * DAY in joint
        ]
        differences[lag] = np.sqrt(np.mean([(p - q) ** 2 for p, q in pairs]))
    assert min(differences, key=differences.get) == 0


# --- Met Office


def moswoc(folder, *lines, name="SWPC_fcast.txt", flares=None):
    (folder / name).write_text("\n".join(lines) + "\n")
    if flares is not None:
        (folder / "MX_list.txt").write_text("\n".join(flares) + "\n")
    return folder


def test_moswoc_days_begin_at_the_issue_time_and_flares_beside_them_say_what_occurred(tmp_path):
    folder = moswoc(
        tmp_path,
        "2014 01 01 00 00 60 50 40 15 10 05",
        "2014 01 02 00 00 70 70 70 30 30 30",
        flares=["2014 01 01 1840 1852 1903 M9.9 1936", "2014 01 03 2350 0005 0010 X1.2 NaN"],
    )
    forecasts = read_moswoc(folder)
    schema.check(forecasts, schema.FORECASTS)
    assert values(forecasts, "disk", "2014-01-02") == {1: [0.7, 0.3], 2: [0.5, 0.1]}
    by_start = dict(
        zip(forecasts["valid_from"].values.tolist(), forecasts["occurred"].values.tolist(), strict=True)
    )
    assert by_start == {
        seconds("2014-01-01"): [1, 0],
        seconds("2014-01-02"): [0, 0],
        seconds("2014-01-03"): [0, 0],  # the X flare begins on the 3rd and peaks on the 4th
        seconds("2014-01-04"): [1, 1],
    }


def test_moswoc_outcomes_are_unknown_without_a_list_and_long_after_its_end(tmp_path):
    lines = ("2014 01 01 00 00 60 50 40 15 10 05", "2015 01 01 00 00 60 50 40 15 10 05")
    assert (read_moswoc(moswoc(tmp_path, *lines))["occurred"].values == -1).all()
    forecasts = read_moswoc(moswoc(tmp_path, *lines, flares=["2014 01 01 1840 1852 1903 M9.9 1936"]))
    assert forecasts["occurred"].values[:, 0].tolist() == [1, 0, 0, -1, -1, -1]


def test_the_met_offices_own_forecasts_are_of_four_days(tmp_path):
    folder = moswoc(tmp_path, "2014 01 01 13 42 60 60 60 60 20 20 20 nan", name="IFF_fcast.txt")
    forecasts = read_moswoc(folder, method="IFF")
    assert forecasts.attrs["forecast_name"] == "iff"
    assert values(forecasts, "disk", "2014-01-04T13:42")[4][0] == 0.6
    assert np.isnan(values(forecasts, "disk", "2014-01-04T13:42")[4][1])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2014 01 02 00 00 70 70 70 30 30", "six or eight percentages"),
        ("2014 02 30 00 00 70 70 70 30 30 30", "date and time"),
        ("2014 01 02 25 00 70 70 70 30 30 30", "date and time"),
        ("2014 01 02 00 00 70 70 170 30 30 30", "percentages from 0 to 100"),
        ("2014 01 02 00 00 70 70 7x 30 30 30", "percentages from 0 to 100"),
        ("<html><body>404</body></html>", "six or eight percentages"),
    ],
)
def test_a_bad_line_is_counted_and_a_file_of_them_is_refused(tmp_path, line, reason):
    good = "2014 01 01 00 00 60 60 60 15 15 15"
    forecasts = read_moswoc(moswoc(tmp_path, good, line))
    assert forecasts.sizes["window"] == 3
    assert forecasts.attrs["n_skipped"] == 1
    assert reason in forecasts.attrs["skipped"]
    with pytest.raises(FlarecastError, match=rf"line 1: .*{reason}.*; 1 of 1 lines are bad"):
        read_moswoc(moswoc(tmp_path, line))


def test_moswoc_knows_its_methods_only(tmp_path):
    with pytest.raises(FlarecastError, match="a method among SWPC, IFF, got 'SRS'"):
        read_moswoc(tmp_path, method="SRS")
    with pytest.raises(FlarecastError, match=r"expected a file IFF_fcast.txt"):
        read_moswoc(moswoc(tmp_path, "2014 01 01 00 00 60 60 60 15 15 15"), method="IFF")


@needs_data
def test_moswoc_numbers_are_those_published():
    """Published scores count a flare on the day it begins; ours, by its peak, have one M flare day more."""
    forecasts = read_moswoc(DATA / "operational/moswoc")
    ahead = day_ahead(forecasts["issue_time"].values, forecasts["valid_from"].values)
    flares = read_flares([DATA / "operational/moswoc/MX_list.txt"])
    start = np.sort(flares["start"].to_numpy())
    edges = np.searchsorted(start, [forecasts["valid_from"].values, forecasts["valid_to"].values])
    begun = edges[1] > edges[0]
    published = {1: (191, 0.1366, 0.168), 2: (191, 0.1452, 0.116), 3: (190, 0.1524, 0.068)}
    for day, expected in published.items():
        rows = ahead == day
        probability = forecasts["probability"].values[rows, 0]
        score = np.mean((probability - begun[rows]) ** 2)
        rate = begun[rows].mean()
        assert rows.sum() == 923
        assert (
            int(begun[rows].sum()),
            round(score, 4),
            round(1 - score / (rate * (1 - rate)), 3),
        ) == expected
    first = ahead == 1
    occurred, probability = forecasts["occurred"].values[first], forecasts["probability"].values[first]
    assert (occurred == 1).sum(axis=0).tolist() == [192, 17]
    score, rate = np.mean((probability[:, 1] - (occurred[:, 1] == 1)) ** 2), 17 / 923
    assert (round(score, 4), round(1 - score / (rate * (1 - rate)), 3)) == (0.0220, -0.217)


@needs_data
def test_moswocs_swpc_forecasts_are_those_of_the_daily_reports():
    ours, theirs = read_swpc_rsga(DATA / "noaa_daily/RSGA"), read_moswoc(DATA / "operational/moswoc")
    known = {
        (start, int(ahead)): p
        for start, ahead, p in zip(
            ours["valid_from"].values.tolist(),
            day_ahead(ours["issue_time"].values, ours["valid_from"].values),
            ours["probability"].values.tolist(),
            strict=True,
        )
    }
    ahead = day_ahead(theirs["issue_time"].values, theirs["valid_from"].values)
    same = [
        known[start, int(day)] == p
        for start, day, p in zip(
            theirs["valid_from"].values.tolist(), ahead, theirs["probability"].values.tolist(), strict=True
        )
        if (start, int(day)) in known
    ]
    assert len(same) == 2749
    assert np.mean(same) > 0.93


# --- Scoreboard

HEADER = (
    "id,noaaID,lat,lon,hasNOAAMeta,model,prediction_window_start,prediction_window_end,issue_time,"
    "CPlus,MPlus,C,M,X"
)


def line(number="13180", model="A", start="2023/1/1 0:00", end="2023/1/2 0:00", tail=".3,.2,,,.1"):
    return f"x,{number},19,-56.0,True,{model},{start},{end},2022/12/31 22:00,{tail}"


def scoreboard(folder, *lines, header=HEADER):
    (folder / "board.csv").write_text("\n".join([header, *lines]) + "\n")
    return folder


def test_the_scoreboards_plus_classes_are_events_and_bare_ones_are_not(tmp_path):
    forecasts = read_scoreboard(scoreboard(tmp_path, line(), line("13181", tail=",0.21,0.55,0.2,0.01")))
    schema.check(forecasts, schema.FORECASTS)
    assert values(forecasts, "NOAA 13180", "2023-01-01") == {1: [0.3, 0.2, 0.1]}
    np.testing.assert_equal(values(forecasts, "NOAA 13181", "2023-01-01"), {1: [np.nan, 0.21, 0.01]})
    assert forecasts.attrs["forecast_name"] == "A"


def test_values_above_one_are_left_out_and_counted_and_minus_one_is_no_forecast(tmp_path):
    folder = scoreboard(tmp_path, line(tail="-1,1.203,,,0.9"), line("13181", tail=",-0.5,,,0.2"))
    forecasts = read_scoreboard(folder)
    assert forecasts["event"].values.tolist() == ["X1.0"]
    assert (forecasts.attrs["n_above_one"], forecasts.attrs["n_below_zero"]) == (1, 1)


def test_one_method_has_to_be_named_where_there_are_several(tmp_path):
    folder = scoreboard(tmp_path, line(), line(model="B", tail=",.4,,,.1"))
    with pytest.raises(FlarecastError, match=r"one method among A, B, got none named; name it with --method"):
        read_scoreboard(folder)
    assert read_scoreboard(folder, method="B")["probability"].values[0, 0] == 0.4


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (line(number="999"), "no region"),
        (line(number="none"), "no region"),
        (line(start="2023-13-01"), "no valid span"),
        (line(end="2023/1/1 0:00"), "no valid span"),
        (line(tail=".3,many,,,.1"), "no number"),
        ("x,13182", "no region"),
    ],
)
def test_a_bad_line_of_the_scoreboard_is_counted_or_refused_where_it_is_the_only_one(tmp_path, bad, reason):
    if "A" in bad.split(","):
        assert read_scoreboard(scoreboard(tmp_path, line(), bad)).attrs["skipped"] == f"{reason} 1"
        with pytest.raises(FlarecastError, match=rf"line 2: {reason} in"):
            read_scoreboard(scoreboard(tmp_path, bad))
    else:
        assert read_scoreboard(scoreboard(tmp_path, line(), bad)).sizes["window"] == 1


def test_another_csv_is_no_scoreboard(tmp_path):
    folder = scoreboard(tmp_path, "1,2", header="a,b")
    with pytest.raises(FlarecastError, match=r"expected a CSV with the columns noaaID, model"):
        read_scoreboard(folder)
    with pytest.raises(FlarecastError, match=r"without noaaID, model"):
        read_scoreboard(folder / "board.csv")


@needs_data
@pytest.mark.parametrize(
    ("method", "n", "events", "above_one"),
    [
        ("AMOS_v1", 354, ["C1.0", "M1.0", "X1.0"], 0),
        ("ASAP_1", 236, ["M1.0", "X1.0"], 3),
        ("MAG4_LOS_FEr", 348, ["M1.0", "X1.0"], 0),
        ("MAG4_LOS_r", 348, ["M1.0", "X1.0"], 0),
        ("NOAA_1", 362, ["M1.0", "X1.0"], 0),
    ],
)
def test_the_scoreboards_forecasts_of_2023_are_read_whole(method, n, events, above_one):
    forecasts = read_scoreboard(DATA / "operational/ccmc", method=method)
    assert forecasts.sizes["window"] == n
    assert forecasts["event"].values.tolist() == events
    assert forecasts.attrs["n_above_one"] == above_one
    assert forecasts.attrs["n_skipped"] == 0


def test_every_reader_writes_csv_too_which_comes_back_the_same(tmp_path):
    folder = scoreboard(tmp_path, line(), line("13181"))
    first = run_read_forecasts("scoreboard", folder, tmp_path / "f.csv", {"method": "A"})
    again = open_forecasts(tmp_path / "f.csv")
    for name in ("probability", "issue_time", "valid_from", "valid_to", "region"):
        np.testing.assert_array_equal(first[name].values, again[name].values)


def test_a_reader_without_methods_refuses_one(tmp_path):
    with pytest.raises(
        FlarecastError, match="read-forecasts swpc-json: unknown key method; known here: none"
    ):
        run_read_forecasts("swpc-json", tmp_path, tmp_path / "f.nc", {"method": "A"})
