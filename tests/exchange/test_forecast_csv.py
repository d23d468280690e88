"""Forecast CSV: round trip, which of several issues counts, and a sentence for every bad cell."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flarecast import cycles
from flarecast.errors import FlarecastError
from flarecast.exchange.forecast_csv import day_ahead, read_csv, write_csv
from flarecast.schema import FORECASTS, build

HEADER = "issue_time,valid_from,valid_to,region,event,probability,occurred"
DAY = 86_400


def table(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "swpc.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def row(issue="2012-03-06T22:00:00Z", day="2012-03-07", region="disk", event="M1.0", p="0.6", occurred="1"):
    following = cycles.iso(cycles.seconds(day) + DAY)
    return f"{issue},{day}T00:00:00Z,{following},{region},{event},{p},{occurred}"


def forecasts_of(n: int, seed: int = 0, **changes) -> xr.Dataset:
    """Nested forecasts of two events for regions with hourly issues."""
    rng = np.random.default_rng(seed)
    issue = cycles.seconds("2012-03-01") + 3600 * np.arange(n)
    high = rng.random(n)
    probability = np.stack([high, high * rng.random(n)], axis=1)
    probability[rng.random((n, 2)) < 0.2] = np.nan
    region = np.array([f"HARP {i}" for i in rng.integers(5, size=n)], dtype=object)
    arrays = {
        "event": ["M1.0", "X1.0"],
        "probability": probability,
        "occurred": rng.integers(-1, 2, (n, 2)),
        "issue_time": issue,
        "valid_from": issue,
        "valid_to": issue + DAY,
        "region": region,
        "cluster": region,
        "role": np.zeros(n),
        "fold": np.zeros(n),
    } | changes
    return build(FORECASTS, arrays, {"forecast_name": "model", "history": "test"})


def by_key(forecasts: xr.Dataset) -> dict:
    """Probability bits and outcome by all that tells forecasts apart."""
    columns = [forecasts[name].values for name in ("region", "valid_from", "valid_to", "issue_time")]
    events = forecasts["event"].values
    return {
        (*key, events[j]): (repr(forecasts["probability"].values[i, j]), forecasts["occurred"].values[i, j])
        for i, key in enumerate(zip(*columns, strict=True))
        for j in range(events.size)
    }


def test_what_is_written_is_read_back_to_the_bit(tmp_path):
    forecasts = forecasts_of(60)
    write_csv(forecasts, tmp_path / "out.csv")
    again = read_csv(tmp_path / "out.csv")
    assert by_key(again) == by_key(forecasts)
    assert again.attrs["forecast_name"] == "out"
    assert (again["role"].values == 0).all()


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.text("HARP ,\"'äé-0123", min_size=1, max_size=9))
def test_any_probability_and_region_survive_the_round_trip(tmp_path, probabilities, name):
    region = np.full(len(probabilities), name.strip() or "disk", dtype=object)
    probability = np.repeat(np.array(probabilities)[:, None], 2, axis=1)
    forecasts = forecasts_of(len(probabilities), region=region, cluster=region, probability=probability)
    write_csv(forecasts, tmp_path / "out.csv")
    assert by_key(read_csv(tmp_path / "out.csv")) == by_key(forecasts)


def test_a_written_file_says_times_in_utc_and_leaves_the_unknown_empty(tmp_path):
    start = np.array([cycles.seconds("2012-03-07")])
    forecasts = forecasts_of(
        1,
        issue_time=start,
        valid_from=start,
        valid_to=start + DAY,
        region=["disk"],
        cluster=["disk"],
        probability=[[0.25, np.nan]],
        occurred=[[1, -1]],
    )
    write_csv(forecasts, tmp_path / "out.csv")
    span = "2012-03-07T00:00:00Z,2012-03-07T00:00:00Z,2012-03-08T00:00:00Z,disk"
    assert (tmp_path / "out.csv").read_text() == f"{HEADER}\n{span},M1.0,0.25,1\n{span},X1.0,,\n"


def test_columns_come_in_any_order_and_others_are_left_aside(tmp_path):
    path = table(
        tmp_path,
        "a,1,0.3,M,disk,2012-03-08T00:00:00Z,2012-03-07T00:00:00Z,2012-03-06T22:00:00Z",
        "",
        header="note, occurred,probability,event,region,valid_to,valid_from,issue_time",
    )
    forecasts = read_csv(path)
    assert forecasts["event"].values.tolist() == ["M1.0"]
    assert forecasts["probability"].values.tolist() == [[0.3]]
    assert forecasts["occurred"].values.tolist() == [[1]]


def test_the_disk_is_resampled_by_rotation_and_a_region_as_itself(tmp_path):
    forecasts = read_csv(table(tmp_path, row(), row(region="HARP 1449")))
    rotation = cycles.rotation_of(cycles.seconds("2012-03-07"))
    clusters = dict(zip(forecasts["region"].values, forecasts["cluster"].values, strict=True))
    assert clusters == {"disk": f"rotation {rotation}", "HARP 1449": "HARP 1449"}


def test_events_are_named_by_class_and_ascend(tmp_path):
    lines = [row(event=event) for event in ("X", "M5", "c1.0", "M1.0")]
    assert read_csv(table(tmp_path, *lines))["event"].values.tolist() == ["C1.0", "M1.0", "M5.0", "X1.0"]


def test_the_last_issue_at_or_before_the_start_counts(tmp_path):
    forecasts = read_csv(
        table(
            tmp_path,
            row("2012-03-06T12:00:00Z", p="0.1"),
            row("2012-03-07T00:00:00Z", p="0.2"),
            row("2012-03-06T22:00:00Z", p="0.3"),
            row("2012-03-07T00:30:00Z", p="0.4"),
        )
    )
    assert forecasts["probability"].values.tolist() == [[0.2]]
    assert forecasts.attrs["n_replaced"] == 3
    assert forecasts.attrs["n_late"] == 0


def test_else_the_first_issued_after_the_start_counts_and_is_counted_as_late(tmp_path):
    late = [row("2012-03-07T06:00:00Z", p="0.4"), row("2012-03-07T00:30:00Z", p="0.5")]
    forecasts = read_csv(table(tmp_path, *late))
    assert forecasts["probability"].values.tolist() == [[0.5]]
    assert forecasts.attrs["n_late"] == 1
    assert forecasts.attrs["n_replaced"] == 1


def test_a_forecast_for_day_2_is_kept_beside_a_later_one_for_day_1(tmp_path):
    forecasts = read_csv(table(tmp_path, row("2012-03-05T22:00:00Z", p="0.1"), row(p="0.6")))
    ahead = day_ahead(forecasts["issue_time"], forecasts["valid_from"])
    assert dict(zip(ahead, forecasts["probability"].values[:, 0], strict=True)) == {1: 0.6, 2: 0.1}


def test_day_ahead_counts_whole_days_between_issue_and_start():
    hours = np.array([-5, 0, 2, 23.9, 24, 26, 48])
    assert day_ahead(np.zeros(7), hours * 3600).tolist() == [1, 1, 1, 1, 2, 2, 3]


def test_an_empty_probability_is_no_forecast_and_replaces_none(tmp_path):
    lines = [row("2012-03-06T22:00:00Z"), row("2012-03-06T23:00:00Z", p=""), row(day="2012-03-08", p="")]
    forecasts = read_csv(table(tmp_path, *lines))
    said = forecasts["probability"].values[:, 0]
    assert said[0] == 0.6
    assert np.isnan(said[1])
    assert forecasts["occurred"].values[:, 0].tolist() == [1, 1]


def test_identical_rows_are_counted_once(tmp_path):
    forecasts = read_csv(table(tmp_path, row(), row(), row()))
    assert forecasts["probability"].shape == (1, 1)
    assert forecasts.attrs["n_repeats"] == 2


def test_an_outcome_known_in_one_row_holds_for_all_issues_of_the_span(tmp_path):
    forecasts = read_csv(table(tmp_path, row(occurred="1"), row("2012-03-05T22:00:00Z", occurred="")))
    assert forecasts["occurred"].values.tolist() == [[1], [1]]


def test_times_with_another_zone_are_converted_and_those_without_are_utc_and_counted(tmp_path):
    span = "2012-03-07 00:00,2012-03-08T00:00:00Z,disk,M1.0,0.5,0"
    forecasts = read_csv(table(tmp_path, f"2012-03-06T23:00:00+01:00,{span}"))
    assert cycles.iso(forecasts["issue_time"].values[0]) == "2012-03-06T22:00:00Z"
    assert cycles.iso(forecasts["valid_from"].values[0]) == "2012-03-07T00:00:00Z"
    assert forecasts.attrs["n_times_without_zone"] == 1


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([row(p="60"), row(day="2012-03-08", p="5")], "got 60 in line 2 and 1 more; they look like percent"),
        ([row(p="1.203")], r"expected fractions in \[0, 1\], got 1.203 in line 2$"),
        ([row(), row(day="2012-03-08", p="-0.1")], "got -0.1 in line 3$"),
        ([row(p="inf")], "got inf in line 2"),
        ([row(p="high")], "expected a number or an empty cell, got 'high' in line 2"),
        ([row(occurred="yes")], "occurred: expected 0, 1 or an empty cell, got 'yes' in line 2"),
        ([row(occurred="2")], "occurred: expected 1, 0 or empty where unknown, got 2 in line 2"),
        ([row(occurred="-1")], "got -1 in line 2"),
        ([row(p="1", occurred="0.6"), row(day="2012-03-08", p="0", occurred="0.1")], "look swapped"),
        ([row(), row(event="Z9")], "event in line 3: GOES class: .* got 'Z9'"),
        ([row(region="")], "region in line 2: .* got an empty cell"),
        ([row(issue="yesterday")], "issue_time in line 2: expected an ISO 8601 time .* got 'yesterday'"),
        ([row(issue="")], "issue_time in line 2"),
        ([row(issue="9999-12-31T23:59:59-14:00")], "issue_time in line 2: .* of the years 1 to 9999"),
        (
            ["2012-03-06T22:00:00Z,2012-03-07T00:00:00Z,2012-03-07T00:00:00Z,disk,M1.0,0.5,0"],
            "valid_to: expected a time after valid_from, got none in line 2",
        ),
        (
            [row(p="0.5"), row(p="0.6")],
            "got 0.5 in line 2 and 0.6 in line 3 for disk from 2012-03-07T00:00:00Z",
        ),
        (
            [row(occurred="0"), row("2012-03-06T12:00:00Z", occurred="1")],
            "occurred: expected one value per forecast, got 0 in line 2 and 1 in line 3",
        ),
        ([], "got only a header line"),
    ],
)
def test_a_bad_table_is_refused_in_one_sentence(tmp_path, lines, says):
    with pytest.raises(FlarecastError, match=says) as caught:
        read_csv(table(tmp_path, *lines))
    assert "\n" not in str(caught.value)
    assert "swpc.csv" in str(caught.value)


def test_all_problems_are_named_at_once_with_lines_that_count_blank_ones(tmp_path):
    with pytest.raises(FlarecastError, match=r"probability: .* line 4; occurred: .* line 5"):
        read_csv(
            table(tmp_path, row(), "", row(day="2012-03-08", p="1.5"), row(day="2012-03-09", occurred="3"))
        )


def test_missing_columns_are_named(tmp_path):
    with pytest.raises(FlarecastError, match="got a table without valid_to, occurred"):
        read_csv(table(tmp_path, "a,b,c,d,0.5", header="issue_time,valid_from,region,event,probability"))


def test_what_is_no_csv_is_refused(tmp_path):
    with pytest.raises(FlarecastError, match="found no file"):
        read_csv(tmp_path / "absent.csv")
    for content in (b"", b"\xff\xfe\x00\x01\x00,\xff\n\n", b'issue_time,"valid_from\n'):
        (tmp_path / "odd.csv").write_bytes(content)
        with pytest.raises(FlarecastError, match=r"odd.csv: expected"):
            read_csv(tmp_path / "odd.csv")


def test_how_sure_a_forecast_is_stands_behind_the_columns_that_are_read_back(tmp_path):
    plain = forecasts_of(20)
    probability = plain["probability"].values
    sure = {
        "probability_lower": 0.5 * probability,
        "probability_upper": probability + 0.5 * (1 - probability),
        "aleatoric": np.full((20, 2), 0.25),
        "epistemic": np.where(np.isnan(probability), np.nan, 0.125),
    }
    write_csv(forecasts_of(20, **sure), tmp_path / "sure.csv")
    write_csv(plain, tmp_path / "plain.csv")
    written = pd.read_csv(tmp_path / "sure.csv")
    assert list(written) == [*HEADER.split(","), *sure]
    assert list(pd.read_csv(tmp_path / "plain.csv")) == HEADER.split(",")
    for name, values in sure.items():
        np.testing.assert_array_equal(written[name], values.ravel())
    assert by_key(read_csv(tmp_path / "sure.csv")) == by_key(read_csv(tmp_path / "plain.csv"))


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(FlarecastError, match="cannot be written"):
        write_csv(forecasts_of(3), tmp_path / "taken" / "out.csv")


def test_cells_beyond_the_header_shift_nothing(tmp_path):
    plain = read_csv(table(tmp_path, row(), row(day="2012-03-08", issue="2012-03-07T22:00:00Z")))
    commas = read_csv(table(tmp_path, row() + ",", row(day="2012-03-08", issue="2012-03-07T22:00:00Z") + ","))
    assert by_key(commas) == by_key(plain)
    with pytest.raises(FlarecastError, match="issue_time in line 2: expected an ISO 8601 time"):
        read_csv(table(tmp_path, "0," + row(), "1," + row()))


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    with pytest.raises(FlarecastError, match="expected each column once, got probability more than once"):
        read_csv(table(tmp_path, row() + ",0.9", header=HEADER + ",probability"))
