"""What occurred, by a list of flares."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from flarecast.cli import main
from flarecast.cycles import seconds
from flarecast.errors import FlarecastError
from flarecast.evaluate.truth import fill_from_flares
from flarecast.schema import FORECASTS, build

FLARES = """start,peak,end,flux,flux_upper,region,source,flux_scale
2012-03-05T02:30:00Z,2012-03-05T04:09:00Z,2012-03-05T04:43:00Z,1.1e-4,1.1e-4,11429,noaa,operational
2012-03-06T12:23:00Z,2012-03-06T12:41:00Z,2012-03-06T12:54:00Z,2.1e-5,2.1e-5,11429,noaa,operational
2012-03-07T23:50:00Z,2012-03-08T00:02:00Z,2012-03-08T00:10:00Z,3.0e-5,3.0e-5,0,noaa,operational
2012-03-09T03:22:00Z,2012-03-09T03:53:00Z,2012-03-09T04:18:00Z,6.3e-6,6.3e-6,11430,noaa,operational
"""
DAYS = 7


def forecasts_of(region: str, **attributes):
    start = seconds("2012-03-04") + 86_400 * np.arange(DAYS)
    arrays = {
        "event": ["C1.0", "M1.0", "X1.0"],
        "probability": np.tile([0.5, 0.3, 0.1], (DAYS, 1)),
        "occurred": np.full((DAYS, 3), -1),
        "issue_time": start,
        "valid_from": start,
        "valid_to": start + 86_400,
        "region": [region] * DAYS,
        "cluster": [region] * DAYS,
        "role": np.zeros(DAYS),
        "fold": np.zeros(DAYS),
    }
    return build(FORECASTS, arrays, {"forecast_name": "m", "history": "t"} | attributes)


@pytest.fixture
def flares(tmp_path):
    (tmp_path / "flares.csv").write_text(FLARES, encoding="utf-8")
    return tmp_path / "flares.csv"


@pytest.mark.parametrize(
    ("region", "events"),
    [
        ("disk", [(-1, 1, 1, 0, 1, 1, -1), (-1, 1, 1, 0, 1, 0, -1), (-1, 1, 0, 0, 0, 0, -1)]),
        ("NOAA 11429", [(-1, 1, 1, 0, 0, 0, -1), (-1, 1, 1, 0, 0, 0, -1), (-1, 1, 0, 0, 0, 0, -1)]),
        ("NOAA 11430", [(-1, 0, 0, 0, 0, 1, -1), (-1, 0, 0, 0, 0, 0, -1), (-1, 0, 0, 0, 0, 0, -1)]),
        ("HARP 1449", [(-1,) * 7] * 3),
    ],
)
def test_a_flare_belongs_by_its_peak_to_the_disk_and_to_its_region(flares, region, events):
    filled, unmatched = fill_from_flares(forecasts_of(region), flares)
    np.testing.assert_array_equal(filled["occurred"].values.T, events)
    assert unmatched == (7 if region.startswith("HARP") else 2)


def test_a_flare_without_a_region_masks_negatives_where_asked(flares):
    filled, _ = fill_from_flares(forecasts_of("NOAA 11429", unassigned="mask"), flares)
    np.testing.assert_array_equal(filled["occurred"].values[:, 1], (-1, 1, 1, 0, -1, 0, -1))


def test_a_list_without_flares_and_no_list_are_refused(tmp_path):
    for text in (FLARES.splitlines()[0] + "\n", "a,b\n1,2\n"):
        (tmp_path / "f.csv").write_text(text, encoding="utf-8")
        with pytest.raises(FlarecastError, match=r"f\.csv"):
            fill_from_flares(forecasts_of("disk"), tmp_path / "f.csv")


def test_evaluate_takes_a_list_of_flares(flares, tmp_path):
    rows = ["issue_time,valid_from,valid_to,region,event,probability,occurred"]
    rows += [
        f"2012-03-0{d}T00:00:00Z,2012-03-0{d}T00:00:00Z,2012-03-0{d + 1}T00:00:00Z,disk,M1.0,0.{d},"
        for d in (5, 6, 7, 8)
    ]
    (tmp_path / "ours.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    words = ["evaluate", tmp_path / "ours.csv", "--truth", flares, "-o", tmp_path / "s.json"]
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    records = json.loads((tmp_path / "s.json").read_text())["records"]
    brier = next(one for one in records if one["score"] == "brier" and one["forecast"] == "model")
    assert (brier["n"], brier["n_events"]) == (4, 3)
    assert brier["value"] == pytest.approx(np.mean([0.5**2, 0.4**2, 0.7**2, 0.2**2]))
